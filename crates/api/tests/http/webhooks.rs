//! Webhooks, and the events that they are sent.

use std::sync::Arc;

use rekey_core::{
    clients::ClientKind,
    events::EventName,
    random::OsRandom,
    webhooks::{
        MAX_WEBHOOKS,
        fan_out::{FanOut, Occasion},
        queue::{CallbackQueue, ClaimLimits},
        store::RecordedEvent,
    },
};
use reqwest::Method;
use serde_json::{Value, json};
use time::Duration;

use crate::{
    app::{Answer, PUBLIC_URL, RESETS, TestApp, other_mode},
    idempotency::{lose_answer, post},
};

const LIST: &str = "/api/webhooks";
const RECEIVER: &str = "https://receiver.example/hook";

/// Creates a webhook of that topic.
async fn webhook(app: &TestApp, token: &str, topic: &str, others: Value) -> Answer {
    let mut attributes = json!({ "topic": topic, "callback_url": RECEIVER });
    attributes.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
    let answer = app.create("webhooks", token, attributes).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer
}

async fn change(app: &TestApp, token: &str, id: &str, attributes: Value) -> Answer {
    let body = json!({ "data": { "type": "webhooks", "id": id, "attributes": attributes } });
    app.call(Method::PATCH, &format!("{LIST}/{id}"), token, Some(&body)).await
}

/// Sends an event to its webhooks again.
async fn trigger(app: &TestApp, token: &str, event: &str) -> Answer {
    let body = json!({ "data": { "type": "events", "id": event, "attributes": { "_trigger": true } } });
    app.call(Method::PATCH, &format!("/api/events/{event}"), token, Some(&body)).await
}

/// Returns the id of a record's only event.
async fn event_of(app: &TestApp, token: &str, path: &str) -> String {
    let events = app.get(&format!("{path}/events"), token).await;
    events.body["data"][0]["id"].as_str().unwrap().to_owned()
}

/// Returns what the webhooks were sent, the newest first.
async fn payloads(app: &TestApp, token: &str) -> Vec<Value> {
    let listed = app.get("/api/event_callbacks", token).await;
    assert_eq!(listed.status, 200, "{}", listed.text);
    let data = listed.body["data"].as_array().unwrap().iter();
    data.map(|callback| callback["attributes"]["payload"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_created_read_changed_and_deleted() {
    let app = TestApp::start().await;
    let token = app.integration().await;
    let made = webhook(&app, &token, "customers.create", json!({ "name": " ", "reference": "R" })).await;
    let (id, path) = (made.id().to_owned(), format!("{LIST}/{}", made.id()));
    assert_eq!(made.header("location"), format!("{PUBLIC_URL}{path}"));
    let secret = made.attribute("shared_secret").as_str().unwrap().to_owned();
    assert!(secret.len() == 44 && secret.ends_with('='), "base64 of 32 bytes");
    for (name, value) in [
        ("name", json!(format!("Webhook {id}"))),
        ("topic", json!("customers.create")),
        ("callback_url", json!(RECEIVER)),
        ("include_resources", json!([])),
        ("circuit_state", json!("closed")),
        ("circuit_failure_count", json!(0)),
        ("disabled_at", Value::Null),
        ("reference", json!("R")),
        ("metadata", json!({})),
    ] {
        assert_eq!(made.attribute(name), &value, "{name}");
    }
    assert_eq!(app.get(&path, &token).await.body, made.body);

    let changed = json!({ "name": "Mine", "include_resources": ["events"], "_disable": true });
    let changed = change(&app, &token, &id, changed).await;
    assert_eq!(changed.attribute("name"), "Mine", "{}", changed.text);
    assert_eq!(changed.attribute("include_resources"), &json!(["events"]));
    assert!(changed.attribute("disabled_at").is_string());
    assert_eq!(changed.attribute("shared_secret"), &secret);
    let changed =
        change(&app, &token, &id, json!({ "_enable": true, "_regenerate_shared_secret": true })).await;
    assert!(changed.attribute("disabled_at").is_null());
    assert_ne!(changed.attribute("shared_secret"), &secret);

    for (query, count) in [
        ("filter[q][topic_eq]=customers.create", 1),
        ("filter[q][topic_eq]=customers.destroy", 0),
        ("filter[q][name_start]=Mi&sort=-circuit_failure_count,disabled_at", 1),
        ("filter[q][circuit_state_eq]=open", 0),
        ("filter[q][circuit_failure_count_lt]=1", 1),
    ] {
        let listed = app.get(&format!("{LIST}?{query}"), &token).await;
        assert_eq!(listed.body["data"].as_array().map(Vec::len), Some(count), "{query}: {}", listed.text);
    }
    let listed = app.get(&format!("{LIST}?filter[q][callback_url_eq]=x"), &token).await;
    listed.assert_error(400, "FILTER_NOT_ALLOWED", None);

    let log = app.get(&format!("{path}/event_stores?sort=created_at"), &token).await;
    let written: Vec<_> = log.body["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["attributes"]["payload"]["attributes"])
        .collect();
    assert_eq!(
        written,
        [
            &json!(["topic", "callback_url", "reference"]),
            &json!(["name", "include_resources", "_disable"]),
            &json!(["_enable", "_regenerate_shared_secret"]),
        ]
    );
    assert_eq!(app.call(Method::DELETE, &path, &token, None).await.status, 204);
    assert_eq!(app.call(Method::DELETE, &path, &token, None).await.status, 404);
    assert_eq!(app.get(&path, &token).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_webhook_can_be_is_refused_with_its_attribute() {
    let app = TestApp::start().await;
    let token = app.integration().await;
    let made = webhook(&app, &token, "customers.create", json!({ "name": "Mine" })).await;
    let valid = json!({ "topic": "customers.create", "callback_url": RECEIVER });
    for (attribute, value, error) in [
        ("topic", Value::Null, "blank"),
        ("topic", json!("orders.place"), "inclusion"),
        ("topic", json!(7), "invalid"),
        ("callback_url", Value::Null, "blank"),
        ("callback_url", json!("http://receiver.example/"), "invalid"),
        ("callback_url", json!("https://user:secret@receiver.example/"), "invalid"),
        ("include_resources", json!("events"), "invalid"),
        ("include_resources", json!(["customer"]), "invalid"),
        ("include_resources", json!([7]), "invalid"),
        // What other receivers are sent.
        ("include_resources", json!(["events.webhooks"]), "invalid"),
        ("include_resources", json!(["events.last_event_callbacks"]), "invalid"),
        ("name", json!("Mine"), "taken"),
        ("_disable", json!("yes"), "invalid"),
        ("metadata", json!([]), "invalid"),
    ] {
        let mut attributes = valid.clone();
        attributes[attribute] = value.clone();
        let refused = app.create("webhooks", &token, attributes).await;
        refused.assert_error(422, "VALIDATION_ERROR", Some(&format!("/data/attributes/{attribute}")));
        assert_eq!(refused.body["errors"][0]["meta"]["error"], error, "{attribute}: {}", refused.text);
        if !value.is_null() {
            let refused = match attribute {
                "name" if error == "taken" => {
                    let other = webhook(&app, &token, "customers.create", json!({})).await;
                    change(&app, &token, other.id(), json!({ attribute: value })).await
                }
                _ => change(&app, &token, made.id(), json!({ attribute: value })).await,
            };
            refused.assert_error(422, "VALIDATION_ERROR", Some(&format!("/data/attributes/{attribute}")));
        }
    }
    let blank = change(&app, &token, made.id(), json!({ "name": " " })).await;
    blank.assert_error(422, "VALIDATION_ERROR", Some("/data/attributes/name"));
    let both = change(&app, &token, made.id(), json!({ "_disable": true, "_enable": true })).await;
    assert_eq!(both.status, 422, "{}", both.text);
    // What is included must suit another topic, too.
    change(&app, &token, made.id(), json!({ "include_resources": ["customer_password_resets"] })).await;
    let refused =
        change(&app, &token, made.id(), json!({ "topic": "customer_password_resets.create" })).await;
    refused.assert_error(422, "VALIDATION_ERROR", Some("/data/attributes/include_resources"));
    let both = json!({ "topic": "customer_password_resets.create", "include_resources": ["customer"] });
    assert_eq!(change(&app, &token, made.id(), both).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn crash_the_last_webhook_is_created_once_though_its_answer_was_lost() {
    let app = TestApp::start().await;
    let token = app.integration().await;
    for _ in 1..MAX_WEBHOOKS {
        webhook(&app, &token, "customers.create", json!({})).await;
    }
    let attributes = json!({ "topic": "customers.create", "callback_url": RECEIVER });
    let body = json!({ "data": { "type": "webhooks", "attributes": attributes } });
    let first = post(&app, &token, LIST, "k", &body).await;
    assert_eq!(first.status, 201, "{}", first.text);
    lose_answer(&app, -1).await;
    let again = post(&app, &token, LIST, "k", &body).await;
    assert_eq!((again.status.as_u16(), again.id()), (201, first.id()));
    let another = post(&app, &token, LIST, "j", &body).await;
    another.assert_error(422, "VALIDATION_ERROR", Some("/data/attributes/name"));
    let listed = app.get(LIST, &token).await;
    assert_eq!(listed.body["meta"]["record_count"], MAX_WEBHOOKS);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_integrations_of_the_organization_reach_webhooks_and_events() {
    let app = TestApp::start().await;
    let (token, guest) = (app.integration().await, app.guest(true).await);
    let made = webhook(&app, &token, "customers.create", json!({})).await;
    app.customer("john@example.com", "the first password").await;
    let event = app.get("/api/events", &token).await.body["data"][0]["id"].as_str().unwrap().to_owned();
    let stranger = app.client_in(other_mode(app.scope), ClientKind::Integration, false);
    let stranger = app.access_token(&stranger.await).await;
    let body = |kind: &str, id: &str| json!({ "data": { "type": kind, "id": id, "attributes": { "_trigger": true } } });
    for (method, path, body) in [
        (Method::GET, LIST.to_owned(), None),
        (Method::POST, LIST.to_owned(), Some(body("webhooks", ""))),
        (Method::GET, format!("{LIST}/{}", made.id()), None),
        (Method::PATCH, format!("{LIST}/{}", made.id()), Some(body("webhooks", made.id()))),
        (Method::DELETE, format!("{LIST}/{}", made.id()), None),
        (Method::GET, "/api/event_callbacks".to_owned(), None),
        (Method::GET, "/api/events".to_owned(), None),
        (Method::PATCH, format!("/api/events/{event}"), Some(body("events", &event))),
    ] {
        let refused = app.call(method.clone(), &path, &guest, body.as_ref()).await;
        refused.assert_error(401, "UNAUTHORIZED", None);
        let of_record = path.matches('/').count() == 3;
        if of_record {
            let hidden = app.call(method, &path, &stranger, body.as_ref()).await;
            hidden.assert_error(404, "RECORD_NOT_FOUND", None);
        }
    }
    for (method, path) in [(Method::POST, "/api/events"), (Method::DELETE, &format!("/api/events/{event}"))] {
        assert_eq!(app.call(method, path, &token, Some(&body("events", &event))).await.status, 405);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_triggered_event_is_sent_as_the_record_is_shown_without_its_secrets() {
    let app = TestApp::start().await;
    let token = app.integration().await;
    app.customer("john@example.com", "the first password").await;
    let topic = "customer_password_resets.create";
    webhook(&app, &token, topic, json!({ "include_resources": ["customer"] })).await;
    let reset = app.ask(&token, "john@example.com").await;
    let path = format!("{RESETS}/{}", reset.id());
    let event = event_of(&app, &token, &path).await;
    assert_eq!(payloads(&app, &token).await, Vec::<Value>::new(), "the worker has not seen it");

    let triggered = trigger(&app, &token, &event).await;
    assert_eq!((triggered.status.as_u16(), triggered.attribute("name")), (200, &json!(topic)));
    let shown = app.get(&format!("{path}?include=customer"), &token).await;
    assert_eq!(shown.attribute("reset_password_token"), reset.attribute("reset_password_token"));
    let expected = shown.text.replace(PUBLIC_URL, "");
    let mut expected: Value = serde_json::from_str(&expected).unwrap();
    expected["data"]["attributes"]["reset_password_token"] = Value::Null;
    assert_eq!(payloads(&app, &token).await, [expected]);
    let token_text = reset.attribute("reset_password_token").as_str().unwrap();
    assert!(!app.get("/api/event_callbacks", &token).await.text.contains(token_text));

    // Once more, to all of its webhooks.
    webhook(&app, &token, topic, json!({})).await;
    trigger(&app, &token, &event).await;
    let sent = app.get(&format!("/api/events/{event}/last_event_callbacks?include=webhook"), &token).await;
    assert_eq!(sent.body["meta"]["record_count"], 3, "{}", sent.text);
    assert_eq!(sent.body["included"].as_array().map(Vec::len), Some(2));
    let webhooks =
        app.get(&format!("/api/events/{event}?include=webhooks,last_event_callbacks"), &token).await;
    assert_eq!(webhooks.body["included"].as_array().map(Vec::len), Some(5), "{}", webhooks.text);
    let log = app.get(&format!("/api/events/{event}/event_stores"), &token).await;
    assert_eq!(log.body["data"][0]["attributes"]["event"], "trigger", "{}", log.text);

    // Nothing is left to send of a deleted record, but that it was deleted.
    app.call(Method::DELETE, &path, &token, None).await;
    let before = payloads(&app, &token).await.len();
    assert_eq!(trigger(&app, &token, &event).await.status, 200);
    assert_eq!(payloads(&app, &token).await.len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_webhooks_were_sent_of_a_customer_is_deleted_with_the_customer() {
    let app = TestApp::start().await;
    let token = app.integration().await;
    for topic in ["customers.create", "customer_password_resets.create"] {
        webhook(&app, &token, topic, json!({})).await;
    }
    let mut customers = Vec::new();
    for email in ["john@example.com", "jane@example.com"] {
        let path = format!("/api/customers/{}", app.customer(email, "the first password").await.id());
        let reset = format!("{RESETS}/{}", app.ask(&token, email).await.id());
        for path in [&path, &reset] {
            let event = event_of(&app, &token, path).await;
            assert_eq!(trigger(&app, &token, &event).await.status, 200);
        }
        customers.push(path);
    }
    let kept = async || payloads(&app, &token).await.iter().filter(|payload| payload.is_object()).count();
    assert_eq!(kept().await, 4);
    app.call(Method::DELETE, &customers[0], &token, None).await;
    assert_eq!(kept().await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_is_too_large_is_sent_without_what_is_included() {
    let app = TestApp::start().await;
    let token = app.integration().await;
    let john = app.customer("john@example.com", "the first password").await;
    let includes = json!({ "include_resources": ["customer_password_resets"] });
    webhook(&app, &token, "customers.create", includes).await;
    let event = event_of(&app, &token, &format!("/api/customers/{}", john.id())).await;
    let large = "x".repeat(50 << 10);
    for (resets, included) in [(4, Some(4)), (2, None)] {
        for _ in 0..resets {
            let reset = json!({ "customer_email": "john@example.com", "metadata": { "text": large } });
            assert_eq!(app.create("customer_password_resets", &token, reset).await.status, 201);
        }
        assert_eq!(trigger(&app, &token, &event).await.status, 200);
        let sent = payloads(&app, &token).await.remove(0);
        assert_eq!(sent["data"]["id"], john.id());
        assert_eq!(sent["included"].as_array().map(Vec::len), included);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn enum_body_an_event_of_a_decoy_can_not_be_triggered() {
    let app = TestApp::start().await;
    let (token, guest) = (app.integration().await, app.guest(true).await);
    webhook(&app, &token, "customer_password_resets.create", json!({})).await;
    app.ask(&guest, "nobody@example.com").await;
    let event = app.events().await.remove(0).id.to_string();
    assert_eq!(app.get(&format!("/api/events/{event}"), &token).await.status, 404);
    trigger(&app, &token, &event).await.assert_error(404, "RECORD_NOT_FOUND", None);
    assert_eq!(app.get("/api/events", &token).await.body["meta"]["record_count"], 0);
    let sent = fan_out(&app)
        .fan_out(app.scope, recorded(&app, EventName::ResetCreate).await, Occasion::default())
        .await;
    assert_eq!(sent.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_fanned_out_with_the_same_bytes_in_each_attempt() {
    let app = TestApp::start().await;
    let token = app.integration().await;
    let made = webhook(&app, &token, "customers.destroy", json!({})).await;
    let john = app.customer("john@example.com", "the first password").await;
    app.call(Method::DELETE, &format!("/api/customers/{}", john.id()), &token, None).await;
    let event = recorded(&app, EventName::CustomerDestroy).await;
    for added in [1, 0] {
        assert_eq!(fan_out(&app).fan_out(app.scope, event, Occasion::default()).await.unwrap(), added);
    }
    let mut bodies = Vec::new();
    for attempt in 1..=2 {
        let limits = ClaimLimits { total: 10, per_webhook: 10, per_organization: 10 };
        let claimed = app.store.claim_callbacks(Duration::MINUTE, limits).await.unwrap().remove(0);
        assert_eq!((claimed.attempt, claimed.webhook.to_string().as_str()), (attempt, made.id()));
        let keys = app.keys();
        bodies.push(
            claimed.payload.unseal(app.scope.organization, claimed.id, &keys).unwrap().expose().to_owned(),
        );
        let secret = claimed.secrets[0].unseal(app.scope.organization, claimed.webhook, &keys).unwrap();
        assert_eq!(made.attribute("shared_secret"), secret.expose());
        app.clock.forward(Duration::HOUR);
    }
    assert_eq!(bodies[0], bodies[1]);
    let destroyed: Value = serde_json::from_str(&bodies[0]).unwrap();
    let meta = json!({ "mode": "test", "organization_id": app.scope.organization.as_str() });
    assert_eq!(destroyed, json!({ "data": { "type": "customers", "id": john.id(), "meta": meta } }));
}

fn fan_out(app: &TestApp) -> FanOut {
    let store = Arc::new(app.store.clone());
    FanOut::new(store.clone(), store, app.keys(), Arc::new(OsRandom))
}

/// Returns the event of that topic that waits to be published.
async fn recorded(app: &TestApp, name: EventName) -> RecordedEvent {
    let event = app.events().await.into_iter().find(|event| event.name() == name).unwrap();
    RecordedEvent::from(&event)
}
