//! `[server]`: how the service is reached.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, de::Error};

use super::public_url::{PublicUrl, public_url};
use crate::config::fields::{Within, listen_address, text_fields};

/// Where the service listens, at which address its clients reach it, and how it stops.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    #[serde(deserialize_with = "listen_address")]
    pub listen: SocketAddr,
    /// The first part of every link in responses and mails.
    #[serde(deserialize_with = "public_url")]
    pub public_url: PublicUrl,
    #[serde(deserialize_with = "trusted_proxies")]
    pub trusted_proxies: TrustedProxies,
    #[serde(deserialize_with = "forwarded_header")]
    pub forwarded_header: ForwardedHeader,
    /// The largest request body, in bytes.
    #[serde(deserialize_with = "Within::<1024, 10_485_760>::integer")]
    pub max_body_bytes: usize,
    /// How long the response to a request with an idempotency key is kept.
    #[serde(rename = "idempotency_key_seconds", deserialize_with = "Within::<60, 604_800>::seconds")]
    pub idempotency_key_ttl: Duration,
    /// How long an idle connection stays open for the next request.
    #[serde(rename = "keep_alive_seconds", deserialize_with = "Within::<1, 3600>::seconds")]
    pub keep_alive: Duration,
    /// How long the program may take to stop.
    #[serde(rename = "shutdown_seconds", deserialize_with = "Within::<1, 600>::seconds")]
    pub shutdown_timeout: Duration,
}

/// The reverse proxies in front of the service: the only peers whose [`ForwardedHeader`] is believed.
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

/// The header in which the proxies report the client's address. The other one is ignored, since proxies pass it on as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`.
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

text_fields! {
    forwarded_header: ForwardedHeader = "\"x-forwarded-for\" or \"forwarded\"", |text| match text {
        "x-forwarded-for" => Some(ForwardedHeader::XForwardedFor),
        "forwarded" => Some(ForwardedHeader::Forwarded),
        _ => None,
    };
}

fn trusted_proxies<'de, D: Deserializer<'de>>(value: D) -> Result<TrustedProxies, D::Error> {
    networks(value).map(TrustedProxies)
}

/// Reads addresses and networks.
pub(super) fn networks<'de, D: Deserializer<'de>>(value: D) -> Result<Vec<IpNet>, D::Error> {
    let network = |text: &String| {
        text.parse().or_else(|_| text.parse().map(|address: IpAddr| IpNet::from(address.to_canonical())))
    };
    let networks = Vec::<String>::deserialize(value)?.iter().map(network).collect::<Result<_, _>>();
    let expected = "a list of IP addresses and networks, such as 10.0.0.0/8";
    networks.map_err(|_| D::Error::custom(expected))
}
