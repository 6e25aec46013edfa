//! The conformance suite of stores, on SQLite.
#![cfg(test)]

use std::{path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use rekey_core::clock::SystemClock;
use rekey_store_sqlite::SqliteStore;
use rekey_testkit::{
    backdoor::{Backdoor, SqliteBackdoor},
    conformance::stores::StoreUnderTest,
};
use tempfile::TempDir;

rekey_testkit::store_conformance!(OnSqlite);

#[test]
fn crash_between_any_two_calls_loses_no_accepted_reset() {
    rekey_testkit::model::run::<OnSqlite>(1_500);
}

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
        // In memory, where it can be: each commit waits for the disk.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.unwrap();
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
