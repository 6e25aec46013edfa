//! From a host's name to the addresses that a connection may use. It happens for each connection, and the connection goes to what was
//! checked: a name that means another address a moment later (DNS rebinding) changes nothing.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::lookup_host;

use crate::{failure::FailureReason, target::Targets};

/// The name of this machine (RFC 6761 §6.3).
pub(crate) const LOCALHOST: &str = "localhost";

/// Finds the addresses of a host.
#[async_trait]
pub trait Lookup: Send + Sync + 'static {
    /// Returns the addresses of this host, in the order in which to try them.
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The system's resolver, which everything on this machine uses: /etc/hosts, then DNS.
#[derive(Debug, Clone, Copy)]
pub struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// Looks hosts up and drops the addresses that a delivery may not reach.
pub(crate) struct CheckedLookup {
    pub lookup: Arc<dyn Lookup>,
    pub targets: Arc<Targets>,
}

impl Resolve for CheckedLookup {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, targets) = (self.lookup.clone(), self.targets.clone());
        Box::pin(async move {
            let found = permitted(&*lookup, &targets, name.as_str()).await?;
            let addresses: Addrs = Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}

/// Returns the addresses of a host that a delivery may reach: at least one.
async fn permitted(lookup: &dyn Lookup, targets: &Targets, host: &str) -> Result<Vec<IpAddr>, FailureReason> {
    let found = lookup.addresses(host).await;
    let mut addresses = found.map_err(|error| FailureReason::NotFound(error.to_string()))?;
    if addresses.is_empty() {
        return Err(FailureReason::NotFound("it has no address".to_owned()));
    }
    // HTTP without TLS is sent to localhost, so it must not be another machine.
    addresses.retain(|address| targets.permits(*address) && (host != LOCALHOST || address.is_loopback()));
    if addresses.is_empty() { Err(FailureReason::Refused) } else { Ok(addresses) }
}
