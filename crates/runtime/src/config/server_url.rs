//! What the URLs of relays, broker and database have in common: they may hold a user and a password.

use percent_encoding::percent_decode_str;
use url::{Host, ParseError, Url};

use super::invisible::find_invisible;

/// What is expected of a URL, to be read after "expected the URL". It holds nothing of the URL.
pub(super) type Expected = &'static str;

macro_rules! escapes {
    () => {
        "user and password percent-encoded: write \"/\" as %2F, \"?\" as %3F, \"#\" as %23, \"@\" as %40, \":\" as %3A, \"%\" as %25 and \",\" as %2C"
    };
}

const CREDENTIALS: Expected = concat!("to have ", escapes!());
const PORT: Expected = concat!("to have a port from 1 to 65535 behind its host, and ", escapes!());
/// The host of a URL that can be connected to.
pub(super) const HOST: Expected = "to have a host name or an IP address, IPv6 in brackets and without a zone";

/// Returns the URLs of a list that is separated by commas or, as in a secret's file, by lines.
pub(super) fn split(list: &str) -> impl Iterator<Item = &str> {
    list.split(|c: char| c == ',' || c.is_ascii_whitespace()).filter(|url| !url.is_empty())
}

/// Parses a URL. One in which a password ends the part before the host by its "/", "?" or "#" would name another host.
pub(super) fn parse(text: &str) -> Result<Url, Expected> {
    if find_invisible(text).is_some() {
        return Err("to have only visible characters");
    }
    let after_authority = text.split_once("://").and_then(|(_, rest)| rest.split_once(['/', '?', '#']));
    if after_authority.is_some_and(|(_, rest)| rest.contains('@')) {
        return Err(CREDENTIALS);
    }
    let url = Url::parse(text).map_err(|error| match error {
        ParseError::InvalidPort => PORT,
        ParseError::RelativeUrlWithoutBase => {
            "to begin with its scheme, such as smtp://user:password@host:port"
        }
        _ => HOST,
    })?;
    let is_text = |encoded: &str| percent_decode_str(encoded).decode_utf8().is_ok();
    let is_decodable = is_text(url.username()) && url.password().is_none_or(is_text);
    if is_decodable { Ok(url) } else { Err(CREDENTIALS) }
}

/// Whether the URL names a host that can be connected to. In a name without percent-encoding, "_" is common in containers' networks.
pub(super) fn has_host(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
        }
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
        None => false,
    }
}
