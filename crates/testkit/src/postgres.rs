//! A PostgreSQL database for one test.

use std::{fs, path::Path, str::FromStr, thread, time::Duration};

use rekey_core::{ids::EventId, random::OsRandom};
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, error::DatabaseError, postgres::PgConnectOptions};
use tokio::time::{Instant, sleep};

/// How long connections may take to end after the server has asked them to, on a busy machine.
const TIMEOUT: Duration = Duration::from_mins(1);
/// `object_in_use` (PostgreSQL's manual, appendix A).
const IN_USE: &str = "55006";

/// A new database on the server that `DATABASE_URL` names. Dropping the value drops the database and its connections.
#[derive(Debug)]
pub struct TestDatabase {
    server: PgConnectOptions,
    name: String,
}

impl TestDatabase {
    /// Creates an empty database with a random name, which the role in `DATABASE_URL` must be allowed to do.
    ///
    /// # Panics
    /// When `DATABASE_URL` is not set, or the server refuses.
    pub async fn create() -> Self {
        Self::create_on(server()).await
    }

    /// Like [`TestDatabase::create`], on another server.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn create_on(server: PgConnectOptions) -> Self {
        Self::copy(server, "template0").await
    }

    /// Creates a database with today's schema. It is copied from one that is made once on each server: `migrate` gets the URL of an
    /// empty database.
    ///
    /// # Panics
    /// Like [`TestDatabase::create`].
    pub async fn create_migrated(migrate: impl AsyncFnOnce(String)) -> Self {
        let server = server();
        let template = format!("rekey_test_template_{}", migrations_digest());
        make_template(&server, &template, migrate).await;
        Self::copy(server, &template).await
    }

    async fn copy(server: PgConnectOptions, template: &str) -> Self {
        let name = format!("rekey_test_{}", EventId::generate(&OsRandom)).to_ascii_lowercase();
        let created = execute(&server, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        created.expect("the role may create databases");
        Self { server, name }
    }

    /// Creates the roles of the programs. The next migration grants them what they need in this database.
    ///
    /// # Panics
    /// When the role in the server's URL may not create roles.
    pub async fn create_roles(&self) {
        for role in ["rekey_api", "rekey_mailer", "rekey_maintenance", "rekey_console", "rekey_webhooks"] {
            // Roles belong to the whole server: another test may be creating this one now, and none may drop it.
            let create = format!(
                "DO $$ BEGIN CREATE ROLE {role}; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
            );
            execute(&self.server, &create).await.expect("the role may create roles");
        }
    }

    /// The database's URL.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.clone().database(&self.name).to_url_lossy().to_string()
    }

    /// The database's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The database's URL for connections that then act as `role`, with only that role's rights.
    #[must_use]
    pub fn url_as(&self, role: &str) -> String {
        let url = self.url();
        let separator = if url.contains('?') { '&' } else { '?' };
        format!("{url}{separator}options[role]={role}")
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let server = self.server.clone();
        let statement = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        // A drop can't wait on the test's runtime, so the statement gets a thread of its own.
        let dropped = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(drop_database(&server, &statement));
        });
        let outcome = dropped.join();
        assert!(outcome.is_ok() || thread::panicking(), "the test's database could not be dropped");
    }
}

#[expect(clippy::disallowed_methods, reason = "tests find their servers by the environment")]
fn server() -> PgConnectOptions {
    let url = std::env::var("DATABASE_URL").expect(
        "DATABASE_URL is not set: run the tests with `make test`, which starts a PostgreSQL for them",
    );
    PgConnectOptions::from_str(&url).expect("DATABASE_URL is a postgres:// URL")
}

/// Makes the database if it is not there. Other tests that need it wait meanwhile.
async fn make_template(server: &PgConnectOptions, name: &str, migrate: impl AsyncFnOnce(String)) {
    let mut connection = server.clone().connect().await.expect("the PostgreSQL of DATABASE_URL answers");
    let lock = "SELECT pg_advisory_lock(hashtext('rekey_test_template'))";
    sqlx::raw_sql(lock).execute(&mut connection).await.unwrap();
    let found = sqlx::query("SELECT FROM pg_database WHERE datname = $1").bind(name);
    if found.fetch_optional(&mut connection).await.unwrap().is_none() {
        let unfinished = format!("{name}_unfinished");
        for statement in ["DROP DATABASE IF EXISTS", "CREATE DATABASE"] {
            execute(server, &format!("{statement} {unfinished}")).await.unwrap();
        }
        migrate(server.clone().database(&unfinished).to_url_lossy().to_string()).await;
        execute(server, &format!("ALTER DATABASE {unfinished} RENAME TO {name}")).await.unwrap();
    }
    connection.close().await.unwrap();
}

/// Returns the start of SHA-256 over the migrations, in hexadecimal.
fn migrations_digest() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../store-postgres/migrations");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut digest = Sha256::new();
    for file in files {
        digest.update(fs::read(file).unwrap());
    }
    hex::encode(&digest.finalize()[..8])
}

/// Drops a database, and retries because the server waits only five seconds for connections that it has ended.
async fn drop_database(server: &PgConnectOptions, statement: &str) {
    let start = Instant::now();
    while let Err(error) = execute(server, statement).await {
        let code = error.as_database_error().and_then(DatabaseError::code);
        assert!(code.as_deref() == Some(IN_USE) && start.elapsed() < TIMEOUT, "{error}");
        sleep(Duration::from_millis(100)).await;
    }
}

async fn execute(server: &PgConnectOptions, statement: &str) -> Result<(), sqlx::Error> {
    let mut connection = server.clone().connect().await.expect("the PostgreSQL of DATABASE_URL answers");
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
    connection.close().await
}
