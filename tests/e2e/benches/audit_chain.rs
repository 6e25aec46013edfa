//! Measures what the chain of the audit log costs and how fast it is verified: `make bench`.
//!
//! Resets are created by 16 tasks, in turn with the chain and without it (no trigger, no chainer), in pairs of runs that follow each other.
//! Then a million entries are chained and verified.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a measurement that fails is to stop")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use rekey_core::{
    events::audit::{
        Action,
        chain::{AuditChain, Chained},
        chainer::Chainer,
        verify::verify,
    },
    resets::{
        ResetOrigin,
        store::{ResetRecord, ResetStore},
    },
    scope::Scope,
};
use rekey_e2e::bench::{Figure, Report, ratios};
use rekey_store_postgres::PostgresStore;
use rekey_testkit::{
    backdoor::{Backdoor, PostgresBackdoor},
    postgres::TestDatabase,
    seed,
};

/// Pairs of runs.
const PAIRS: usize = 9;
/// The length of a run: several rounds of the chainer.
const RUN: Duration = Duration::from_secs(5);
const TASKS: usize = 16;
const CUSTOMERS: usize = 1_000;
const ENTRIES: u64 = 1_000_000;

#[tokio::main]
async fn main() {
    let database = TestDatabase::create().await;
    let store = PostgresStore::connect(&database.url(), 20, Duration::from_secs(30)).unwrap();
    store.migrate().await.unwrap();
    let scope = seed::scope(&store, "shop").await;
    for n in 0..CUSTOMERS {
        seed::customer(&store, scope, &format!("customer{n}@example.com"), None).await;
    }
    let backdoor = PostgresBackdoor::open(&database.url());
    let mut rates = [Vec::new(), Vec::new()];
    for pair in 0..PAIRS {
        // The order changes, so that what grows meanwhile slows both down.
        for with_chain in [pair % 2 == 0, pair % 2 == 1] {
            let trigger = if with_chain { "ENABLE" } else { "DISABLE" };
            backdoor
                .script(&format!("ALTER TABLE audit_entries {trigger} TRIGGER audit_entries_queue"))
                .await;
            backdoor.script("CHECKPOINT").await;
            rates[usize::from(with_chain)].push(creates(&store, scope, with_chain).await);
        }
    }
    let mut report = Report::new("audit_chain", "The chain of the audit log");
    let [without, with] = rates;
    let what = "resets a second by the store alone, with the chain next to without it";
    report.add(Figure::new(what, "times", ratios(&with, &without)));
    report.add(Figure::new("resets without the chain", "per second", without));
    report.add(Figure::new("resets with the chain", "per second", with));
    verify_many(&backdoor, &store, &mut report).await;
    report.save();
}

/// Returns how many resets per second are created.
async fn creates(store: &PostgresStore, scope: Scope, with_chain: bool) -> f64 {
    let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let chainer = Chainer { store: Arc::new(store.clone()), keys: seed::keys() };
    let chainer = with_chain.then(|| tokio::spawn(async move { chainer.run().await }));
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let (store, stop, count) = (store.clone(), Arc::clone(&stop), Arc::clone(&count));
            tokio::spawn(async move {
                for n in (task..).step_by(TASKS) {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let address = format!("customer{}@example.com", n % CUSTOMERS);
                    let (reset, _) = seed::new_reset(scope, &address, ResetOrigin::Integration);
                    let (event, audit) = (seed::reset_created(scope, &reset), seed::audit(Action::Create));
                    let record = ResetRecord { reset: &reset, event: &event, audit: &audit };
                    store.create_reset(scope, &record).await.unwrap();
                    count.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let begin = Instant::now();
    tokio::time::sleep(RUN).await;
    let rate = f64::from(count.load(Ordering::Relaxed)) / begin.elapsed().as_secs_f64();
    stop.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.unwrap();
    }
    if let Some(chainer) = chainer {
        chainer.abort();
    }
    rate
}

async fn verify_many(backdoor: &PostgresBackdoor, store: &PostgresStore, report: &mut Report) {
    let scope = seed::scope(store, "large").await;
    backdoor
        .script("ALTER TABLE audit_entries ENABLE TRIGGER audit_entries_queue; TRUNCATE audit_queue")
        .await;
    let fill = format!(
        "INSERT INTO audit_entries (id, organization_id, mode, resource_type, action, actor, application_id, attributes, personal_digest)
         SELECT lpad(to_hex(n::bigint * 48271 % 2147483647), 10, 'x'), '{}', 'test', 'customers', 'update', 'client', 'ABCDEFGHIJ',
             '{{reference,metadata}}', sha256(n::text::bytea)
         FROM generate_series(1, {ENTRIES}) n",
        scope.organization
    );
    backdoor.script(&fill).await;
    let begin = Instant::now();
    while store.chain_entries(scope, &seed::keys(), 500).await.unwrap() == Chained::Done(500) {}
    report.add(Figure::new("a million entries chained", "s", vec![begin.elapsed().as_secs_f64()]));
    for statistics in ["without", "with"] {
        let begin = Instant::now();
        let verified = verify(store, scope, Some(&seed::keys()), None).await.unwrap();
        assert_eq!((verified.broken, verified.links), (None, ENTRIES));
        let what = format!("a million entries verified, {statistics} fresh statistics");
        report.add(Figure::new(what, "s", vec![begin.elapsed().as_secs_f64()]));
        backdoor.script("ANALYZE").await;
    }
}
