//! What a failover, a silent connection and damaged data do to `rekey-api`: findings B1, B6 and B10.

use std::time::Duration;

use futures_util::future::join_all;
use rekey_e2e::{
    client::reset,
    shop::{ANNA, Shop},
    stack::Stack,
    wait::eventually,
};
use rekey_testkit::{
    backdoor::{Backdoor, PostgresBackdoor},
    proxy::{BOTH, Connections, Proxy, Toxic},
};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tokio::time::{Instant, sleep};

/// How many requests are made at once: as many as the pool has connections.
const AT_ONCE: usize = 16;

/// A shop with an API that reaches its database through a proxy.
struct Scene {
    shop: Shop,
    proxy: Proxy,
    token: String,
}

impl Scene {
    /// Waits until the API has answered with all its connections.
    async fn open() -> (Self, rekey_e2e::process::Program) {
        let mut stack = Stack::prepare().await;
        let proxy = Proxy::start(&stack.database.url()).await;
        stack.set("database.url", &proxy.url(&stack.database.url()));
        let shop = Shop::open(stack).await;
        let api = shop.stack.start_api().await;
        let token = shop.register_anna().await;
        let scene = Self { shop, proxy, token };
        assert_eq!(scene.refused().await, 0);
        (scene, api)
    }

    /// Requests resets, all at once, and counts those that are refused. Each gets an answer, if only a 503.
    async fn refused(&self) -> usize {
        let body = reset(ANNA);
        let api = &self.shop.stack.api;
        let calls =
            (0..AT_ONCE).map(|_| api.call(Method::POST, "customer_password_resets", &self.token, &body));
        let statuses = join_all(calls).await.into_iter().map(|answer| answer.status);
        statuses
            .filter(|status| {
                assert!([StatusCode::CREATED, StatusCode::SERVICE_UNAVAILABLE].contains(status), "{status}");
                *status != StatusCode::CREATED
            })
            .count()
    }

    async fn is_ready(&self) -> bool {
        // The answer may be a second old.
        sleep(Duration::from_millis(1100)).await;
        let url = format!("{}/readyz", self.shop.stack.api.url);
        reqwest::get(url).await.is_ok_and(|answer| answer.status() == StatusCode::OK)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b1_requests_and_readiness_recover_from_read_only_sessions_at_once() {
    let (scene, _api) = Scene::open().await;
    let (stack, name) = (&scene.shop.stack, &scene.shop.stack.namespace);
    let admin = PostgresBackdoor::open(&stack.database.url());
    admin.run(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on")).await.unwrap();
    let ended = "SELECT CAST(count(pg_terminate_backend(pid, 60000)) AS text) FROM pg_stat_activity \
                 WHERE datname = current_database() AND application_name = 'rekey'";
    assert_ne!(admin.text(ended).await.as_deref(), Some("0"));
    assert!(!scene.is_ready().await, "readiness says what requests get");
    assert_eq!(scene.refused().await, AT_ONCE);
    admin.run(&format!("ALTER DATABASE {name} RESET default_transaction_read_only")).await.unwrap();
    // What was refused last found its connection read-only, so that none of its age is used again.
    assert_eq!(scene.refused().await, 0);
    assert!(scene.is_ready().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b6_requests_recover_from_silent_connections_without_the_end_of_the_fault() {
    let (scene, api) = Scene::open().await;
    scene.proxy.set(Toxic::Silence, &BOTH, Connections::Open);
    let start = Instant::now();
    eventually("every request is answered", async || match scene.refused().await {
        0 => Ok(()),
        refused => Err(refused),
    })
    .await;
    assert!(start.elapsed() < Duration::from_secs(10), "back after {:?}", start.elapsed());
    assert!(scene.is_ready().await);
    // A stop is not held up, either.
    scene.proxy.set(Toxic::Silence, &BOTH, Connections::All);
    sleep(Duration::from_millis(100)).await;
    let exit = api.terminate().await;
    assert_eq!(exit.code, Some(0), "{exit:?}");
}

/// Who calls sees null, and an operator an error that counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b10_tokens_that_cannot_be_decrypted_are_an_error_in_the_log() {
    let shop = Shop::open(Stack::prepare().await).await;
    let (stack, api) = (&shop.stack, shop.stack.start_api().await);
    let token = shop.register_anna().await;
    for _ in 0..3 {
        stack.api.create_reset(&token, ANNA).await.expect(StatusCode::CREATED);
    }
    let tokens = async || {
        let list = stack.api.call(Method::GET, "customer_password_resets", &token, &Value::Null).await;
        let data = list.expect(StatusCode::OK).body["data"].as_array().unwrap().clone();
        data.iter().filter(|reset| reset["attributes"]["reset_password_token"].is_string()).count()
    };
    assert_eq!(tokens().await, 3);
    let said = "can't be decrypted";
    assert!(!api.stderr().contains(said), "{}", api.stderr());
    let damage = "UPDATE password_resets SET sealed_token = '\\x00' WHERE id IN (SELECT id FROM password_resets LIMIT 2)";
    PostgresBackdoor::open(&stack.database.url()).run(damage).await.unwrap();
    assert_eq!(tokens().await, 1);
    eventually("its line", async || {
        let log = api.stderr();
        let line = log.lines().find(|line| line.contains(said) && line.contains("ERROR")).map(str::to_owned);
        line.filter(|line| line.contains("count=2") || line.contains("\"count\":2")).ok_or(log)
    })
    .await;
}
