//! `[server]`: how the service is reached.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use ipnet::IpNet;

use super::PublicUrl;
use crate::config::{
    ConfigError,
    reader::{Reader, Section},
};

/// How the service listens, what the world calls it, and how it stops.
#[derive(Debug, Clone)]
pub struct Server {
    pub listen: SocketAddr,
    /// What every link in answers and mails begins with.
    pub public_url: PublicUrl,
    pub trusted_proxies: TrustedProxies,
    /// The largest request body, in bytes.
    pub max_body_bytes: usize,
    /// How long the answer to a request with an idempotency key is kept.
    pub idempotency_key_life: Duration,
    /// How long an idle connection stays open for the next request.
    pub keep_alive: Duration,
    /// How long a stop may take.
    pub shutdown: Duration,
}

impl Section for Server {
    const NAME: &'static str = "server";

    fn read(reader: &Reader<'_>) -> Result<Self, ConfigError> {
        let network = "a list of IP addresses and networks, such as 10.0.0.0/8";
        Ok(Self {
            listen: reader.required("listen", "an IP address and a port", |text| text.parse().ok())?,
            public_url: reader.required("public_url", PublicUrl::EXPECTED, PublicUrl::parse)?,
            trusted_proxies: TrustedProxies(reader.list("trusted_proxies", network, parse_network)?),
            max_body_bytes: reader.integer("max_body_bytes", 1024..=10 << 20)?,
            idempotency_key_life: reader.seconds("idempotency_key_seconds", 60..=604_800)?,
            keep_alive: reader.seconds("keep_alive_seconds", 1..=3600)?,
            shutdown: reader.seconds("shutdown_seconds", 1..=600)?,
        })
    }
}

/// The reverse proxies in front of the service: the only peers whose `X-Forwarded-For` is believed.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Whether this peer is one of them. An IPv4 address mapped into IPv6 counts as the IPv4 address.
    #[must_use]
    pub fn contains(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.0.iter().any(|network| network.contains(&peer))
    }
}

fn parse_network(text: &str) -> Option<IpNet> {
    text.parse()
        .ok()
        .or_else(|| text.parse::<IpAddr>().ok().map(|address| IpNet::from(address.to_canonical())))
}
