//! How many rows each hot statement reads in a large shop without statistics, as right after an import.
#![cfg(test)]

mod callbacks;
mod shop;

use std::time::Duration;

use rekey_core::{
    customers::import::{ImportRecord, Importer},
    deliveries::ledger::Ledger,
    events::{
        audit::chain::{AuditChain, Chained},
        outbox::{Outbox, Settlement},
    },
    gauges::GaugeStore,
    ids::{AuditId, EventId},
    random::OsRandom,
    resets::ResetOrigin,
};
use rekey_store_postgres::PostgresStore;
use rekey_testkit::{
    backdoor::{Backdoor, PostgresBackdoor},
    postgres::TestDatabase,
    seed,
};

use self::shop::{LEASE, fill, fill_pending, use_everything};

/// Calls of each statement. PostgreSQL plans a prepared statement for its values five times, and then perhaps once for any values.
const ROUNDS: usize = 8;
/// The rows that one call may read of a table: its customer's own few resets, events and deliveries.
const ROWS_PER_CALL: u64 = 20;

/// Both sizes matter: with few customers a plan by any index of the scope looks as cheap as one by the unique index, and
/// with many it reads them all.
#[tokio::test]
async fn hot_statements_read_a_few_rows_by_unique_indexes() {
    let database = TestDatabase::create().await;
    let store = PostgresStore::connect(&database.url(), 1, Duration::from_secs(30)).unwrap();
    store.migrate().await.unwrap();
    let backdoor = PostgresBackdoor::open(&database.url());
    for table in [
        "customers",
        "customer_passwords",
        "password_resets",
        "events",
        "deliveries",
        "delivery_attempts",
        "delivery_reports",
        "sessions",
        "guess_counters",
        "mail_quotas",
        "reset_cooldowns",
        "sign_in_counts",
        "audit_entries",
        "audit_personal_data",
    ] {
        backdoor.run(&format!("ALTER TABLE {table} SET (autovacuum_enabled = off)")).await.unwrap();
    }
    let scope = seed::scope(&store, "shop").await;
    store.close().await;
    for (from, to) in [(1, 20_000), (20_001, 100_000)] {
        fill(&backdoor, scope, from, to).await;
        assert_eq!(backdoor.count("pg_stats", "tablename IN ('customers', 'password_resets')").await, 0);
        backdoor.run("SELECT pg_stat_reset()").await.unwrap();
        let store = PostgresStore::connect(&database.url(), 1, Duration::from_secs(30)).unwrap();
        for round in 0..ROUNDS {
            use_everything(&store, scope, &format!("customer{}@example.com", from + round)).await;
        }
        close(store, &backdoor).await;
        let whole_scope = "indexrelname IN (SELECT indexname FROM pg_indexes WHERE indexdef LIKE '%(organization_id, mode%') \
                           AND relname NOT IN ('suppressions', 'email_changes') AND idx_scan > 0";
        let names =
            format!("SELECT string_agg(indexrelname, ', ') FROM pg_stat_user_indexes WHERE {whole_scope}");
        assert_eq!(
            backdoor.text(&names).await,
            None,
            "indexes of a whole scope were read, with {to} customers"
        );
        let most = u64::try_from(ROUNDS).unwrap() * 20 * ROWS_PER_CALL;
        let read = tables_read(&backdoor, most, "true").await;
        assert_eq!(read, None, "more than {most} rows were read, with {to} customers");
    }
}

/// The statistics are from a time when no mail was pending, as before an outage of the relays or of the broker.
#[tokio::test]
async fn what_is_pending_is_not_read_as_a_whole_with_stale_statistics() {
    let database = TestDatabase::create().await;
    let store = PostgresStore::connect(&database.url(), 1, Duration::from_secs(30)).unwrap();
    store.migrate().await.unwrap();
    let backdoor = PostgresBackdoor::open(&database.url());
    for table in ["password_resets", "events", "deliveries"] {
        backdoor.run(&format!("ALTER TABLE {table} SET (autovacuum_enabled = off)")).await.unwrap();
    }
    let scope = seed::scope(&store, "shop").await;
    fill(&backdoor, scope, 1, 20_000).await;
    backdoor.run("ANALYZE").await.unwrap();
    fill_pending(&backdoor, scope, 1, 5_000).await;
    backdoor.run("SELECT pg_stat_reset()").await.unwrap();
    for round in 0..ROUNDS {
        use_everything(&store, scope, &format!("customer{}@example.com", 1 + round)).await;
    }
    close(store, &backdoor).await;
    let most = u64::try_from(ROUNDS).unwrap() * 20 * ROWS_PER_CALL;
    let read = tables_read(&backdoor, most, "t.relname IN ('password_resets', 'events', 'deliveries')").await;
    assert_eq!(read, None, "more than {most} rows were read");
}

/// The statistics say that the table is empty, as those of a new database do, while it grows.
#[tokio::test]
async fn the_outbox_is_read_by_its_indexes_while_it_grows() {
    let database = TestDatabase::create().await;
    let store = PostgresStore::connect(&database.url(), 1, Duration::from_secs(30)).unwrap();
    store.migrate().await.unwrap();
    let backdoor = PostgresBackdoor::open(&database.url());
    backdoor.run("ALTER TABLE events SET (autovacuum_enabled = off)").await.unwrap();
    let scope = seed::scope(&store, "shop").await;
    for (from, to) in [(1, 10), (11, 20_000)] {
        for n in 0..ROUNDS {
            seed::customer(&store, scope, &format!("jane{from}.{n}@example.com"), None).await;
            let claimed = store.claim_messages(LEASE, 10).await.unwrap();
            let id = claimed.first().unwrap().message.id;
            store.settle_messages(&[Settlement::Later(id, time::Duration::ZERO)]).await.unwrap();
            store.settle_messages(&[Settlement::Dead(id, "any".to_owned())]).await.unwrap();
            store.settle_messages(&[Settlement::Published(id)]).await.unwrap();
        }
        fill(&backdoor, scope, from, to).await;
    }
    for _ in 0..ROUNDS {
        assert_eq!(store.claim_messages(LEASE, 10).await.unwrap(), []);
        store.settle_messages(&[Settlement::Published(EventId::generate(&OsRandom))]).await.unwrap();
        store.outbox_backlog().await.unwrap();
    }
    close(store, &backdoor).await;
    assert_eq!(backdoor.count("events", "true").await, 20_016);
    let read =
        "SELECT seq_tup_read::text FROM pg_stat_user_tables WHERE relname = 'events' AND seq_tup_read > 5000";
    assert_eq!(backdoor.text(read).await, None, "rows of events were read one by one");
}

/// Each entry is found by its id, and each row of the queue by its place, also after batches of a log that was short.
#[tokio::test]
async fn entries_are_chained_without_a_look_at_others() {
    const BATCH: u32 = 100;
    let database = TestDatabase::create().await;
    let store = PostgresStore::connect(&database.url(), 1, Duration::from_secs(30)).unwrap();
    store.migrate().await.unwrap();
    let backdoor = PostgresBackdoor::open(&database.url());
    for table in ["audit_entries", "audit_queue", "audit_chain"] {
        backdoor.run(&format!("ALTER TABLE {table} SET (autovacuum_enabled = off)")).await.unwrap();
    }
    let scope = seed::scope(&store, "shop").await;
    for n in 0..ROUNDS {
        seed::customer(&store, scope, &format!("jane{n}@example.com"), None).await;
        assert_eq!(store.chain_entries(scope, &seed::keys(), BATCH).await.unwrap(), Chained::Done(1));
    }
    fill(&backdoor, scope, 1, 20_000).await;
    backdoor.run("SELECT pg_stat_reset()").await.unwrap();
    for _ in 0..ROUNDS {
        assert_eq!(store.chain_entries(scope, &seed::keys(), BATCH).await.unwrap(), Chained::Done(BATCH));
    }
    close(store, &backdoor).await;
    let chained = u64::try_from(ROUNDS).unwrap() * u64::from(BATCH);
    let tables = "t.relname IN ('audit_entries', 'audit_queue', 'audit_chain')";
    assert_eq!(tables_read(&backdoor, 3 * chained, tables).await, None);
    let of_scope = format!("mode = '{}'", scope.mode.as_str());
    assert_eq!(backdoor.count("audit_queue", &of_scope).await, 20_000 - chained);
}

/// The pending mails are few among those that were sent.
#[tokio::test]
async fn overdue_mails_are_looked_for_among_the_pending_ones_only() {
    let database = TestDatabase::create().await;
    let store = PostgresStore::connect(&database.url(), 1, Duration::from_secs(30)).unwrap();
    store.migrate().await.unwrap();
    let backdoor = PostgresBackdoor::open(&database.url());
    for table in ["organizations", "events", "deliveries"] {
        backdoor.run(&format!("ALTER TABLE {table} SET (autovacuum_enabled = off)")).await.unwrap();
    }
    let scope = seed::scope(&store, "shop").await;
    fill(&backdoor, scope, 1, 20_000).await;
    seed::reset(&store, scope, "customer1@example.com", ResetOrigin::Integration).await;
    backdoor.run("SELECT pg_stat_reset()").await.unwrap();
    for _ in 0..ROUNDS {
        assert_eq!(store.republish_overdue(1000).await.unwrap(), 0);
        assert_eq!(store.unsent_mails().await.unwrap().queued, 1);
    }
    close(store, &backdoor).await;
    assert_eq!(tables_read(&backdoor, 100, "t.relname IN ('deliveries', 'events')").await, None);
}

#[tokio::test]
async fn an_import_leaves_statistics_of_what_it_filled() {
    let database = TestDatabase::create().await;
    let store = PostgresStore::connect(&database.url(), 1, Duration::from_secs(30)).unwrap();
    store.migrate().await.unwrap();
    let backdoor = PostgresBackdoor::open(&database.url());
    backdoor.run("ALTER TABLE customers SET (autovacuum_enabled = off)").await.unwrap();
    let scope = seed::scope(&store, "shop").await;
    let record = |n| ImportRecord {
        customer: seed::new_customer(&format!("customer{n}@example.com"), None),
        audit: AuditId::generate(&OsRandom),
        attributes: vec!["email"],
    };
    let records: Vec<_> = (0..100).map(record).collect();
    store.import_customers(scope, &records, false).await.unwrap();
    let known = "tablename = 'customers' AND attname = 'email'";
    assert_eq!(backdoor.count("pg_stats", known).await, 0);
    store.refresh_statistics().await.unwrap();
    assert_eq!(backdoor.count("pg_stats", known).await, 1);
}

/// Ends the store's connections, which report what they have read when they end.
async fn close(store: PostgresStore, backdoor: &PostgresBackdoor) {
    store.close().await;
    let others =
        "datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()";
    while backdoor.count("pg_stat_activity", others).await > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Returns the tables of which more than `most` rows were read, with how many were read one by one and by each index.
async fn tables_read(backdoor: &PostgresBackdoor, most: u64, tables: &str) -> Option<String> {
    let read = format!(
        "SELECT string_agg(format('%s: %s rows one by one, %s', t.relname, seq_tup_read, indexes), '; ')
         FROM pg_stat_user_tables t CROSS JOIN LATERAL (
             SELECT string_agg(format('%s by %s', idx_tup_read, indexrelname), ', ') AS indexes
             FROM pg_stat_user_indexes i WHERE i.relid = t.relid AND idx_tup_read > 0
         ) i WHERE seq_tup_read + idx_tup_fetch > {most} AND {tables}"
    );
    backdoor.text(&read).await
}
