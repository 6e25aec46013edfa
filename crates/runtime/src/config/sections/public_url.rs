//! The address at which clients reach the service.

use std::fmt;

use crate::config::fields::{parse_secure, text_fields};

/// An https origin, or an http one of this machine, written without a trailing slash: `format!("{public_url}/api/…")` is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
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

text_fields! {
    public_url: PublicUrl =
        "an https URL without path, query or credentials, such as https://shop.example.com (http is for this machine only, such as \
         http://localhost:8080)",
        |text| {
            parse_secure(text)
                .filter(|url| url.path() == "/" && url.query().is_none() && url.fragment().is_none())
                .map(|url| PublicUrl(url.origin().ascii_serialization()))
        };
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
