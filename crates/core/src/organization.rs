//! Organizations: the shops that one deployment serves.

use std::{fmt, str::FromStr};

use time::OffsetDateTime;

use crate::ids::OrganizationId;

/// A shop. Everything else belongs to exactly one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// Its unique short name: the host name's first label for the vendor's clients.
    pub slug: Slug,
    /// Its name as customers read it in mails and pages.
    pub name: String,
    /// When it was created.
    pub created_at: OffsetDateTime,
}

/// An organization to create.
#[derive(Debug, Clone)]
pub struct NewOrganization {
    /// Its id.
    pub id: OrganizationId,
    /// Its slug.
    pub slug: Slug,
    /// Its name.
    pub name: String,
}

/// A DNS label in lower case: 1 to 63 of `a-z 0-9 -`, no `-` at either end (RFC 1035 §2.3.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Slug(String);

/// A text that is not a [`Slug`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a slug is 1 to 63 of a-z, 0-9 and -, with no - at either end")]
pub struct InvalidSlug;

impl Slug {
    /// The slug's characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Slug {
    type Err = InvalidSlug;

    fn from_str(text: &str) -> Result<Self, InvalidSlug> {
        let fits = (1..=63).contains(&text.len())
            && !text.starts_with('-')
            && !text.ends_with('-')
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if fits { Ok(Self(text.to_owned())) } else { Err(InvalidSlug) }
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
