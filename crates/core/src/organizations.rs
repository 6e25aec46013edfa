//! Organizations: the shops that one deployment serves.

use std::{collections::HashMap, fmt, str::FromStr};

use async_trait::async_trait;
use time::OffsetDateTime;

use crate::{
    error::{CreateError, StoreError},
    ids::OrganizationId,
};

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

/// The port to the database for organizations.
#[async_trait]
pub trait OrganizationStore: Send + Sync + 'static {
    /// Creates an organization. `Taken`: the slug.
    async fn create_organization(&self, organization: &NewOrganization) -> Result<Organization, CreateError>;

    /// All organizations, by slug: for the operator's tool only.
    async fn organizations(&self) -> Result<Vec<Organization>, StoreError>;
}

/// Something that every organization has, some of them one of their own.
#[derive(Debug, Clone, Default)]
pub struct PerOrganization<T> {
    default: T,
    own: HashMap<Slug, T>,
}

impl<T> PerOrganization<T> {
    /// The same for all.
    #[must_use]
    pub fn same(default: T) -> Self {
        Self { default, own: HashMap::new() }
    }

    /// What each of these organizations has, and what all others have.
    #[must_use]
    pub fn new(default: T, own: HashMap<Slug, T>) -> Self {
        Self { default, own }
    }

    /// That organization's.
    #[must_use]
    pub fn of(&self, organization: &Slug) -> &T {
        self.own.get(organization).unwrap_or(&self.default)
    }

    /// What all organizations have that have nothing of their own.
    #[must_use]
    pub fn of_others(&self) -> &T {
        &self.default
    }

    /// What follows from each.
    pub fn map<U>(&self, mut follow: impl FnMut(&T) -> U) -> PerOrganization<U> {
        let own = self.own.iter().map(|(slug, value)| (slug.clone(), follow(value))).collect();
        PerOrganization { default: follow(&self.default), own }
    }

    /// What follows from each, unless it fails for one.
    ///
    /// # Errors
    /// The first failure.
    pub fn try_map<U, E>(&self, mut follow: impl FnMut(&T) -> Result<U, E>) -> Result<PerOrganization<U>, E> {
        let own = self.own.iter().map(|(slug, value)| Ok((slug.clone(), follow(value)?)));
        Ok(PerOrganization { own: own.collect::<Result<_, E>>()?, default: follow(&self.default)? })
    }
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
