//! A PostgreSQL database for one test.

use std::{str::FromStr, thread};

use rekey_core::{ambient::OsEntropy, ids::EventId};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, postgres::PgConnectOptions};

/// A new, empty database on the server that `DATABASE_URL` names; dropped, with whoever is still connected, with the value.
#[derive(Debug)]
pub struct TestDatabase {
    server: PgConnectOptions,
    name: String,
}

impl TestDatabase {
    /// Creates it under a random name. The role in `DATABASE_URL` must be allowed to.
    ///
    /// # Panics
    /// When `DATABASE_URL` is not set, or the server refuses.
    pub async fn create() -> Self {
        let server = server();
        let name = format!("rekey_test_{}", EventId::generate(&OsEntropy)).to_ascii_lowercase();
        execute(&server, format!("CREATE DATABASE {name} TEMPLATE template0")).await;
        Self { server, name }
    }

    /// The database's URL.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.clone().database(&self.name).to_url_lossy().to_string()
    }

    /// The database's URL for somebody who connects as themselves and then acts as `role`, with that role's rights only.
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
        // A test's runtime can't be waited on while it drops its values: the statement gets a thread of its own.
        let dropped = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(execute(&server, statement));
        });
        let outcome = dropped.join();
        assert!(outcome.is_ok() || thread::panicking(), "the test's database could not be dropped");
    }
}

#[expect(clippy::disallowed_methods, reason = "tests are told of their servers by the environment")]
fn server() -> PgConnectOptions {
    let url = std::env::var("DATABASE_URL").expect(
        "DATABASE_URL is not set: run the tests with `make test`, which starts a PostgreSQL for them",
    );
    PgConnectOptions::from_str(&url).expect("DATABASE_URL is a postgres:// URL")
}

async fn execute(server: &PgConnectOptions, statement: String) {
    let mut connection = server.clone().connect().await.expect("the PostgreSQL of DATABASE_URL answers");
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(&mut connection)
        .await
        .expect("the role may create databases");
    connection.close().await.unwrap();
}
