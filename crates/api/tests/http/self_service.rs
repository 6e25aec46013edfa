//! Resets that a guest requests.

use rekey_core::{
    deliveries::{
        Outcome,
        ledger::{Claim, Ledger},
    },
    events::EventBody,
};
use rekey_testkit::{
    backdoor::{Backdoor, SqliteBackdoor},
    seed,
};
use serde_json::json;

use crate::app::{RESETS, TestApp};

#[tokio::test(flavor = "multi_thread")]
async fn enum_body_known_and_unknown_addresses_get_one_answer() {
    let app = TestApp::start().await;
    app.customer("john@example.com", "the first password").await;
    let (guest, integration) = (app.guest(true).await, app.integration().await);
    let known = app.ask(&guest, "john@example.com").await;
    let unknown = app.ask(&guest, "jane@example.com").await;
    for answer in [&known, &unknown] {
        assert_eq!(answer.status, 201, "{}", answer.text);
        // A guest never sees the token, the e-mail address or the customer.
        for name in
            ["customer_email", "reset_password_token", "reset_password_at", "reference", "reference_origin"]
        {
            assert!(answer.attribute(name).is_null(), "{name}: {}", answer.text);
        }
        assert!(!answer.text.contains("example.com"), "{}", answer.text);
    }
    let shape = |answer: &crate::app::Answer| {
        let id = answer.id();
        let at = answer.attribute("created_at").as_str().unwrap();
        let mut headers: Vec<_> = answer
            .headers
            .iter()
            .filter(|(name, _)| *name != "date" && *name != "x-ratelimit-remaining")
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap().replace(id, "ID")))
            .collect();
        headers.sort_unstable();
        (answer.text.replace(id, "ID").replace(at, "AT"), headers)
    };
    assert_eq!(shape(&known), shape(&unknown));
    // The decoy is not found, not even by an integration; the real reset is.
    assert_eq!(
        app.get(&format!("{RESETS}/{}", known.id()), &integration).await.attribute("customer_email"),
        "john@example.com"
    );
    app.get(&format!("{RESETS}/{}", unknown.id()), &integration).await.assert_error(
        404,
        "RECORD_NOT_FOUND",
        None,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_uses_a_token_and_learns_nothing() {
    let app = TestApp::start().await;
    app.customer("john@example.com", "the first password").await;
    let (guest, integration) = (app.guest(true).await, app.integration().await);
    let asked = app.ask(&guest, "john@example.com").await;
    let shown = app.get(&format!("{RESETS}/{}", asked.id()), &integration).await;
    let secret = shown.attribute("reset_password_token");

    let looked = app.patch(&guest, asked.id(), json!({ "_reset_password_token": secret })).await;
    assert_eq!((looked.status.as_u16(), looked.attribute("reset_password_at")), (200, &json!(null)));
    let attributes = json!({ "customer_password": "the second password", "_reset_password_token": secret, "reference": "guest's", "metadata": { "x": 1 } });
    let done = app.patch(&guest, asked.id(), attributes).await;
    assert_eq!(done.status, 200, "{}", done.text);
    assert!(done.attribute("reset_password_at").is_string());
    for answer in [&looked, &done] {
        assert!(
            answer.attribute("customer_email").is_null()
                && answer.attribute("reset_password_token").is_null()
        );
        assert!(
            !answer.text.contains("example.com") && !answer.text.contains(secret.as_str().unwrap()),
            "{}",
            answer.text
        );
    }
    let after = app.get(&format!("{RESETS}/{}", asked.id()), &integration).await;
    assert_eq!((after.attribute("reference"), after.attribute("metadata")), (&json!(null), &json!({})));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_integration_learns_that_an_address_is_unknown() {
    let app = TestApp::start().await;
    let answer = app.ask(&app.integration().await, "jane@example.com").await;
    answer.assert_error(422, "VALIDATION_ERROR", Some("/data/attributes/customer_email"));
}

#[tokio::test(flavor = "multi_thread")]
async fn email_array_and_email_list_are_refused_without_a_row() {
    let app = TestApp::start().await;
    app.customer("john@example.com", "the first password").await;
    let (guest, integration) = (app.guest(true).await, app.integration().await);
    let john = "john@example.com";
    let values = [
        json!([john, "eve@example.com"]),
        json!({ "eq": john }),
        json!(7),
        json!(true),
        json!(null),
        json!(""),
        json!("john@example.com,eve@example.com"),
        json!("john@example.com;eve@example.com"),
        json!(" "),
        json!("john @example.com"),
        json!("john@example.com\n"),
        json!("\r\njohn@example.com"),
        json!("john@example.com\r\nBcc: eve@example.com"),
        json!("john@example.com%0d%0aBcc:eve@example.com"),
        json!("john@example.com\0"),
        json!("john@exa\u{202e}mple.com"),
        json!("J\u{131}hn@example.com"),
        json!("john@exampl\u{ff45}.com"),
        json!("=?utf-8?q?john?=@example.com"),
        json!(format!("{}@example.com", "a".repeat(65))),
        json!(format!("a@{}com", "b.".repeat(130))),
    ];
    for token in [&guest, &integration] {
        for value in &values {
            let answer =
                app.create("customer_password_resets", token, json!({ "customer_email": value })).await;
            answer.assert_error(422, "VALIDATION_ERROR", Some("/data/attributes/customer_email"));
            assert!(!answer.text.contains("eve@"), "{}", answer.text);
        }
        app.create("customer_password_resets", token, json!({})).await.assert_error(
            422,
            "VALIDATION_ERROR",
            Some("/data/attributes/customer_email"),
        );
    }
    assert_eq!(app.get(RESETS, &integration).await.body["meta"]["record_count"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn enum_limit_what_is_beyond_the_allowance_is_answered_as_the_first_was() {
    let settings = [
        ("resets.self_service_cooldown_seconds", "60"),
        ("resets.self_service_budget", "2"),
        ("resets.self_service_window_seconds", "3600"),
    ];
    let app = TestApp::start_with(&settings, Vec::new()).await;
    app.customer("john@example.com", "the first password").await;
    let guest = app.guest(true).await;
    let shape = |answer: &crate::app::Answer| {
        let (id, at) = (answer.id(), answer.attribute("created_at").as_str().unwrap());
        let mut headers: Vec<_> = answer.headers.keys().map(|name| name.as_str().to_owned()).collect();
        headers.sort_unstable();
        (answer.status, answer.text.replace(id, "ID").replace(at, "AT"), headers)
    };
    // As a mailer does; returns how many mails John has got.
    let mailed = async || {
        let backdoor = SqliteBackdoor::open(&app.folder.path().join("rekey.db"));
        let next = "SELECT event_id || ' ' || reset_id FROM deliveries WHERE status = 'queued' LIMIT 1";
        while let Some(next) = backdoor.text(next).await {
            let (event, reset) = next.split_once(' ').unwrap();
            let job = seed::reset_mail(app.scope, event.parse().unwrap(), reset.parse().unwrap());
            if let Claim::Granted(delivery) = app.store.claim(&job, time::Duration::minutes(1)).await.unwrap()
            {
                let sent = Outcome::Sent { response: String::new(), reply: None, relay: "relay".to_owned() };
                assert!(app.store.settle(job.event, delivery.claim, &sent).await.unwrap());
            }
        }
        backdoor.count("deliveries", "status = 'sent' AND customer_id IS NOT NULL").await
    };
    let mut answers = Vec::new();
    for round in 0..4_u64 {
        for address in ["john@example.com", "nobody@example.com"] {
            for _ in 0..3 {
                answers.push(app.ask(&guest, address).await);
            }
        }
        assert_eq!(mailed().await, (round + 1).min(2), "one a cooldown, two a window");
        app.clock.forward(time::Duration::seconds(61));
    }
    let first = shape(&answers[0]);
    let ids: std::collections::HashSet<_> = answers.iter().map(|answer| answer.id().to_owned()).collect();
    assert_eq!(ids.len(), answers.len(), "each answer has an id of its own");
    for answer in &answers {
        assert_eq!(shape(answer), first);
    }
    app.clock.forward(time::Duration::hours(1));
    app.ask(&guest, "john@example.com").await;
    assert_eq!(mailed().await, 3, "the next window has a budget of its own");
}

/// The mailer needs it to answer an address that has no account.
#[tokio::test(flavor = "multi_thread")]
async fn the_typed_address_is_in_the_event_only_where_addresses_without_an_account_get_a_mail() {
    for (setting, expected) in [("false", [false; 3]), ("true", [false, true, true])] {
        let app = TestApp::start_with(&[("resets.no_account_mail", setting)], vec![]).await;
        let (guest, integration) = (app.guest(true).await, app.integration().await);
        let mut has_address = Vec::new();
        for (token, email) in
            [(&integration, "jane@example.com"), (&guest, "john@example.com"), (&guest, "nobody@example.com")]
        {
            if !email.starts_with("nobody") {
                app.customer(email, "the first password").await;
            }
            assert_eq!(app.ask(token, email).await.status, 201);
            let created = app.events().await.into_iter().rev().find_map(|event| match event.body {
                EventBody::ResetCreated(created) => Some(created),
                _ => None,
            });
            has_address.push(created.unwrap().address.is_some());
        }
        assert_eq!(has_address, expected, "{setting}");
    }
}
