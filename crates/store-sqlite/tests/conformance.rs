//! The suite of every store, on SQLite.
#![cfg(test)]

use std::sync::Arc;

use async_trait::async_trait;
use rekey_core::ambient::SystemClock;
use rekey_store_sqlite::SqliteStore;
use rekey_testkit::{
    backdoor::{Backdoor, SqliteBackdoor},
    conformance::stores::StoreUnderTest,
};
use tempfile::TempDir;

rekey_testkit::store_conformance!(OnSqlite);

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
        let store = SqliteStore::open(&path, Arc::new(SystemClock)).unwrap();
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
