//! What a failover leaves behind: sessions that are read-only, and connections that the server has ended.
#![cfg(test)]

use std::time::Duration;

use futures_util::future::join_all;
use rekey_core::{error::StoreError, events::outbox::Outbox, ping::Ping};
use rekey_store_postgres::PostgresStore;
use rekey_testkit::{
    backdoor::{Backdoor, PostgresBackdoor},
    postgres::TestDatabase,
};
use tokio::{io::AsyncReadExt, net::TcpListener};

const CONNECTIONS: u32 = 8;
const LEASE: time::Duration = time::Duration::SECOND;

/// Ends all connections of the store, waits until they have ended, and returns how many there were.
const END_ALL: &str = "SELECT CAST(count(pg_terminate_backend(pid, 60000)) AS text) FROM pg_stat_activity \
                       WHERE datname = current_database() AND application_name = 'rekey'";

async fn migrated() -> (TestDatabase, PostgresStore) {
    let database = TestDatabase::create().await;
    let store = PostgresStore::connect(&database.url(), CONNECTIONS, Duration::from_secs(30)).unwrap();
    store.migrate().await.unwrap();
    (database, store)
}

/// Calls the store on all its connections at once.
async fn fill(store: &PostgresStore) -> Vec<Result<(), StoreError>> {
    join_all((0..CONNECTIONS).map(|_| store.ping())).await
}

/// Writes, as the relay does.
async fn write(store: &PostgresStore) -> Result<(), StoreError> {
    store.claim_messages(LEASE, 1).await.map(drop)
}

#[tokio::test]
async fn b1_read_only_sessions_leave_the_pool_at_once() {
    let (database, store) = migrated().await;
    let name = database.url().rsplit('/').next().unwrap().split('?').next().unwrap().to_owned();
    let admin = PostgresBackdoor::open(&database.url());
    admin.run(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on")).await.unwrap();
    admin.text(END_ALL).await;

    for ready in fill(&store).await {
        let refused = ready.expect_err("readiness tries what requests do");
        assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    }
    for written in join_all((0..CONNECTIONS).map(|_| write(&store))).await {
        let refused = written.expect_err("the database is read-only");
        assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    }
    admin.run(&format!("ALTER DATABASE {name} RESET default_transaction_read_only")).await.unwrap();
    // No session that was opened before is used again.
    for written in join_all((0..CONNECTIONS).map(|_| write(&store))).await {
        written.unwrap();
    }
    store.ping().await.unwrap();
}

#[tokio::test]
async fn b1_one_ended_connection_replaces_all_of_its_age() {
    let (database, store) = migrated().await;
    let admin = PostgresBackdoor::open(&database.url());
    for round in 0..3 {
        for ready in fill(&store).await {
            ready.unwrap();
        }
        let ended: u32 = admin.text(END_ALL).await.unwrap().parse().unwrap();
        assert!(ended > 1, "round {round}: {ended}");
        // The first call finds out, unless its connection was tested before it.
        let first = write(&store).await;
        assert!(matches!(first, Ok(()) | Err(StoreError::Unavailable(_))), "{first:?}");
        for written in join_all((0..CONNECTIONS).map(|_| write(&store))).await {
            written.unwrap();
        }
    }
}

/// As a load balancer does that has no primary to lead to.
#[tokio::test]
async fn a_connection_that_is_accepted_and_closed_is_an_outage() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://rekey@{}/rekey", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            // What is not read would make the end of the connection a reset.
            assert_ne!(socket.read(&mut [0; 64]).await.unwrap(), 0);
        }
    });
    let store = PostgresStore::connect(&url, 1, Duration::from_secs(3)).unwrap();
    let refused = store.ping().await.expect_err("nothing answered");
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
}
