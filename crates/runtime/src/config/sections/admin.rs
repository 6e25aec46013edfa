//! `[admin]`: where probes and Prometheus reach a program.

use std::net::{Ipv4Addr, SocketAddr};

use serde::Deserialize;

use crate::config::fields::text_fields;

/// The listener for `/livez`, `/readyz` and `/metrics`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admin {
    #[serde(default, deserialize_with = "listener")]
    listen: Option<Listener>,
}

/// Where to listen, if anywhere.
#[derive(Debug, Clone, Copy)]
pub enum Listener {
    Off,
    At(SocketAddr),
}

impl Admin {
    /// Returns where to listen, unless it is off: on this port of the loopback address, where the configuration has no other.
    #[must_use]
    pub fn address(self, default_port: u16) -> Option<SocketAddr> {
        match self.listen {
            None => Some((Ipv4Addr::LOCALHOST, default_port).into()),
            Some(Listener::At(address)) => Some(address),
            Some(Listener::Off) => None,
        }
    }
}

text_fields! {
    listener: Listener = "an IP address and a port, or \"off\"", |text| match text {
        "off" => Some(Listener::Off),
        text => text.parse().ok().map(Listener::At),
    };
}
