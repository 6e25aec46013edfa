//! Behaviour of this store only: one file, one clock, and a lock that other processes may hold.
#![cfg(test)]

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use rekey_core::{
    clock::{Clock, SystemClock},
    deliveries::ledger::{Claim, Ledger},
    error::{CreateError, StoreError},
    events::{audit::Action, outbox::Outbox},
    idempotency::{AnswerStore, Claimed, KeyClaim, Owner},
    ids::{ApplicationId, OrganizationId, RecordId},
    organizations::NewOrganization,
    organizations::OrganizationStore,
    random::OsRandom,
    resets::ResetOrigin,
    resets::store::TokenStore,
    resources::{CUSTOMER_PASSWORD_RESETS, catalog::Catalog},
    secrets::Fingerprint,
};
use rekey_store_sqlite::SqliteStore;
use rekey_testkit::{
    backdoor::{Backdoor, SqliteBackdoor},
    seed::{self, TOKEN_TTL},
};
use time::{Duration, OffsetDateTime};

const JOHN: &str = "john@example.com";

#[tokio::test]
async fn only_the_owner_can_read_the_files() {
    let (_folder, path) = folder();
    let store = open(&path, SystemClock).await;
    seed::scope(&store, "shop").await;
    for suffix in ["", "-wal", "-shm"] {
        let mode = std::fs::metadata(format!("{}{suffix}", path.display())).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "rekey.db{suffix}");
    }
}

#[tokio::test]
async fn crash_what_was_accepted_is_there_for_the_next_process() {
    let (_folder, path) = folder();
    let first = open(&path, SystemClock).await;
    let scope = seed::scope(&first, "shop").await;
    seed::customer(&first, scope, JOHN, None).await;
    let reset = seed::reset(&first, scope, JOHN, ResetOrigin::Integration).await;
    // The first one is still open and never closed, as after a kill.
    let second = open(&path, SystemClock).await;
    assert!(second.find(scope, &CUSTOMER_PASSWORD_RESETS, reset.id.into()).await.unwrap().is_some());
    assert_eq!(second.claim_messages(Duration::minutes(1), 10).await.unwrap().len(), 2);
}

/// B9.
#[tokio::test]
async fn crash_what_a_process_held_is_released_for_the_next_one() {
    let (_folder, path) = folder();
    let first = open(&path, SystemClock).await;
    let scope = seed::scope(&first, "shop").await;
    seed::customer(&first, scope, JOHN, None).await;
    let reset = seed::reset(&first, scope, JOHN, ResetOrigin::Integration).await;
    let owner = Owner { scope, application: ApplicationId::generate(&OsRandom), customer: None };
    let key = owner.digest(&"k".parse().unwrap());
    let claim_key = async |store: &SqliteStore, request: &str| {
        let fingerprints = Fingerprint::all(&[request.as_bytes()], &seed::keys());
        let record = RecordId::generate(&OsRandom);
        let lease = Duration::HOUR;
        let claim = KeyClaim { key: &key, fingerprints: &fingerprints, record, lease, ttl: Duration::DAY };
        store.claim_key(scope, &claim).await.unwrap()
    };
    let job = seed::reset_mail(scope, reset.event, reset.id);
    let Claimed::Granted { record, .. } = claim_key(&first, "one").await else { panic!("it is free") };
    assert_eq!(first.claim_messages(Duration::HOUR, 10).await.unwrap().len(), 2);
    assert!(matches!(first.claim(&job, Duration::HOUR).await.unwrap(), Claim::Granted(_)));

    // The first one is still open and never closed, as after a kill.
    let second = open(&path, SystemClock).await;
    assert!(matches!(second.claim(&job, Duration::HOUR).await.unwrap(), Claim::Busy(_)));
    second.release_leases().await.unwrap();
    assert_eq!(claim_key(&second, "another").await, Claimed::OtherRequest);
    assert_eq!(claim_key(&second, "one").await, Claimed::Granted { record, attempt: 2 });
    assert_eq!(second.claim_messages(Duration::HOUR, 10).await.unwrap().len(), 2);
    let Claim::Granted(claimed) = second.claim(&job, Duration::HOUR).await.unwrap() else {
        panic!("it is free")
    };
    assert_eq!((claimed.attempt, claimed.in_doubt), (2, true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_start_at_once_take_turns_to_migrate() {
    let (_folder, path) = folder();
    let stores = [0; 4].map(|_| patient(&path, SystemClock));
    let migrations = stores.map(|store| tokio::spawn(async move { store.migrate().await }));
    for migration in migrations {
        migration.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_file_that_another_process_keeps_locked_is_unavailable_and_then_works_again() {
    let (_folder, path) = folder();
    let store = open(&path, SystemClock).await;
    let other = SqliteBackdoor::open(&path);
    other.text("BEGIN IMMEDIATE").await;
    let id = OrganizationId::generate(&OsRandom);
    let shop = NewOrganization { id, slug: "shop".parse().unwrap(), name: "Shop".to_owned() };
    let refused = store.create_organization(&shop, &seed::operator_audit(Action::Create)).await;
    assert!(matches!(refused, Err(CreateError::Store(StoreError::Unavailable(_)))), "{refused:?}");
    store.organizations().await.unwrap();
    other.text("ROLLBACK").await;
    store.create_organization(&shop, &seed::operator_audit(Action::Create)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_that_write_at_once_wait_for_each_other() {
    let (_folder, path) = folder();
    let stores = [patient(&path, SystemClock), patient(&path, SystemClock)];
    stores[0].migrate().await.unwrap();
    let scope = seed::scope(&stores[0], "shop").await;
    seed::customer(&stores[0], scope, JOHN, None).await;
    let writers = stores.map(|store| {
        tokio::spawn(async move {
            // This reads before it writes: a transaction started as a reader would fail once the other has written.
            for _ in 0..100 {
                assert!(!store.claim_messages(Duration::ZERO, 10).await.unwrap().is_empty());
            }
        })
    });
    for writer in writers {
        writer.await.unwrap();
    }
}

#[tokio::test]
async fn token_dead_by_the_clock_that_was_given() {
    let (_folder, path) = folder();
    let clock = StoppedClock::default();
    let store = open(&path, clock.clone()).await;
    let scope = seed::scope(&store, "shop").await;
    seed::customer(&store, scope, JOHN, None).await;
    let reset = seed::reset(&store, scope, JOHN, ResetOrigin::Integration).await;
    assert_eq!(reset.created.created_at, clock.now());
    let alive = async || store.find_token_holder(reset.id, &reset.token.digest()).await.unwrap().is_some();
    clock.advance(TOKEN_TTL - Duration::MICROSECOND);
    assert!(alive().await);
    clock.advance(Duration::MICROSECOND);
    assert!(!alive().await);
}

/// A clock that advances only on request.
#[derive(Clone)]
struct StoppedClock(Arc<Mutex<OffsetDateTime>>);

impl Default for StoppedClock {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(OffsetDateTime::UNIX_EPOCH + Duration::weeks(2_900))))
    }
}

impl StoppedClock {
    fn advance(&self, by: Duration) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for StoppedClock {
    fn now(&self) -> OffsetDateTime {
        *self.0.lock().unwrap()
    }
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rekey.db");
    (folder, path)
}

/// Opens a store whose calls wait long enough for a slow disk.
fn patient(path: &Path, clock: impl Clock) -> SqliteStore {
    SqliteStore::open_with_timeout(path, Arc::new(clock), std::time::Duration::from_mins(1)).unwrap()
}

async fn open(path: &Path, clock: impl Clock) -> SqliteStore {
    let store = SqliteStore::open(path, Arc::new(clock)).unwrap();
    store.migrate().await.unwrap();
    store
}
