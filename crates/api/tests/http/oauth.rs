//! `POST /oauth/token` and the key set.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, dangerous::insecure_decode, decode, decode_header, jwk::JwkSet,
};
use rekey_core::clients::ClientKind;
use rekey_testkit::statistics::{random_swaps, rank_sum_z};
use serde_json::{Value, json};
use time::Duration;
use tokio::time::Instant;

use crate::app::{Answer, RESETS, TestApp, other_mode};

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
    assert_eq!(decode_header(token).unwrap().typ.as_deref(), Some("JWT"));
    let iat = claims["iat"].as_i64().unwrap();
    assert_eq!(answer.body["created_at"], iat);
    let expected = json!({
        "organization": { "id": app.scope.organization.to_string(), "slug": "demo", "enterprise": false, "region": claims["organization"]["region"] },
        "application": { "id": claims["application"]["id"], "client_id": client.id, "kind": "integration", "public": false, "confidential": true },
        "scope": "market:all", "iat": iat, "exp": iat + 7200, "iss": "https://auth.rekey.localhost", "test": true,
        "rand": claims["rand"], "jti": claims["jti"],
    });
    assert_eq!(claims, expected);
    let id = claims["application"]["id"].as_str().unwrap();
    assert!(id.len() == 10 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
    assert!(claims["organization"]["region"].is_string() && claims["rand"].is_f64(), "{claims}");
    let again: Value = insecure_decode(app.access_token(&client).await).unwrap().claims;
    assert_ne!((&again["rand"], &again["jti"]), (&claims["rand"], &claims["jti"]));
}

/// The further claims in tokens of customers and live clients.
#[tokio::test(flavor = "multi_thread")]
async fn a_storefronts_tokens_name_its_kind_its_mode_and_its_customer() {
    let app = TestApp::start().await;
    let customer = app.customer("john@example.com", "the first password").await;
    let sales = app.client(ClientKind::SalesChannel, false).await;
    let login = app.log_in(&sales, "john@example.com", "the first password").await;
    let claims: Value = insecure_decode(login.text_of("access_token")).unwrap().claims;
    assert_eq!(claims["owner"], json!({ "id": customer.id(), "type": "Customer" }));
    let application = json!({ "id": claims["application"]["id"], "client_id": sales.id, "kind": "sales_channel", "public": true, "confidential": false });
    assert_eq!(claims["application"], application);
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 14_400);
    let live = app.client_in(other_mode(app.scope), ClientKind::SalesChannel, false).await;
    let claims: Value = insecure_decode(app.access_token(&live).await).unwrap().claims;
    assert_eq!((&claims["test"], claims.get("owner")), (&json!(false), None));
}

/// As the vendor's clients send them, and as a list.
#[tokio::test(flavor = "multi_thread")]
async fn a_scope_is_words_or_a_list_of_them_and_is_returned_as_one_string() {
    let app = TestApp::start().await;
    let sales = app.client(ClientKind::SalesChannel, false).await;
    for (asked, returned) in [
        (json!(null), "market:all"),
        (json!(""), "market:all"),
        (json!([]), "market:all"),
        (json!("market:id:xYZkjABcde"), "market:id:xYZkjABcde"),
        (json!(" market:code:eu  stock_location:id:a_b-c "), "market:code:eu stock_location:id:a_b-c"),
        (json!(["market:id:xYZkjABcde"]), "market:id:xYZkjABcde"),
        (json!(["market:code:eu", "store:code:ny"]), "market:code:eu store:code:ny"),
    ] {
        let grant = json!({ "grant_type": "client_credentials", "client_id": sales.id, "scope": asked });
        let answer = app.oauth(&grant).await;
        assert_eq!(answer.body["scope"], returned, "{asked}: {}", answer.text);
        let claims: Value = insecure_decode(answer.text_of("access_token")).unwrap().claims;
        assert_eq!(claims["scope"], returned);
    }
    for (scope, error, code) in [
        (json!(["a", "?"]), "invalid_scope", "INVALID_SCOPE"),
        (json!("m".repeat(256)), "invalid_scope", "INVALID_SCOPE"),
        (json!(["a", 7]), "invalid_request", "INVALID_REQUEST"),
        (json!({ "market": "all" }), "invalid_request", "INVALID_REQUEST"),
        (json!(true), "invalid_request", "INVALID_REQUEST"),
    ] {
        let grant = json!({ "grant_type": "client_credentials", "client_id": sales.id, "scope": scope });
        app.oauth(&grant).await.assert_oauth_error(400, error, code);
    }
}

/// The vendor's clients decode the payload with `atob`, which accepts the standard alphabet only.
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
    app.revoke_client(&revoked).await;
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
        (json!({ "grant_type": "authorization_code", "client_id": sales.id }), "unsupported_grant_type"),
        (
            json!({ "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "client_id": sales.id }),
            "unsupported_grant_type",
        ),
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
    let twice =
        app.http.post(app.url("/oauth/token")).header("content-type", "application/x-www-form-urlencoded");
    let twice = twice.body(format!("grant_type=client_credentials&client_id={0}&client_id={0}", sales.id));
    let answer = Answer::read(twice.send().await.unwrap()).await;
    answer.assert_oauth_error(400, "invalid_request", "INVALID_REQUEST");
    for member in [r#""client_id":"x""#, r#""other":{"a":1,"a":1}"#] {
        let twice = format!(r#"{{"grant_type":"client_credentials","client_id":"{}",{member}}}"#, sales.id);
        let json = app.http.post(app.url("/oauth/token")).header("content-type", "application/json");
        let answer = Answer::read(json.body(twice).send().await.unwrap()).await;
        answer.assert_oauth_error(400, "invalid_request", "INVALID_REQUEST");
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

    app.create("customers", &app.integration().await, json!({ "email": "guest@example.com" })).await;
    let wrong = app.log_in(&sales, "john@example.com", "another password").await;
    wrong.assert_oauth_error(400, "invalid_grant", "INVALID_GRANT");
    let returned = |answer: &Answer| {
        let mut headers = answer.headers.clone();
        headers.remove("date");
        // It depends on the number of requests, not on the address.
        headers.remove("x-ratelimit-remaining");
        (answer.status, answer.text.clone(), headers)
    };
    for (email, password) in [
        ("jane@example.com", "the first password"),
        ("guest@example.com", "the first password"),
        ("no address", "the first password"),
        ("john@example.com", ""),
        ("john@example.com", &"x".repeat(1025)),
    ] {
        let answer = app.log_in(&sales, email, password).await;
        assert_eq!(returned(&answer), returned(&wrong), "{email}");
    }

    let integration = app.client(ClientKind::Integration, false).await;
    let grant = json!({ "grant_type": "password", "client_id": integration.id, "client_secret": integration.secret, "username": "john@example.com", "password": "the first password" });
    assert_eq!(app.oauth(&grant).await.body["error"], "unauthorized_client");
}

/// An unknown address costs a hash, as a wrong password does. The order in each pair is random, so that other load affects both; for how
/// often |z| is above 5 without a difference, see `rank_sum_z`.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_log_in_takes_the_same_time_for_a_known_and_an_unknown_address() {
    const PAIRS: usize = 150;
    // Each account is tried a few times only, or it would have to wait.
    const ACCOUNTS: usize = 50;
    let app = TestApp::start().await;
    for n in 0..ACCOUNTS {
        app.customer(&format!("john{n}@example.com"), "the first password").await;
    }
    let sales = app.client(ClientKind::SalesChannel, false).await;
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for (n, swapped) in random_swaps().take(PAIRS).enumerate() {
        let (john, jane) =
            (format!("john{}@example.com", n % ACCOUNTS), format!("jane{}@example.com", n % ACCOUNTS));
        let mut pair = [(&mut known, &john), (&mut unknown, &jane)];
        if swapped {
            pair.reverse();
        }
        for (times, email) in pair {
            let asked = Instant::now();
            assert_eq!(app.log_in(&sales, email, "another password").await.status, 400);
            times.push(asked.elapsed());
        }
    }
    let z = rank_sum_z(&known, &unknown);
    println!("z = {z}");
    assert!(z.abs() < 5.0, "z = {z}");
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
    app.revoke_client(&client).await;
    assert_eq!(app.get(RESETS, &token).await.status, 200, "what is known of the client is a moment old");
    app.clock.forward(Duration::seconds(5));
    app.get(RESETS, &token).await.assert_error(401, "INVALID_TOKEN", None);
}
