//! Finding B6: connections that accept bytes and never answer, as behind a load balancer or a pooler that lost a host. New connections
//! work.
#![cfg(test)]

use std::time::Duration;

use futures_util::future::join_all;
use rekey_core::{error::StoreError, events::outbox::Outbox, ping::Ping};
use rekey_store_postgres::PostgresStore;
use rekey_testkit::{
    postgres::TestDatabase,
    proxy::{BOTH, Connections, Proxy, Toxic},
};
use tokio::time::{Instant, sleep, timeout};

const CONNECTIONS: u32 = 8;
const LEASE: time::Duration = time::Duration::SECOND;
/// By when everything works again, without the end of the fault.
const RECOVERY: Duration = Duration::from_secs(10);

/// A store behind a proxy, with all its connections open.
async fn behind_proxy() -> (TestDatabase, Proxy, PostgresStore) {
    let database = TestDatabase::create().await;
    let proxy = Proxy::start(&database.url()).await;
    let url = proxy.url(&database.url());
    let store = PostgresStore::connect(&url, CONNECTIONS, Duration::from_secs(3)).unwrap();
    store.migrate().await.unwrap();
    for written in calls(&store).await {
        written.unwrap();
    }
    (database, proxy, store)
}

/// Calls the store on as many connections as it has.
async fn calls(store: &PostgresStore) -> Vec<Result<(), StoreError>> {
    join_all((0..CONNECTIONS).map(|_| async { store.claim_messages(LEASE, 1).await.map(drop) })).await
}

#[tokio::test]
async fn silent_peer_connections_in_use_and_idle_are_replaced() {
    let (_database, proxy, store) = behind_proxy().await;
    for idle_for in [Duration::ZERO, Duration::from_millis(1500)] {
        sleep(idle_for).await;
        proxy.set(Toxic::Silence, &BOTH, Connections::Open);
        let start = Instant::now();
        loop {
            let failures: Vec<_> = calls(&store).await.into_iter().filter_map(Result::err).collect();
            for failure in &failures {
                assert!(matches!(failure, StoreError::Unavailable(_)), "{failure:?}");
            }
            if failures.is_empty() {
                break;
            }
        }
        assert!(start.elapsed() < RECOVERY, "idle for {idle_for:?}: {:?}", start.elapsed());
        store.ping().await.unwrap();
    }
}

/// As when a client hangs up in the middle of its request.
#[tokio::test]
async fn silent_peer_connections_of_callers_that_have_gone_are_replaced() {
    let (_database, proxy, store) = behind_proxy().await;
    proxy.set(Toxic::Silence, &BOTH, Connections::Open);
    assert!(timeout(Duration::from_millis(100), calls(&store)).await.is_err());
    let start = Instant::now();
    for written in calls(&store).await {
        written.unwrap();
    }
    assert!(start.elapsed() < RECOVERY, "{:?}", start.elapsed());
}

#[tokio::test]
async fn silent_peer_holds_no_shutdown_up() {
    let (_database, proxy, store) = behind_proxy().await;
    proxy.set(Toxic::Silence, &BOTH, Connections::All);
    assert!(timeout(RECOVERY, store.close()).await.is_ok());
}
