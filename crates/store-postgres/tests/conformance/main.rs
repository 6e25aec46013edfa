//! The conformance suite of stores, on PostgreSQL, under the roles of the programs: a missing grant fails a case.
#![cfg(test)]

mod by_role;

use async_trait::async_trait;
use rekey_testkit::{
    backdoor::{Backdoor, PostgresBackdoor},
    conformance::stores::StoreUnderTest,
    postgres::TestDatabase,
};

use by_role::{ByRole, connect};

rekey_testkit::store_conformance!(OnPostgres);
rekey_testkit::delivery_log_conformance!(OnPostgres);

#[test]
fn crash_between_any_two_calls_loses_no_accepted_reset() {
    rekey_testkit::model::run::<OnPostgres>(400);
}

struct OnPostgres {
    store: ByRole,
    backdoor: PostgresBackdoor,
    _database: TestDatabase,
}

#[async_trait]
impl StoreUnderTest for OnPostgres {
    type Store = ByRole;

    async fn start() -> Self {
        let migrate = async |url: String| connect(&url).migrate().await.unwrap();
        let database = TestDatabase::create_migrated(migrate).await;
        let store = ByRole::migrate(&database).await;
        Self { store, backdoor: PostgresBackdoor::open(&database.url()), _database: database }
    }

    fn store(&self) -> &ByRole {
        &self.store
    }

    fn backdoor(&self) -> &dyn Backdoor {
        &self.backdoor
    }
}
