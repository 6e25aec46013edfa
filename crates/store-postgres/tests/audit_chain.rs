//! The audit log's chain, and the use of keys, on this store only.
#![cfg(test)]

use std::time::Duration;

use rekey_core::{
    events::{
        EventName,
        audit::{
            Action,
            chain::{AuditChain, Chained},
            verify::verify,
        },
    },
    idempotency::{AnswerStore, KeyClaim},
    key_rotation::{KeyChange, KeyKind, KeyLog},
    resets::ResetOrigin,
    scope::Scope,
    secrets::{Fingerprint, KeyDigest, SealedAnswer},
    webhooks::store::WebhookStore,
};
use rekey_store_postgres::{PostgresStore, SealedCount};
use rekey_testkit::{
    backdoor::{Backdoor, PostgresBackdoor},
    postgres::TestDatabase,
    seed,
};

const NEW_ENTRY: &str = "INSERT INTO audit_entries
        (id, organization_id, mode, resource_type, action, actor, attributes, personal_digest)
    SELECT 'SLOWENTRY1', id, 'test', 'customers', 'update', 'operator', '{}', sha256('') FROM organizations";

/// A11. A transaction that began first and ends last has the earlier time, and is chained when it is there.
#[tokio::test]
async fn a11_entries_are_chained_as_their_transactions_end() {
    let (database, store, scope) = migrated().await;
    let slow = PostgresBackdoor::open(&database.url());
    // The backdoor has one connection, so this transaction is open between the calls.
    slow.script("BEGIN").await;
    slow.script(NEW_ENTRY).await;
    seed::customer(&store, scope, "jane@example.com", None).await;
    assert_eq!(chain(&store, scope).await, Chained::Done(1));
    slow.script("COMMIT").await;
    assert_eq!(chain(&store, scope).await, Chained::Done(1));
    let chained = store.read_chain(scope, 0, 10).await.unwrap();
    assert_eq!(chained[1].link.entry_id, "SLOWENTRY1");
    assert!(chained[1].link.entry_created_at < chained[0].link.entry_created_at);
    let verified = verify(&store, scope, Some(&seed::keys()), None).await.unwrap();
    assert_eq!((verified.broken, verified.links), (None, 2));
}

/// A11. Of two processes at the same moment, the second leaves the work to the first.
#[tokio::test]
async fn a11_a_chain_that_another_process_extends_is_left_to_it() {
    let (database, store, scope) = migrated().await;
    seed::customer(&store, scope, "jane@example.com", None).await;
    let other = PostgresBackdoor::open(&database.url());
    let lock =
        format!("BEGIN; SELECT pg_advisory_xact_lock(7320117, hashtext('{}/test'))", scope.organization);
    other.script(&lock).await;
    assert_eq!(chain(&store, scope).await, Chained::Busy);
    other.script("COMMIT").await;
    assert_eq!(chain(&store, scope).await, Chained::Done(1));
}

/// What the key's id is read from: sealed tokens, signed events, and stored answers.
#[tokio::test]
async fn what_still_needs_a_sealing_key_is_counted() {
    let (database, store, scope) = migrated().await;
    let backdoor = PostgresBackdoor::open(&database.url());
    for address in ["jane@example.com", "jim@example.com"] {
        seed::customer(&store, scope, address, None).await;
        seed::reset(&store, scope, address, ResetOrigin::Integration).await;
    }
    seed::reset(&store, scope, "nobody@example.com", ResetOrigin::SelfService).await;
    let other = seed::other_keys("k2");
    let key = KeyDigest::from_bytes(&[1; 32]).unwrap();
    let fingerprints = Fingerprint::all(&[b"any"], &other);
    let (lease, ttl) = (time::Duration::MINUTE, time::Duration::HOUR);
    let claim = KeyClaim {
        key: &key,
        fingerprints: &fingerprints,
        record: "RECORD0001".parse().unwrap(),
        lease,
        ttl,
    };
    store.claim_key(scope, &claim).await.unwrap();
    let answer = SealedAnswer::seal(b"answer", &key, &other, &rekey_core::random::OsRandom);
    assert!(store.settle_key(scope, &key, 1, Some(&answer)).await.unwrap());
    // A webhook is kept for ever.
    let webhook = seed::new_webhook(scope, EventName::CustomerCreate);
    store.create_webhook(scope, &webhook, &seed::audit(Action::Create)).await.unwrap();
    let count = |key_id: &str, resets, events, answers| SealedCount {
        key_id: key_id.to_owned(),
        resets,
        events,
        answers,
        webhooks: u64::from(key_id == "test"),
    };
    // Three resets, one of them a decoy, and two customers have an event each.
    assert_eq!(store.sealed_counts().await.unwrap(), [count("k2", 0, 0, 1), count("test", 2, 5, 0)]);
    backdoor.script("UPDATE password_resets SET superseded_at = now(); UPDATE idempotency_keys SET expires_at = now()").await;
    // Two that are published: one mail is deferred, the other one failed.
    backdoor
        .script(
            "UPDATE events SET published_at = now() WHERE name = 'customer_password_resets.create';
             UPDATE deliveries SET status = 'sent' WHERE customer_id IS NULL;
             UPDATE deliveries SET status = 'failed' WHERE event_id = (SELECT min(event_id) FROM deliveries WHERE customer_id IS NOT NULL);
             UPDATE events SET published_at = now(), payload = NULL WHERE name = 'customers.create'",
        )
        .await;
    assert_eq!(store.sealed_counts().await.unwrap(), [count("test", 0, 2, 0)]);

    let (ids, audit) = (["k2", "k1"].map(str::to_owned), seed::operator_audit(Action::RotateKeys));
    let change =
        KeyChange { kind: KeyKind::SealingKeys, before: None, now: &ids, audit: &audit, entries: &[] };
    store.record_keys(&change).await.unwrap();
    backdoor.script("UPDATE known_keys SET updated_at = updated_at - interval '1 hour'").await;
    let [known] = store.known_key_lists().await.unwrap().try_into().unwrap();
    assert_eq!((known.kind, known.ids.as_slice(), known.age / 60), (KeyKind::SealingKeys, &ids[..], 60));
}

async fn chain(store: &PostgresStore, scope: Scope) -> Chained {
    store.chain_entries(scope, &seed::keys(), 10).await.unwrap()
}

async fn migrated() -> (TestDatabase, PostgresStore, Scope) {
    let database = TestDatabase::create().await;
    let store = PostgresStore::connect(&database.url(), 2, Duration::from_secs(30)).unwrap();
    store.migrate().await.unwrap();
    let scope = seed::scope(&store, "shop").await;
    (database, store, scope)
}
