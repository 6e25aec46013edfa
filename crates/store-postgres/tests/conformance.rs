//! The conformance suite of stores, on PostgreSQL.
#![cfg(test)]

use std::time::Duration;

use async_trait::async_trait;
use rekey_store_postgres::PostgresStore;
use rekey_testkit::{
    backdoor::{Backdoor, PostgresBackdoor},
    conformance::stores::StoreUnderTest,
    postgres::TestDatabase,
};

rekey_testkit::store_conformance!(OnPostgres);

#[test]
fn crash_between_any_two_calls_loses_no_accepted_reset() {
    rekey_testkit::model::run::<OnPostgres>(1_000);
}

struct OnPostgres {
    store: PostgresStore,
    backdoor: PostgresBackdoor,
    _database: TestDatabase,
}

#[async_trait]
impl StoreUnderTest for OnPostgres {
    type Store = PostgresStore;

    async fn start() -> Self {
        let database = TestDatabase::create().await;
        let store = PostgresStore::connect(&database.url(), 8, Duration::from_mins(1)).unwrap();
        store.migrate().await.unwrap();
        Self { store, backdoor: PostgresBackdoor::open(&database.url()), _database: database }
    }

    fn store(&self) -> &PostgresStore {
        &self.store
    }

    fn backdoor(&self) -> &dyn Backdoor {
        &self.backdoor
    }
}
