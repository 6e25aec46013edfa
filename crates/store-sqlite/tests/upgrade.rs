//! This version reads what an older one wrote.
#![cfg(test)]

use rekey_testkit::backdoor::{Backdoor, SqliteBackdoor};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

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
    (18, "9bcc72ab4aa5f085"),
    (19, "e4d1ffb7b899f08a"),
];

/// B14. A database keeps the checksums of its migrations and is refused when one of them is another now. A new migration is added here.
#[test]
fn no_committed_migration_changes() {
    let migrator = sqlx::migrate!();
    let first_bytes =
        |checksum: &[u8]| checksum[..8].iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let found: Vec<_> = migrator.iter().map(|one| (one.version, first_bytes(&one.checksum))).collect();
    let listed: Vec<_> =
        CHECKSUMS.iter().map(|(version, checksum)| (*version, (*checksum).to_owned())).collect();
    assert_eq!(found, listed);
}
