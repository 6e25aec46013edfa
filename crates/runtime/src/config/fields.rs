//! Deserializers for the fields of sections. The message of their errors is what was expected; `Configuration` adds key, value and
//! origin.

use std::{net::SocketAddr, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, de::Error};
use url::{Host, Url};

/// Numbers within bounds.
pub(super) struct Within<const MIN: u64, const MAX: u64>;

impl<const MIN: u64, const MAX: u64> Within<MIN, MAX> {
    pub(super) fn integer<'de, D: Deserializer<'de>, T: TryFrom<u64>>(value: D) -> Result<T, D::Error> {
        let number = u64::try_from(i64::deserialize(value)?).ok();
        let number = number.filter(|number| (MIN..=MAX).contains(number));
        number.and_then(|number| number.try_into().ok()).ok_or_else(Self::error)
    }

    pub(super) fn seconds<'de, D: Deserializer<'de>, T: TryFrom<Duration>>(value: D) -> Result<T, D::Error> {
        T::try_from(Duration::from_secs(Self::integer(value)?)).map_err(|_| Self::error())
    }

    pub(super) fn milliseconds<'de, D: Deserializer<'de>>(value: D) -> Result<Duration, D::Error> {
        Self::integer(value).map(Duration::from_millis)
    }

    fn error<E: Error>() -> E {
        E::custom(format_args!("an integer from {MIN} to {MAX}"))
    }
}

/// Defines deserializers of texts, for fields of a type and of an `Option` of it: `name: Type = "what is expected", parser;`.
macro_rules! text_fields {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $expected:expr, $parse:expr;)*) => { $(
        $(#[$doc])*
        pub(in crate::config) fn $name<'de, D, F>(value: D) -> Result<F, D::Error>
        where
            D: serde::Deserializer<'de>,
            F: From<$type>,
        {
            $crate::config::fields::text::<D, $type>(value, $expected, $parse).map(F::from)
        }
    )* };
}
pub(super) use text_fields;

pub(super) fn text<'de, D: Deserializer<'de>, T>(
    value: D,
    expected: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, D::Error> {
    parse(&String::deserialize(value)?).ok_or_else(|| D::Error::custom(expected))
}

pub(super) fn parse<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

text_fields! {
    host_name: String = "a host name in lower case", |text| is_host_name(text).then(|| text.into());
    listen_address: SocketAddr = "an IP address and a port", parse;
}

/// Whether this is a host name: labels of lower-case letters, digits and inner hyphens, at most 63 bytes each and 253 in all
/// (RFC 1123 §2.1).
pub(super) fn is_host_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

/// An absolute http or https URL without credentials. URLs allow more in a host than host names do, such as `"`, where readers of mails
/// take a link for ended.
pub(super) fn parse_http(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_plain = url.username().is_empty() && url.password().is_none();
    let is_usual = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    let has_host = url.host_str().is_some_and(|host| host.bytes().all(is_usual));
    (matches!(url.scheme(), "http" | "https") && has_host && is_plain).then_some(url)
}

/// The same, but http only to this machine: whoever reads what crosses the network there could set the password.
pub(super) fn parse_secure(text: &str) -> Option<Url> {
    parse_http(text).filter(|url| url.scheme() == "https" || is_this_machine(url))
}

/// Whether the URL's host is this machine, by name (RFC 6761 §6.3) or loopback address.
pub(super) fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The beginning of each key in PEM (RFC 7468 §2).
pub(super) const PEM_BEGIN: &str = "-----BEGIN ";

/// Whether this is one private key in PEM, PKCS#8 or PKCS#1: complete, but not decoded.
pub(super) fn is_private_key(pem: &str) -> bool {
    let is_complete = |label: &str| {
        pem.trim().starts_with(&format!("-----BEGIN {label}-----"))
            && pem.trim().ends_with(&format!("-----END {label}-----"))
    };
    pem.matches(PEM_BEGIN).count() == 1 && ["PRIVATE KEY", "RSA PRIVATE KEY"].into_iter().any(is_complete)
}
