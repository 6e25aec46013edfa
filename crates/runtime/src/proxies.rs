//! The client's address, as the proxies in front report it.

use std::net::IpAddr;

use actix_web::http::header::{FORWARDED, HeaderMap, HeaderValue, X_FORWARDED_FOR};

use crate::config::{ForwardedHeader, Server, TrustedProxies};

/// Which proxies are believed, and in which header they report addresses.
#[derive(Debug, Clone)]
pub struct Proxies {
    trusted: TrustedProxies,
    header: ForwardedHeader,
}

impl Proxies {
    /// Returns the configured ones.
    #[must_use]
    pub fn new(server: &Server) -> Self {
        Self { trusted: server.trusted_proxies.clone(), header: server.forwarded_header }
    }

    /// Returns the peer's address, or the one in the header that trusted proxies vouch for. Each proxy appends the address it saw, so
    /// the list is read from its end, up to the first address that is not a trusted proxy. What is no address ends it, too: the client
    /// is then the proxy that reported it.
    #[must_use]
    pub fn client_address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let hops: Vec<Option<IpAddr>> = match self.header {
            ForwardedHeader::XForwardedFor => headers.get_all(X_FORWARDED_FOR).flat_map(listed).collect(),
            ForwardedHeader::Forwarded => {
                let lines = headers.get_all(FORWARDED);
                lines.flat_map(|line| elements(line).unwrap_or_else(|Malformed| vec![None])).collect()
            }
        };
        let mut client = peer;
        for hop in hops.into_iter().rev() {
            let Some(address) = hop.filter(|_| self.trusted.contains(client)) else { break };
            client = address;
        }
        client.to_canonical()
    }
}

/// The addresses of an `X-Forwarded-For`. Each is parsed by itself: a client's invalid bytes must not hide what a proxy appended.
fn listed(line: &HeaderValue) -> impl Iterator<Item = Option<IpAddr>> {
    line.as_bytes().split(|byte| *byte == b',').map(|entry| node(str::from_utf8(entry).ok()?))
}

/// Parses an address with or without a port, brackets and quotation marks, as proxies write them.
fn node(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let address = match (text.strip_prefix('['), text.split_once(':')) {
        (Some(text), _) => {
            let (address, port) = text.split_once(']')?;
            (port.is_empty() || port.starts_with(':')).then_some(address)?
        }
        (None, Some((address, port))) if !port.contains(':') => address,
        (None, _) => text,
    };
    address.parse().ok()
}

/// A line that is no `Forwarded` (RFC 7239). Nothing of it can be believed: with a quotation mark more, a client could make its own claims
/// of what a proxy appended.
struct Malformed;

/// The `for` of each element of a `Forwarded`.
fn elements(line: &HeaderValue) -> Result<Vec<Option<IpAddr>>, Malformed> {
    let elements = split(line.to_str().map_err(|_| Malformed)?, ',')?;
    elements.into_iter().filter(|element| !element.trim().is_empty()).map(forwarded_for).collect()
}

fn forwarded_for(element: &str) -> Result<Option<IpAddr>, Malformed> {
    let mut found = None;
    for pair in split(element, ';')? {
        let (name, value) = pair.split_once('=').ok_or(Malformed)?;
        let (name, value) = (name.trim(), value.trim());
        if !is_value(value) || (name.eq_ignore_ascii_case("for") && found.replace(node(value)).is_some()) {
            return Err(Malformed);
        }
    }
    Ok(found.flatten())
}

/// Splits at separators outside of quoted strings, each of which must have an end.
fn split(text: &str, separator: char) -> Result<Vec<&str>, Malformed> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let parts = text.split(|c| {
        let was_escaped = is_escaped;
        is_escaped = is_quoted && !was_escaped && c == '\\';
        is_quoted ^= c == '"' && !was_escaped;
        c == separator && !is_quoted
    });
    let parts = parts.collect();
    if is_quoted { Err(Malformed) } else { Ok(parts) }
}

/// Whether this is a token or a quoted string (RFC 9110 §5.6.4).
fn is_value(text: &str) -> bool {
    let Some(text) = text.strip_prefix('"') else { return !text.contains(['"', '\\']) };
    let mut is_escaped = false;
    let end = text.find(|c| {
        let was_escaped = is_escaped;
        is_escaped = !was_escaped && c == '\\';
        c == '"' && !was_escaped
    });
    end.is_some_and(|end| end + 1 == text.len())
}

#[cfg(test)]
mod tests;
