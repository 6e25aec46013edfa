//! The hash chain of the audit log.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration as StdDuration,
};

use async_trait::async_trait;
use rekey_core::{
    cleanup::PurgeKind,
    error::StoreError,
    events::{
        EventBody,
        audit::{
            Action,
            chain::{Chained, ChainedEntry, Link, Unchained},
            chainer::Chainer,
            verify::{BrokenLink, Fault, PAGE, Verified, verify},
        },
    },
    resets::ResetOrigin,
    scope::{Mode, Scope},
    secrets::KeyRing,
};
use time::Duration;
use tokio::time::{sleep, timeout};

use super::{JOHN, StoreUnderTest, at_once};
use crate::{seed, store::prelude::*};

const YEAR: Duration = Duration::days(365);

/// Creates that many customers, each with an entry, and returns their scope.
async fn customers(store: &impl Store, slug: &str, count: u32) -> Scope {
    let scope = seed::scope(store, slug).await;
    for n in 0..count {
        seed::customer(store, scope, &format!("{n}@example.com"), None).await;
    }
    scope
}

async fn chain(store: &impl Store, scope: Scope) {
    while store.chain_entries(scope, &seed::keys(), 3).await.unwrap() == Chained::Done(3) {}
}

async fn verified(store: &impl Store, scope: Scope) -> Verified {
    verify(store, scope, Some(&seed::keys()), Some(YEAR)).await.unwrap()
}

/// Returns how many links are right.
async fn links(store: &impl Store, scope: Scope) -> u64 {
    let Verified { broken, links, unchained, .. } = verified(store, scope).await;
    assert_eq!((broken, unchained.lost), (None, 0));
    links
}

/// Returns what is wrong, and where.
async fn fault(store: &impl Store, scope: Scope) -> Option<(i64, &'static str)> {
    let BrokenLink { position, fault, .. } = verified(store, scope).await.broken?;
    Some((position, fault.into()))
}

/// A11. By any number of processes; those of decoys never are.
pub async fn a11_every_entry_is_chained_once_in_its_scope<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = customers(store, "shop", 10).await;
    let other = customers(store, "other", 4).await;
    seed::reset(store, scope, "nobody@example.com", ResetOrigin::SelfService).await;
    let scopes = store.queued_scopes().await.unwrap();
    let live = |scope: Scope| Scope { mode: Mode::Live, ..scope };
    assert_eq!(store.unchained_entries().await.unwrap(), backdoor.count("audit_queue", "true").await);
    // The creation of an organization is an entry of its live mode.
    assert!([scope, other, live(scope), live(other)].iter().all(|scope| scopes.contains(scope)));
    assert_eq!((scopes.len(), verified(store, scope).await.unchained.waiting), (4, 10));

    let chainers = (0..4).map(|_| {
        let store = store.clone();
        async move {
            for _ in 0..20 {
                store.chain_entries(scope, &seed::keys(), 2).await.unwrap();
            }
        }
    });
    at_once(chainers).await;
    chain(store, other).await;
    assert_eq!(store.unchained_entries().await.unwrap(), 2, "of live mode");
    assert_eq!([links(store, scope).await, links(store, other).await], [10, 4]);
    let last = store.chain_head(scope).await.unwrap().unwrap();
    let Verified { head, signed, unchained, .. } = verified(store, scope).await;
    assert_eq!((head.as_ref(), signed, unchained.waiting), (Some(&last), Some(10), 0));
    assert_eq!((last.position, unchained.oldest), (10, None));
    assert_eq!(backdoor.count("audit_chain", "true").await, 14);
    assert_eq!(backdoor.count("audit_queue", "mode = 'test'").await, 0, "also of the decoy");
}

/// A11. An entry that is committed later, or has an earlier time, than one that is chained already.
pub async fn a11_an_entry_that_comes_late_is_chained_at_the_end<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = customers(store, "shop", 3).await;
    chain(store, scope).await;
    let late = seed::audit(Action::Create);
    let john = seed::new_customer(JOHN, None);
    let event = seed::event(scope, EventBody::CustomerCreated { customer: john.id });
    store.create_customer(scope, &john, &event, &late).await.unwrap();
    let is_late = format!("id = '{}'", late.id);
    backdoor.age("audit_entries", "created_at", &is_late, Duration::days(3)).await;
    let unchained = verified(store, scope).await.unchained;
    let age = unchained.now - unchained.oldest.unwrap();
    assert!(unchained.waiting == 1 && age > Duration::days(3) - Duration::HOUR, "{unchained:?}");
    chain(store, scope).await;
    assert_eq!(links(store, scope).await, 4);
    assert_eq!(store.chain_head(scope).await.unwrap().unwrap().entry_id, late.id.as_str());
}

/// A11. Whoever changes the tables later is found out, with the first link that is wrong.
pub async fn a11_tampering_of_every_kind_is_found_at_its_link<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = customers(store, "shop", 6).await;
    chain(store, scope).await;
    let tables = ["audit_entries", "audit_chain"];
    for table in tables {
        backdoor.script(&format!("CREATE TABLE saved_{table} AS SELECT * FROM {table}")).await;
    }
    let here = format!("organization_id = '{}' AND mode = 'test'", scope.organization);
    let ids = [3, 4, 6].map(|position| {
        format!("(SELECT entry_id FROM saved_audit_chain WHERE {here} AND position = {position})")
    });
    let [third, fourth, last] = &ids;
    let entry = |change: &str| format!("UPDATE audit_entries SET {change} WHERE id = {third}");
    let link = |change: &str| format!("UPDATE audit_chain SET {change} WHERE {here} AND position = 3");
    let of = |column: &str, position: i32| {
        format!("(SELECT {column} FROM saved_audit_chain WHERE {here} AND position = {position})")
    };
    let moved = |from: i32, to: i32| {
        format!("UPDATE audit_chain SET position = {to} WHERE {here} AND position = {from};")
    };
    let swap_links = [moved(3, 9), moved(4, 3), moved(9, 4)].concat();
    let swap = |ids: [&str; 3]| {
        let rename = |from: &str, to: &str| format!("UPDATE audit_entries SET id = {to} WHERE id = {from};");
        [rename(ids[0], "'X'"), rename(ids[1], ids[0]), rename("'X'", ids[1])].concat()
    };
    // The columns that no program changes; one that a migration adds must be in the digest or be named here.
    let at_day = backdoor.earlier("created_at", Duration::DAY);
    let entry_at_day = backdoor.earlier("entry_created_at", Duration::DAY);
    let chained_at_day = backdoor.earlier("chained_at", Duration::DAY);
    let inserted = format!(
        "INSERT INTO audit_chain SELECT organization_id, mode, 7, entry_id, entry_digest, entry_created_at, digest, key_id, signature,
             chained_at FROM saved_audit_chain WHERE {here} AND position = 6"
    );
    let cases = [
        (entry("id = 'OTHERENTRY'"), 3, "entry_missing"),
        (entry("organization_id = 'OTHERSHOP1'"), 3, "entry_changed"),
        (entry("mode = 'live'"), 3, "entry_changed"),
        (entry("resource_type = 'organizations'"), 3, "entry_changed"),
        (entry("action = 'update'"), 3, "entry_changed"),
        (entry("actor = 'operator'"), 3, "entry_changed"),
        (entry("application_id = NULL"), 3, "entry_changed"),
        (entry("attributes = (SELECT attributes FROM audit_entries WHERE action = 'create' AND actor = 'operator' LIMIT 1)"), 3, "entry_changed"),
        (entry(&format!("personal_digest = (SELECT personal_digest FROM audit_entries WHERE id = {fourth})")), 3, "entry_changed"),
        (entry("occurrences = 2"), 3, "entry_changed"),
        (entry(&format!("created_at = {at_day}")), 3, "entry_changed"),
        (format!("DELETE FROM audit_entries WHERE id = {third}"), 3, "entry_missing"),
        (format!("DELETE FROM audit_entries WHERE id = {last}"), 6, "entry_missing"),
        (swap([third, fourth, ""]), 3, "entry_changed"),
        (link(&format!("entry_id = {fourth}")), 3, "link_changed"),
        (link(&format!("entry_digest = {}", of("entry_digest", 4))), 3, "link_changed"),
        (link(&format!("entry_created_at = {entry_at_day}")), 3, "link_changed"),
        (link(&format!("digest = {}", of("digest", 4))), 3, "link_changed"),
        (link("key_id = 'other'"), 3, "link_changed"),
        (link(&format!("signature = {}", of("signature", 4))), 3, "signature_wrong"),
        (link(&format!("chained_at = {chained_at_day}")), 3, "link_changed"),
        (link("position = 9"), 4, "links_missing"),
        (swap_links, 3, "link_changed"),
        (format!("DELETE FROM audit_chain WHERE {here} AND position = 3"), 4, "links_missing"),
        (format!("DELETE FROM audit_chain WHERE {here} AND position <= 2"), 3, "links_missing"),
        (inserted, 7, "link_changed"),
        // As a purge does, but too early.
        (
            format!("DELETE FROM audit_entries WHERE id IN (SELECT entry_id FROM audit_chain WHERE {here} AND position <= 3);
                     DELETE FROM audit_chain WHERE {here} AND position < 3"),
            3,
            "purged_early",
        ),
    ];
    for (tamper, position, found) in &cases {
        backdoor.script(tamper).await;
        assert_eq!(fault(store, scope).await, Some((*position, *found)), "{tamper}");
        for table in tables {
            let restore = format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM saved_{table}");
            backdoor.script(&restore).await;
        }
        backdoor.script("DELETE FROM audit_queue").await;
        assert_eq!(fault(store, scope).await, None, "restored after {tamper}");
    }
    // Links that are gone from the end leave entries without one, which no program would chain any more.
    backdoor.script(&format!("DELETE FROM audit_chain WHERE {here} AND position > 4")).await;
    let Verified { broken, links, unchained, .. } = verified(store, scope).await;
    assert_eq!((broken, links, unchained.waiting, unchained.lost), (None, 4, 0, 2));
}

/// A11. Each process runs the task.
pub async fn a11_the_chainer_chains_what_waits_in_every_scope<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scopes = [customers(store, "shop", 6).await, customers(store, "other", 3).await];
    let chainer = Chainer { store: Arc::new(store.clone()), keys: seed::keys() };
    let all_chained = async {
        for scope in scopes {
            while store.unchained(scope).await.unwrap().waiting > 0 {
                sleep(StdDuration::from_millis(10)).await;
            }
        }
    };
    tokio::select! {
        never = chainer.run() => match never {},
        in_time = timeout(StdDuration::from_secs(30), all_chained) => in_time.unwrap(),
    }
    for (scope, expected) in scopes.into_iter().zip([6, 3]) {
        assert_eq!(links(store, scope).await, expected);
    }
}

/// A11. A forged link has no signature of ours; nothing is chained to it.
pub async fn a11_no_entry_is_chained_to_a_forged_link<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = customers(store, "shop", 3).await;
    let strangers = seed::other_keys("test");
    assert_eq!(store.chain_entries(scope, &strangers, 2).await.unwrap(), Chained::Done(2));
    assert_eq!(store.chain_entries(scope, &seed::keys(), 2).await.unwrap(), Chained::Forged(2));
    assert_eq!(fault(store, scope).await, Some((1, "signature_wrong")));
    let unsigned = verify(store, scope, None, None).await.unwrap();
    assert_eq!((unsigned.broken, unsigned.links, unsigned.signed), (None, 2, None));
    assert_eq!(backdoor.count("audit_queue", "mode = 'test'").await, 1);
}

/// A11. The links of a retired key are covered by those of the next one.
pub async fn a11_links_of_a_retired_key_are_reported_as_unchecked<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = customers(store, "shop", 3).await;
    let retired = seed::other_keys("old");
    assert_eq!(store.chain_entries(scope, &retired, 2).await.unwrap(), Chained::Done(2));
    let found = verified(store, scope).await;
    assert_eq!((found.broken, found.signed, found.unknown_keys["old"]), (None, None, 2));
    chain(store, scope).await;
    let found = verified(store, scope).await;
    assert_eq!((found.broken, found.signed, found.unknown_keys["old"]), (None, Some(3), 2));
}

/// A11.
pub async fn a11_a_purge_takes_the_beginning_and_leaves_a_checkpoint<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = customers(store, "shop", 8).await;
    let old = |condition: &str| format!("mode = 'test' AND {condition}");
    let age = async |condition: &str| {
        backdoor.age("audit_entries", "created_at", &old(condition), YEAR).await;
    };
    age("true").await;
    assert_eq!(store.purge(PurgeKind::Audit, YEAR, 100).await.unwrap(), 0, "none is chained");
    chain(store, scope).await;
    seed::customer(store, scope, JOHN, None).await;
    chain(store, scope).await;
    // An old one behind a young one.
    seed::customer(store, scope, "jane@example.com", None).await;
    age("id NOT IN (SELECT entry_id FROM audit_chain)").await;
    chain(store, scope).await;
    seed::customer(store, scope, "jim@example.com", None).await;
    age("id NOT IN (SELECT entry_id FROM audit_chain)").await;
    assert_eq!((links(store, scope).await, verified(store, scope).await.unchained.waiting), (10, 1));

    for (purged, left) in [(1, 10), (3, 7), (3, 4), (1, 3), (0, 3)] {
        let max = if purged == 1 { 1 } else { 3 };
        let counted = store.count_purgeable(PurgeKind::Audit, YEAR).await.unwrap();
        assert_eq!(store.purge(PurgeKind::Audit, YEAR, max).await.unwrap(), purged);
        assert_eq!(store.count_purgeable(PurgeKind::Audit, YEAR).await.unwrap(), counted - purged);
        assert_eq!(links(store, scope).await, left, "with the checkpoint");
        let checkpoint = verified(store, scope).await.checkpoint.unwrap().position;
        assert_eq!(checkpoint, i64::try_from(11 - left).unwrap());
    }
    assert_eq!(backdoor.count("audit_entries", &old("true")).await, 3);
    let orphans = "entry_id NOT IN (SELECT id FROM audit_entries)";
    assert_eq!(backdoor.count("audit_personal_data", orphans).await, 0);
    assert_eq!(
        verify(store, scope, None, Some(YEAR * 2)).await.unwrap().broken.map(|broken| broken.position),
        Some(8),
        "retention would keep them"
    );
    chain(store, scope).await;
    assert_eq!(links(store, scope).await, 4);
    // The checkpoint has a signature, too.
    backdoor.script("UPDATE audit_chain SET entry_created_at = chained_at WHERE position = 8").await;
    assert_eq!(fault(store, scope).await, Some((8, "signature_wrong")));
}

/// A11. Whatever a purge takes while the log is verified: the links that are read next, or an entry that has only just become old enough.
pub async fn a11_a_purge_meanwhile_is_no_fault<F: StoreUnderTest>() {
    for call in 0..5 {
        let scene = F::start().await;
        let (store, backdoor) = (scene.store(), scene.backdoor());
        let scope = customers(store, "shop", 9).await;
        backdoor.age("audit_entries", "created_at", "mode = 'test'", YEAR).await;
        chain(store, scope).await;
        let meanwhile = PurgedAtCall { store: store.clone(), call, calls: AtomicU32::new(0) };
        let found = verify(&meanwhile, scope, Some(&seed::keys()), Some(YEAR)).await.unwrap();
        assert_eq!((found.broken, found.head.map(|head| head.position)), (None, Some(9)), "at call {call}");
        assert_eq!(backdoor.count("audit_entries", "mode = 'test'").await, 4, "{call}: it was purged");
    }
}

/// A store that gives small pages, and is purged before it answers a call. Until then it is an hour earlier.
struct PurgedAtCall<S> {
    store: S,
    call: u32,
    calls: AtomicU32,
}

impl<S: Store> PurgedAtCall<S> {
    async fn before_call(&self) -> u32 {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        if call == self.call {
            assert_eq!(self.store.purge(PurgeKind::Audit, YEAR, 5).await.unwrap(), 5);
        }
        call
    }
}

#[async_trait]
impl<S: Store> AuditChain for PurgedAtCall<S> {
    async fn queued_scopes(&self) -> Result<Vec<Scope>, StoreError> {
        self.store.queued_scopes().await
    }

    async fn chain_entries(&self, scope: Scope, keys: &KeyRing, max: u32) -> Result<Chained, StoreError> {
        self.store.chain_entries(scope, keys, max).await
    }

    async fn read_chain(&self, scope: Scope, after: i64, max: u32) -> Result<Vec<ChainedEntry>, StoreError> {
        self.before_call().await;
        // Each page of the caller's is one of three links, from where the one before it ends.
        let page = after / i64::from(PAGE);
        self.store.read_chain(scope, after % i64::from(PAGE) + 3 * page, max.min(3)).await
    }

    async fn chain_head(&self, scope: Scope) -> Result<Option<Link>, StoreError> {
        self.store.chain_head(scope).await
    }

    async fn unchained(&self, scope: Scope) -> Result<Unchained, StoreError> {
        let call = self.before_call().await;
        let unchained = self.store.unchained(scope).await?;
        let now = if call < self.call { unchained.now - Duration::HOUR } else { unchained.now };
        Ok(Unchained { now, ..unchained })
    }
}

/// A11, A13. The personal fields are not in the chain.
pub async fn a13_erased_fields_leave_the_chain_as_it_is<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, None).await.id;
    seed::reset(store, scope, JOHN, ResetOrigin::SelfService).await;
    chain(store, scope).await;
    let event = seed::event(scope, EventBody::CustomerDestroyed { customer: john });
    assert!(store.delete_customer(scope, john, &event, &seed::audit(Action::Destroy)).await.unwrap());
    backdoor
        .script("UPDATE events SET published_at = created_at; UPDATE deliveries SET status = 'sent'")
        .await;
    assert_eq!(store.erase(Duration::ZERO, 10).await.unwrap(), 1);
    let of_john = format!("customer_id = '{john}'");
    assert_eq!(backdoor.count("audit_personal_data", &of_john).await, 0);
    chain(store, scope).await;
    assert_eq!(links(store, scope).await, 3);
}

/// Every kind is found in [`a11_tampering_of_every_kind_is_found_at_its_link`].
const _: fn(Fault) = |fault| match fault {
    Fault::EntryChanged
    | Fault::EntryMissing
    | Fault::LinksMissing { .. }
    | Fault::LinkChanged
    | Fault::SignatureWrong
    | Fault::PurgedEarly { .. } => {}
};
