//! The conformance suite of stores, on SQLite.
#![cfg(test)]

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use rekey_core::clock::SystemClock;
use rekey_store_sqlite::SqliteStore;
use rekey_testkit::{
    backdoor::{Backdoor, SqliteBackdoor},
    conformance::stores::StoreUnderTest,
};
use tempfile::TempDir;

rekey_testkit::store_conformance!(OnSqlite);

/// As long as in the other store's suite.
const TIMEOUT: Duration = Duration::from_mins(1);

struct OnSqlite {
    store: SqliteStore,
    backdoor: SqliteBackdoor,
    _folder: TempDir,
}

#[async_trait]
impl StoreUnderTest for OnSqlite {
    type Store = SqliteStore;

    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rekey.db");
        // Two hundred callers wait for one writer, perhaps on a slow disk.
        let store = SqliteStore::open_with_timeout(&path, Arc::new(SystemClock), TIMEOUT).unwrap();
        store.migrate().await.unwrap();
        Self { store, backdoor: SqliteBackdoor::open(&path), _folder: folder }
    }

    fn store(&self) -> &SqliteStore {
        &self.store
    }

    fn backdoor(&self) -> &dyn Backdoor {
        &self.backdoor
    }
}
