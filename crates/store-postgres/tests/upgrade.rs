//! This version reads what an older one wrote.
#![cfg(test)]

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
