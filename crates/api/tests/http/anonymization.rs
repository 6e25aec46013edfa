//! A13: `_request_anonymization` and `_cancel_anonymization` of `/api/customers`.

use rekey_core::{
    cleanup::Cleanup,
    clients::ClientKind,
    events::{Event, EventName},
};
use rekey_testkit::backdoor::{Backdoor, SqliteBackdoor};
use serde_json::{Value, json};
use time::Duration;

use crate::app::{Answer, TestApp};

const EMAIL: &str = "john@example.com";
const PASSWORD: &str = "the first password";
const REQUEST: &str = "/data/attributes/_request_anonymization";
const CANCEL: &str = "/data/attributes/_cancel_anonymization";

fn status(answer: &Answer) -> &Value {
    answer.attribute("anonymization_status")
}

#[tokio::test(flavor = "multi_thread")]
async fn a13_an_integration_requests_and_cancels_an_anonymization() {
    let app = TestApp::start().await;
    let integration = app.integration().await;
    let created = app.customer(EMAIL, PASSWORD).await;
    let (id, path) = (created.id(), format!("/api/customers/{}", created.id()));
    let ask = async |attributes: Value| app.change(&integration, id, attributes).await;
    let request = || json!({ "_request_anonymization": true });
    let cancel = || json!({ "_cancel_anonymization": true });

    ask(cancel()).await.assert_error(422, "VALIDATION_ERROR", Some(CANCEL));
    let both = ask(json!({ "_request_anonymization": true, "_cancel_anonymization": true })).await;
    let pointers: Vec<_> = both.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (&error["source"]["pointer"], &error["meta"]["error"]))
        .collect();
    assert_eq!(both.status, 422);
    assert_eq!(pointers, [(&json!(REQUEST), &json!("invalid")), (&json!(CANCEL), &json!("invalid"))]);
    for (attributes, pointer) in [
        (json!({ "_request_anonymization": "true", "reference": "R" }), REQUEST),
        (json!({ "_cancel_anonymization": 1, "reference": "R" }), CANCEL),
    ] {
        ask(attributes).await.assert_error(422, "VALIDATION_ERROR", Some(pointer));
    }
    for nothing in [false.into(), Value::Null] {
        let unchanged =
            ask(json!({ "_request_anonymization": nothing, "_cancel_anonymization": nothing })).await;
        assert_eq!((unchanged.status.as_u16(), status(&unchanged)), (200, &Value::Null));
        assert_eq!(unchanged.attribute("anonymization_info"), &Value::Null);
    }

    // Other attributes change with it, or not at all.
    let requested = ask(json!({ "_request_anonymization": true, "reference": "R-1" })).await;
    assert_eq!(requested.status, 200, "{}", requested.text);
    assert_eq!((status(&requested), requested.attribute("reference")), (&json!("requested"), &json!("R-1")));
    let info = requested.attribute("anonymization_info");
    assert_eq!(info["status"], "requested");
    let at = info["requested_at"].as_str().unwrap();
    assert!(at.len() == 23 && at.ends_with(" UTC"), "{at}");
    assert_eq!(info["requester"]["id"].as_str().unwrap().len(), 10);
    assert_eq!(info.as_object().unwrap().len(), 3, "{info}");
    app.clock.forward(Duration::minutes(1));
    assert_eq!(ask(request()).await.attribute("anonymization_info"), info, "the first request counts");

    let found = app.get("/api/customers?filter[q][anonymization_status_eq]=requested", &integration).await;
    assert_eq!(found.body["meta"]["record_count"], 1, "{}", found.text);
    let sorted = app.get("/api/customers?sort=-anonymization_status", &integration).await;
    assert_eq!(sorted.status, 200, "{}", sorted.text);

    let cancelled = ask(cancel()).await;
    assert_eq!(status(&cancelled), "cancelled");
    let info = cancelled.attribute("anonymization_info");
    assert!(info["cancelled_at"].is_string() && info["cancellation_requester"]["id"].is_string(), "{info}");
    ask(cancel()).await.assert_error(422, "VALIDATION_ERROR", Some(CANCEL));
    let is_cancel = |event: &Event| event.name() == EventName::CustomerAnonymizationCancel;
    assert_eq!(app.events().await.into_iter().filter(is_cancel).count(), 1);
    let again = ask(request()).await;
    assert_eq!(
        (status(&again), &again.attribute("anonymization_info")["cancelled_at"]),
        (&json!("requested"), &Value::Null)
    );

    let log = app.get(&format!("{path}/event_stores?sort=created_at&page[size]=25"), &integration).await;
    let written: Vec<_> = log.body["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["attributes"]["payload"]["attributes"].clone())
        .collect();
    assert_eq!(
        written,
        [
            json!(["email", "password"]),
            json!(["reference", "_request_anonymization"]),
            json!(["_request_anonymization"]),
            json!(["_cancel_anonymization"]),
            json!(["_request_anonymization"]),
        ]
    );
    let unknown = app.change(&integration, "aaaaaaaaaa", request()).await;
    unknown.assert_error(404, "RECORD_NOT_FOUND", None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a13_a_sales_channels_triggers_have_no_effect() {
    let app = TestApp::start().await;
    let id = app.customer(EMAIL, PASSWORD).await.id().to_owned();
    let sales = app.client(ClientKind::SalesChannel, false).await;
    let login = app.log_in(&sales, EMAIL, PASSWORD).await;
    let (customer, guest) = (login.text_of("access_token"), app.access_token(&sales).await);
    let triggers = json!({ "_request_anonymization": true, "_cancel_anonymization": "x", "reference": "R" });
    let ignored = app.change(customer, &id, triggers.clone()).await;
    assert_eq!(
        (ignored.status.as_u16(), ignored.attribute("reference")),
        (200, &json!("R")),
        "{}",
        ignored.text
    );
    assert_eq!(status(&ignored), &Value::Null);
    app.change(&guest, &id, triggers.clone()).await.assert_error(401, "UNAUTHORIZED", None);
    let mut new = triggers;
    new["email"] = json!("jane@example.com");
    let created = app.create("customers", &guest, new).await;
    assert_eq!((created.status.as_u16(), status(&created)), (201, &Value::Null), "{}", created.text);

    // The customer sees that it was requested, but not which client requested it.
    let integration = app.integration().await;
    app.change(&integration, &id, json!({ "_request_anonymization": true })).await;
    let own = app.get(&format!("/api/customers/{id}"), customer).await;
    assert_eq!((status(&own), own.attribute("anonymization_info")), (&json!("requested"), &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn a13_a_request_is_carried_out_a_day_later_and_a_deletion_is_erased() {
    let app = TestApp::start().await;
    let backdoor = SqliteBackdoor::open(&app.folder.path().join("rekey.db"));
    let integration = app.integration().await;
    let [john, jane] = [
        app.customer(EMAIL, PASSWORD).await.id().to_owned(),
        app.customer("jane@example.com", PASSWORD).await.id().to_owned(),
    ];
    app.change(&integration, &john, json!({ "_request_anonymization": true })).await;
    let deleted =
        app.call(reqwest::Method::DELETE, &format!("/api/customers/{jane}"), &integration, None).await;
    assert_eq!(deleted.status, 204, "{}", deleted.text);
    app.clock.forward(Duration::hours(24));
    // A process looks when it starts.
    let _replica = app.replica();
    let path = format!("/api/customers/{john}");
    let integration = app.integration().await;
    let gone = loop {
        let found = app.get(&path, &integration).await;
        if status(&found) == "completed" {
            break found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    assert!(gone.attribute("email").as_str().unwrap().ends_with("@anonymized.invalid"), "{}", gone.text);
    assert_eq!(gone.attribute("has_password"), false);
    let info = gone.attribute("anonymization_info");
    assert!(info["started_at"].is_string() && info["completed_at"].is_string(), "{info}");
    let again = app.change(&integration, &john, json!({ "_request_anonymization": true })).await;
    again.assert_error(422, "VALIDATION_ERROR", Some(REQUEST));
    let sales = app.client(ClientKind::SalesChannel, false).await;
    assert_eq!(app.log_in(&sales, EMAIL, PASSWORD).await.status, 400);

    backdoor.script("UPDATE events SET payload = NULL, published_at = created_at").await;
    assert_eq!(app.store.erase(Duration::minutes(10), 10).await.unwrap(), 2);
    assert_eq!(backdoor.count("erasures", "true").await, 0);
    let events = app.get(&format!("{path}/events?sort=name"), &integration).await;
    let names: Vec<_> =
        events.body["data"].as_array().unwrap().iter().map(|event| &event["attributes"]["name"]).collect();
    assert_eq!(names, ["customers.anonymization_completed", "customers.anonymization_started"]);
    for address in [EMAIL, "jane@example.com"] {
        assert_eq!(backdoor.traces(address).await, Vec::<String>::new(), "{address}");
    }
    assert_eq!(backdoor.traces(&jane).await, ["audit_personal_data.resource_id", "events.resource_id"]);
}
