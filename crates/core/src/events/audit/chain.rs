//! The audit log as a hash chain: each link covers one entry and the link before it, per organization and mode.

use async_trait::async_trait;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use crate::{clock::to_unix_microseconds, error::StoreError, scope::Scope, secrets::KeyRing};

/// The port to the chain. Its links are only ever added, and removed from its beginning by
/// [`Cleanup::purge`](crate::cleanup::Cleanup::purge).
#[async_trait]
pub trait AuditChain: Send + Sync + 'static {
    /// Returns the scopes with entries that wait to be chained.
    async fn queued_scopes(&self) -> Result<Vec<Scope>, StoreError>;

    /// Chains at most `max` of the entries that wait, by [`extend`], in one transaction. Simultaneous calls never fork the chain: one of
    /// them is [`Chained::Busy`].
    async fn chain_entries(&self, scope: Scope, keys: &KeyRing, max: u32) -> Result<Chained, StoreError>;

    /// Returns `max` links after that position, in their order, each with its entry if that is there; fewer only if there are no more.
    async fn read_chain(&self, scope: Scope, after: i64, max: u32) -> Result<Vec<ChainedEntry>, StoreError>;

    /// Returns the last link.
    async fn chain_head(&self, scope: Scope) -> Result<Option<Link>, StoreError>;

    /// Counts the entries that have no link. Reads all entries of the scope.
    async fn unchained(&self, scope: Scope) -> Result<Unchained, StoreError>;
}

/// What became of entries that waited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chained {
    /// So many were taken from the queue, with those of decoys, which are not chained.
    Done(u32),
    /// Another process is chaining entries of the same scope.
    Busy,
    /// Nothing was chained: the link at this position, the last one, has a wrong signature.
    Forged(i64),
}

/// An audit entry as it is stored, without its personal fields. Nothing is parsed: it may have been changed by others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    /// Its id.
    pub id: String,
    /// The id of its organization.
    pub organization: String,
    /// Test or live.
    pub mode: String,
    /// The type of the record that it is about.
    pub resource_type: String,
    /// What was done.
    pub action: String,
    /// Who did it.
    pub actor: String,
    /// The client through which it was done.
    pub application: Option<String>,
    /// The names of the attributes that were written.
    pub attributes: Vec<String>,
    /// The digest of the personal fields.
    pub personal_digest: Option<Vec<u8>>,
    /// How often it was done.
    pub occurrences: i64,
    /// When it was done.
    pub created_at: OffsetDateTime,
}

/// A link of the chain, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its place in the chain of its scope, from 1 without gaps.
    pub position: i64,
    /// The entry.
    pub entry_id: String,
    /// The [digest](StoredEntry::digest) of the entry.
    pub entry_digest: Vec<u8>,
    /// The entry's time.
    pub entry_created_at: OffsetDateTime,
    /// The [digest](Link::next_digest) of this link and, through the link before it, of all before.
    pub digest: Vec<u8>,
    /// The key of the ring that signed it.
    pub key_id: String,
    /// HMAC-SHA-256 over all of it.
    pub signature: Vec<u8>,
    /// When it was added.
    pub chained_at: OffsetDateTime,
}

/// A link with its entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainedEntry {
    /// The link.
    pub link: Link,
    /// The entry; `None` if it is gone.
    pub entry: Option<StoredEntry>,
}

/// The entries of a scope that have no link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unchained {
    /// How many wait to be chained.
    pub waiting: u64,
    /// How many are neither chained nor wait: their links or their places in the queue were deleted.
    pub lost: u64,
    /// The time of the oldest of them.
    pub oldest: Option<OffsetDateTime>,
    /// The database's present.
    pub now: OffsetDateTime,
}

/// Returns links for the entries, the oldest first, after `head`.
#[must_use]
pub fn extend(
    scope: Scope,
    head: Option<&Link>,
    mut entries: Vec<StoredEntry>,
    chained_at: OffsetDateTime,
    keys: &KeyRing,
) -> Vec<Link> {
    entries.sort_unstable_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    let mut previous = head.map(|head| head.digest.clone()).unwrap_or_default();
    let first = head.map_or(1, |head| head.position.saturating_add(1));
    let link = |(entry, position): (StoredEntry, i64)| {
        let mut link = Link {
            position,
            entry_digest: entry.digest().to_vec(),
            entry_id: entry.id,
            entry_created_at: entry.created_at,
            digest: Vec::new(),
            key_id: keys.current_id().to_owned(),
            signature: Vec::new(),
            chained_at,
        };
        link.digest = link.next_digest(scope, &previous).to_vec();
        link.signature = link.with_parts(scope, &link.digest, |parts| keys.sign_link(parts)).to_vec();
        previous.clone_from(&link.digest);
        link
    };
    entries.into_iter().zip(first..).map(link).collect()
}

impl StoredEntry {
    /// Returns SHA-256 over all fields, each with its length before it. The form is part of what is stored: a field that is added later
    /// needs another label.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let number = |value: i64| value.to_be_bytes();
        let count = (self.attributes.len() as u64).to_be_bytes();
        let (occurrences, created_at) =
            (number(self.occurrences), number(to_unix_microseconds(self.created_at)));
        // A missing value differs from an empty one by the number of parts.
        let optional = |value: Option<&'_ [u8]>| u8::from(value.is_some());
        let (application, personal) = (self.application.as_deref(), self.personal_digest.as_deref());
        let presence = [optional(application.map(str::as_bytes)), optional(personal)];
        let fixed: [&[u8]; 13] = [
            b"rekey audit entry v1",
            self.id.as_bytes(),
            self.organization.as_bytes(),
            self.mode.as_bytes(),
            self.resource_type.as_bytes(),
            self.action.as_bytes(),
            self.actor.as_bytes(),
            &presence,
            application.unwrap_or_default().as_bytes(),
            personal.unwrap_or_default(),
            &occurrences,
            &created_at,
            &count,
        ];
        digest_of_parts(fixed.into_iter().chain(self.attributes.iter().map(String::as_bytes)))
    }
}

impl Link {
    /// Returns the digest that this link has after a link with that digest; the first one follows an empty one.
    #[must_use]
    pub fn next_digest(&self, scope: Scope, previous: &[u8]) -> [u8; 32] {
        let label: [&[u8]; 1] = [b"rekey audit link v1"];
        self.with_parts(scope, previous, |parts| {
            digest_of_parts(label.into_iter().chain(parts.iter().copied()))
        })
    }

    /// Whether the signature is right; `None` if the ring has no such key.
    #[must_use]
    pub fn is_signed(&self, scope: Scope, keys: &KeyRing) -> Option<bool> {
        self.with_parts(scope, &self.digest, |parts| keys.verify_link(&self.key_id, parts, &self.signature))
    }

    /// Calls `use_parts` with what a digest and the signature cover: all fields, with that digest.
    fn with_parts<R>(&self, scope: Scope, digest: &[u8], use_parts: impl FnOnce(&[&[u8]]) -> R) -> R {
        let time = |at| to_unix_microseconds(at).to_be_bytes();
        use_parts(&[
            digest,
            scope.organization.as_str().as_bytes(),
            scope.mode.as_str().as_bytes(),
            &self.position.to_be_bytes(),
            self.entry_id.as_bytes(),
            &self.entry_digest,
            &time(self.entry_created_at),
            self.key_id.as_bytes(),
            &time(self.chained_at),
        ])
    }
}

fn digest_of_parts<'p>(parts: impl Iterator<Item = &'p [u8]>) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> StoredEntry {
        StoredEntry {
            id: "ENTRY00001".to_owned(),
            organization: "ORGANIZATI".to_owned(),
            mode: "live".to_owned(),
            resource_type: "customers".to_owned(),
            action: "update".to_owned(),
            actor: "client".to_owned(),
            application: Some("CLIENT0001".to_owned()),
            attributes: vec!["email".to_owned(), "locale".to_owned()],
            personal_digest: Some(vec![7; 32]),
            occurrences: 1,
            created_at: OffsetDateTime::UNIX_EPOCH,
        }
    }

    /// What is stored under this form must always be verified: an independent implementation (Python's hashlib) gave the same.
    #[test]
    fn a11_an_entrys_digest_has_a_fixed_form() {
        assert_eq!(hex::encode(entry().digest()), FIXED_DIGEST);
    }

    #[test]
    fn a11_no_two_entries_have_the_same_canonical_form() {
        let digest = entry().digest();
        for other in [
            StoredEntry { application: None, ..entry() },
            StoredEntry { application: Some(String::new()), ..entry() },
            StoredEntry { personal_digest: None, ..entry() },
            StoredEntry { personal_digest: Some(Vec::new()), ..entry() },
            StoredEntry { attributes: vec!["emaillocale".to_owned()], ..entry() },
            StoredEntry {
                attributes: vec!["email".to_owned(), "locale".to_owned(), String::new()],
                ..entry()
            },
            StoredEntry { action: "updat".to_owned(), actor: "eclient".to_owned(), ..entry() },
            StoredEntry { occurrences: 256, ..entry() },
        ] {
            assert_ne!(other.digest(), digest, "{other:?}");
        }
        let none = StoredEntry { application: None, ..entry() }.digest();
        assert_ne!(StoredEntry { application: Some(String::new()), ..entry() }.digest(), none);
    }

    const FIXED_DIGEST: &str = "c595b596082ae30d98815fe641831e19b9146f4774bda6819d61299694b71a14";
}
