//! CORS: the pages whose scripts may read answers.

use rekey_core::{
    clients::{ClientKind, ClientStore, RegisteredClient},
    events::audit::Action,
    ids::ApplicationId,
    random::OsRandom,
};
use rekey_testkit::seed;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use time::Duration;

use crate::app::{Answer, MEDIA_TYPE, RESETS, TestApp, TestClient};

const SHOP: &str = "https://shop.example";

async fn send(request: RequestBuilder) -> Answer {
    Answer::read(request.send().await.unwrap()).await
}

/// Registers a client whose answers pages of these origins may read.
async fn client(app: &TestApp, kind: ClientKind, origins: &[&str]) -> TestClient {
    let (model, secret) = seed::api_client(&app.store, app.scope, kind, true).await;
    let client = RegisteredClient {
        id: ApplicationId::generate(&OsRandom),
        client_id: format!("{}x", &model.client_id[1..]),
        allowed_origins: origins.iter().map(|origin| origin.parse().unwrap()).collect(),
        ..model
    };
    let client = app.store.create_api_client(&client, &seed::operator_audit(Action::Create)).await.unwrap();
    TestClient { id: client.client_id, secret: client.secret.map(|_| secret.expose().to_owned()) }
}

fn preflight(app: &TestApp, path: &str, origin: &str, method: &str) -> RequestBuilder {
    let request = app.http.request(Method::OPTIONS, app.url(path)).header("origin", origin);
    request
        .header("access-control-request-method", method)
        .header("access-control-request-headers", "authorization,content-type")
}

/// The headers that a browser checks.
fn allowed(answer: &Answer) -> &str {
    assert_eq!(answer.header("access-control-allow-credentials"), "", "never");
    let allowed = answer.header("access-control-allow-origin");
    let exposed = answer.header("access-control-expose-headers").to_ascii_lowercase();
    for name in
        ["x-ratelimit-limit", "x-ratelimit-interval", "x-ratelimit-remaining", "retry-after", "location"]
    {
        assert_eq!(exposed.contains(name), !allowed.is_empty(), "{name}");
    }
    allowed
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preflight_is_answered_without_a_look_at_the_store() {
    let app =
        TestApp::start_with(&[("limits.token_per_minute", "1"), ("limits.live_per_minute", "1")], Vec::new())
            .await;
    app.store.close().await;
    for (path, method) in [
        ("/oauth/token", "POST"),
        (RESETS, "GET"),
        (RESETS, "POST"),
        ("/api/customer_password_resets/aaaaaaaaaa", "PATCH"),
        ("/api/customers/aaaaaaaaaa", "DELETE"),
        ("/api/not/there/yet", "GET"),
    ] {
        for origin in [SHOP, "https://evil.test", "null"] {
            let answer = send(preflight(&app, path, origin, method)).await;
            assert_eq!((answer.status.as_u16(), answer.text.as_str()), (204, ""), "{method} {path}");
            assert_eq!(answer.header("access-control-allow-origin"), origin);
            assert_eq!(answer.header("access-control-allow-credentials"), "");
            assert!(
                answer.header("access-control-allow-methods").split(", ").any(|allowed| allowed == method)
            );
            for name in ["authorization", "content-type", "accept", "idempotency-key", "x-requested-with"] {
                let allowed = answer.header("access-control-allow-headers");
                assert!(allowed.split(", ").any(|allowed| allowed == name), "{name}");
            }
            assert_eq!(answer.header("access-control-max-age"), "7200");
            assert!(answer.header("vary").contains("Origin"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_preflight_is_an_ordinary_request() {
    let app = TestApp::start().await;
    let options = app.http.request(Method::OPTIONS, app.url(RESETS));
    send(options.header("origin", SHOP)).await.assert_error(405, "METHOD_NOT_ALLOWED", None);
    let without_origin = app.http.request(Method::OPTIONS, app.url(RESETS));
    send(without_origin.header("access-control-request-method", "GET")).await.assert_error(
        405,
        "METHOD_NOT_ALLOWED",
        None,
    );
    let keys = send(app.http.get(app.url("/.well-known/jwks.json")).header("origin", SHOP)).await;
    assert_eq!(keys.header("access-control-allow-origin"), "*", "everybody may verify tokens");
    for path in ["/reset-password", "/livez", "/.well-known/jwks.json", "/nothing"] {
        let answer = send(preflight(&app, path, SHOP, "POST")).await;
        assert!([404, 405].contains(&answer.status.as_u16()), "{path}: {}", answer.status);
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_clients_own_pages_may_read() {
    let app = TestApp::start().await;
    let shop = client(&app, ClientKind::Integration, &[SHOP, "http://localhost:3000"]).await;
    let (shop, bare) = (app.access_token(&shop).await, app.integration().await);
    let any = app.access_token(&client(&app, ClientKind::Integration, &["*"]).await).await;
    for (token, origin, expected) in [
        (&shop, SHOP, SHOP),
        (&shop, "http://localhost:3000", "http://localhost:3000"),
        (&shop, "http://localhost:3001", ""),
        (&shop, "https://shop.example.evil.test", ""),
        (&shop, "http://shop.example", ""),
        (&shop, "null", ""),
        (&shop, "*", ""),
        (&shop, "", ""),
        (&bare, SHOP, ""),
        (&any, "https://anything.test", "*"),
        (&any, "null", "*"),
    ] {
        let answer = send(app.http.get(app.url(RESETS)).bearer_auth(token).header("origin", origin)).await;
        assert_eq!((answer.status.as_u16(), allowed(&answer)), (200, expected), "{origin}");
        assert_eq!(answer.header("vary"), "Origin");
    }
    let plain = app.get(RESETS, &shop).await;
    assert_eq!((allowed(&plain), plain.header("vary")), ("", "Origin"));
    let two = app.http.get(app.url(RESETS)).bearer_auth(&shop).header("origin", SHOP).header("origin", SHOP);
    assert_eq!(allowed(&send(two).await), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_can_be_read_too() {
    let app = TestApp::start_with(&[("limits.test_per_minute", "3")], Vec::new()).await;
    let shop = client(&app, ClientKind::Integration, &[SHOP]).await;
    let token = app.access_token(&shop).await;
    let call = async |method: Method, path: &str, body: Value| {
        let request = app.http.request(method, app.url(path)).bearer_auth(&token).header("origin", SHOP);
        send(request.header("content-type", MEDIA_TYPE).body(body.to_string())).await
    };
    let wrong =
        json!({ "data": { "type": "customer_password_resets", "attributes": { "customer_email": [] } } });
    for (method, path, body, status) in [
        (Method::POST, RESETS, &wrong, 422),
        (Method::POST, RESETS, &json!([]), 400),
        (Method::PUT, RESETS, &json!({}), 405),
        (Method::POST, RESETS, &wrong, 429),
        (Method::GET, "/api/nothing", &Value::Null, 404),
    ] {
        let answer = call(method, path, body.clone()).await;
        assert_eq!((answer.status.as_u16(), allowed(&answer)), (status, SHOP), "{path}");
    }
    // The answer to an expired token can be read; a foreign token names no client.
    app.clock.forward(Duration::hours(3));
    let expired = call(Method::GET, RESETS, Value::Null).await;
    expired.assert_error(401, "INVALID_TOKEN", None);
    assert_eq!(allowed(&expired), SHOP);
    let forged =
        send(app.http.get(app.url(RESETS)).bearer_auth(format!("{token}x")).header("origin", SHOP)).await;
    assert_eq!((forged.status.as_u16(), allowed(&forged)), (401, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_client_has_no_pages() {
    let app = TestApp::start().await;
    let shop = client(&app, ClientKind::Integration, &[SHOP]).await;
    let token = app.access_token(&shop).await;
    app.revoke_client(&shop).await;
    app.clock.forward(Duration::seconds(5));
    let answer = send(app.http.get(app.url(RESETS)).bearer_auth(&token).header("origin", SHOP)).await;
    assert_eq!((answer.status.as_u16(), allowed(&answer)), (401, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_for_the_pages_of_the_client_that_the_body_names() {
    let app = TestApp::start_with(&[("limits.token_per_minute", "7")], Vec::new()).await;
    let shop = client(&app, ClientKind::SalesChannel, &[SHOP]).await;
    let grant = async |client: &str, origin: &str, more: Value| {
        let mut body = json!({ "grant_type": "client_credentials", "client_id": client });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        send(app.http.post(app.url("/oauth/token")).header("origin", origin).json(&body)).await
    };
    let log_in = json!({ "grant_type": "password", "username": "a@example.com", "password": "not this one" });
    for (client, origin, more, status, expected) in [
        (shop.id.as_str(), SHOP, json!({}), 200, SHOP),
        (&shop.id, "https://evil.test", json!({}), 200, ""),
        (&shop.id, SHOP, log_in, 400, SHOP),
        (&shop.id, SHOP, json!({ "grant_type": "nonsense" }), 400, SHOP),
        ("nobody", SHOP, json!({}), 401, ""),
    ] {
        let answer = grant(client, origin, more).await;
        assert_eq!((answer.status.as_u16(), allowed(&answer)), (status, expected), "{client} {origin}");
        assert_eq!(answer.header("vary"), "Origin");
    }
    let form = [("grant_type", "client_credentials"), ("client_id", &shop.id)];
    let answer = send(app.http.post(app.url("/oauth/token")).header("origin", SHOP).form(&form)).await;
    assert_eq!((answer.status.as_u16(), allowed(&answer)), (200, SHOP));
    let unread = send(app.http.post(app.url("/oauth/token")).header("origin", SHOP).body("x")).await;
    assert_eq!((unread.status.as_u16(), allowed(&unread)), (400, ""));

    for (client, expected) in [(shop.id.as_str(), SHOP), ("nobody", "")] {
        let refused = grant(client, SHOP, json!({})).await;
        assert_eq!((refused.status.as_u16(), allowed(&refused)), (429, expected));
        assert!(!refused.header("retry-after").is_empty());
    }
}
