//! `--health`: whether a running program is ready, for the health checks of containers.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use anyhow::Context;
use serde::Deserialize;

use crate::config::{Admin, Configuration, Source};

/// How long the program may take to answer: more than its checks may.
const TIMEOUT: Duration = Duration::from_secs(4);

#[derive(Deserialize)]
struct Sections {
    admin: Admin,
}

/// Asks the program that runs on this machine with this configuration whether it is ready, at its admin listener, and prints its answer.
///
/// # Errors
/// When it is not ready, with the checks that fail and their causes, or when it does not answer.
pub async fn probe(source: &Source, default_port: u16) -> anyhow::Result<()> {
    let Sections { admin } = Configuration::load(source)?.settings()?;
    let address = admin.address(default_port).context("admin.listen is \"off\": there is nothing to ask")?;
    let url = format!("http://{}/readyz", on_this_machine(address));
    let client = reqwest::Client::builder().no_proxy().timeout(TIMEOUT).build()?;
    let answer = client.get(&url).send().await.with_context(|| format!("{url} does not answer"))?;
    let is_ready = answer.status().is_success();
    let body = answer.text().await.with_context(|| format!("{url} does not answer"))?;
    anyhow::ensure!(is_ready, "not ready: {body}");
    println!("{body}");
    Ok(())
}

/// Returns the address at which a listener on all addresses is reached.
fn on_this_machine(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}
