//! Organizations: the shops that one deployment serves.

use std::{collections::HashMap, str::FromStr};

use async_trait::async_trait;
use time::OffsetDateTime;

use crate::{
    error::{CreateError, StoreError},
    events::audit::AuditEntry,
    ids::OrganizationId,
    name::DisplayName,
    newtypes::text_newtype,
};

/// A shop. Every other record belongs to exactly one.
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
    /// Creates an organization, with its audit entry in live mode. `Taken`: the slug.
    async fn create_organization(
        &self,
        organization: &NewOrganization,
        audit: &AuditEntry,
    ) -> Result<Organization, CreateError>;

    /// Changes an organization's name, with the audit entry; false when there is none.
    async fn rename_organization(
        &self,
        id: OrganizationId,
        name: &DisplayName,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError>;

    /// All organizations, by slug: for what operators do only.
    async fn organizations(&self) -> Result<Vec<Organization>, StoreError>;
}

/// A value for every organization: a default, and own values for some.
#[derive(Debug, Clone, Default)]
pub struct PerOrganization<T> {
    default: T,
    own: HashMap<Slug, T>,
}

impl<T> PerOrganization<T> {
    /// Makes it the same value for all.
    #[must_use]
    pub fn same(default: T) -> Self {
        Self { default, own: HashMap::new() }
    }

    /// Makes it these organizations' own values, and the default for all others.
    #[must_use]
    pub fn new(default: T, own: HashMap<Slug, T>) -> Self {
        Self { default, own }
    }

    /// Returns an organization's value.
    #[must_use]
    pub fn get(&self, organization: &Slug) -> &T {
        self.own.get(organization).unwrap_or(&self.default)
    }

    /// Returns the value of organizations without their own.
    #[must_use]
    pub fn default_value(&self) -> &T {
        &self.default
    }

    /// Returns all values.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.own.values().chain([&self.default])
    }

    /// Converts each value.
    pub fn map<U>(&self, mut convert: impl FnMut(&T) -> U) -> PerOrganization<U> {
        let own = self.own.iter().map(|(slug, value)| (slug.clone(), convert(value))).collect();
        PerOrganization { default: convert(&self.default), own }
    }

    /// Converts each value; fails if one conversion fails.
    ///
    /// # Errors
    /// The first failure.
    pub fn try_map<U, E>(
        &self,
        mut convert: impl FnMut(&T) -> Result<U, E>,
    ) -> Result<PerOrganization<U>, E> {
        let own = self.own.iter().map(|(slug, value)| Ok((slug.clone(), convert(value)?)));
        Ok(PerOrganization { own: own.collect::<Result<_, E>>()?, default: convert(&self.default)? })
    }
}

/// A DNS label in lower case: 1 to 63 of `a-z 0-9 -`, no `-` at either end (RFC 1035 §2.3.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Slug(String);

/// A text that is not a [`Slug`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a slug is 1 to 63 of a-z, 0-9 and -, with no - at either end")]
pub struct InvalidSlug;

text_newtype!(Slug);

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_a_label_of_a_host_name() {
        for slug in ["a", "7", "demo-shop", &"a".repeat(63)] {
            assert_eq!(slug.parse::<Slug>().unwrap().as_str(), slug);
        }
        for text in ["", "-a", "a-", "Demo", "demo_shop", "a.b", "ä", &"a".repeat(64)] {
            assert_eq!(text.parse::<Slug>(), Err(InvalidSlug), "{text:?}");
        }
    }

    #[test]
    fn the_values_are_each_organizations_own_and_the_one_of_all_others() {
        let own = [("shop".parse().unwrap(), 1), ("other".parse().unwrap(), 2)];
        let mut values: Vec<_> = PerOrganization::new(3, own.into()).values().copied().collect();
        values.sort_unstable();
        assert_eq!(values, [1, 2, 3]);
    }
}
