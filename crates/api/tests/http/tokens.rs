//! Invalid tokens and malformed values.

use rekey_core::{clients::ClientKind, passwords::PasswordHash};
use rekey_testkit::seed;
use reqwest::Method;
use serde_json::{Value, json};
use time::Duration;

use crate::app::{Answer, RESETS, TestApp};

const TOKEN: Option<&str> = Some("/data/attributes/_reset_password_token");

#[tokio::test(flavor = "multi_thread")]
async fn token_type_and_token_dead_get_one_refusal() {
    let app = TestApp::start().await;
    app.customer("john@example.com", "the first password").await;
    let integration = app.integration().await;
    let expired = app.ask(&integration, "john@example.com").await;
    app.clock.forward(Duration::hours(6) + Duration::seconds(1));
    let integration = app.integration().await;
    let (reset, other, used, deleted) = (
        app.ask(&integration, "john@example.com").await,
        app.ask(&integration, "john@example.com").await,
        app.ask(&integration, "john@example.com").await,
        app.ask(&integration, "john@example.com").await,
    );
    let secret = reset.attribute("reset_password_token").clone();
    let text = secret.as_str().unwrap();
    let flipped: String = text
        .chars()
        .map(|c| if c.is_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
        .collect();
    let mut texts = Vec::new();
    let shapes = [
        json!({}),
        json!([]),
        json!(null),
        json!(""),
        json!(true),
        json!(7),
        json!({ "$gt": "" }),
        json!([text]),
        json!("%"),
        json!("' OR 1=1"),
        json!(flipped),
        json!(format!("{text} ")),
    ];
    for (who, access) in [("integration", integration.clone()), ("guest", app.guest(false).await)] {
        for value in shapes.iter().chain([other.attribute("reset_password_token")]) {
            let answer = app
                .patch(
                    &access,
                    reset.id(),
                    json!({ "customer_password": "the second password", "_reset_password_token": value }),
                )
                .await;
            assert_eq!(answer.status, 422, "{who} {value}: {}", answer.text);
            answer.assert_error(422, "VALIDATION_ERROR", TOKEN);
            texts.push(answer.text);
        }
        let absent =
            app.patch(&access, reset.id(), json!({ "customer_password": "the second password" })).await;
        texts.push(absent.text);
    }
    let use_it =
        |token: &Value| json!({ "customer_password": "the second password", "_reset_password_token": token });
    let dead = async |reset: &Answer| {
        let answer =
            app.patch(&integration, reset.id(), use_it(reset.attribute("reset_password_token"))).await;
        answer.assert_error(422, "VALIDATION_ERROR", TOKEN);
        let shown = app.get(&format!("{RESETS}/{}", reset.id()), &integration).await;
        assert!(shown.status == 404 || shown.attribute("reset_password_token").is_null(), "{}", shown.text);
        answer.text
    };
    texts.push(dead(&expired).await);
    app.call(Method::DELETE, &format!("{RESETS}/{}", deleted.id()), &integration, None).await;
    // For an integration it is a 404.
    let attributes = use_it(deleted.attribute("reset_password_token"));
    let answer = app.patch(&app.guest(false).await, deleted.id(), attributes).await;
    answer.assert_error(422, "VALIDATION_ERROR", TOKEN);
    texts.push(answer.text);
    // The other tokens still work, and one use invalidates every other token of the customer.
    assert_eq!(
        app.patch(&integration, used.id(), use_it(used.attribute("reset_password_token"))).await.status,
        200
    );
    for reset in [&used, &reset, &other] {
        texts.push(dead(reset).await);
    }
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), 1, "{texts:?}");
    let body: Value = serde_json::from_str(&texts[0]).unwrap();
    assert_eq!(body["errors"][0]["meta"], json!({ "error": "invalid" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn password_policy_refuses_without_burning_the_token() {
    let app = TestApp::start().await;
    app.customer("john@example.com", "the first password").await;
    let integration = app.integration().await;
    let reset = app.ask(&integration, "john@example.com").await;
    let secret = reset.attribute("reset_password_token");
    for password in [
        json!("short"),
        json!("John@example.com"),
        json!("john@example.com1"),
        json!("PASSWORD1"),
        json!("abcdefghijkl"),
        json!("🦀 ".repeat(32)),
        json!("nul\0nul\0nul"),
        json!("x".repeat(1025)),
        json!(""),
        json!(12_345_678),
        json!(["the second password"]),
    ] {
        let answer = app
            .patch(
                &integration,
                reset.id(),
                json!({ "customer_password": password, "_reset_password_token": secret }),
            )
            .await;
        answer.assert_error(422, "VALIDATION_ERROR", Some("/data/attributes/customer_password"));
    }
    let idle = app.patch(&integration, reset.id(), json!({ "_reset_password_token": secret })).await;
    assert_eq!((idle.status.as_u16(), idle.attribute("reset_password_at")), (200, &json!(null)));
    let long = "🦀 walks, ".repeat(8);
    let done = app
        .patch(
            &integration,
            reset.id(),
            json!({ "customer_password": long, "_reset_password_token": secret }),
        )
        .await;
    assert_eq!(done.status, 200, "{}", done.text);
    let sales = app.client(ClientKind::SalesChannel, false).await;
    assert_eq!(app.log_in(&sales, "john@example.com", &long).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn password_policy_says_why_and_what_would_be_better() {
    let app = TestApp::start().await;
    let integration = app.integration().await;
    for (password, title, meta) in [
        ("Short", "is too short (minimum is 8 characters)", json!({ "error": "too_short", "count": 8 })),
        (
            "Password",
            "is too common",
            json!({ "error": "too_common", "hints": ["common_password", "add_words", "capitals"] }),
        ),
        (
            "aaaaaaaaaaaa",
            "can't be a repetition or a sequence",
            json!({ "error": "too_simple", "hints": ["repeated_character", "add_words", "use_several_words"] }),
        ),
        (
            "jane.doe1985",
            "can't be the e-mail address, or little more",
            json!({ "error": "contains_email", "hints": ["use_several_words", "no_symbols_needed"] }),
        ),
    ] {
        let attributes = json!({ "email": "jane.doe@example.com", "password": password });
        let answer = app.create("customers", &integration, attributes).await;
        answer.assert_error(422, "VALIDATION_ERROR", Some("/data/attributes/password"));
        let body: Value = serde_json::from_str(&answer.text).unwrap();
        let error = &body["errors"][0];
        assert_eq!(error["title"], title);
        assert_eq!(error["detail"], format!("password - {title}"));
        assert_eq!(error["meta"], meta);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn password_policy_is_for_new_passwords_only() {
    let app = TestApp::start_with(&[("passwords.profile", "single_factor")], Vec::new()).await;
    // Django's hash of the first password of the blocklist.
    let imported = "pbkdf2_sha256$1000$saltsaltsaltsalt$eUQkKFYuuSyvHUvLihrjcjciK5YEWMJ62FRs0ZWST7A=";
    let hash = PasswordHash::import(imported).unwrap();
    seed::customer(&app.store, app.scope, "john@example.com", Some(hash)).await;
    let sales = app.client(ClientKind::SalesChannel, false).await;
    for _ in ["as it was imported", "hashed anew"] {
        assert_eq!(app.log_in(&sales, "john@example.com", "password1").await.status, 200);
    }
    let integration = app.integration().await;
    for (password, error) in [("fourteen marks", "too_short"), ("The demo shop 2026", "contains_shop_name")] {
        let attributes = json!({ "email": "jane@example.com", "password": password });
        let answer = app.create("customers", &integration, attributes).await;
        answer.assert_error(422, "VALIDATION_ERROR", Some("/data/attributes/password"));
        assert_eq!(answer.body["errors"][0]["meta"]["error"], error);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn token_race_has_one_winner() {
    let app = TestApp::start_with(&[("passwords.hashing_queue", "1000")], Vec::new()).await;
    app.customer("john@example.com", "the first password").await;
    let guest = app.guest(false).await;
    let reset = app.ask(&app.integration().await, "john@example.com").await;
    let attempt = |number: usize| {
        let attributes = json!({ "customer_password": format!("password number {number}"), "_reset_password_token": reset.attribute("reset_password_token") });
        app.patch(&guest, reset.id(), attributes)
    };
    let answers = futures_util::future::join_all((0..50).map(attempt)).await;
    let winners: Vec<_> = answers
        .iter()
        .enumerate()
        .filter(|(_, answer)| answer.status == 200)
        .map(|(number, _)| number)
        .collect();
    assert_eq!(winners.len(), 1, "{winners:?}");
    assert!(answers.iter().all(|answer| answer.status == 200 || answer.status == 422));
    let sales = app.client(ClientKind::SalesChannel, false).await;
    assert_eq!(
        app.log_in(&sales, "john@example.com", &format!("password number {}", winners[0])).await.status,
        200
    );
}

/// The slowest accepted hash: it takes a second or more, in which a full queue stays full.
const SLOW: &str = "pbkdf2_sha256$1500000$saltsaltsaltsalt$eUQkKFYuuSyvHUvLihrjcjciK5YEWMJ62FRs0ZWST7A=";

#[tokio::test(flavor = "multi_thread")]
async fn argon2_budget_beyond_it_is_503_and_liveness_stays_quick() {
    let settings =
        [("passwords.hashing_queue", "1"), ("passwords.hashing_threads", "1"), ("resets.code", "true")];
    let app = TestApp::start_with(&settings, Vec::new()).await;
    // Each account is tried a few times only, or it would have to wait.
    let addresses: Vec<_> = (0..50).map(|n| format!("john{n}@example.com")).collect();
    for address in &addresses {
        let hash = Some(PasswordHash::import(SLOW).unwrap());
        seed::customer(&app.store, app.scope, address, hash).await;
    }
    let sales = app.client(ClientKind::SalesChannel, false).await;
    let flood = futures_util::future::join_all(
        addresses.iter().map(|address| app.log_in(&sales, address, "the wrong password")),
    );
    let live = async { app.http.get(app.url("/livez")).send().await.unwrap().status() };
    let (answers, live) = futures_util::future::join(flood, live).await;
    assert_eq!(live, 200);
    let shed: Vec<_> = answers.iter().filter(|answer| answer.status == 503).collect();
    assert!(!shed.is_empty() && shed.len() < answers.len(), "{} of {}", shed.len(), answers.len());
    assert!(shed.iter().all(
        |answer| answer.header("retry-after") == "1" && answer.body["error"] == "temporarily_unavailable"
    ));
    assert!(answers.iter().all(|answer| [400, 503].contains(&answer.status.as_u16())));

    // An invalid token or code costs no hash: it is refused while the queue is full.
    let guest = app.guest(false).await;
    let reset = app.ask(&app.integration().await, "john0@example.com").await;
    let attempt =
        |wrong: &str| json!({ "customer_password": "the second password", "_reset_password_token": wrong });
    let flood = futures_util::future::join_all(
        addresses.iter().map(|address| app.log_in(&sales, address, "the wrong password")),
    );
    let token = "a".repeat(43);
    let wrong = futures_util::future::join_all(
        (0..50).map(|n| app.patch(&guest, reset.id(), attempt(if n % 2 == 0 { &token } else { "CDFHJK34" }))),
    );
    let (_, wrong) = futures_util::future::join(flood, wrong).await;
    assert!(wrong.iter().all(|answer| answer.status == 422));
}
