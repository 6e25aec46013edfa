//! Reports on mails, on this store only.
#![cfg(test)]

use std::{sync::Arc, time::Duration};

use rekey_core::{
    deliveries::reports::{NewReport, Recorded, Report, ReportKind, ReportStore},
    resets::ResetOrigin,
};
use rekey_store_postgres::PostgresStore;
use rekey_testkit::{
    backdoor::{Backdoor, PostgresBackdoor},
    postgres::TestDatabase,
    seed,
};

/// A relay that returns the mail at once reports it before the mailer's transaction has ended.
#[tokio::test]
async fn a_report_that_waits_for_the_mailer_finds_the_mail_sent() {
    let database = TestDatabase::create().await;
    let store = PostgresStore::connect(&database.url(), 2, Duration::from_secs(30)).unwrap();
    store.migrate().await.unwrap();
    let scope = seed::scope(&store, "shop").await;
    seed::customer(&store, scope, "john@example.com", None).await;
    let delivery = seed::reset(&store, scope, "john@example.com", ResetOrigin::Integration).await.event;

    // The backdoor has one connection, so this transaction is open between the calls.
    let mailer = PostgresBackdoor::open(&database.url());
    mailer.script("BEGIN; UPDATE deliveries SET status = 'sent', sent_at = now()").await;
    let report = Report { kind: ReportKind::Bounced, reporter: None, reply: None, detail: None };
    let new = NewReport { delivery, report, suppress: Vec::new() };
    let store = Arc::new(store);
    let recording = tokio::spawn({
        let store = store.clone();
        async move { store.record_report(&new).await }
    });
    while mailer.count("pg_locks", "NOT granted").await == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    mailer.script("COMMIT").await;
    assert!(matches!(recording.await.unwrap().unwrap(), Recorded::New { .. }));
    assert_eq!(mailer.count("deliveries", "status = 'bounced'").await, 1);
}
