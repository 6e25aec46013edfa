//! `/livez` and `/readyz`, and how the server stops.

use rekey_runtime::health::Check;
use serde_json::json;

use crate::app::{Answer, TestApp};

#[tokio::test(flavor = "multi_thread")]
async fn readiness_names_what_failed_and_liveness_asks_nothing() {
    let broken = Check::state("broker", "not connected", || false);
    let app = TestApp::start_with(&[], vec![broken]).await;
    let get = async |path: &str| Answer::read(app.http.get(app.url(path)).send().await.unwrap()).await;
    assert_eq!(get("/livez").await.status, 200);
    let ready = get("/readyz").await;
    assert_eq!(
        (ready.status.as_u16(), &ready.body),
        (503, &json!({ "status": "unavailable", "failed": ["broker"] }))
    );
    app.store.close().await;
    assert_eq!(get("/readyz").await.body["failed"], json!(["store", "broker"]));
    assert_eq!(get("/livez").await.status, 200);

    let app = TestApp::start().await;
    let ready = Answer::read(app.http.get(app.url("/readyz")).send().await.unwrap()).await;
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
