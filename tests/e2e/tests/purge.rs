//! The deletion of old records, on a shop with a million of them.
#![cfg(test)]

use std::time::{Duration, Instant};

use rekey_core::cleanup::{Cleanup, PURGE_BATCH, PurgeKind};
use rekey_e2e::large_shop::LargeShop;
use rekey_sql::Purgeable;
use rekey_testkit::backdoor::{Backdoor, PostgresBackdoor};
use sqlx::{Connection, PgConnection};

const RESETS: u32 = 200_000;

/// B12.
#[tokio::test]
async fn no_batch_locks_its_rows_for_long() {
    let shop = LargeShop::with(RESETS).await;
    add_history(&shop.database.url()).await;
    let age = time::Duration::days(8);
    for kind in [PurgeKind::Deliveries, PurgeKind::Resets, PurgeKind::Events, PurgeKind::Audit] {
        let purgeable = shop.store.count_purgeable(kind, age).await.unwrap();
        assert!(purgeable > 100_000, "{kind:?}: {purgeable}");
        let backdoor = PostgresBackdoor::open(&shop.database.url());
        let table = Purgeable::for_kind(kind).table;
        let before = backdoor.count(table, "true").await;
        let mut durations = Vec::new();
        for _ in 0..21 {
            let start = Instant::now();
            assert_eq!(
                shop.store.purge(kind, age, PURGE_BATCH).await.unwrap(),
                u64::from(PURGE_BATCH),
                "{kind:?}"
            );
            durations.push(start.elapsed());
        }
        // A batch holds its locks no longer than the call takes. The median leaves out what other programs on this machine cause.
        durations.sort_unstable();
        let median = durations[durations.len() / 2];
        assert!(median < Duration::from_millis(100), "{kind:?}: {durations:?}");
        // Not those that may be deleted: they become more as time passes.
        assert_eq!(before - backdoor.count(table, "true").await, 21 * u64::from(PURGE_BATCH), "{kind:?}");
    }
}

/// Adds an event and two audit entries for each reset, with links that no test reads.
async fn add_history(url: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let statements = "
        INSERT INTO events (id, organization_id, mode, name, resource_type, resource_id, created_at, available_at, published_at)
        SELECT event_id, organization_id, mode, 'customer_password_resets.create', 'customer_password_resets', reset_id,
            created_at, created_at, created_at
        FROM deliveries;
        INSERT INTO audit_entries (id, organization_id, mode, resource_type, action, actor, attributes, personal_digest, created_at)
        SELECT left(id, 9) || n, organization_id, mode, 'customer_password_resets', 'create', 'client', '{}', sha256(''), created_at
        FROM password_resets, generate_series(0, 1) n;
        INSERT INTO audit_personal_data (entry_id, resource_id, customer_id, salt)
        SELECT left(id, 9) || n, id, customer_id, uuid_send(gen_random_uuid()) FROM password_resets, generate_series(0, 1) n;
        INSERT INTO audit_chain
        SELECT organization_id, mode, row_number() OVER (PARTITION BY organization_id, mode ORDER BY created_at, id), id, sha256(''),
            created_at, sha256(''), 'any', sha256(''), created_at
        FROM audit_entries;
        TRUNCATE audit_queue;
        VACUUM (ANALYZE)";
    for statement in statements.split(';') {
        sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
    }
}
