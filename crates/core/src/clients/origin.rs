//! Web origins whose scripts may read an API client's answers (CORS).

use std::str::FromStr;

use url::{Host, Url};

use crate::newtypes::text_newtype;

/// An origin in the form that browsers send (RFC 6454 §6.2): scheme and host in lower case, an international name in
/// its `xn--` form, no default port. Or any origin, written `*`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AllowedOrigin(String);

/// A text that is not an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an origin is http:// or https://, a host, and a port unless it is the usual one, without a path; or * for any"
)]
pub struct InvalidOrigin;

/// Every origin.
const ANY: &str = "*";

text_newtype!(AllowedOrigin);

impl AllowedOrigin {
    /// Whether every origin is allowed.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.0 == ANY
    }

    /// Whether a page of that origin, as a browser names it, is allowed. `null`, for pages without an origin, is allowed by `*` only.
    #[must_use]
    pub fn allows(&self, origin: &str) -> bool {
        self.is_any() || self.0 == origin
    }
}

impl FromStr for AllowedOrigin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        if text == ANY {
            return Ok(Self(ANY.to_owned()));
        }
        // The URL parser accepts more: spaces, backslashes, a slash at the end.
        let (scheme, rest) = text.split_once("://").ok_or(InvalidOrigin)?;
        let is_bare = !rest.contains(|c: char| "/\\?#@*".contains(c) || c.is_whitespace() || c.is_control());
        let is_web = ["http", "https"].iter().any(|web| scheme.eq_ignore_ascii_case(web));
        if !is_bare || !is_web || rest.ends_with(':') {
            return Err(InvalidOrigin);
        }
        let url = Url::parse(text).map_err(|_| InvalidOrigin)?;
        match url.host() {
            Some(Host::Domain(domain)) if domain.is_empty() || domain.ends_with('.') => Err(InvalidOrigin),
            Some(_) => Ok(Self(url.origin().ascii_serialization())),
            None => Err(InvalidOrigin),
        }
    }
}

#[cfg(test)]
mod tests;
