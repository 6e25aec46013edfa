//! `/livez` and `/readyz`, and how the server stops.

use std::{panic, sync::Arc, time::Duration};

use rekey_runtime::health::Check;
use serde_json::json;
use tokio::time::sleep;

use crate::app::{Answer, TestApp};

/// The time after which `/readyz` checks again, and a bit.
const KEPT: Duration = Duration::from_millis(1100);

#[tokio::test(flavor = "multi_thread")]
async fn readiness_names_what_failed_and_liveness_asks_nothing() {
    let broken = Check::state("hashing", "no thread", || false);
    let app = TestApp::start_with(&[], vec![broken]).await;
    let get = async |path: &str| Answer::read(app.http.get(app.url(path)).send().await.unwrap()).await;
    assert_eq!(get("/livez").await.status, 200);
    let ready = get_ready(&app).await;
    assert_eq!(
        (ready.status.as_u16(), &ready.body),
        (503, &json!({ "status": "unavailable", "failed": ["hashing"] }))
    );
    app.store.close().await;
    sleep(KEPT).await;
    assert_eq!(get("/readyz").await.body["failed"], json!(["store", "hashing"]));
    assert_eq!(get("/livez").await.status, 200);

    // B16: requests are accepted without a broker.
    let app = TestApp::start_with(&[], vec![Check::state("broker", "blocked", || false).degrading()]).await;
    let ready = get_ready(&app).await;
    assert_eq!(
        (ready.status.as_u16(), &ready.body),
        (200, &json!({ "status": "ready", "degraded": ["broker"] }))
    );

    let app = TestApp::start().await;
    let ready = get_ready(&app).await;
    assert_eq!((ready.status.as_u16(), &ready.body), (200, &json!({ "status": "ready" })));
}

#[tokio::test(flavor = "multi_thread")]
async fn pool_a_store_that_is_away_is_503_and_says_when_to_come_back() {
    let app = TestApp::start().await;
    let token = app.integration().await;
    app.store.close().await;
    let answer = app.get("/api/customer_password_resets", &token).await;
    answer.assert_error(503, "SERVICE_UNAVAILABLE", None);
    assert_eq!(answer.header("retry-after"), "1");
}

/// B13.
#[tokio::test(flavor = "multi_thread")]
async fn a_panic_while_hashing_is_a_500_and_the_thread_goes_on() {
    let app = TestApp::start_with(&[("passwords.hashing_threads", "1")], Vec::new()).await;
    let token = app.integration().await;
    let register = async |email: &str| {
        app.create("customers", &token, json!({ "email": email, "password": "three small words" })).await
    };
    *app.hashing_fault.0.lock().unwrap() = Some(Arc::new(|| panic!("a test's panic")));
    for email in ["john@example.com", "jane@example.com"] {
        register(email).await.assert_error(500, "INTERNAL_SERVER_ERROR", None);
    }
    assert_eq!(app.http.get(app.url("/readyz")).send().await.unwrap().status(), 200);
    *app.hashing_fault.0.lock().unwrap() = None;
    assert_eq!(register("john@example.com").await.status, 201);

    *app.hashing_fault.0.lock().unwrap() = Some(Arc::new(|| panic::panic_any(PanicsAgain)));
    for email in ["jane@example.com", "jim@example.com"] {
        register(email).await.assert_error(500, "INTERNAL_SERVER_ERROR", None);
    }
    sleep(KEPT).await;
    let ready = get_ready(&app).await;
    assert_eq!((ready.status.as_u16(), &ready.body["failed"]), (503, &json!(["hashing"])));
}

/// The payload of a panic that can't be caught: it ends the thread.
struct PanicsAgain;

impl Drop for PanicsAgain {
    fn drop(&mut self) {
        panic!("a test's panic");
    }
}

async fn get_ready(app: &TestApp) -> Answer {
    Answer::read(app.http.get(app.url("/readyz")).send().await.unwrap()).await
}
