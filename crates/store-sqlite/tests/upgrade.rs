//! This version reads what an older one wrote.
#![cfg(test)]

use std::{fs, sync::Arc};

use rekey_core::{
    clients::ClientStore,
    clock::Clock,
    deliveries::ledger::{Claim, Ledger},
    events::{Event, EventBody, outbox::Outbox},
    ids::{RecordId, ResetId},
    organizations::OrganizationStore,
    resets::store::TokenStore,
    resources::{
        CUSTOMER_PASSWORD_RESETS, EVENT_CALLBACKS, RESOURCES, Resource, WEBHOOKS, catalog::Catalog,
        listing::Listing, record::Value,
    },
    scope::{Mode, Scope},
    secrets::ResetToken,
};
use rekey_store_sqlite::SqliteStore;
use rekey_testkit::{
    backdoor::{Backdoor, SqliteBackdoor},
    seed,
};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use time::{Duration, OffsetDateTime};

#[tokio::test]
async fn deliveries_of_older_versions_keep_their_fates() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("rekey.db");
    let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    for migration in [
        include_str!("../migrations/0001_initial.sql"),
        include_str!("../migrations/0002_listing.sql"),
        "INSERT INTO organizations (id, slug, name, created_at) VALUES ('O', 'shop', 'Shop', 1);
         INSERT INTO customers (id, organization_id, mode, email, metadata, created_at, updated_at)
         VALUES ('C', 'O', 'live', 'john@example.com', '{}', 1, 1);
         INSERT INTO password_resets (id, organization_id, mode, customer_id, origin, address_digest, token_digest, sealed_token,
             expires_at, metadata, created_at, updated_at)
         SELECT column1, 'O', 'live', column2, 'self_service', zeroblob(32), zeroblob(32), x'', 1, '{}', 1, 1
         FROM (VALUES ('R', 'C'), ('D', NULL));
         INSERT INTO events (id, organization_id, mode, name, resource_type, resource_id, payload, created_at, available_at)
         SELECT 'E' || column1, 'O', 'live', 'any', CASE column1 WHEN 6 THEN 'customers' ELSE 'customer_password_resets' END,
             CASE column1 WHEN 6 THEN 'C' WHEN 5 THEN 'D' ELSE 'R' END, x'', 1, 1
         FROM (VALUES (1), (2), (3), (4), (5), (6));
         INSERT INTO deliveries (event_id, organization_id, mode, kind, state, attempts, lease_until, detail, created_at, updated_at)
         SELECT column1, 'O', 'live', column2, column3, column4, CASE column3 WHEN 'sending' THEN 1 END, column5, 1, 2
         FROM (VALUES ('E1', 'reset_requested', 'sent', 1, '250 ok'), ('E2', 'reset_requested', 'sending', 1, NULL),
             ('E3', 'reset_requested', 'sending', 2, NULL), ('E4', 'reset_requested', 'discarded', 1, 'stale'),
             ('E5', 'reset_requested', 'discarded', 1, 'decoy'), ('E6', 'password_changed', 'bounced', 1, '550 no'));",
        include_str!("../migrations/0008_deliveries.sql"),
        include_str!("../migrations/0014_mail_names.sql"),
    ] {
        sqlx::raw_sql(migration).execute(&mut connection).await.unwrap();
    }
    let backdoor = SqliteBackdoor::open(&file);
    let shown = "SELECT group_concat(id || ' ' || mail || ' ' || status || ' ' || coalesce(detail, '-') || ' ' || customer_id
                     || ' ' || coalesce(reset_id, '-') || CASE WHEN sent_at = updated_at THEN ' true' ELSE '' END, '; ')
                 FROM (SELECT * FROM shown_deliveries ORDER BY id)";
    assert_eq!(
        backdoor.text(shown).await.unwrap(),
        "E1 reset_requested sent 250 ok C R true; E2 reset_requested queued - C R; E3 reset_requested deferred - C R; \
         E4 reset_requested expired reset used, superseded, expired or deleted C R; E6 password_changed bounced 550 no C -"
    );
    let decoy = "event_id = 'E5' AND status = 'discarded' AND customer_id IS NULL";
    assert_eq!(backdoor.count("deliveries", decoy).await, 1);
    assert_eq!(backdoor.count("deliveries", "lease_until IS NOT NULL").await, 2);
}

/// A7. Hashes that are older than the schemes get theirs, in the form in which this version writes them.
#[tokio::test]
async fn a_hash_of_an_older_version_gets_its_scheme() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("rekey.db");
    let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let scopes = "INSERT INTO organizations (id, slug, name, created_at) VALUES ('O', 'shop', 'Shop', 1);
         INSERT INTO customers (id, organization_id, mode, email, metadata, created_at, updated_at)
         SELECT value, 'O', 'live', value || '@example.com', '{}', 1, 1 FROM json_each('[1, 2, 3, 4, 5]');";
    sqlx::raw_sql(include_str!("../migrations/0001_initial.sql")).execute(&mut connection).await.unwrap();
    sqlx::raw_sql(scopes).execute(&mut connection).await.unwrap();
    for ((hash, _), n) in HASHES.iter().zip(1..) {
        sqlx::query("INSERT INTO customer_passwords (customer_id, hash, updated_at) VALUES (?1, ?2, 1)")
            .bind(n.to_string())
            .bind(hash)
            .execute(&mut connection)
            .await
            .unwrap();
    }
    let migration = include_str!("../migrations/0023_hash_schemes.sql");
    sqlx::raw_sql(migration).execute(&mut connection).await.unwrap();
    let backdoor = SqliteBackdoor::open(&file);
    for ((hash, scheme), n) in HASHES.iter().zip(1..) {
        let query = format!("SELECT scheme FROM customer_passwords WHERE customer_id = '{n}'");
        assert_eq!(backdoor.text(&query).await.as_deref(), Some(&*format!("O/{scheme}")), "{hash}");
    }
}

/// A stored hash and its scheme.
const HASHES: [(&str, &str); 5] = [
    (
        "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$96/PyMoTf7QyEfKHKtuWpQ",
        "own/$argon2id$v=19$m=19456,t=2,p=1$22",
    ),
    ("$argon2i$m=128,t=3,p=1$MDEyMzQ1Njc4OWFiY2RlZg$gDX/joj0yP", "imported/$argon2i$m=128,t=3,p=1$10"),
    ("$2b$12$MgJPgGRKFp5HVTIMjWvT0uMXRDnJkNus33yrtU5JS/GiZFhkbUaAm", "imported/$2b$12"),
    (
        "bcrypt_sha256$$2b$04$u0WEyleICueniwwyZoAgf.5gp2HmymKOBdSqe8icxeiDKNFop8p4K",
        "imported/bcrypt_sha256$$2b$04",
    ),
    (
        "$pbkdf2-sha256$i=1000$c2FsdHNhbHQ$JLsQ6q5RdWSbET+kce/r+9eDxaX4sf2dtHjHtALnLmA",
        "imported/$pbkdf2-sha256$i=1000$43",
    ),
];

/// What `rekey dev` of version 0.1.0 left when it was killed with five events in its outbox and one mail on its way; an import and a
/// suppression were added, and the file was rewritten with small pages. Its sealing key is that of the tests.
const DATABASE_OF_0_1_0: &[u8] = include_bytes!("data/0.1.0.db");
/// The last time in it, in microseconds since 1970.
const LAST_TIME: i128 = 1_795_950_164_116_505;
/// A pending reset in it.
const PENDING: (&str, &str) = ("6Jiui13awB", "R8cjyyxzy0KUIhrCZ3oihWCa41L8LzXXVHgLW9ZOvw6");
/// The tables of 0.1.0, with today's names.
const TABLES: &[(&str, &str)] = &[
    ("organizations", "organizations"),
    ("api_clients", "api_clients"),
    ("customers", "customers"),
    ("customer_passwords", "customer_passwords"),
    ("sessions", "sessions"),
    ("password_resets", "password_resets"),
    ("events", "events"),
    // Entries of decoys have a table of their own by now.
    (
        "audit_entries",
        "(SELECT id FROM audit_entries UNION ALL SELECT id FROM decoy_audit_entries) AS entries",
    ),
    ("used_refresh_tokens", "used_refresh_tokens"),
    ("revoked_access_tokens", "revoked_access_tokens"),
    ("rate_limit_slots", "rate_limit_slots"),
    ("idempotency_keys", "idempotency_keys"),
    ("imports", "imports"),
    ("deliveries", "deliveries"),
    ("suppressions", "suppressions"),
    ("code_guesses", "guess_counters"),
];

/// The time right after the file was written.
struct Then;

impl Clock for Then {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(LAST_TIME * 1000).unwrap() + Duration::SECOND
    }
}

/// B14.
#[tokio::test]
async fn a_database_of_0_1_0_opens_with_all_that_it_holds() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("rekey.db");
    fs::write(&file, DATABASE_OF_0_1_0).unwrap();
    let old = SqliteBackdoor::open(&file);
    let mut counts = Vec::new();
    for (table, _) in TABLES {
        counts.push(old.count(table, "true").await);
    }
    assert!(!counts.contains(&0), "each table has rows: {counts:?}");
    drop(old);

    let store = SqliteStore::open(&file, Arc::new(Then)).unwrap();
    store.migrate().await.unwrap();
    store.release_leases().await.unwrap();
    let backdoor = SqliteBackdoor::open(&file);
    for ((_, table), count) in TABLES.iter().zip(counts) {
        // The audit entries of decoys have a table of their own now.
        let decoys =
            if *table == "audit_entries" { backdoor.count("decoy_audit_entries", "true").await } else { 0 };
        assert_eq!(backdoor.count(table, "true").await + decoys, count, "{table}");
    }
    let [shop] = store.organizations().await.unwrap().try_into().unwrap();
    assert_eq!(store.api_clients().await.unwrap().len(), 3);
    let scope = Scope { organization: shop.id, mode: Mode::Test };
    // That version had no webhooks.
    let is_old = |resource: &&Resource| **resource != WEBHOOKS && **resource != EVENT_CALLBACKS;
    for resource in RESOURCES.into_iter().filter(is_old) {
        let listed = store.list(scope, &Listing::first_page(resource)).await.unwrap();
        assert!(!listed.items.is_empty(), "{}", resource.name);
    }

    let (id, token): (ResetId, _) = (PENDING.0.parse().unwrap(), ResetToken::parse(PENDING.1).unwrap());
    assert!(store.find_token_holder(id, &token.digest()).await.unwrap().is_some());
    let reset = store.find(scope, &CUSTOMER_PASSWORD_RESETS, RecordId::from(id)).await.unwrap().unwrap();
    let Value::Token(sealed) = reset.get("reset_password_token") else { panic!("it is pending") };
    assert_eq!(sealed.unseal(shop.id, id, &seed::keys()).unwrap().expose(), PENDING.1);

    let mut in_doubt = 0;
    let waiting = store.claim_messages(Duration::MINUTE, 10).await.unwrap();
    for claimed in &waiting {
        let event = Event::verify(&claimed.message.payload, &seed::keys()).unwrap();
        let EventBody::ResetCreated(created) = event.body else { panic!("they are of resets") };
        let job = seed::reset_mail(scope, claimed.message.id, created.reset);
        let Claim::Granted(mail) = store.claim(&job, Duration::MINUTE).await.unwrap() else {
            panic!("it waits")
        };
        in_doubt += u32::from(mail.in_doubt);
    }
    assert_eq!((waiting.len(), in_doubt), (5, 1));
}

/// Its rows keep their values, also where a migration rewrote the table, and the new columns get theirs.
#[tokio::test]
async fn the_rows_of_0_1_0_keep_their_values() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("rekey.db");
    fs::write(&file, DATABASE_OF_0_1_0).unwrap();
    let rows = async |table: &str, columns: &str| {
        let query = format!("SELECT concat_ws(' ', {columns}) AS row FROM {table} ORDER BY row");
        let backdoor = SqliteBackdoor::open(&file);
        backdoor.text(&format!("SELECT group_concat(row, '; ') FROM ({query})")).await.unwrap()
    };
    let clients = "id, client_id, name, kind, self_service, hex(secret_digest)";
    let passwords = "customer_id, hash, generation, updated_at";
    let customers = "id, organization_id, mode, email, metadata, created_at, updated_at, has_password";
    let deliveries =
        "event_id, customer_id, reset_id, mail, status, attempts, in_doubt, lease_until, detail, created_at";
    // The log without the entries of decoys.
    let log = "shown_event_stores WHERE resource_id NOT IN (SELECT id FROM password_resets WHERE customer_id IS NULL)";
    let entries = "id, mode, resource_type, resource_id, event, ip_address, payload, who, created_at";
    let old = [
        rows(log, entries).await,
        rows("api_clients", clients).await,
        rows("customer_passwords", passwords).await,
        rows("shown_customers", customers).await,
        rows("deliveries", deliveries).await,
        rows("code_guesses", "hex(account_digest), window_at, used").await,
    ];
    let store = SqliteStore::open(&file, Arc::new(Then)).unwrap();
    store.migrate().await.unwrap();
    let new = [
        rows(log, entries).await,
        rows("api_clients", clients).await,
        rows("customer_passwords", passwords).await,
        rows("shown_customers", customers).await,
        rows("deliveries", deliveries).await,
        rows("guess_counters", "hex(account_digest), window_started_at, guess_count").await,
    ];
    assert_eq!(new, old);
    let backdoor = SqliteBackdoor::open(&file);
    let decoys = "resource_id IN (SELECT id FROM password_resets WHERE customer_id IS NULL)";
    assert_eq!(backdoor.count("audit_personal_data", decoys).await, 0);
    let customers = "customer_id IN (SELECT id FROM customers)";
    assert_eq!(
        backdoor.count("audit_personal_data", customers).await,
        backdoor.count("shown_event_stores", "event <> 'lift_suppression'").await
    );

    assert_eq!(
        rows("api_clients", "kind, self_service, sign_in, sign_up").await,
        "integration 0 0 0; sales_channel 0 1 1; sales_channel 1 1 1"
    );
    let scheme = "SBPH4DWG4z/own/$argon2id$v=19$m=19456,t=2,p=1$43";
    assert_eq!(rows("customer_passwords", "scheme").await, format!("{scheme}; {scheme}"));
    // John has used a reset, and Jane has never used a link.
    let john = "email = 'john@example.com' AND email_confirmed_at = 1795950160863811";
    assert_eq!(backdoor.count("customers", john).await, 1);
    let jane = "email = 'jane@example.com' AND email_confirmed_at IS NULL";
    assert_eq!(backdoor.count("customers", jane).await, 1);
    let uncounted = "claims = 0 AND account_digest IS NULL AND mail_budget IS NULL AND mail_window_seconds IS NULL AND is_counted = 0";
    assert_eq!(backdoor.count("deliveries", uncounted).await, backdoor.count("deliveries", "true").await);
    let counter = "kind = 'code' AND network_digest = x'' AND last_guess_at = window_started_at AND signed_in_at IS NULL";
    assert_eq!(backdoor.count("guess_counters", counter).await, 1);
}

/// The first bytes of the checksum (SHA-384) of each migration.
const CHECKSUMS: &[(i64, &str)] = &[
    (1, "38a20f73bcd612af"),
    (2, "0af5217d8f668c2e"),
    (3, "e28c5b60c0cfef93"),
    (4, "258f97db8e008c43"),
    (5, "204f35eed1a3b393"),
    (6, "9bcc03283036439f"),
    (8, "4ed12d247681a19f"),
    (9, "65db6e026c1635bc"),
    (10, "e842b2575f1a3f43"),
    (11, "f90a9f84331323f5"),
    (14, "fc3c5c3b41205a41"),
    (15, "237e25a93bfbaffc"),
    (16, "c7ba1de27dd4e4b5"),
    (17, "fb7863122497ab44"),
    (18, "9bcc72ab4aa5f085"),
    (19, "e4d1ffb7b899f08a"),
    (20, "ddb0eecef33b1366"),
    (21, "40cb9aaffde81495"),
    (22, "e89ccb84445a052d"),
    (23, "94cf2fe5245d1cd4"),
    (24, "460a2dda8321274c"),
    (25, "1929ff47b434f72c"),
    (26, "cbb0d86f8f872844"),
    (27, "5ed76a87fb412a12"),
    (28, "f877ac62e92a913b"),
    (29, "5305eece473ca6ea"),
    (30, "5dfdc6f942654de7"),
    (32, "557e7dae13d17193"),
    (33, "807cc659ebdb3366"),
    (35, "ca88d20792b3e0ed"),
    (36, "ebab6cb9d3f6f854"),
    (37, "6b93b23319c399a5"),
];

/// B14. A database keeps the checksums of its migrations and is refused when one of them is another now. A new migration is added here.
#[test]
fn no_committed_migration_changes() {
    let migrator = sqlx::migrate!();
    let first_bytes =
        |checksum: &[u8]| format!("{:016x}", u64::from_be_bytes(checksum[..8].try_into().unwrap()));
    let found: Vec<_> = migrator.iter().map(|one| (one.version, first_bytes(&one.checksum))).collect();
    let listed: Vec<_> =
        CHECKSUMS.iter().map(|(version, checksum)| (*version, (*checksum).to_owned())).collect();
    assert_eq!(found, listed);
}
