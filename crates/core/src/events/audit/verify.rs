//! The verification of the audit log's chain.

use std::{collections::BTreeMap, iter, pin::pin};

use futures_util::{StreamExt, stream};
use time::{Duration, OffsetDateTime};
use tokio::task::spawn_blocking;

use super::chain::{AuditChain, ChainedEntry, Link, Unchained};
use crate::{error::StoreError, scope::Scope, secrets::KeyRing};

/// How many links are read at a time: a few megabytes, three times.
pub const PAGE: u32 = 10_000;
/// How many pages are read at a time while another one is checked, which takes about as long.
const PAGES_AHEAD: usize = 2;

/// What the verification of a scope's chain found.
#[derive(Debug)]
pub struct Verified {
    /// The first link that is wrong. What follows it was not checked.
    pub broken: Option<BrokenLink>,
    /// How many links were checked, the broken one not included.
    pub links: u64,
    /// The first link, if its entry was purged: the verification starts after it.
    pub checkpoint: Option<Link>,
    /// The last link that was checked.
    pub head: Option<Link>,
    /// The last link with a signature that was checked. It covers all links before it.
    pub signed: Option<i64>,
    /// How many links were signed by keys that are not in the ring, by the keys' ids.
    pub unknown_keys: BTreeMap<String, u64>,
    /// The entries that have no link.
    pub unchained: Unchained,
}

/// The first link of a chain that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("position {position}, entry {entry_id}: {fault}")]
pub struct BrokenLink {
    /// The link's position.
    pub position: i64,
    /// The id of its entry.
    pub entry_id: String,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a link.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Fault {
    /// The entry is another one than was chained.
    #[error("the entry was changed")]
    EntryChanged,
    /// There is no such entry.
    #[error("the entry is missing")]
    EntryMissing,
    /// The links between these positions are missing.
    #[error("the links from position {from} to {to} are missing")]
    LinksMissing {
        /// The first one.
        from: i64,
        /// The last one.
        to: i64,
    },
    /// The link does not follow from the one before it.
    #[error("the link was changed, inserted or moved")]
    LinkChanged,
    /// The link is consistent, but was not written by a holder of the key.
    #[error("the signature is wrong")]
    SignatureWrong,
    /// Entries that are younger than retention allows were removed up to this one, with their links.
    #[error("the entries up to {} were removed, which retention.audit_days would still keep", until.date())]
    PurgedEarly {
        /// The last one's time.
        until: OffsetDateTime,
    },
}

/// Verifies the chain of a scope: all links, their entries and, if the keys are given, their signatures. Entries are kept for `retention`;
/// `None` is for ever. A purge meanwhile is no fault.
///
/// # Errors
/// When the store fails.
pub async fn verify(
    store: &dyn AuditChain,
    scope: Scope,
    keys: Option<&KeyRing>,
    retention: Option<Duration>,
) -> Result<Verified, StoreError> {
    loop {
        let first = first_position(store, scope).await?;
        let verified = verify_once(store, scope, first, keys, retention).await?;
        // What a purge took while it was read looks broken: the chain is read again from its new beginning, which only ever moves on.
        if verified.broken.is_none() || first_position(store, scope).await? == first {
            return Ok(verified);
        }
    }
}

async fn first_position(store: &dyn AuditChain, scope: Scope) -> Result<Option<i64>, StoreError> {
    Ok(store.read_chain(scope, 0, 1).await?.first().map(|chained| chained.link.position))
}

/// Verifies the chain as it is read, from its first link on.
async fn verify_once(
    store: &dyn AuditChain,
    scope: Scope,
    first: Option<i64>,
    keys: Option<&KeyRing>,
    retention: Option<Duration>,
) -> Result<Verified, StoreError> {
    let unchained = store.unchained(scope).await?;
    let purgeable = retention.and_then(|age| unchained.now.checked_sub(age));
    let mut verified = Verified {
        broken: None,
        links: 0,
        checkpoint: None,
        head: None,
        signed: None,
        unknown_keys: BTreeMap::new(),
        unchained,
    };
    // Where a page begins is known before the one before it is read: a chain with a gap is not read to its end.
    let begins =
        iter::successors(first.map(|first| first.saturating_sub(1)), |after| after.checked_add(PAGE.into()));
    let mut pages =
        pin!(stream::iter(begins).map(|after| store.read_chain(scope, after, PAGE)).buffered(PAGES_AHEAD));
    let mut next = pages.next().await;
    while let Some(page) = next.transpose()?.filter(|page| !page.is_empty()) {
        let keys = keys.cloned();
        let check = spawn_blocking(move || {
            verified.broken = verified.check_page(scope, page, keys.as_ref(), purgeable).err();
            verified
        });
        let (read, checked) = tokio::join!(pages.next(), check);
        verified = checked.map_err(|error| StoreError::Internal(error.into()))?;
        if verified.broken.is_some() {
            break;
        }
        next = read;
    }
    Ok(verified)
}

impl Verified {
    /// Checks the next links.
    fn check_page(
        &mut self,
        scope: Scope,
        page: Vec<ChainedEntry>,
        keys: Option<&KeyRing>,
        purgeable: Option<OffsetDateTime>,
    ) -> Result<(), BrokenLink> {
        for chained in page {
            if let Err(fault) = self.check(scope, &chained, keys, purgeable) {
                let Link { position, entry_id, .. } = chained.link;
                return Err(BrokenLink { position, entry_id, fault });
            }
            self.links += 1;
            self.head = Some(chained.link);
        }
        Ok(())
    }

    /// Checks the next link.
    fn check(
        &mut self,
        scope: Scope,
        ChainedEntry { link, entry }: &ChainedEntry,
        keys: Option<&KeyRing>,
        purgeable: Option<OffsetDateTime>,
    ) -> Result<(), Fault> {
        let is_checkpoint = self.head.is_none() && entry.is_none();
        let expected = self.head.as_ref().map_or(1, |head| head.position.saturating_add(1));
        if link.position != expected && !is_checkpoint {
            return Err(Fault::LinksMissing { from: expected, to: link.position.saturating_sub(1) });
        }
        let previous = self.head.as_ref().map(|head| head.digest.as_slice()).unwrap_or_default();
        // The links before a checkpoint are gone, so only its signature can be checked, unless it is the first one.
        if (!is_checkpoint || link.position == 1) && link.digest != link.next_digest(scope, previous) {
            return Err(Fault::LinkChanged);
        }
        match keys.map(|keys| link.is_signed(scope, keys)) {
            Some(Some(false)) => return Err(Fault::SignatureWrong),
            Some(Some(true)) => self.signed = Some(link.position),
            Some(None) => *self.unknown_keys.entry(link.key_id.clone()).or_default() += 1,
            None => {}
        }
        match entry {
            Some(entry) if *link.entry_digest != entry.digest() => Err(Fault::EntryChanged),
            Some(_) => Ok(()),
            None if !is_checkpoint => Err(Fault::EntryMissing),
            None if purgeable.is_none_or(|purgeable| link.entry_created_at > purgeable) => {
                Err(Fault::PurgedEarly { until: link.entry_created_at })
            }
            None => {
                self.checkpoint = Some(link.clone());
                Ok(())
            }
        }
    }
}
