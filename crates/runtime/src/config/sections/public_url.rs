//! The address the world sees.

use std::fmt;

use url::Url;

/// An http or https origin, written without a trailing slash: `format!("{public_url}/api/…")` is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    pub(super) const EXPECTED: &'static str =
        "an http or https URL without path, query or credentials, such as https://shop.example.com";

    pub(super) fn parse(text: &str) -> Option<Self> {
        let url = parse_http(text)?;
        (url.path() == "/" && url.query().is_none() && url.fragment().is_none())
            .then(|| Self(url.origin().ascii_serialization()))
    }

    /// The origin, such as `https://shop.example.com`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is https, so that cookies can be `Secure`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https:")
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An absolute http or https URL without credentials.
pub(super) fn parse_http(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_plain = url.username().is_empty() && url.password().is_none();
    (matches!(url.scheme(), "http" | "https") && url.has_host() && is_plain).then_some(url)
}
