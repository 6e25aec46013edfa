//! The networks by which clients are counted and recognised.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
};

/// The network of a client: an IPv4 address whole, an IPv6 address by its first bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Network {
    /// An IPv4 address, also one that was mapped to IPv6.
    V4(std::net::Ipv4Addr),
    /// The first bits of an IPv6 address, and how many they are.
    V6(Ipv6Addr, u32),
}

/// The bits that one subscriber has at least, in which devices choose addresses freely (RFC 6177 §2, RFC 8981).
pub const SUBSCRIBER: u32 = 64;

/// The networks by which an IPv6 client is counted, and how many times the limit each may use: what a subscriber has at least; a home, and a
/// whole site (RFC 6177 §2). Its owner could otherwise use as many addresses as it has /64s.
const COUNTED: [(u32, u32); 3] = [(SUBSCRIBER, 1), (56, 4), (48, 16)];

impl Network {
    /// Returns the networks by which a client with this address is counted, the narrowest first, each with how many times the limit it
    /// may use.
    pub fn counted(address: IpAddr) -> impl Iterator<Item = (Self, u32)> {
        let count = if address.to_canonical().is_ipv6() { COUNTED.len() } else { 1 };
        COUNTED.into_iter().take(count).map(move |(bits, factor)| (Self::new(address, bits), factor))
    }

    /// Returns the network of an address, with that many bits (up to 128) of an IPv6 address.
    #[must_use]
    pub fn new(address: IpAddr, ipv6_bits: u32) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128 - ipv6_bits).unwrap_or(0);
                Self::V6(Ipv6Addr::from_bits(address.to_bits() & mask), ipv6_bits)
            }
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address) => address.fmt(f),
            Self::V6(address, bits) => write!(f, "{address}/{bits}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forwarded_for_ipv6_is_counted_by_its_first_bits() {
        for (address, bits, network) in [
            ("192.0.2.1", 64, "192.0.2.1"),
            ("::ffff:192.0.2.1", 64, "192.0.2.1"),
            ("2001:db8:1:2:3:4:5:6", 64, "2001:db8:1:2::/64"),
            ("2001:db8:1:2::", 64, "2001:db8:1:2::/64"),
            ("2001:db8:1:3::", 64, "2001:db8:1:3::/64"),
            ("2001:db8:1:2ff:3:4:5:6", 56, "2001:db8:1:200::/56"),
            ("2001:db8:1:2ff:3:4:5:6", 48, "2001:db8:1::/48"),
            ("::1", 64, "::/64"),
            ("::1", 128, "::1/128"),
            ("::1", 0, "::/0"),
        ] {
            assert_eq!(Network::new(address.parse().unwrap(), bits).to_string(), network);
        }
    }
}
