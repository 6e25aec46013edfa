//! The database ports on SQLite: database and queue of the embedded mode, in one file.
//!
//! One connection writes and a few read (WAL). A write takes its lock at once (`BEGIN IMMEDIATE`): a read transaction that
//! turns into a write would fail when another came first. Times are the injected clock's: it is the database's clock here.

mod anonymization;
mod attributes;
mod audit_chain;
mod callback_replay;
mod catalog;
mod circuit_mails;
mod cleanup;
mod clients;
mod codes;
mod customers;
mod email_changes;
mod erasure;
mod error;
mod events;
mod gauges;
mod guesses;
mod idempotency;
mod import;
mod key_rotation;
mod ledger;
mod limits;
mod organizations;
mod outbox;
mod refresh_tokens;
mod reports;
mod resets;
mod sessions;
mod sign_ins;
mod suppressions;
mod tokens;
mod webhooks;

use std::{fmt, fs, io, os::unix::fs::OpenOptionsExt, path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use rekey_core::{
    clock::{Clock, to_unix_microseconds},
    error::StoreError,
    ping::Ping,
};
use rekey_sql::Dialect;
use sqlx::{
    Sqlite, SqlitePool, Transaction,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::time::{Instant, sleep};

use crate::error::{map_db_error, map_migration_error};

/// All database ports on one SQLite file. Clones share its connections.
#[derive(Clone)]
pub struct SqliteStore {
    writer: SqlitePool,
    readers: SqlitePool,
    /// For counts that may be lost: its commits don't wait for the disk, and don't block other writes.
    counters: SqlitePool,
    clock: Arc<dyn Clock>,
}

/// How long a call waits for the file or for a connection before it fails as unavailable.
const WAIT_TIMEOUT: Duration = Duration::from_secs(5);
/// The pause before a migration is tried again while another process opens the new file.
const RETRY_INTERVAL: Duration = Duration::from_millis(20);
/// Connections that read at the same time, at most.
const READERS: u32 = 4;

impl SqliteStore {
    /// Opens the store in the file at `path`, which is created if necessary, readable by its owner only (0600). Times are `clock`'s.
    /// Every commit is on disk before the call returns (`synchronous = FULL`), and so survives a power cut.
    pub fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        Self::open_with_timeout(path, clock, WAIT_TIMEOUT)
    }

    /// Like [`SqliteStore::open`], with another time that a call waits for the file or for a connection.
    pub fn open_with_timeout(
        path: &Path,
        clock: Arc<dyn Clock>,
        timeout: Duration,
    ) -> Result<Self, StoreError> {
        create_private(path).map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(timeout)
            .foreign_keys(true);
        let pool =
            |connections| SqlitePoolOptions::new().max_connections(connections).acquire_timeout(timeout);
        let readers = pool(READERS).connect_lazy_with(options.clone().pragma("query_only", "on"));
        // In WAL mode, NORMAL may lose a commit but never harms the file (sqlite.org/pragma.html#pragma_synchronous).
        let counters = pool(1).connect_lazy_with(options.clone().synchronous(SqliteSynchronous::Normal));
        Ok(Self { writer: pool(1).connect_lazy_with(options), readers, counters, clock })
    }

    /// Brings the schema up to date. Several processes may do this at once: they take turns.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let give_up = Instant::now() + self.writer.options().get_acquire_timeout();
        let (mut transaction, _) = loop {
            match self.write().await {
                // The first connections to a new file switch it to WAL. SQLite refuses one, without waiting, while another does that.
                Err(StoreError::Unavailable(_)) if Instant::now() < give_up => sleep(RETRY_INTERVAL).await,
                started => break started?,
            }
        };
        sqlx::migrate!().run_direct(None, &mut *transaction, false).await.map_err(map_migration_error)?;
        transaction.commit().await.map_err(map_db_error)
    }

    /// Ends the leases of a process that is gone: of requests with an idempotency key, events, and mails. A mail that it was sending is
    /// in doubt. Events that waited for a later attempt are due at once, too: they look alike. For a process that is the only one on the file, at its start.
    pub async fn release_leases(&self) -> Result<(), StoreError> {
        let (mut transaction, present) = self.write().await?;
        for statement in [
            "UPDATE idempotency_keys SET lease_until = ?1 WHERE lease_until > ?1",
            "UPDATE events SET available_at = ?1
             WHERE published_at IS NULL AND dead_at IS NULL AND available_at > ?1",
            "UPDATE deliveries SET lease_until = ?1 WHERE lease_until > ?1",
        ] {
            sqlx::query(statement).bind(present).execute(&mut *transaction).await.map_err(map_db_error)?;
        }
        transaction.commit().await.map_err(map_db_error)
    }

    /// Waits until no connection is in use, and closes them all. Calls from now on fail as unavailable.
    pub async fn close(&self) {
        self.counters.close().await;
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Begins a transaction that writes. Returns it with the current time, which everything that it writes gets.
    pub(crate) async fn write(&self) -> Result<(Transaction<'static, Sqlite>, i64), StoreError> {
        let transaction = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(map_db_error)?;
        Ok((transaction, self.present()))
    }

    /// Returns the dialect for statements at the current time.
    pub(crate) fn dialect(&self) -> Dialect {
        Dialect::Sqlite { now: self.present() }
    }

    /// Returns the current time, in microseconds since 1970.
    pub(crate) fn present(&self) -> i64 {
        to_unix_microseconds(self.clock.now())
    }
}

#[async_trait]
impl Ping for SqliteStore {
    async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.readers).await.map_err(map_db_error)?;
        Ok(())
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("writer", &self.writer).finish_non_exhaustive()
    }
}

/// Returns the time `duration` after `present`, in the same unit.
pub(crate) fn after(present: i64, duration: time::Duration) -> i64 {
    present.saturating_add(i64::try_from(duration.whole_microseconds()).unwrap_or(i64::MAX))
}

fn create_private(path: &Path) -> io::Result<()> {
    fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path).map(drop)
}

#[cfg(test)]
mod tests {
    use rekey_core::clock::SystemClock;

    use super::*;

    #[tokio::test]
    async fn a_commit_is_on_the_disk_before_it_returns() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("rekey.db"), Arc::new(SystemClock)).unwrap();
        let journal: String =
            sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&store.writer).await.unwrap();
        let synchronous: i64 =
            sqlx::query_scalar("PRAGMA synchronous").fetch_one(&store.writer).await.unwrap();
        // 2 is FULL (sqlite.org/pragma.html#pragma_synchronous).
        assert_eq!((journal.as_str(), synchronous), ("wal", 2));
    }
}
