//! How client addresses are counted.

use std::{fmt, net::IpAddr};

use rekey_core::network::{Network, SUBSCRIBER};

/// A client's address as it is counted: an IPv6 address by what its subscriber has.
pub struct Address(pub Option<IpAddr>);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(address) => Network::new(address, SUBSCRIBER).fmt(f),
            None => f.write_str("unknown"),
        }
    }
}
