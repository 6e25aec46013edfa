//! `POST /oauth/token` and the key set.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use rekey_core::{access::ClientKind, store::Store};
use serde_json::{Value, json};
use time::Duration;

use crate::app::{Answer, RESETS, TestApp};

#[tokio::test(flavor = "multi_thread")]
async fn an_integration_gets_a_token_that_others_can_verify() {
    let app = TestApp::start().await;
    let client = app.client(ClientKind::Integration, false).await;
    let answer = app.oauth(&json!({ "grant_type": "client_credentials", "client_id": client.id, "client_secret": client.secret })).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let mut members: Vec<_> = answer.body.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["access_token", "created_at", "expires_in", "scope", "token_type"]);
    assert_eq!((&answer.body["token_type"], &answer.body["expires_in"]), (&json!("bearer"), &json!(7200)));

    let token = answer.body["access_token"].as_str().unwrap();
    let keys = Answer::read(app.http.get(app.url("/.well-known/jwks.json")).send().await.unwrap()).await;
    for member in ["kty", "kid", "use", "alg", "n", "e"] {
        assert!(keys.body["keys"][0][member].is_string(), "{member}: {}", keys.text);
    }
    assert!(!keys.text.contains("\"d\""), "{}", keys.text);
    let keys: JwkSet = serde_json::from_value(keys.body).unwrap();
    let kid = decode_header(token).unwrap().kid.unwrap();
    let mut validation = Validation::new(Algorithm::RS512);
    validation.set_issuer(&["https://auth.rekey.localhost"]);
    let claims: Value =
        decode(token, &DecodingKey::from_jwk(keys.find(&kid).unwrap()).unwrap(), &validation).unwrap().claims;
    assert_eq!(claims["application"]["kind"], "integration");
    assert_eq!(claims["application"]["confidential"], true);
    assert_eq!(claims["organization"]["slug"], "demo");
    assert_eq!(claims["test"], true);
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 7200);
    assert_eq!(claims.get("owner"), None);
}

/// The vendor's clients decode the payload with `atob`, which knows the standard alphabet only.
#[tokio::test(flavor = "multi_thread")]
async fn the_payload_decodes_with_the_standard_alphabet() {
    let app = TestApp::start().await;
    let sales = app.client(ClientKind::SalesChannel, false).await;
    for scope in ["market:all", "market:id:xYZkjABcde", "market:code:a_b-c stock_location:9"] {
        let answer = app
            .oauth(&json!({ "grant_type": "client_credentials", "client_id": sales.id, "scope": scope }))
            .await;
        let payload = answer.body["access_token"].as_str().unwrap().split('.').nth(1).unwrap();
        let claims: Value = serde_json::from_slice(&STANDARD_NO_PAD.decode(payload).unwrap()).unwrap();
        assert_eq!(claims["scope"], scope);
    }
    for scope in ["market:>", "market:?", "market:~", "market:\u{7f}", "märkte"] {
        let answer = app
            .oauth(&json!({ "grant_type": "client_credentials", "client_id": sales.id, "scope": scope }))
            .await;
        assert_eq!((answer.status.as_u16(), &answer.body["error"]), (400, &json!("invalid_scope")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_client_a_wrong_secret_and_a_revoked_client_get_one_answer() {
    let app = TestApp::start().await;
    let client = app.client(ClientKind::Integration, false).await;
    let other = app.client(ClientKind::Integration, false).await;
    let revoked = app.client(ClientKind::Integration, false).await;
    app.store.revoke_api_client(&revoked.id).await.unwrap();
    let grant = |id: &str, secret: &Option<String>| json!({ "grant_type": "client_credentials", "client_id": id, "client_secret": secret });
    let mut texts = Vec::new();
    for grant in [
        grant("nobody", &client.secret),
        grant(&client.id, &other.secret),
        grant(&client.id, &None),
        grant(&revoked.id, &revoked.secret),
        grant("' OR 1=1", &None),
    ] {
        let answer = app.oauth(&grant).await;
        assert_eq!(answer.status, 401, "{grant}");
        assert_eq!(answer.header("content-type"), "application/json");
        texts.push(answer.text);
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "{texts:?}");
    let body: Value = serde_json::from_str(&texts[0]).unwrap();
    assert_eq!(
        (&body["error"], &body["errors"][0]["code"], &body["errors"][0]["status"]),
        (&json!("invalid_client"), &json!("UNAUTHORIZED"), &json!(401))
    );
    assert!(body["error_description"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_are_read_and_everything_else_is_refused_in_json() {
    let app = TestApp::start().await;
    let sales = app.client(ClientKind::SalesChannel, false).await;
    let form = [("grant_type", "client_credentials"), ("client_id", &sales.id)];
    let answer = Answer::read(app.http.post(app.url("/oauth/token")).form(&form).send().await.unwrap()).await;
    assert_eq!((answer.status.as_u16(), &answer.body["expires_in"]), (200, &json!(14_400)));

    for (grant, error) in [
        (json!({ "grant_type": "refresh_token", "client_id": sales.id }), "unsupported_grant_type"),
        (json!({ "client_id": sales.id }), "invalid_request"),
        (json!({ "grant_type": "client_credentials" }), "invalid_request"),
        (json!({ "grant_type": "client_credentials", "client_id": ["a"] }), "invalid_request"),
        (json!([]), "invalid_request"),
        (json!({ "grant_type": "password", "client_id": sales.id }), "invalid_request"),
    ] {
        let answer = app.oauth(&grant).await;
        assert_eq!((answer.status.as_u16(), &answer.body["error"]), (400, &json!(error)), "{grant}");
        assert_eq!(answer.body["errors"][0]["status"], 400);
    }
    let huge =
        Answer::read(app.http.post(app.url("/oauth/token")).json(&"x".repeat(100_000)).send().await.unwrap())
            .await;
    assert_eq!((huge.status.as_u16(), &huge.body["error"]), (413, &json!("invalid_request")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_logs_in_and_a_failed_log_in_tells_nothing() {
    let app = TestApp::start().await;
    let id = app.customer("john@example.com", "the first password").await.id().to_owned();
    let sales = app.client(ClientKind::SalesChannel, false).await;
    let answer = app.log_in(&sales, "John@Example.com", "the first password").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!((&answer.body["owner_id"], &answer.body["owner_type"]), (&json!(id), &json!("customer")));
    assert!(answer.body["refresh_token"].is_string());
    assert_eq!(
        app.get(&format!("/api/customers/{id}"), answer.body["access_token"].as_str().unwrap()).await.status,
        200
    );

    let wrong = app.log_in(&sales, "john@example.com", "another password").await;
    let unknown = app.log_in(&sales, "jane@example.com", "the first password").await;
    let impossible = app.log_in(&sales, "no address", "the first password").await;
    assert_eq!((wrong.status.as_u16(), &wrong.body["error"]), (400, &json!("invalid_grant")));
    assert_eq!((wrong.status, &wrong.text), (unknown.status, &unknown.text));
    assert_eq!((wrong.status, &wrong.text), (impossible.status, &impossible.text));

    let integration = app.client(ClientKind::Integration, false).await;
    let grant = json!({ "grant_type": "password", "client_id": integration.id, "client_secret": integration.secret, "username": "john@example.com", "password": "the first password" });
    assert_eq!(app.oauth(&grant).await.body["error"], "unauthorized_client");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_dies_with_its_time_and_with_its_client() {
    let app = TestApp::start().await;
    let client = app.client(ClientKind::Integration, false).await;
    let token = app.access_token(&client).await;
    assert_eq!(app.get(RESETS, &token).await.status, 200);
    app.clock.forward(Duration::seconds(7199));
    assert_eq!(app.get(RESETS, &token).await.status, 200);
    app.clock.forward(Duration::seconds(1));
    app.get(RESETS, &token).await.assert_error(401, "INVALID_TOKEN", None);

    let token = app.access_token(&client).await;
    app.store.revoke_api_client(&client.id).await.unwrap();
    let mut answer = app.get(RESETS, &token).await;
    for _ in 0..100 {
        if answer.status == 401 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        answer = app.get(RESETS, &token).await;
    }
    answer.assert_error(401, "INVALID_TOKEN", None);
}
