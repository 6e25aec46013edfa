//! This version reads what an older one wrote.
#![cfg(test)]

use rekey_core::events::audit::PersonalData;
use rekey_testkit::{
    backdoor::{Backdoor, PostgresBackdoor},
    postgres::TestDatabase,
};

#[tokio::test]
async fn deliveries_of_older_versions_keep_their_fates() {
    let database = TestDatabase::create().await;
    let backdoor = PostgresBackdoor::open(&database.url());
    for migration in [
        include_str!("../migrations/0001_initial.sql"),
        include_str!("../migrations/0002_listing.sql"),
        "INSERT INTO organizations (id, slug, name) VALUES ('O', 'shop', 'Shop');
         INSERT INTO customers (id, organization_id, mode, email, metadata) VALUES ('C', 'O', 'live', 'john@example.com', '{}');
         INSERT INTO password_resets (id, organization_id, mode, customer_id, origin, address_digest, token_digest, sealed_token,
             expires_at, metadata)
         SELECT id, 'O', 'live', customer, 'self_service', sha256('a'), sha256('t'), '', now(), '{}'
         FROM (VALUES ('R', 'C'), ('D', NULL)) AS r (id, customer);
         INSERT INTO events (id, organization_id, mode, name, resource_type, resource_id, payload)
         SELECT 'E' || n, 'O', 'live', 'any', CASE n WHEN 6 THEN 'customers' ELSE 'customer_password_resets' END,
             CASE n WHEN 6 THEN 'C' WHEN 5 THEN 'D' ELSE 'R' END, ''
         FROM generate_series(1, 6) n;
         INSERT INTO deliveries (event_id, organization_id, mode, kind, state, attempts, lease_until, detail)
         SELECT id, 'O', 'live', kind, state, attempts, CASE state WHEN 'sending' THEN now() END, detail
         FROM (VALUES ('E1', 'reset_requested', 'sent', 1, '250 ok'), ('E2', 'reset_requested', 'sending', 1, NULL),
             ('E3', 'reset_requested', 'sending', 2, NULL), ('E4', 'reset_requested', 'discarded', 1, 'stale'),
             ('E5', 'reset_requested', 'discarded', 1, 'decoy'), ('E6', 'password_changed', 'bounced', 1, '550 no'))
             AS d (id, kind, state, attempts, detail);",
        include_str!("../migrations/0008_deliveries.sql"),
        include_str!("../migrations/0014_mail_names.sql"),
    ] {
        backdoor.run(migration).await.unwrap();
    }
    let shown = "SELECT string_agg(concat_ws(' ', id, mail, status, coalesce(detail, '-'), customer_id,
                     coalesce(reset_id, '-'), (sent_at = updated_at)::text), '; ' ORDER BY id) FROM shown_deliveries";
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
    let database = TestDatabase::create().await;
    let backdoor = PostgresBackdoor::open(&database.url());
    let scopes = "INSERT INTO organizations (id, slug, name) VALUES ('O', 'shop', 'Shop');
         INSERT INTO customers (id, organization_id, mode, email, metadata)
         SELECT n::text, 'O', 'live', n || '@example.com', '{}' FROM generate_series(1, 5) n;";
    let hashes = HASHES.iter().zip(1..).map(|((hash, _), n)| {
        format!("INSERT INTO customer_passwords (customer_id, hash) VALUES ('{n}', '{hash}');")
    });
    backdoor.run(include_str!("../migrations/0001_initial.sql")).await.unwrap();
    backdoor.run(&format!("{scopes}{}", hashes.collect::<String>())).await.unwrap();
    backdoor.run(include_str!("../migrations/0023_hash_schemes.sql")).await.unwrap();
    for ((hash, scheme), n) in HASHES.iter().zip(1..) {
        let query = format!("SELECT scheme FROM customer_passwords WHERE customer_id = '{n}'");
        assert_eq!(backdoor.text(&query).await.as_deref(), Some(&*format!("O/{scheme}")), "{hash}");
    }
}

/// Rows that were written before the migrations from 0021 on keep their values, and the new columns get theirs.
#[tokio::test]
async fn rows_of_an_older_version_keep_their_values() {
    let database = TestDatabase::create().await;
    let backdoor = PostgresBackdoor::open(&database.url());
    let migrator = sqlx::migrate!();
    let (older, newer): (Vec<_>, Vec<_>) = migrator.iter().partition(|migration| migration.version <= 20);
    for migration in older {
        backdoor.run(migration.sql.as_str()).await.unwrap();
    }
    let [(own, own_scheme), _, (bcrypt, bcrypt_scheme), ..] = HASHES;
    backdoor
        .run(&format!(
            "INSERT INTO organizations (id, slug, name) VALUES ('O', 'shop', 'Shop');
             INSERT INTO api_clients (id, client_id, name, organization_id, mode, kind, self_service)
             VALUES ('I', 'i', 'Back office', 'O', 'live', 'integration', false),
                 ('S', 's', 'Shop', 'O', 'live', 'sales_channel', false), ('T', 't', 'App', 'O', 'test', 'sales_channel', true);
             INSERT INTO customers (id, organization_id, mode, email, metadata)
             VALUES ('C', 'O', 'live', 'john@example.com', '{{\"vip\": true}}'), ('D', 'O', 'live', 'jane@example.com', '{{}}'),
                 ('G', 'O', 'test', 'guest@example.com', '{{}}');
             INSERT INTO customer_passwords (customer_id, hash, generation) VALUES ('C', '{own}', 3), ('D', '{bcrypt}', 1);
             INSERT INTO code_guesses (account_digest, window_started_at, guess_count)
             VALUES (sha256('a'), '2026-01-02 03:04:05+00', 4);
             INSERT INTO reset_quotas (account_digest, last_reset_at, window_started_at, reset_count)
             VALUES (sha256('a'), now(), now(), 1);
             INSERT INTO deliveries (event_id, organization_id, mode, customer_id, mail, status, attempts, claims, lease_until, detail)
             VALUES ('E1', 'O', 'live', 'C', 'reset_requested', 'sent', 1, 2, NULL, '250 ok'),
                 ('E2', 'O', 'live', 'D', 'password_changed', 'queued', 1, 1, now(), NULL),
                 ('E3', 'O', 'live', NULL, 'reset_requested', 'discarded', 0, 0, NULL, 'decoy');
             INSERT INTO password_resets (id, organization_id, mode, customer_id, origin, address_digest, account_digest, token_digest,
                 sealed_token, expires_at, metadata)
             SELECT id, 'O', 'live', customer, 'self_service', sha256('a'), sha256('a'), sha256('t'), '', now(), '{{}}'
             FROM (VALUES ('R', 'C'), ('Y', NULL)) AS r (id, customer);
             INSERT INTO audit_entries (id, organization_id, mode, resource_type, resource_id, action, actor, customer_id, session_id,
                 address, attributes)
             VALUES ('A1', 'O', 'live', 'customers', 'C', 'update', 'customer', 'C', 'S', '2001:db8::7', '{{email}}'),
                 ('A2', 'O', 'live', 'customers', 'X', 'destroy', 'client', NULL, NULL, NULL, '{{}}'),
                 ('A3', 'O', 'live', 'customer_password_resets', 'R', 'create', 'client', NULL, NULL, '192.0.2.1', '{{}}'),
                 ('A4', 'O', 'live', 'deliveries', 'E2', 'lift_suppression', 'operator', NULL, NULL, NULL, '{{}}'),
                 ('A5', 'O', 'live', 'customer_password_resets', 'Y', 'create', 'client', NULL, NULL, '192.0.2.2', '{{}}');"
        ))
        .await
        .unwrap();
    for migration in newer {
        backdoor.run(migration.sql.as_str()).await.unwrap();
    }
    let rows = async |table: &str, columns: &str| backdoor.text(&sorted_rows(table, columns)).await.unwrap();
    assert_eq!(
        rows("api_clients", "id, kind, self_service, sign_in, sign_up").await,
        "I integration f f f; S sales_channel f t t; T sales_channel t t t"
    );
    assert_eq!(
        rows("customer_passwords", "customer_id, hash, scheme, generation").await,
        format!("C {own} O/{own_scheme} 3; D {bcrypt} O/{bcrypt_scheme} 1")
    );
    assert_eq!(
        rows("shown_customers", "id, mode, email, metadata, has_password").await,
        "C live john@example.com {\"vip\": true} t; D live jane@example.com {} t; G test guest@example.com {} f"
    );
    // None of them has used a link.
    assert_eq!(backdoor.count("customers", "email_confirmed_at IS NULL").await, 3);
    assert_eq!(
        rows("guess_counters", "kind, account_digest = sha256('a'), length(network_digest), guess_count")
            .await,
        "code t 0 4"
    );
    let times = "window_started_at = '2026-01-02 03:04:05+00' AND last_guess_at >= window_started_at AND signed_in_at IS NULL";
    assert_eq!(backdoor.count("guess_counters", times).await, 1);
    assert_eq!(
        rows(
            "deliveries",
            "event_id, customer_id, mail, status, attempts, claims, lease_until IS NULL, detail"
        )
        .await,
        "E1 C reset_requested sent 1 2 t 250 ok; E2 D password_changed queued 1 1 f; E3 reset_requested discarded 0 0 t decoy"
    );
    check_audit_log(&backdoor).await;
    let uncounted =
        "account_digest IS NULL AND mail_budget IS NULL AND mail_window_seconds IS NULL AND NOT is_counted";
    assert_eq!(backdoor.count("deliveries", uncounted).await, 3);
}

/// A13. What is left of a customer that was deleted before is erased, too.
#[tokio::test]
async fn a13_customers_that_an_older_version_deleted_are_queued() {
    let database = TestDatabase::create().await;
    let backdoor = PostgresBackdoor::open(&database.url());
    let migrator = sqlx::migrate!();
    for migration in migrator.iter().filter(|migration| migration.version < 27) {
        backdoor.run(migration.sql.as_str()).await.unwrap();
    }
    backdoor
        .run(
            "INSERT INTO events (id, organization_id, mode, name, resource_type, resource_id, published_at)
             VALUES ('V1', 'O', 'live', 'customers.destroy', 'customers', 'X', now()),
                 ('V2', 'O', 'live', 'customers.create', 'customers', 'C', now());
             INSERT INTO deliveries (event_id, organization_id, mode, customer_id, reset_id, mail, status)
             VALUES ('E1', 'O', 'live', 'X', 'R', 'reset_requested', 'sent');",
        )
        .await
        .unwrap();
    backdoor.run(include_str!("../migrations/0027_erasure.sql")).await.unwrap();
    let query = "SELECT string_agg(concat_ws(' ', customer_id, organization_id, mode, (
                     SELECT string_agg(id, ',' ORDER BY id) FROM unnest(resource_ids) id)), '; ') FROM erasures";
    assert_eq!(backdoor.text(query).await.as_deref(), Some("X O live R,X"));
}

/// Checks the log's part of [`rows_of_an_older_version_keep_their_values`]: no entry has changed, those of decoys have tables of their own.
async fn check_audit_log(backdoor: &PostgresBackdoor) {
    let rows = async |table: &str, columns: &str| backdoor.text(&sorted_rows(table, columns)).await.unwrap();
    assert_eq!(
        rows("shown_event_stores", "id, resource_type, resource_id, event, ip_address, payload, who").await,
        "A1 customers C update 2001:db8::7 {\"attributes\": [\"email\"]} {\"owner\": {\"id\": \"C\", \"type\": \"Customer\"}}; \
         A2 customers X destroy {\"attributes\": []} {}; A3 customer_password_resets R create 192.0.2.1 {\"attributes\": []} {}; \
         A4 deliveries E2 lift_suppression {\"attributes\": []} {\"owner\": {\"type\": \"Operator\"}}"
    );
    assert_eq!(
        rows("audit_personal_data", "entry_id, COALESCE(customer_id, '-')").await,
        "A1 C; A2 -; A3 C; A4 D"
    );
    assert_eq!(
        rows("decoy_audit_entries JOIN decoy_audit_personal_data ON entry_id = id", "id, host(address)")
            .await,
        "A5 192.0.2.2"
    );
    let salt: Vec<u8> =
        hex::decode(rows("audit_personal_data WHERE entry_id = 'A1'", "encode(salt, 'hex')").await).unwrap();
    let personal = PersonalData {
        resource_id: "C",
        customer: Some("C"),
        actor_customer: Some("C"),
        session: Some("S"),
        address: Some("2001:db8::7"),
    };
    let digest = rows("audit_entries WHERE id = 'A1'", "encode(personal_digest, 'hex')").await;
    assert_eq!(digest, hex::encode(personal.digest(&salt)));
}

/// Returns the query for the rows of a table, in order, as one text.
fn sorted_rows(table: &str, columns: &str) -> String {
    let row = format!("concat_ws(' ', {columns})");
    format!("SELECT string_agg({row}, '; ' ORDER BY {row} COLLATE \"C\") FROM {table}")
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

/// The first bytes of the checksum (SHA-384) of each migration.
const CHECKSUMS: &[(i64, &str)] = &[
    (1, "ee89ee75516dc261"),
    (2, "9f0b879bcb1f32ad"),
    (3, "5a97479016a5cf94"),
    (4, "6214fcf843eb18c7"),
    (5, "00364322b9c872a4"),
    (6, "0b670759cc7a8cd4"),
    (8, "22b03f16a216e72e"),
    (9, "9115888a6792ef8b"),
    (10, "7b389da022b81342"),
    (11, "f90a9f84331323f5"),
    (12, "b4885973d028b468"),
    (14, "fa6e0d01239c41a2"),
    (15, "de38986b29757df9"),
    (16, "bd5d5c6bf7c96f8e"),
    (17, "6ba1dc959e3fdb89"),
    (18, "9bcc72ab4aa5f085"),
    (19, "e4d1ffb7b899f08a"),
    (20, "fa79711aa7c3dc33"),
    (21, "2d26599cd92ba13c"),
    (22, "eb2cce0265357215"),
    (23, "60929660ed99bf0d"),
    (24, "3ff64256063b7b4b"),
    (25, "c515a47ccd657553"),
    (26, "66e9ee8b0368374f"),
    (27, "e13cfde247c0bac9"),
    (28, "518da4abd875a374"),
    (29, "c2ca2ecf6f838f98"),
    (30, "3c41626456f8d4af"),
    (31, "c3468bd932ee4317"),
    (32, "199cc90c74fb8e2a"),
    (33, "cf16aa6e61c7e48c"),
    (34, "eb92a280fc3c4eaa"),
    (35, "ab4d6da04e99276d"),
    (36, "da78bf5fd97a4d22"),
    (37, "31424876536a3f18"),
    (38, "fc1e5717ebf24b37"),
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
