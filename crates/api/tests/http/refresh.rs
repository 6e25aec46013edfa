//! The `refresh_token` grant, and what ends a session.

use std::fs;

use futures_util::future::join_all;
use jsonwebtoken::dangerous::insecure_decode;
use rekey_core::clients::ClientKind;
use rekey_testkit::seed;
use serde_json::{Value, json};
use time::Duration;

use crate::app::{Answer, TestApp, TestClient, other_mode};

const EMAIL: &str = "john@example.com";
const PASSWORD: &str = "the first password";

/// A customer who has signed in.
struct SignedIn {
    app: TestApp,
    sales: TestClient,
    customer: String,
    login: Answer,
}

impl SignedIn {
    async fn start() -> Self {
        Self::start_with(&[]).await
    }

    async fn start_with(settings: &[(&str, &str)]) -> Self {
        let app = TestApp::start_with(settings, Vec::new()).await;
        let customer = app.customer(EMAIL, PASSWORD).await.id().to_owned();
        let sales = app.client(ClientKind::SalesChannel, false).await;
        let login = app.log_in(&sales, EMAIL, PASSWORD).await;
        assert_eq!(login.status, 200, "{}", login.text);
        Self { app, sales, customer, login }
    }

    fn token(&self) -> &str {
        self.login.text_of("refresh_token")
    }

    async fn refresh(&self, token: &str) -> Answer {
        refresh(&self.app, &self.sales, token).await
    }

    /// Requests the customer's own record with that access token.
    async fn own(&self, access_token: &str) -> Answer {
        self.app.get(&format!("/api/customers/{}", self.customer), access_token).await
    }
}

async fn refresh(app: &TestApp, client: &TestClient, token: &str) -> Answer {
    app.oauth(&json!({
        "grant_type": "refresh_token", "client_id": client.id, "client_secret": client.secret, "refresh_token": token,
    }))
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_answers_as_a_log_in_does_with_tokens_that_are_new() {
    let signed_in = SignedIn::start().await;
    let second = signed_in.refresh(signed_in.token()).await;
    assert_eq!(second.status, 200, "{}", second.text);
    assert_eq!((second.header("cache-control"), second.header("pragma")), ("no-store", "no-cache"));
    let members = |answer: &Answer| {
        let mut members: Vec<_> = answer.body.as_object().unwrap().keys().cloned().collect();
        members.sort_unstable();
        members
    };
    let expected = [
        "access_token",
        "created_at",
        "expires_in",
        "owner_id",
        "owner_type",
        "refresh_token",
        "scope",
        "token_type",
    ];
    assert_eq!(
        (members(&signed_in.login), members(&second)),
        (expected.map(String::from).into(), expected.map(String::from).into())
    );
    for (name, value) in [
        ("token_type", json!("bearer")),
        ("expires_in", json!(14_400)),
        ("scope", json!("market:all")),
        ("owner_id", json!(signed_in.customer)),
        ("owner_type", json!("customer")),
    ] {
        assert_eq!((&signed_in.login.body[name], &second.body[name]), (&value, &value), "{name}");
    }
    assert_ne!(second.text_of("refresh_token"), signed_in.token());
    assert_ne!(second.text_of("access_token"), signed_in.login.text_of("access_token"));
    let claims: Value = insecure_decode(second.text_of("access_token")).unwrap().claims;
    assert_eq!(claims["owner"], json!({ "id": signed_in.customer, "type": "Customer" }));
    assert_eq!(signed_in.own(second.text_of("access_token")).await.status, 200);
    assert_eq!(signed_in.refresh(second.text_of("refresh_token")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_refresh_token_ends_the_session_when_it_comes_again() {
    let signed_in = SignedIn::start().await;
    let other = signed_in.app.log_in(&signed_in.sales, EMAIL, PASSWORD).await;
    let second = signed_in.refresh(signed_in.token()).await;
    signed_in.refresh(signed_in.token()).await.assert_oauth_error(400, "invalid_grant", "INVALID_GRANT");
    for access in [signed_in.login.text_of("access_token"), second.text_of("access_token")] {
        signed_in.own(access).await.assert_error(401, "INVALID_TOKEN", None);
    }
    let dead = signed_in.refresh(second.text_of("refresh_token")).await;
    dead.assert_oauth_error(400, "invalid_grant", "INVALID_GRANT");
    assert_eq!(signed_in.own(other.text_of("access_token")).await.status, 200, "another log-in goes on");
    assert_eq!(signed_in.refresh(other.text_of("refresh_token")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn refresh_race_of_many_uses_exactly_one_wins() {
    let signed_in = SignedIn::start_with(&[("auth.refresh_leeway_seconds", "60")]).await;
    let uses = join_all((0..100).map(|_| signed_in.refresh(signed_in.token()))).await;
    let (won, lost): (Vec<_>, Vec<_>) = uses.into_iter().partition(|answer| answer.status == 200);
    assert_eq!((won.len(), lost.len()), (1, 99));
    for answer in lost {
        answer.assert_oauth_error(400, "invalid_grant", "INVALID_GRANT");
    }
    // Within the leeway, the late uses have not ended the session.
    assert_eq!(signed_in.own(won[0].text_of("access_token")).await.status, 200);
    assert_eq!(signed_in.refresh(won[0].text_of("refresh_token")).await.status, 200);
    signed_in.app.clock.forward(Duration::seconds(61));
    signed_in.refresh(signed_in.token()).await.assert_oauth_error(400, "invalid_grant", "INVALID_GRANT");
    signed_in.own(won[0].text_of("access_token")).await.assert_error(401, "INVALID_TOKEN", None);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_slide_with_each_refresh_and_end_without_one() {
    let signed_in = SignedIn::start().await;
    let life = Duration::seconds(1_209_600);
    let mut token = signed_in.token().to_owned();
    for _ in 0..3 {
        signed_in.app.clock.forward(life - Duration::seconds(60));
        token = signed_in.refresh(&token).await.text_of("refresh_token").to_owned();
    }
    signed_in.app.clock.forward(life + Duration::seconds(1));
    signed_in.refresh(&token).await.assert_oauth_error(400, "invalid_grant", "INVALID_GRANT");
}

/// A12. Its tokens end with it, and say so.
#[tokio::test(flavor = "multi_thread")]
async fn a12_a_session_ends_at_its_maximum_age_whatever_refreshes_follow() {
    let signed_in = SignedIn::start_with(&[("auth.session_max_seconds", "3600")]).await;
    assert_eq!(signed_in.login.body["expires_in"], 3600);
    let mut last = signed_in.refresh(signed_in.token()).await;
    for minutes in [20, 30] {
        signed_in.app.clock.forward(Duration::minutes(minutes));
        last = signed_in.refresh(last.text_of("refresh_token")).await;
    }
    let claims: Value = insecure_decode(last.text_of("access_token")).unwrap().claims;
    let expires_in = last.body["expires_in"].as_i64().unwrap();
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), expires_in);
    assert!((598..=600).contains(&expires_in), "{expires_in}");
    signed_in.app.clock.forward(Duration::seconds(590));
    assert_eq!(signed_in.own(last.text_of("access_token")).await.status, 200);
    signed_in.app.clock.forward(Duration::seconds(11));
    signed_in.own(last.text_of("access_token")).await.assert_error(401, "INVALID_TOKEN", None);
    let refused = signed_in.refresh(last.text_of("refresh_token")).await;
    refused.assert_oauth_error(400, "invalid_grant", "INVALID_GRANT");
    assert_eq!(signed_in.app.log_in(&signed_in.sales, EMAIL, PASSWORD).await.status, 200);
}

/// A12. A lower maximum holds for sessions that are open already.
#[tokio::test(flavor = "multi_thread")]
async fn a12_a_lower_maximum_age_ends_older_sessions() {
    let signed_in = SignedIn::start().await;
    assert_eq!(signed_in.login.body["expires_in"], 14_400);
    signed_in.app.clock.forward(Duration::seconds(3601));
    let lower = signed_in.app.replica_with(&[("auth.session_max_seconds", "3600")]);
    let own = format!("/api/customers/{}", signed_in.customer);
    let access = signed_in.login.text_of("access_token");
    lower.get(&own, access).await.assert_error(401, "INVALID_TOKEN", None);
    let refused = refresh(&lower, &signed_in.sales, signed_in.token()).await;
    refused.assert_oauth_error(400, "invalid_grant", "INVALID_GRANT");
    assert_eq!(signed_in.own(access).await.status, 200);
    assert_eq!(signed_in.refresh(signed_in.token()).await.status, 200);
}

/// All refusals are the same, and a token that another client's request could not use works with its own client.
#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_works_for_its_own_client_only() {
    let signed_in = SignedIn::start().await;
    let (app, token) = (&signed_in.app, signed_in.token());
    let foreign = seed::scope(&app.store, "other").await;
    let mut texts = Vec::new();
    for client in [
        app.client(ClientKind::SalesChannel, false).await,
        app.client_in(other_mode(app.scope), ClientKind::SalesChannel, false).await,
        app.client_in(foreign, ClientKind::SalesChannel, false).await,
    ] {
        let answer = refresh(app, &client, token).await;
        answer.assert_oauth_error(400, "invalid_grant", "INVALID_GRANT");
        texts.push(answer.text);
    }
    let access = signed_in.login.text_of("access_token");
    let cases = format!("{token} ");
    for text in ["", "x", &"a".repeat(43), &cases, &token.to_lowercase(), access, "' OR 1=1", "%"] {
        let answer = signed_in.refresh(text).await;
        answer.assert_oauth_error(400, "invalid_grant", "INVALID_GRANT");
        texts.push(answer.text);
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "{texts:?}");

    for value in [json!([token]), json!({ "$gt": "" }), json!(true), json!(7)] {
        let grant =
            json!({ "grant_type": "refresh_token", "client_id": signed_in.sales.id, "refresh_token": value });
        app.oauth(&grant).await.assert_oauth_error(400, "invalid_request", "INVALID_REQUEST");
    }
    let missing =
        json!({ "grant_type": "refresh_token", "client_id": signed_in.sales.id, "refresh_token": null });
    app.oauth(&missing).await.assert_oauth_error(400, "invalid_request", "INVALID_REQUEST");
    let nobody = TestClient { id: "nobody".to_owned(), secret: None };
    refresh(app, &nobody, token).await.assert_oauth_error(401, "invalid_client", "UNAUTHORIZED");
    let integration = app.client(ClientKind::Integration, false).await;
    refresh(app, &integration, token).await.assert_oauth_error(
        400,
        "unauthorized_client",
        "UNAUTHORIZED_CLIENT",
    );
    let keyless = TestClient { id: integration.id, secret: None };
    refresh(app, &keyless, token).await.assert_oauth_error(401, "invalid_client", "UNAUTHORIZED");

    assert_eq!(signed_in.refresh(token).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_of_the_old_password_are_dead_after_a_reset() {
    let signed_in = SignedIn::start().await;
    let app = &signed_in.app;
    let second = signed_in.refresh(signed_in.token()).await;
    let elsewhere = app.client(ClientKind::SalesChannel, false).await;
    let other = app.log_in(&elsewhere, EMAIL, PASSWORD).await;
    let integration = app.integration().await;
    let reset = app.ask(&integration, EMAIL).await;
    let attributes = json!({ "customer_password": "the second password", "_reset_password_token": reset.attribute("reset_password_token") });
    assert_eq!(app.patch(&integration, reset.id(), attributes).await.status, 200);

    for answer in [&signed_in.login, &second, &other] {
        signed_in.own(answer.text_of("access_token")).await.assert_error(401, "INVALID_TOKEN", None);
    }
    for (client, answer) in
        [(&signed_in.sales, &signed_in.login), (&signed_in.sales, &second), (&elsewhere, &other)]
    {
        let dead = refresh(app, client, answer.text_of("refresh_token")).await;
        dead.assert_oauth_error(400, "invalid_grant", "INVALID_GRANT");
    }
    let new = app.log_in(&signed_in.sales, EMAIL, "the second password").await;
    assert_eq!(signed_in.refresh(new.text_of("refresh_token")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_keeps_its_scope() {
    let signed_in = SignedIn::start().await;
    let grant = json!({ "grant_type": "password", "client_id": signed_in.sales.id, "username": EMAIL, "password": PASSWORD, "scope": "market:id:xYZkjABcde" });
    let login = signed_in.app.oauth(&grant).await;
    assert_eq!(login.body["scope"], "market:id:xYZkjABcde");
    // The vendor's client sends its scope and all its other options.
    let mut token = login.text_of("refresh_token").to_owned();
    for scope in [json!("market:id:xYZkjABcde"), json!(null), json!("market:all"), json!(["market:code:eu"])]
    {
        let grant = json!({ "grant_type": "refresh_token", "client_id": signed_in.sales.id, "refresh_token": token, "scope": scope, "debug": { "log_level": "info" }, "storage": { "name": "memory" } });
        let answer = signed_in.app.oauth(&grant).await;
        assert_eq!(answer.body["scope"], "market:id:xYZkjABcde", "{scope}: {}", answer.text);
        let claims: Value = insecure_decode(answer.text_of("access_token")).unwrap().claims;
        assert_eq!(claims["scope"], "market:id:xYZkjABcde");
        token = answer.text_of("refresh_token").to_owned();
    }
    let grant = json!({ "grant_type": "refresh_token", "client_id": signed_in.sales.id, "refresh_token": token, "scope": "?" });
    signed_in.app.oauth(&grant).await.assert_oauth_error(400, "invalid_scope", "INVALID_SCOPE");
    assert_eq!(signed_in.refresh(&token).await.status, 200, "a refused call uses nothing up");
}

/// The database holds digests only.
#[tokio::test(flavor = "multi_thread")]
async fn token_nowhere_no_refresh_token_is_in_the_database() {
    let signed_in = SignedIn::start().await;
    let second = signed_in.refresh(signed_in.token()).await;
    let access = signed_in.login.text_of("access_token").rsplit('.').next().unwrap();
    let mut bytes = Vec::new();
    for entry in fs::read_dir(signed_in.app.folder.path()).unwrap() {
        bytes.extend(fs::read(entry.unwrap().path()).unwrap());
    }
    let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds(&signed_in.customer), "the files are those of the database");
    for text in [signed_in.token(), second.text_of("refresh_token"), access] {
        assert!(!holds(text));
    }
}
