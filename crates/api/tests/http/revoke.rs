//! `POST /oauth/revoke`.

use jsonwebtoken::dangerous::insecure_decode;
use rekey_core::{
    clients::{ClientKind, ClientStore},
    sessions::Sessions,
};
use rekey_testkit::seed;
use reqwest::Method;
use serde_json::{Value, json};
use time::Duration;

use crate::app::{Answer, MEDIA_TYPE, RESETS, TestApp, TestClient, other_mode};

const EMAIL: &str = "john@example.com";
const PASSWORD: &str = "the first password";

/// How long a revocation may take to reach another process: the contract's "a few seconds".
const REACH: Duration = Duration::seconds(5);

fn revocation(client: &TestClient, token: &str) -> Value {
    json!({ "client_id": client.id, "client_secret": client.secret, "token": token })
}

#[track_caller]
fn assert_revoked(answer: &Answer) {
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, "{}"));
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_is_invalid_at_once_and_the_clients_others_are_not() {
    let app = TestApp::start().await;
    for kind in [ClientKind::Integration, ClientKind::SalesChannel] {
        let client = app.client(kind, true).await;
        let (revoked, other) = (app.access_token(&client).await, app.access_token(&client).await);
        assert_ne!(app.get(RESETS, &revoked).await.body["errors"][0]["code"], "INVALID_TOKEN");
        assert_revoked(&app.revoke(&revocation(&client, &revoked)).await);
        app.get(RESETS, &revoked).await.assert_error(401, "INVALID_TOKEN", None);
        for (method, path) in [
            (Method::POST, RESETS),
            (Method::PATCH, "/api/customer_password_resets/aaaaaaaaaa"),
            (Method::DELETE, "/api/customer_password_resets/aaaaaaaaaa"),
            (Method::GET, "/api/customers/aaaaaaaaaa"),
        ] {
            let answer = app.call(method, path, &revoked, Some(&json!({}))).await;
            answer.assert_error(401, "INVALID_TOKEN", None);
        }
        assert_ne!(app.get(RESETS, &other).await.body["errors"][0]["code"], "INVALID_TOKEN");
        assert_revoked(&app.revoke(&revocation(&client, &revoked)).await);
        app.get(RESETS, &revoked).await.assert_error(401, "INVALID_TOKEN", None);
    }
}

/// Another process learns of it with its next look-up of the client, which doesn't happen for every request.
#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_reaches_other_processes_and_survives_restarts() {
    let app = TestApp::start().await;
    let client = app.client(ClientKind::Integration, false).await;
    let token = app.access_token(&client).await;
    let replica = app.replica();
    assert_eq!(replica.get(RESETS, &token).await.status, 200);
    assert_revoked(&app.revoke(&revocation(&client, &token)).await);
    assert_eq!(replica.get(RESETS, &token).await.status, 200, "what it knows of the client is a moment old");
    app.clock.forward(REACH);
    replica.get(RESETS, &token).await.assert_error(401, "INVALID_TOKEN", None);

    drop(replica);
    let restarted = app.replica();
    restarted.get(RESETS, &token).await.assert_error(401, "INVALID_TOKEN", None);
    app.clock.forward(Duration::seconds(7200));
    app.get(RESETS, &token).await.assert_error(401, "INVALID_TOKEN", None);
    let registered = app.store.find_api_client(&client.id).await.unwrap().unwrap();
    let kept = app.store.revoked_access_tokens(app.scope, registered.id).await.unwrap();
    assert_eq!(kept, [], "it is kept only until it would have expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn revoking_any_token_of_a_customers_ends_that_session_everywhere() {
    let app = TestApp::start().await;
    let customer = app.customer(EMAIL, PASSWORD).await;
    let own = format!("/api/customers/{}", customer.id());
    let sales = app.client(ClientKind::SalesChannel, false).await;
    let refresh = async |token: &str| {
        app.oauth(&json!({ "grant_type": "refresh_token", "client_id": sales.id, "refresh_token": token }))
            .await
    };
    let (replica, guest) = (app.replica(), app.access_token(&sales).await);
    let bystander = app.log_in(&sales, EMAIL, PASSWORD).await;
    for which in ["access_token", "refresh_token", "used", "expired"] {
        let login = app.log_in(&sales, EMAIL, PASSWORD).await;
        let second = refresh(login.text_of("refresh_token")).await;
        let access = second.text_of("access_token").to_owned();
        assert_eq!(replica.get(&own, &access).await.status, 200);
        let token = match which {
            "used" => login.text_of("refresh_token"),
            "expired" => {
                app.clock.forward(Duration::seconds(14_400));
                &access
            }
            name => second.text_of(name),
        };
        assert_revoked(&app.revoke(&revocation(&sales, token)).await);
        for app in [&app, &replica] {
            app.get(&own, &access).await.assert_error(401, "INVALID_TOKEN", None);
            app.get(&own, login.text_of("access_token")).await.assert_error(401, "INVALID_TOKEN", None);
        }
        for token in [login.text_of("refresh_token"), second.text_of("refresh_token")] {
            refresh(token).await.assert_oauth_error(400, "invalid_grant", "INVALID_GRANT");
        }
        assert_revoked(&app.revoke(&revocation(&sales, token)).await);
    }
    let bystander = refresh(bystander.text_of("refresh_token")).await;
    assert_eq!(app.get(&own, bystander.text_of("access_token")).await.status, 200);
    assert_ne!(app.get(&own, &guest).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_revoked_by_the_client_it_was_issued_to_only() {
    let app = TestApp::start().await;
    let customer = app.customer(EMAIL, PASSWORD).await;
    let own = format!("/api/customers/{}", customer.id());
    let (integration, sales) =
        (app.client(ClientKind::Integration, false).await, app.client(ClientKind::SalesChannel, false).await);
    let (access, login) = (app.access_token(&integration).await, app.log_in(&sales, EMAIL, PASSWORD).await);
    let foreign = seed::scope(&app.store, "other").await;
    let mut texts = Vec::new();
    let mut refused = async |body: Value| {
        let answer = app.revoke(&body).await;
        answer.assert_oauth_error(403, "unauthorized_client", "UNAUTHORIZED");
        texts.push(answer.text);
    };
    let secret = integration.secret.clone();
    for client in [
        app.client(ClientKind::Integration, false).await,
        app.client(ClientKind::SalesChannel, true).await,
        app.client_in(other_mode(app.scope), ClientKind::SalesChannel, true).await,
        app.client_in(foreign, ClientKind::Integration, false).await,
        TestClient { id: "nobody".to_owned(), secret: secret.clone() },
        TestClient { id: String::new(), secret },
    ] {
        for token in [&access, login.text_of("access_token"), login.text_of("refresh_token")] {
            refused(revocation(&client, token)).await;
        }
    }
    for secret in [json!(null), json!(""), json!("a".repeat(43))] {
        for token in [access.as_str(), "garbage"] {
            refused(json!({ "client_id": integration.id, "client_secret": secret, "token": token })).await;
        }
    }
    refused(json!({ "token": access })).await;
    refused(revocation(&sales, &access)).await;
    refused(revocation(&integration, login.text_of("refresh_token"))).await;
    texts.dedup();
    assert_eq!(texts.len(), 1, "{texts:?}");

    assert_eq!(app.get(RESETS, &access).await.status, 200);
    assert_eq!(app.get(&own, login.text_of("access_token")).await.status, 200);
    let claims: Value = insecure_decode(&access).unwrap().claims;
    assert!(claims["jti"].is_string(), "it can be revoked by name");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_none_is_revoked_already() {
    let app = TestApp::start().await;
    let client = app.client(ClientKind::Integration, false).await;
    let access = app.access_token(&client).await;
    let [head, payload, signature] = access.split('.').collect::<Vec<_>>().try_into().unwrap();
    let forged = format!("{head}.{payload}.{}", signature.chars().rev().collect::<String>());
    let (long, random) = ("x".repeat(10_000), "a".repeat(43));
    for token in ["garbage", "", "a.b.c", &random, &forged, &long, "' OR 1=1", "\0"] {
        for hint in [json!(null), json!("access_token"), json!("refresh_token"), json!("nonsense")] {
            let mut body = revocation(&client, token);
            body["token_type_hint"] = hint;
            assert_revoked(&app.revoke(&body).await);
        }
    }
    assert_eq!(app.get(RESETS, &access).await.status, 200);
    app.clock.forward(Duration::seconds(7200));
    assert_revoked(&app.revoke(&revocation(&client, &access)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn revocations_are_read_as_json_and_forms_and_refused_in_json() {
    let app = TestApp::start().await;
    let client = app.client(ClientKind::Integration, false).await;
    let access = app.access_token(&client).await;
    let secret = client.secret.as_deref().unwrap();
    let form = [("client_id", client.id.as_str()), ("client_secret", secret), ("token", &access)];
    let answer = app.http.post(app.url("/oauth/revoke")).form(&form).send().await.unwrap();
    assert_revoked(&Answer::read(answer).await);
    app.get(RESETS, &access).await.assert_error(401, "INVALID_TOKEN", None);

    for body in [
        json!({ "client_id": client.id, "client_secret": secret }),
        json!({ "client_id": client.id, "client_secret": secret, "token": [access] }),
        json!({ "client_id": { "$ne": "" }, "token": access }),
        json!([]),
        json!(null),
    ] {
        app.revoke(&body).await.assert_oauth_error(400, "invalid_request", "INVALID_REQUEST");
    }
    for text in [r#"{"token":"a","token":"b","client_id":"c"}"#, "{", "\u{feff}", ""] {
        let sent =
            app.http.post(app.url("/oauth/revoke")).header("content-type", "application/json").body(text);
        let answer = Answer::read(sent.send().await.unwrap()).await;
        answer.assert_oauth_error(400, "invalid_request", "INVALID_REQUEST");
    }
    let huge = app.revoke(&json!("x".repeat(100_000))).await;
    huge.assert_oauth_error(413, "invalid_request", "PAYLOAD_TOO_LARGE");
    for path in ["/oauth/revoke", "/oauth/token"] {
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let answer = Answer::read(app.http.request(method, app.url(path)).send().await.unwrap()).await;
            answer.assert_oauth_error(405, "invalid_request", "METHOD_NOT_ALLOWED");
            assert_eq!(answer.header("allow"), "POST");
            assert_ne!(answer.header("content-type"), MEDIA_TYPE);
        }
    }
}
