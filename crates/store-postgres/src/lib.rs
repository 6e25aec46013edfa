//! The database ports on PostgreSQL 13 or later.
//!
//! One business fact is one statement wherever possible: its parts are common table expressions, so they are written together or not at
//! all, in one round trip. Times are the server's `now()`. Statements are checked by
//! running every one of them against a real server in the conformance suite, not by the compiler.

mod attributes;
mod catalog;
mod cleanup;
mod clients;
mod codes;
mod customers;
mod error;
mod events;
mod idempotency;
mod import;
mod ledger;
mod limits;
mod organizations;
mod outbox;
mod refresh_tokens;
mod resets;
mod sessions;
mod suppressions;
mod tokens;

use std::{str::FromStr, time::Duration};

use async_trait::async_trait;
use rekey_core::{error::StoreError, ping::Ping};
use sqlx::{
    Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

/// For benchmarks, which compare it with other ways to execute it.
pub use crate::resets::CREATE_BY_INTEGRATION;

use crate::error::{map_db_error, map_migration_error};

/// All database ports on one PostgreSQL database. Clones share one pool of connections.
#[derive(Debug, Clone)]
pub struct PostgresStore {
    pool: PgPool,
    /// How to connect without the pool's limits on statements.
    unlimited: PgConnectOptions,
}

/// How long a statement may take: far longer than any of ours does, so that only a stuck one is ended. Its caller gets an error
/// instead of waiting forever.
const STATEMENT_TIMEOUT: &str = "15s";
/// A connection that was idle for longer is tested before it is used. Others are not, which saves a round trip.
const UNTESTED_IDLE_TIME: Duration = Duration::from_secs(1);

impl PostgresStore {
    /// Makes a store on the database at `url`, with at most `max_connections` connections. A call that gets none of them within
    /// `acquire_timeout` fails as unavailable. Connections are opened when they are needed, so this does not fail because the server
    /// is down. Must be called on a Tokio runtime.
    ///
    /// Statements are not run in parallel: for the first page of a list, parallel workers read far more than it needs (17 times as much,
    /// for resets with a bounced mail), and one caller would take the workers from all others.
    pub fn connect(url: &str, max_connections: u32, acquire_timeout: Duration) -> Result<Self, StoreError> {
        // The parser's error is left out: it may show the URL, and so its password.
        let unlimited = PgConnectOptions::from_str(url)
            .map_err(|_| StoreError::Internal("the database's URL is not one of PostgreSQL's".into()))?
            .application_name("rekey");
        let options = unlimited
            .clone()
            .options([("statement_timeout", STATEMENT_TIMEOUT), ("max_parallel_workers_per_gather", "0")]);
        let pool = PgPoolOptions::new()
            .max_connections(max_connections)
            .acquire_timeout(acquire_timeout)
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(
                    async move { Ok(meta.idle_for < UNTESTED_IDLE_TIME || connection.ping().await.is_ok()) },
                )
            })
            .connect_lazy_with(options);
        Ok(Self { pool, unlimited })
    }

    /// Opens a connection, and returns at once why that fails. The pool would retry until its timeout, and report only the timeout.
    pub async fn reach(&self) -> Result<(), StoreError> {
        let connection = PgConnection::connect_with(&self.unlimited).await.map_err(map_db_error)?;
        connection.close().await.map_err(map_db_error)
    }

    /// Brings the schema up to date, and grants the role `rekey_mailer`, if it exists, what the mailer needs. Several replicas may
    /// do this at once: they take turns.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(self.pool.options().get_acquire_timeout())
            .connect_lazy_with(self.unlimited.clone());
        sqlx::migrate!().run(&pool).await.map_err(map_migration_error)?;
        sqlx::raw_sql(include_str!("grants.sql")).execute(&pool).await.map_err(map_db_error)?;
        pool.close().await;
        Ok(())
    }

    /// Waits until no connection is in use, and closes them all. Calls from now on fail as unavailable.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

#[async_trait]
impl Ping for PostgresStore {
    async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.pool).await.map_err(map_db_error)?;
        Ok(())
    }
}
