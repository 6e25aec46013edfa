//! Behaviour of this store only: the mailer's role, replicas that start together, and a server that is busy, down or back.
#![cfg(test)]

use std::time::Duration;

use rekey_core::{
    customers::store::CustomerStore,
    deliveries::{
        MailJob, MailName, Outcome,
        ledger::{Claim, Ledger},
    },
    error::StoreError,
    events::{
        EventBody, EventName,
        audit::Action,
        outbox::{Outbox, Settlement},
    },
    organizations::OrganizationStore,
    ping::Ping,
    resets::ResetOrigin,
    resets::store::ResetStore,
};
use rekey_store_postgres::PostgresStore;
use rekey_testkit::{
    backdoor::{Backdoor, PostgresBackdoor},
    postgres::TestDatabase,
    seed,
};
use tokio::time::{sleep, timeout};

const JOHN: &str = "john@example.com";
const LEASE: time::Duration = time::Duration::minutes(5);
/// How long a test waits for something that must happen, and the interval between two checks.
const TIMEOUT: Duration = Duration::from_mins(1);
const LOOK: Duration = Duration::from_millis(10);

/// The relay's connection may be a request's next: behind a pooler it is. An accepted request is on the disk.
#[tokio::test]
async fn only_the_relays_own_transactions_do_not_wait_for_the_disk() {
    let database = TestDatabase::create().await;
    let backdoor = PostgresBackdoor::open(&database.url());
    // The tests' server waits for no disk at all.
    backdoor.script(&format!("ALTER DATABASE {} SET synchronous_commit = on", database.name())).await;
    let store = connect(&database.url(), 1);
    store.migrate().await.unwrap();
    let scope = seed::scope(&store, "shop").await;
    seed::customer(&store, scope, JOHN, None).await;
    let log = "CREATE TABLE log (entry text);
        CREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO log VALUES (TG_OP || ' ' || current_setting('synchronous_commit'));
            RETURN NULL;
        END $$;
        CREATE TRIGGER log AFTER UPDATE ON events EXECUTE FUNCTION log();
        CREATE TRIGGER log AFTER INSERT ON password_resets EXECUTE FUNCTION log()";
    backdoor.script(log).await;
    let claimed = store.claim_messages(LEASE, 10).await.unwrap();
    let published: Vec<_> = claimed.iter().map(|claimed| Settlement::Published(claimed.message.id)).collect();
    store.settle_messages(&published).await.unwrap();
    seed::reset(&store, scope, JOHN, ResetOrigin::Integration).await;
    let entries = backdoor.text("SELECT string_agg(entry, ', ' ORDER BY ctid) FROM log").await;
    assert_eq!(entries.as_deref(), Some("UPDATE off, UPDATE off, INSERT on"));
}

#[tokio::test]
async fn the_mailers_role_can_keep_its_ledger_and_read_no_hash_and_no_token() {
    let database = TestDatabase::create().await;
    database.create_roles().await;
    let store = connect(&database.url(), 4);
    store.migrate().await.unwrap();
    let scope = seed::scope(&store, "shop").await;
    let john = seed::customer(&store, scope, JOHN, Some(seed::hash("first"))).await;
    let reset = seed::reset(&store, scope, JOHN, ResetOrigin::Integration).await;

    let mailer = connect(&database.url_as("rekey_mailer"), 2);
    mailer.ping().await.unwrap();
    let requested = seed::reset_mail(scope, reset.event, reset.id);
    let event = seed::opaque_message(EventName::ResetPassword).id;
    let changed =
        MailJob { event, mail: MailName::PasswordChanged, customer: Some(john.id), ..requested.clone() };
    for job in [requested, changed] {
        assert!(matches!(mailer.claim(&job, LEASE).await.unwrap(), Claim::Granted(_)));
        assert!(matches!(mailer.claim(&job, LEASE).await.unwrap(), Claim::Busy(_)));
        let outcome = Outcome::Bounced {
            reason: "no".to_owned(),
            reply: None,
            suppress: Some("x@example.com".parse().unwrap()),
        };
        assert!(mailer.settle(job.event, 1, &outcome).await.unwrap());
        assert!(matches!(mailer.claim(&job, LEASE).await.unwrap(), Claim::Settled));
    }
    assert_eq!(mailer.republish_overdue(10).await.unwrap(), 0);

    let as_mailer = PostgresBackdoor::open(&database.url_as("rekey_mailer"));
    as_mailer.run("SELECT id, email, locale FROM customers").await.unwrap();
    for statement in [
        "SELECT hash FROM customer_passwords",
        "SELECT count(*) FROM customer_passwords",
        "UPDATE customer_passwords SET hash = ''",
        "SELECT token_digest FROM password_resets",
        "SELECT sealed_token FROM password_resets",
        "SELECT * FROM shown_customer_password_resets",
        "SELECT * FROM shown_customers",
        "UPDATE password_resets SET reset_password_at = NULL",
        "SELECT metadata FROM customers",
        "SELECT * FROM api_clients",
        "SELECT * FROM sessions",
        "SELECT * FROM used_refresh_tokens",
        "DELETE FROM revoked_access_tokens",
        "SELECT resource_id FROM events",
        "UPDATE events SET name = 'customers.create'",
        "DELETE FROM events",
        "SELECT * FROM audit_entries",
        "SELECT * FROM rate_limit_slots",
        "DELETE FROM deliveries",
        "SELECT * FROM shown_deliveries",
        "DELETE FROM suppressions",
        "UPDATE suppressions SET email = 'nobody@example.com'",
        "UPDATE customers SET email = 'thief@example.com'",
    ] {
        let refused = as_mailer.run(statement).await.expect_err(statement);
        assert_eq!(refused, "42501", "{statement}: insufficient_privilege (PostgreSQL's manual, appendix A)");
    }
    assert!(mailer.claim_messages(LEASE, 1).await.is_err(), "the relay is not the mailer's business");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_start_at_once_take_turns_to_migrate() {
    let database = TestDatabase::create().await;
    let migrations = [0; 6].map(|_| {
        let store = connect(&database.url(), 1);
        tokio::spawn(async move { store.migrate().await })
    });
    for migration in migrations {
        migration.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pool_with_every_connection_busy_is_unavailable_and_then_works_again() {
    let database = TestDatabase::create().await;
    connect(&database.url(), 1).migrate().await.unwrap();
    let store = PostgresStore::connect(&database.url(), 2, Duration::from_secs(1)).unwrap();
    let lock = PostgresBackdoor::open(&database.url());
    lock.run("BEGIN").await.unwrap();
    lock.run("LOCK TABLE organizations").await.unwrap();
    let stuck = [0; 2].map(|_| {
        let store = store.clone();
        // A busy machine may take longer for a connection than the store waits for one.
        tokio::spawn(async move { available(|| store.organizations()).await })
    });
    // Read on another connection: within a transaction the server's statistics don't change.
    let outside = PostgresBackdoor::open(&database.url());
    let waiting = "datname = current_database() AND wait_event_type = 'Lock'";
    let both = async {
        while outside.count("pg_stat_activity", waiting).await < 2 {
            sleep(LOOK).await;
        }
    };
    timeout(TIMEOUT, both).await.unwrap();

    let refused = store.ping().await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    lock.run("ROLLBACK").await.unwrap();
    for caller in stuck {
        caller.await.unwrap();
    }
    available(|| store.ping()).await;
}

#[tokio::test]
async fn a_server_that_is_gone_is_unavailable() {
    let store =
        PostgresStore::connect("postgres://app@127.0.0.1:1/app", 2, Duration::from_millis(200)).unwrap();
    assert!(matches!(store.ping().await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.migrate().await, Err(StoreError::Unavailable(_))));
}

#[tokio::test]
async fn connections_that_the_server_ended_are_replaced() {
    let database = TestDatabase::create().await;
    let store = connect(&database.url(), 3);
    store.migrate().await.unwrap();
    for round in 0..3 {
        store.ping().await.unwrap();
        let ended = "SELECT CAST(count(pg_terminate_backend(pid, 60000)) AS text) FROM pg_stat_activity \
                     WHERE datname = current_database() AND application_name = 'rekey'";
        let ended = PostgresBackdoor::open(&database.url()).text(ended).await;
        assert_ne!(ended.as_deref(), Some("0"), "round {round}");
        // Each of the pool's connections is found broken at most once.
        let mut failures = 0;
        while let Err(error) = store.ping().await {
            assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
            failures += 1;
            assert!(failures <= 3);
        }
    }
}

#[tokio::test]
async fn token_nowhere_errors_quote_no_value_of_a_row() {
    let database = TestDatabase::create().await;
    let store = connect(&database.url(), 1);
    store.migrate().await.unwrap();
    let scope = seed::scope(&store, "shop").await;
    let john = seed::new_customer(JOHN, Some(seed::hash("first")));
    let audit = seed::audit(Action::Create);
    let event = seed::event(scope, EventBody::CustomerCreated { customer: john.id });
    store.create_customer(scope, &john, &event, &audit).await.unwrap();
    let reset = seed::reset(&store, scope, JOHN, ResetOrigin::Integration).await;

    // The audit entry's id is taken: an error whose detail quotes the row's key.
    let change = seed::reference("R-1");
    let error = store.update_reset(scope, reset.id, &change, &audit).await.unwrap_err();
    assert!(matches!(error, StoreError::Internal(_)));
    let shown = format!("{error:?} {}", std::error::Error::source(&error).unwrap());
    assert!(shown.contains("23505") && !shown.contains(audit.id.as_str()), "{shown}");

    let refused =
        PostgresStore::connect("postgres://app:hunter2@[bad/app", 1, Duration::from_secs(1)).unwrap_err();
    assert!(!format!("{refused:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_closed_store_is_unavailable() {
    let database = TestDatabase::create().await;
    let store = connect(&database.url(), 1);
    store.ping().await.unwrap();
    store.close().await;
    assert!(matches!(store.ping().await, Err(StoreError::Unavailable(_))));
}

/// Calls until the store is available, and returns its answer.
async fn available<T, F: Future<Output = Result<T, StoreError>>>(call: impl Fn() -> F) -> T {
    let answered = async {
        loop {
            match call().await {
                Ok(answer) => return answer,
                Err(StoreError::Unavailable(_)) => sleep(LOOK).await,
                Err(error) => panic!("{error:?}"),
            }
        }
    };
    timeout(TIMEOUT, answered).await.unwrap()
}

fn connect(url: &str, max_connections: u32) -> PostgresStore {
    PostgresStore::connect(url, max_connections, Duration::from_secs(30)).unwrap()
}
