//! A11: what the role of each program may do, and what a program that does not own the schema needs to start.
#![cfg(test)]

use std::time::Duration;

use rekey_core::{
    cleanup::Cleanup,
    customers::store::CustomerStore,
    error::{StoreError, chain},
    events::{EventBody, audit::Action},
};
use rekey_store_postgres::PostgresStore;
use rekey_testkit::{
    backdoor::{Backdoor, PostgresBackdoor},
    postgres::TestDatabase,
    seed,
};

const JOHN: &str = "john@example.com";
const ROLES: [&str; 5] =
    ["rekey_api", "rekey_mailer", "rekey_webhooks", "rekey_maintenance", "rekey_console"];
/// `insufficient_privilege` (PostgreSQL's manual, appendix A).
const DENIED: &str = "42501";
const NOT_MIGRATED: &str =
    "the database was not migrated by this version: run `rekey migrate` as the role that owns the schema";

const NEW_ENTRY: &str = "INSERT INTO audit_entries
        (id, organization_id, mode, resource_type, action, actor, attributes, personal_digest)
    VALUES ('ENTRY00001', 'ORGANIZATI', 'live', 'customers', 'update', 'operator', '{}', sha256(''))";

#[tokio::test]
async fn a11_the_apis_role_appends_to_the_audit_log_and_can_not_change_it() {
    let database = migrated().await;
    let entries = async || owner(&database).count("audit_entries", "true").await;
    let as_api = PostgresBackdoor::open(&database.url_as("rekey_api"));
    let before = entries().await;
    as_api.run(NEW_ENTRY).await.unwrap();
    assert_eq!(entries().await, before + 1);
    as_api.run("SELECT * FROM shown_event_stores").await.unwrap();
    // As docs/reference.md says, for servers before PostgreSQL 15.
    owner(&database).script("REVOKE CREATE ON SCHEMA public FROM PUBLIC").await;
    are_denied(
        &as_api,
        &[
            "UPDATE audit_entries SET action = 'create'",
            "UPDATE audit_entries SET id = id",
            "DELETE FROM audit_entries",
            "TRUNCATE audit_entries",
            "UPDATE audit_chain SET position = position",
            "DELETE FROM audit_chain",
            "TRUNCATE audit_chain",
            "UPDATE audit_queue SET entry_id = entry_id",
            "TRUNCATE audit_queue",
            "UPDATE audit_personal_data SET address = NULL",
            "DELETE FROM audit_personal_data",
            "TRUNCATE audit_personal_data",
            "ALTER TABLE audit_entries DISABLE TRIGGER ALL",
            "CREATE TRIGGER t BEFORE INSERT ON audit_entries EXECUTE FUNCTION refuse_reserved_address()",
            "DROP TABLE audit_entries",
            "CREATE OR REPLACE VIEW shown_event_stores AS SELECT 1",
            "CREATE TABLE mine ()",
            "UPDATE _sqlx_migrations SET success = false",
            "INSERT INTO organizations (id, slug, name) VALUES ('O', 'o', 'o')",
            "UPDATE api_clients SET self_service = true",
            "SELECT * FROM imports",
            "UPDATE deliveries SET status = 'sent'",
            "DELETE FROM deliveries",
            "DELETE FROM events",
            "DELETE FROM customer_passwords",
            "UPDATE mail_quotas SET mail_count = 0",
            "INSERT INTO suppressions SELECT * FROM suppressions",
        ],
    )
    .await;
    assert_eq!(entries().await, before + 1);
}

#[tokio::test]
async fn a11_the_maintenance_role_deletes_records_and_reads_none_of_their_content() {
    let database = migrated().await;
    let as_maintenance = PostgresBackdoor::open(&database.url_as("rekey_maintenance"));
    are_denied(
        &as_maintenance,
        &[
            "SELECT hash FROM customer_passwords",
            "SELECT count(*) FROM customer_passwords",
            "DELETE FROM customer_passwords",
            "SELECT email FROM customers",
            "SELECT token_digest FROM password_resets",
            "SELECT sealed_token FROM password_resets",
            "UPDATE password_resets SET customer_id = NULL",
            "SELECT payload FROM events",
            "SELECT secret_digest FROM api_clients",
            "SELECT refresh_token_digest FROM sessions",
            "SELECT key FROM imports",
            "SELECT email FROM suppressions",
            "SELECT actor FROM audit_entries",
            "SELECT address FROM audit_personal_data",
            "SELECT salt FROM audit_personal_data",
            "SELECT * FROM shown_event_stores",
            "UPDATE audit_entries SET action = 'create'",
            "UPDATE audit_entries SET created_at = now()",
            "TRUNCATE audit_entries",
            "DROP TABLE audit_entries",
            "SELECT digest FROM audit_chain",
            "UPDATE audit_chain SET position = position",
            "INSERT INTO audit_chain SELECT * FROM audit_chain",
            "TRUNCATE audit_chain",
            "DELETE FROM audit_queue",
        ],
    )
    .await;
    as_maintenance.run("DELETE FROM audit_entries").await.unwrap();
    assert_eq!(owner(&database).count("audit_entries", "true").await, 0);
}

#[tokio::test]
async fn a11_the_consoles_role_makes_no_operators_and_reads_no_hashes_and_tokens_of_customers() {
    let database = migrated().await;
    are_denied(
        &PostgresBackdoor::open(&database.url_as("rekey_console")),
        &[
            "INSERT INTO operators (name, role, password_hash) VALUES ('eve', 'act', '')",
            "UPDATE operators SET role = 'act'",
            "DELETE FROM operators",
            "UPDATE operator_sessions SET operator_name = 'eve'",
            "SELECT hash FROM customer_passwords",
            "SELECT token_digest FROM password_resets",
            "SELECT sealed_token FROM password_resets",
            "SELECT metadata FROM customers",
            "UPDATE customers SET email = email",
            "SELECT secret_digest FROM api_clients",
            "SELECT refresh_token_digest FROM sessions",
            "UPDATE deliveries SET customer_id = NULL",
            "DELETE FROM deliveries",
            "UPDATE events SET payload = NULL",
            "INSERT INTO events SELECT * FROM events",
            "INSERT INTO suppressions SELECT * FROM suppressions",
            "UPDATE audit_entries SET actor = 'operator'",
            "DELETE FROM audit_entries",
            "DELETE FROM audit_personal_data",
            "SELECT * FROM audit_chain",
            "DELETE FROM audit_queue",
            "SELECT sealed_secret FROM webhooks",
            "UPDATE webhooks SET callback_url = callback_url",
            "SELECT sealed_payload FROM event_callbacks",
            "UPDATE logged_callbacks SET response_code = '200'",
            "DELETE FROM logged_callbacks",
        ],
    )
    .await;
}

/// It has the keys to open tokens, and talks to strangers' servers.
#[tokio::test]
async fn a11_the_webhooks_role_renders_resets_and_reads_no_token() {
    let database = migrated().await;
    let reset = "INSERT INTO organizations (id, slug, name) VALUES ('O', 'acme', 'Acme');
        INSERT INTO customers (id, organization_id, mode, email, metadata) VALUES ('C', 'O', 'live', 'jane@example.com', '{}');
        INSERT INTO password_resets (id, organization_id, mode, customer_id, origin, token_digest, sealed_token, expires_at, metadata)
        VALUES ('R', 'O', 'live', 'C', 'integration', sha256('t'), 'sealed', now() + interval '1 hour', '{}')";
    owner(&database).script(reset).await;
    let shown =
        "SELECT concat_ws(' ', id, encode(sealed_token, 'escape')) FROM shown_customer_password_resets";
    for (role, expected) in [("rekey_api", "R sealed"), ("rekey_webhooks", "R")] {
        let as_role = PostgresBackdoor::open(&database.url_as(role));
        // A database that allows temporary tables, as a new one does.
        as_role.run("CREATE TEMP TABLE password_resets (sealed_token bytea)").await.unwrap();
        assert_eq!(as_role.text(shown).await.as_deref(), Some(expected), "{role}");
    }
    are_denied(
        &PostgresBackdoor::open(&database.url_as("rekey_webhooks")),
        &[
            "SELECT sealed_token FROM password_resets",
            "SELECT payload FROM events",
            "SELECT hash FROM customer_passwords",
            "SELECT refresh_token_digest FROM sessions",
            "UPDATE webhooks SET callback_url = callback_url",
            "DELETE FROM webhooks",
        ],
    )
    .await;
}

#[tokio::test]
async fn a11_a_right_that_an_older_version_granted_ends_with_the_migration() {
    let database = migrated().await;
    let as_api = PostgresBackdoor::open(&database.url_as("rekey_api"));
    let older =
        "GRANT ALL ON audit_entries TO rekey_api; GRANT UPDATE (action) ON audit_entries TO rekey_api;
        GRANT SELECT ON imports TO rekey_maintenance, rekey_mailer";
    owner(&database).script(older).await;
    as_api.run("UPDATE audit_entries SET action = action").await.unwrap();
    connect(&database.url()).migrate().await.unwrap();
    are_denied(&as_api, &["UPDATE audit_entries SET action = action", "DELETE FROM audit_entries"]).await;
    as_api.run(NEW_ENTRY).await.unwrap();
    for role in ["rekey_maintenance", "rekey_mailer"] {
        are_denied(&PostgresBackdoor::open(&database.url_as(role)), &["SELECT * FROM imports"]).await;
    }
}

#[tokio::test]
async fn a11_a_program_starts_without_owning_the_schema_once_it_is_migrated() {
    let database = TestDatabase::create().await;
    database.create_roles().await;
    let [api, mailer, _, maintenance, _] = ROLES.map(|role| connect(&database.url_as(role)));
    let owning = connect(&database.url());
    assert!(shown(api.prepare().await).ends_with(NOT_MIGRATED), "before the first migration");
    assert_eq!(owner(&database).count("pg_tables", "schemaname = 'public'").await, 0);

    owning.prepare().await.unwrap();
    api.prepare().await.unwrap();
    maintenance.prepare().await.unwrap();
    let mut permitted = Vec::new();
    for store in [&owning, &api, &mailer, &maintenance] {
        permitted.push(store.is_permitted().await.unwrap());
    }
    assert_eq!(permitted, [true, false, false, true]);

    let last = "version = (SELECT max(version) FROM _sqlx_migrations)";
    owner(&database).script(&format!("UPDATE _sqlx_migrations SET checksum = '' WHERE {last}")).await;
    let modified = shown(owning.prepare().await);
    assert!(modified.contains("has been modified"), "{modified}");
    assert_eq!(shown(api.prepare().await), modified);

    owner(&database).script(&format!("DELETE FROM _sqlx_migrations WHERE {last}")).await;
    assert_eq!(
        shown(api.prepare().await),
        format!("the store failed: {NOT_MIGRATED}"),
        "by an older version"
    );
}

/// The rights of new tables are granted after the last migration, and a migration may wait long for a lock.
#[tokio::test]
async fn programs_of_the_older_version_write_entries_between_the_migrations() {
    let database = TestDatabase::create().await;
    database.create_roles().await;
    let migrator = sqlx::migrate!("./migrations");
    let (older, newer): (Vec<_>, Vec<_>) = migrator.iter().partition(|migration| migration.version <= 28);
    for migration in older {
        owner(&database).script(migration.sql.as_str()).await;
    }
    owner(&database)
        .script("GRANT INSERT ON audit_entries, decoy_audit_entries TO rekey_api, rekey_maintenance")
        .await;
    for migration in newer {
        owner(&database).script(migration.sql.as_str()).await;
        for role in ["rekey_api", "rekey_maintenance"] {
            let entry = NEW_ENTRY.replace("'ENTRY00001'", "substr(md5(random()::text), 1, 10)");
            let written = PostgresBackdoor::open(&database.url_as(role)).run(&entry).await;
            written.unwrap_or_else(|error| panic!("{role} after {}: {error:?}", migration.version));
        }
    }
}

/// While an upgrade replaces the programs, those of the older version work on, and restart.
#[tokio::test]
async fn a_program_works_with_a_newer_schema_that_is_marked_compatible() {
    let database = migrated().await;
    let roles = ROLES.map(|role| connect(&database.url_as(role)));
    let owning = connect(&database.url());
    // The newer version grants a right that this one does not know.
    let newer = "INSERT INTO _sqlx_migrations VALUES (9999, 'newer', now(), true, '', 0);
        CREATE TABLE newer_table (); GRANT SELECT ON newer_table TO rekey_api";
    owner(&database).script(newer).await;
    for store in roles.iter().chain([&owning]) {
        store.prepare().await.unwrap();
    }
    owning.migrate().await.unwrap();
    PostgresBackdoor::open(&database.url_as("rekey_api")).run("SELECT FROM newer_table").await.unwrap();

    owner(&database).script("UPDATE schema_compatibility SET oldest_migration = 9999").await;
    for store in roles.iter().chain([&owning]) {
        let refused = shown(store.prepare().await);
        assert!(refused.contains("the database has migration 9999 of another version"), "{refused}");
        assert!(refused.ends_with(": start a newer version of this program"), "{refused}");
    }
    assert!(owning.migrate().await.is_err());
}

#[tokio::test]
async fn a11_a_deployment_with_one_role_migrates_and_cleans_up_whatever_its_name() {
    let database = TestDatabase::create().await;
    database.create_roles().await;
    owner(&database).script(&format!("ALTER DATABASE {} OWNER TO rekey_api", database.name())).await;
    let only = connect(&database.url_as("rekey_api"));
    for start in 0..2 {
        only.prepare().await.unwrap();
        assert!(only.is_permitted().await.unwrap(), "start {start}");
    }
    let owners = "SELECT string_agg(DISTINCT tableowner, ',') FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(owner(&database).text(owners).await.as_deref(), Some("rekey_api"));
    connect(&database.url()).migrate().await.unwrap();
    assert!(only.is_permitted().await.unwrap(), "a superuser's migration takes no right away");
}

/// Creates a migrated database with an organization and a customer, and their audit entries.
async fn migrated() -> TestDatabase {
    let database = TestDatabase::create().await;
    database.create_roles().await;
    let store = connect(&database.url());
    store.migrate().await.unwrap();
    let scope = seed::scope(&store, "shop").await;
    let john = seed::new_customer(JOHN, Some(seed::hash("first")));
    let event = seed::event(scope, EventBody::CustomerCreated { customer: john.id });
    store.create_customer(scope, &john, &event, &seed::audit(Action::Create)).await.unwrap();
    database
}

async fn are_denied(role: &PostgresBackdoor, statements: &[&str]) {
    for statement in statements {
        assert_eq!(role.run(statement).await.expect_err(statement), DENIED, "{statement}");
    }
}

fn owner(database: &TestDatabase) -> PostgresBackdoor {
    PostgresBackdoor::open(&database.url())
}

fn connect(url: &str) -> PostgresStore {
    PostgresStore::connect(url, 2, Duration::from_secs(30)).unwrap()
}

fn shown(outcome: Result<(), StoreError>) -> String {
    chain(&outcome.unwrap_err())
}
