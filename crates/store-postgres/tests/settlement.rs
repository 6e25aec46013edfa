//! A mail is settled while its event is being published, on this store only.
#![cfg(test)]

use std::{sync::Arc, time::Duration};

use rekey_core::{
    deliveries::{Outcome, ledger::Ledger},
    events::outbox::{Outbox, Settlement},
    resets::ResetOrigin,
};
use rekey_store_postgres::PostgresStore;
use rekey_testkit::{
    backdoor::{Backdoor, PostgresBackdoor},
    postgres::TestDatabase,
    seed,
};

const LEASE: time::Duration = time::Duration::MINUTE;

/// Both have looked at the mail and at the event before either has written.
#[tokio::test]
async fn token_nowhere_no_payload_outlives_a_mail_that_is_settled_while_its_event_is_published() {
    for is_mailer_first in [true, false] {
        let database = TestDatabase::create().await;
        let store = Arc::new(PostgresStore::connect(&database.url(), 4, Duration::from_secs(30)).unwrap());
        store.migrate().await.unwrap();
        let scope = seed::scope(&*store, "shop").await;
        seed::customer(&*store, scope, "john@example.com", None).await;
        let reset = seed::reset(&*store, scope, "john@example.com", ResetOrigin::Integration).await;
        let event = reset.event;
        store.claim(&seed::reset_mail(scope, event, reset.id), LEASE).await.unwrap();

        // The backdoor has one connection, so this transaction is open between the calls.
        let backdoor = PostgresBackdoor::open(&database.url());
        backdoor.script(&format!("BEGIN; SELECT FROM events WHERE id = '{event}' FOR UPDATE")).await;
        let mailer = {
            let store = store.clone();
            async move {
                let (response, relay) = ("250 ok".to_owned(), "smtp.example.com".to_owned());
                let sent = Outcome::Sent { response, reply: None, relay };
                assert!(store.settle(event, 1, &sent).await.unwrap());
            }
        };
        let relay = {
            let store = store.clone();
            async move { store.settle_messages(&[Settlement::Published(event)]).await.unwrap() }
        };
        let watcher = PostgresBackdoor::open(&database.url());
        let waits = async |count: u64| {
            let waiting = "datname = current_database() AND wait_event_type = 'Lock'";
            while watcher.count("pg_stat_activity", waiting).await < count {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let both = if is_mailer_first {
            let mailer = tokio::spawn(mailer);
            waits(1).await;
            [mailer, tokio::spawn(relay)]
        } else {
            let relay = tokio::spawn(relay);
            waits(1).await;
            [relay, tokio::spawn(mailer)]
        };
        waits(2).await;
        backdoor.script("COMMIT").await;
        for task in both {
            task.await.unwrap();
        }
        let erased = format!(
            "id = '{event}' AND payload IS NULL AND republish_after IS NULL AND published_at IS NOT NULL"
        );
        assert_eq!(backdoor.count("events", &erased).await, 1, "the mailer first: {is_mailer_first}");
    }
}
