//! The stores' ports on PostgreSQL 13 or later.
//!
//! One business fact is one statement wherever one will do: its parts are common table expressions of it, so they are
//! written together or not at all, in one round trip. Times are the server's `now()`. Statements are checked by
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

/// The store, the outbox, the ledger and the kept answers on one PostgreSQL database. Clones share one pool of connections.
#[derive(Debug, Clone)]
pub struct PostgresStore {
    pool: PgPool,
    /// Without the limits that statements of the pool are under.
    unlimited: PgConnectOptions,
}

/// How long a statement may take: far longer than any of ours does, so that only a stuck one is ended, and its caller gets an error
/// to retry on instead of waiting forever.
const STATEMENT_TIMEOUT: &str = "15s";
/// From when on an idle connection is tried before it is used; busier ones are trusted, which saves a round trip.
const TRUSTED: Duration = Duration::from_secs(1);

impl PostgresStore {
    /// A store on the database at `url`, with at most `max_connections` connections; a call that gets none of them
    /// within `acquire_timeout` fails as unavailable. Connections are made when they are needed, so this one does not fail
    /// because the server is down. Needs a Tokio runtime around it.
    ///
    /// A statement is one server process's work. For the first page of a list, parallel ones read far ahead of what it needs
    /// (17 times as much, of resets with a bounced mail), and one caller would take the workers of all.
    pub fn connect(url: &str, max_connections: u32, acquire_timeout: Duration) -> Result<Self, StoreError> {
        // The parser's error is kept out of it: it may show the URL, and so its password.
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
                Box::pin(async move { Ok(meta.idle_for < TRUSTED || connection.ping().await.is_ok()) })
            })
            .connect_lazy_with(options);
        Ok(Self { pool, unlimited })
    }

    /// Makes one connection, for whoever wants to know at once why there can be none: the pool goes on trying until its time is
    /// up, and then knows only that.
    pub async fn reach(&self) -> Result<(), StoreError> {
        let connection = PgConnection::connect_with(&self.unlimited).await.map_err(map_db_error)?;
        connection.close().await.map_err(map_db_error)
    }

    /// Brings the schema up to date, and lets the role `rekey_mailer`, if there is one, do what the mailer needs and
    /// nothing more. Any number of replicas may do this at once: they take turns.
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
