//! How many rows each hot statement reads in a large shop without statistics, as right after an import.
#![cfg(test)]

use std::time::Duration;

use rekey_core::{
    attributes::CommonAttributes,
    customers::store::CustomerStore,
    customers::{
        CustomerChange,
        import::{ImportRecord, Importer},
        store::ChangeEvents,
    },
    deliveries::{
        Outcome,
        ledger::{Claim, Ledger},
    },
    events::{
        EventBody,
        audit::{
            Action,
            chain::{AuditChain, Chained},
        },
        outbox::{Outbox, Settlement},
    },
    gauges::GaugeStore,
    ids::{ApplicationId, AuditId, CustomerId, EventId, RecordId, SessionId},
    random::OsRandom,
    resets::ResetOrigin,
    resets::store::Completion,
    resets::store::{ResetStore, TokenStore},
    resources::{CUSTOMER_PASSWORD_RESETS, CUSTOMERS, catalog::Catalog},
    scope::Scope,
    secrets::{AddressDigest, RefreshToken},
    sessions::{
        NewSession, Sessions, SignInRecord, TokenScope,
        guesses::{GuessCharge, GuessCounter, GuessSource, PasswordGuesses},
    },
};
use rekey_store_postgres::PostgresStore;
use rekey_testkit::{
    backdoor::{Backdoor, PostgresBackdoor},
    postgres::TestDatabase,
    seed,
};

const LEASE: time::Duration = time::Duration::minutes(5);
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
        // Its connection reports what it has read when it ends.
        store.close().await;
        let whole_scope = "indexrelname IN (SELECT indexname FROM pg_indexes WHERE indexdef LIKE '%(organization_id, mode%') \
                           AND relname <> 'suppressions' AND idx_scan > 0";
        let names =
            format!("SELECT string_agg(indexrelname, ', ') FROM pg_stat_user_indexes WHERE {whole_scope}");
        assert_eq!(
            backdoor.text(&names).await,
            None,
            "indexes of a whole scope were read, with {to} customers"
        );
        let most = u64::try_from(ROUNDS).unwrap() * 20 * ROWS_PER_CALL;
        let rows = format!(
            "SELECT string_agg(format('%s: %s rows', relname, seq_tup_read + idx_tup_fetch), ', ')
             FROM pg_stat_user_tables WHERE seq_tup_read + idx_tup_fetch > {most}"
        );
        assert_eq!(backdoor.text(&rows).await, None, "more than {most} rows were read, with {to} customers");
    }
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
    // Its connection reports what it has read when it ends.
    store.close().await;
    assert_eq!(backdoor.count("events", "true").await, 20_016);
    let read =
        "SELECT seq_tup_read::text FROM pg_stat_user_tables WHERE relname = 'events' AND seq_tup_read > 5000";
    assert_eq!(backdoor.text(read).await, None, "rows of events were read one by one");
}

/// Each entry is found by its id, and each row of the queue by its place.
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
    fill(&backdoor, scope, 1, 20_000).await;
    backdoor.run("SELECT pg_stat_reset()").await.unwrap();
    for _ in 0..ROUNDS {
        assert_eq!(
            store.chain_entries(scope, &seed::keys(), BATCH).await.unwrap(),
            Chained::Done(BATCH)
        );
    }
    // Its connection reports what it has read when it ends.
    store.close().await;
    let chained = u64::try_from(ROUNDS).unwrap() * u64::from(BATCH);
    let read = format!(
        "SELECT string_agg(format('%s: %s rows', relname, seq_tup_read + idx_tup_fetch), ', ') FROM pg_stat_user_tables
         WHERE relname IN ('audit_entries', 'audit_queue', 'audit_chain') AND seq_tup_read + idx_tup_fetch > 3 * {chained}"
    );
    assert_eq!(backdoor.text(&read).await, None);
    assert_eq!(backdoor.count("audit_queue", "true").await, 20_000 - chained);
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
    // Its connection reports what it has read when it ends.
    store.close().await;
    let read = "SELECT string_agg(format('%s: %s rows', relname, seq_tup_read + idx_tup_fetch), ', ')
                FROM pg_stat_user_tables WHERE relname IN ('deliveries', 'events') AND seq_tup_read + idx_tup_fetch > 100";
    assert_eq!(backdoor.text(read).await, None);
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

/// Writes customers with a password, a used reset and its mail.
async fn fill(backdoor: &PostgresBackdoor, scope: Scope, from: usize, to: usize) {
    let (organization, mode) = (scope.organization, scope.mode.as_str());
    let id = "reverse(lpad(n::text, 10, '0'))";
    let statements = format!(
        "INSERT INTO customers (id, organization_id, mode, email, metadata)
         SELECT {id}, '{organization}', '{mode}', format('customer%s@example.com', n), '{{}}'
         FROM generate_series({from}, {to}) n;
         INSERT INTO customer_passwords (customer_id, hash, scheme)
         SELECT {id}, 'none', '{organization}/own/$argon2id$v=19$m=19456,t=2,p=1$43' FROM generate_series({from}, {to}) n;
         INSERT INTO password_resets (id, organization_id, mode, customer_id, origin, address_digest, account_digest, token_digest,
             sealed_token, expires_at, reset_password_at, metadata)
         SELECT {id}, '{organization}', '{mode}', {id}, 'self_service', sha256(n::text::bytea),
             sha256(n::text::bytea), sha256(n::text::bytea), '', now(), now(), '{{}}'
         FROM generate_series({from}, {to}) n;
         INSERT INTO guess_counters (kind, account_digest, network_digest, window_started_at, last_guess_at, guess_count, signed_in_at)
         SELECT 'password', sha256(n::text::bytea), sha256(n::text::bytea), now(), now(), 0, now()
         FROM generate_series({from}, {to}) n;
         INSERT INTO sign_in_counts (hour_started_at, account_digest, action, customer_id, organization_id, mode, sign_in_count)
         SELECT date_trunc('hour', now(), 'UTC'), sha256(n::text::bytea), 'sign_in', {id}, '{organization}', '{mode}', 1
         FROM generate_series({from}, {to}) n;
         INSERT INTO audit_entries (id, organization_id, mode, resource_type, action, actor, attributes, personal_digest)
         SELECT {id}, '{organization}', '{mode}', 'customers', 'create', 'client', '{{}}', sha256('') FROM generate_series({from}, {to}) n;
         INSERT INTO audit_personal_data (entry_id, resource_id, customer_id, salt)
         SELECT {id}, {id}, {id}, uuid_send(gen_random_uuid()) FROM generate_series({from}, {to}) n;
         INSERT INTO mail_quotas (account_digest, mail, window_started_at, mail_count)
         SELECT sha256(n::text::bytea), 'reset_requested', now(), 1 FROM generate_series({from}, {to}) n;
         INSERT INTO reset_cooldowns (address_digest, last_reset_at)
         SELECT sha256(n::text::bytea), now() FROM generate_series({from}, {to}) n;
         INSERT INTO deliveries (event_id, organization_id, mode, customer_id, reset_id, mail, status)
         SELECT {id}, '{organization}', '{mode}', {id}, {id}, 'reset_requested', 'sent'
         FROM generate_series({from}, {to}) n;
         INSERT INTO events (id, organization_id, mode, name, resource_type, resource_id, published_at)
         SELECT {id}, '{organization}', '{mode}', 'customer_password_resets.create', 'customer_password_resets', {id}, now()
         FROM generate_series({from}, {to}) n;"
    );
    backdoor.run(&statements).await.unwrap();
}

/// Runs each statement of a reset, a log-in and a mail.
async fn use_everything(store: &PostgresStore, scope: Scope, address: &str) {
    seed::reset(store, scope, address, ResetOrigin::SelfService).await;
    seed::reset(store, scope, &format!("nobody+{address}"), ResetOrigin::SelfService).await;
    let reset = seed::reset(store, scope, address, ResetOrigin::Integration).await;
    let email = seed::email(address);
    let customer = store.find_credentials(scope, &email).await.unwrap().unwrap().customer;
    let scheme = store.next_scheme(scope.organization, None).await.unwrap().unwrap().name;
    assert_eq!(store.next_scheme(scope.organization, Some(&scheme)).await.unwrap(), None);

    let source = GuessSource::new(scope, &email, Some("192.0.2.1".parse().unwrap()), &seed::keys());
    let charged = GuessCharge::Charged(GuessCounter::Others);
    assert_eq!(store.charge_guess(&source, 100).await.unwrap(), charged);
    store.accept_guess(&source, GuessCounter::Others).await.unwrap();
    for email in [&email, &seed::email(&format!("nobody+{address}"))] {
        let sign_in = seed::audit(Action::SignIn);
        let record = SignInRecord { email, account: &source.address, audit: &sign_in };
        store.record_sign_in(scope, &record).await.unwrap();
    }

    let claimed = store.claim_messages(LEASE, 10).await.unwrap();
    let settled: Vec<_> =
        claimed.into_iter().map(|claimed| Settlement::Published(claimed.message.id)).collect();
    store.settle_messages(&settled).await.unwrap();
    let job = seed::reset_mail(scope, reset.event, reset.id);
    assert!(matches!(store.claim(&job, LEASE).await.unwrap(), Claim::Granted(_)));
    let sent = Outcome::Sent { response: "250 ok".to_owned(), reply: None, relay: "relay".to_owned() };
    assert!(store.settle(job.event, 1, &sent).await.unwrap());

    read(store, scope, reset.id.into(), customer.into()).await;
    let audit = || seed::audit(Action::Update);
    assert!(store.update_reset(scope, reset.id, &seed::reference("R-1"), &audit()).await.unwrap());
    let holder = store.find_token_holder(reset.id, &reset.token.digest()).await.unwrap().unwrap();
    let completion = Completion {
        address_digest: AddressDigest::new(scope, &email, &seed::keys()),
        holder: &holder,
        token: &reset.token.digest(),
        password: &seed::hash("second"),
        changes: &CommonAttributes::default(),
        event: &seed::event(scope, EventBody::ResetUsed { reset: reset.id, customer, address: None }),
        audit: &audit(),
    };
    assert!(store.complete_reset(&completion).await.unwrap());
    log_in(store, scope, customer).await;

    let attributes = seed::customer_reference("R-1");
    let change = CustomerChange { attributes, ..CustomerChange::default() };
    assert!(
        store.update_customer(scope, customer, &change, ChangeEvents::default(), &audit()).await.unwrap()
    );
    let event = seed::event(scope, EventBody::ResetDestroyed { reset: reset.id });
    assert!(store.delete_reset(scope, reset.id, &event, &audit()).await.unwrap());
    let event = seed::event(scope, EventBody::CustomerDestroyed { customer });
    assert!(store.delete_customer(scope, customer, &event, &audit()).await.unwrap());
}

/// Reads records by their ids, and their included records.
async fn read(store: &PostgresStore, scope: Scope, reset: RecordId, customer: RecordId) {
    for (resource, id) in [(&CUSTOMER_PASSWORD_RESETS, reset), (&CUSTOMERS, customer)] {
        assert!(store.find(scope, resource, id).await.unwrap().is_some());
        for relationship in resource.relationships {
            let (owners, own) = if relationship.name == "customer" { (customer, 1) } else { (id, 0) };
            let related = store.related(scope, resource, relationship, &[owners]).await.unwrap();
            assert!(related.len() >= own, "{}", relationship.name);
        }
    }
}

async fn log_in(store: &PostgresStore, scope: Scope, customer: CustomerId) {
    let (random, password) = (OsRandom, seed::hash("third"));
    let session = NewSession {
        id: SessionId::generate(&random),
        customer,
        application: ApplicationId::generate(&random),
        token_scope: &TokenScope::default(),
        refresh_token: &RefreshToken::generate(&random).digest(),
        password: &password,
        ttl: time::Duration::minutes(1),
    };
    store.rehash_password(scope, customer, &seed::hash("second"), &password).await.unwrap();
    assert!(store.open_session(scope, &session).await.unwrap());
    assert!(store.session_is_live(scope, session.id, time::Duration::DAY).await.unwrap());
    store.end_session(scope, session.id).await.unwrap();
}
