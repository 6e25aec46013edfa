//! How client addresses are counted.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
};

/// A client's address as it is counted: an IPv4 address whole; an IPv6 address by its /64, because a subscriber has at
/// least a whole /64 and devices choose addresses in it freely (RFC 6177 §2, RFC 8981).
pub struct Address(pub Option<IpAddr>);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.map(|address| address.to_canonical()) {
            Some(IpAddr::V4(address)) => address.fmt(f),
            Some(IpAddr::V6(address)) => {
                let network = address.to_bits() & (u128::MAX << 64);
                write!(f, "{}/64", Ipv6Addr::from_bits(network))
            }
            None => f.write_str("unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forwarded_for_ipv6_is_counted_by_64() {
        for (address, counted) in [
            ("192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2::", "2001:db8:1:2::/64"),
            ("2001:db8:1:3::", "2001:db8:1:3::/64"),
            ("::1", "::/64"),
        ] {
            assert_eq!(Address(Some(address.parse().unwrap())).to_string(), counted);
        }
    }
}
