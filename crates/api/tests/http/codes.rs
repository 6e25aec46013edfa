//! The short code in the place of the token.

use std::fs;

use rekey_core::clients::ClientKind;
use serde_json::json;
use time::Duration;

use crate::app::{Answer, RESETS, TestApp};

const JOHN: &str = "john@example.com";
const NEW: &str = "the second password";
const TOKEN: Option<&str> = Some("/data/attributes/_reset_password_token");

/// An API whose organizations have codes, that many guesses, and a customer.
async fn start(guesses: &str) -> TestApp {
    let app = TestApp::start_with(&[("resets.code", "true"), ("resets.code_guesses", guesses)], vec![]).await;
    app.customer(JOHN, "the first password").await;
    app
}

async fn guess(app: &TestApp, access: &str, reset: &str, code: &str) -> Answer {
    app.patch(access, reset, json!({ "customer_password": NEW, "_reset_password_token": code })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_does_what_its_token_does_however_it_is_typed() {
    let app = start("10").await;
    let guest = app.guest(true).await;
    let reset = app.ask(&guest, JOHN).await;
    let code = app.code(reset.id()).await.unwrap();
    assert!(!reset.text.contains(&code), "{}", reset.text);

    let typed = format!("Code: \u{201c}{}\u{201d}.", code.to_lowercase().replace('-', "\u{a0}\u{2013} "));
    let looked = app.patch(&guest, reset.id(), json!({ "_reset_password_token": typed })).await;
    assert_eq!((looked.status.as_u16(), looked.attribute("reset_password_at")), (200, &json!(null)));
    let refused = app
        .patch(&guest, reset.id(), json!({ "customer_password": "short", "_reset_password_token": code }))
        .await;
    refused.assert_error(422, "VALIDATION_ERROR", Some("/data/attributes/customer_password"));
    let done = guess(&app, &guest, reset.id(), &typed).await;
    assert_eq!(done.status, 200, "{}", done.text);
    let storefront = app.client(ClientKind::SalesChannel, false).await;
    assert_eq!(app.log_in(&storefront, JOHN, NEW).await.status, 200);
    guess(&app, &guest, reset.id(), &code).await.assert_error(422, "VALIDATION_ERROR", TOKEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn token_dead_a_code_that_does_not_work_is_refused_as_a_wrong_token_is() {
    let app = start("4").await;
    let (guest, integration) = (app.guest(true).await, app.integration().await);
    app.customer("jane@example.com", "the first password").await;
    app.customer("jack@example.com", "the first password").await;
    let reset = app.ask(&guest, JOHN).await;
    let code = app.code(reset.id()).await.unwrap();
    let wrong_token = guess(&app, &guest, reset.id(), &"x".repeat(43)).await;
    wrong_token.assert_error(422, "VALIDATION_ERROR", TOKEN);

    let hers = app.ask(&integration, "jane@example.com").await;
    let decoy = app.ask(&guest, "nobody@example.com").await;
    let expired = app.ask(&integration, "jack@example.com").await;
    let mut codes = Vec::new();
    for reset in [&hers, &decoy, &expired] {
        codes.push(app.code(reset.id()).await.unwrap());
    }
    let mut refused = vec![
        ("another's", guess(&app, &guest, reset.id(), &codes[0]).await),
        ("a decoy's", guess(&app, &guest, decoy.id(), &codes[1]).await),
        ("of no reset", guess(&app, &guest, "0000000000", &code).await),
        (
            "without password",
            app.patch(&guest, decoy.id(), json!({ "_reset_password_token": codes[1] })).await,
        ),
    ];
    for _ in 0..3 {
        refused.push(("wrong", guess(&app, &guest, reset.id(), "CDFH-JK34").await));
    }
    refused.push(("exhausted", guess(&app, &guest, reset.id(), &code).await));
    let later = app.ask(&guest, JOHN).await;
    let later_code = app.code(later.id()).await.unwrap();
    refused.push(("of a later reset", guess(&app, &guest, later.id(), &later_code).await));
    app.clock.forward(Duration::hours(7));
    let guest = app.guest(true).await;
    refused.push(("expired", guess(&app, &guest, expired.id(), &codes[2]).await));
    for (case, answer) in &refused {
        assert_eq!((answer.status, &answer.text), (wrong_token.status, &wrong_token.text), "{case}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn exhausted_guesses_kill_the_code_and_never_the_link() {
    let app = start("3").await;
    let (guest, integration) = (app.guest(true).await, app.integration().await);
    let reset = app.ask(&guest, JOHN).await;
    let code = app.code(reset.id()).await.unwrap();
    let shown = app.get(&format!("{RESETS}/{}", reset.id()), &integration).await;
    let token = shown.attribute("reset_password_token").as_str().unwrap().to_owned();
    for _ in 0..3 {
        guess(&app, &guest, reset.id(), "CDFHJK34").await.assert_error(422, "VALIDATION_ERROR", TOKEN);
    }
    guess(&app, &guest, reset.id(), &code).await.assert_error(422, "VALIDATION_ERROR", TOKEN);
    assert_eq!(guess(&app, &guest, reset.id(), &token).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_off_unless_the_organization_has_them() {
    let app = TestApp::start().await;
    app.customer(JOHN, "the first password").await;
    let integration = app.integration().await;
    let reset = app.ask(&integration, JOHN).await;
    assert_eq!(app.code(reset.id()).await, None);
    let refused = guess(&app, &integration, reset.id(), "CDFH-JK34").await;
    refused.assert_error(422, "VALIDATION_ERROR", TOKEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn tenant_a_code_works_in_its_own_scope_only() {
    let app = start("10").await;
    let reset = app.ask(&app.integration().await, JOHN).await;
    let code = app.code(reset.id()).await.unwrap();
    let live = crate::app::other_mode(app.scope);
    let client = app.client_in(live, ClientKind::SalesChannel, true).await;
    let elsewhere = app.access_token(&client).await;
    guess(&app, &elsewhere, reset.id(), &code).await.assert_error(422, "VALIDATION_ERROR", TOKEN);
    assert_eq!(guess(&app, &app.guest(false).await, reset.id(), &code).await.status, 200);
}

/// The database holds a keyed digest, and the sealed code in its event.
#[tokio::test(flavor = "multi_thread")]
async fn token_nowhere_no_code_is_in_the_database() {
    let app = start("10").await;
    let guest = app.guest(true).await;
    let reset = app.ask(&guest, JOHN).await;
    let code = app.code(reset.id()).await.unwrap();
    guess(&app, &guest, reset.id(), &code).await;
    let mut bytes = Vec::new();
    for entry in fs::read_dir(app.folder.path()).unwrap() {
        bytes.extend(fs::read(entry.unwrap().path()).unwrap());
    }
    let holds =
        |text: &str| bytes.windows(text.len()).any(|window| window.eq_ignore_ascii_case(text.as_bytes()));
    assert!(holds(reset.id()), "the files are those of the database");
    assert!(!holds(&code) && !holds(&code.replace('-', "")));
}
