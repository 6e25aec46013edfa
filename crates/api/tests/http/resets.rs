//! The resource, as an integration sees it.

use rekey_core::clients::ClientKind;
use reqwest::Method;
use serde_json::json;

use crate::app::{PUBLIC_URL, RESETS, TestApp, other_mode};

#[tokio::test(flavor = "multi_thread")]
async fn the_document_is_exactly_the_contracts() {
    let app = TestApp::start().await;
    app.customer("john@example.com", "the first password").await;
    let token = app.integration().await;
    let attributes = json!({ "customer_email": "John@Example.com", "reference": "R1", "reference_origin": "ERP", "metadata": { "a": [1, null] } });
    let created = app.create("customer_password_resets", &token, attributes).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let (id, at) = (created.id(), created.attribute("created_at"));
    let own = format!("{PUBLIC_URL}{RESETS}/{id}");
    assert_eq!(created.header("location"), own);
    assert_eq!(created.header("content-type"), "application/vnd.api+json");
    let at_text = at.as_str().unwrap();
    assert!(at_text.len() == 24 && at_text.ends_with('Z') && at_text.as_bytes()[19] == b'.', "{at_text}");
    assert_eq!(created.attribute("reset_password_token").as_str().unwrap().len(), 43);
    let relationship = |name: &str| json!({ "links": { "self": format!("{own}/relationships/{name}"), "related": format!("{own}/{name}") } });
    assert_eq!(
        created.body,
        json!({ "data": {
            "id": id, "type": "customer_password_resets", "links": { "self": own },
            "attributes": {
                "customer_email": "john@example.com", "reset_password_token": created.attribute("reset_password_token"), "reset_password_at": null,
                "created_at": at, "updated_at": at, "reference": "R1", "reference_origin": "ERP", "metadata": { "a": [1, null] },
            },
            "relationships": { "customer": relationship("customer"), "events": relationship("events"), "event_stores": relationship("event_stores"),
                "deliveries": relationship("deliveries") },
            "meta": { "mode": "test", "organization_id": app.scope.organization.as_str() },
        } })
    );
    assert_eq!(app.get(&format!("{RESETS}/{id}"), &token).await.body, created.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_request_to_the_new_password() {
    let app = TestApp::start().await;
    app.customer("john@example.com", "the first password").await;
    let token = app.integration().await;
    let created = app.ask(&token, "john@example.com").await;
    let (id, secret) = (created.id(), created.attribute("reset_password_token"));
    let done = app.patch(&token, id, json!({ "customer_password": "the second password", "_reset_password_token": secret, "reference": "R2" })).await;
    assert_eq!(done.status, 200, "{}", done.text);
    assert!(done.attribute("reset_password_at").is_string());
    assert_eq!(
        (done.attribute("reset_password_token"), done.attribute("reference")),
        (&json!(null), &json!("R2"))
    );
    assert!(!done.text.contains("the second password") && !done.text.contains("_reset_password_token\":\""));

    let sales = app.client(ClientKind::SalesChannel, false).await;
    assert_eq!(app.log_in(&sales, "john@example.com", "the first password").await.status, 400);
    assert_eq!(app.log_in(&sales, "john@example.com", "the second password").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_come_in_pages_newest_first() {
    let app = TestApp::start().await;
    app.customer("john@example.com", "the first password").await;
    let token = app.integration().await;
    let empty = app.get(RESETS, &token).await;
    assert_eq!(
        (&empty.body["data"], &empty.body["meta"]),
        (&json!([]), &json!({ "record_count": 0, "page_count": 1 }))
    );
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.insert(0, app.ask(&token, "john@example.com").await.id().to_owned());
    }
    let page = app.get(&format!("{RESETS}?page[number]=2&page[size]=2&x=1"), &token).await;
    assert_eq!(page.body["meta"], json!({ "record_count": 5, "page_count": 3 }));
    let got: Vec<_> =
        page.body["data"].as_array().unwrap().iter().map(|reset| reset["id"].as_str().unwrap()).collect();
    assert_eq!(got, ids[2..4]);
    let to =
        |number: u32| json!(format!("{PUBLIC_URL}{RESETS}?x=1&page%5Bnumber%5D={number}&page%5Bsize%5D=2"));
    assert_eq!(page.body["links"], json!({ "first": to(1), "prev": to(1), "next": to(3), "last": to(3) }));
    let past = app.get(&format!("{RESETS}?page[number]=9&page[size]=2"), &token).await;
    assert_eq!((past.status.as_u16(), &past.body["data"]), (200, &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn references_change_without_a_token_and_a_delete_is_for_good() {
    let app = TestApp::start().await;
    app.customer("john@example.com", "the first password").await;
    let token = app.integration().await;
    let created = app.ask(&token, "john@example.com").await;
    let id = created.id();
    let changed = app.patch(&token, id, json!({ "reference": "R9", "metadata": { "b": true } })).await;
    assert_eq!(
        (changed.status.as_u16(), changed.attribute("reference"), changed.attribute("metadata")),
        (200, &json!("R9"), &json!({ "b": true }))
    );
    let cleared = app.patch(&token, id, json!({ "reference": null })).await;
    assert_eq!(
        (cleared.attribute("reference"), cleared.attribute("metadata")),
        (&json!(null), &json!({ "b": true }))
    );

    let path = format!("{RESETS}/{id}");
    let deleted = app.call(Method::DELETE, &path, &token, None).await;
    assert_eq!((deleted.status.as_u16(), deleted.text.as_str()), (204, ""));
    app.get(&path, &token).await.assert_error(404, "RECORD_NOT_FOUND", None);
    app.call(Method::DELETE, &path, &token, None).await.assert_error(404, "RECORD_NOT_FOUND", None);
    app.patch(&token, id, json!({ "reference": "x" })).await.assert_error(404, "RECORD_NOT_FOUND", None);
}

/// A guest can't know which resets there are; for the answer to a wrong token, see `self_service.rs`.
#[tokio::test(flavor = "multi_thread")]
async fn c10_a_reset_that_is_not_there_is_a_404_for_an_integration_whatever_the_body_says() {
    let app = TestApp::start().await;
    app.customer("john@example.com", "the first password").await;
    let (token, guest) = (app.integration().await, app.guest(true).await);
    let created = app.ask(&token, "john@example.com").await;
    let (id, secret) = (created.id(), created.attribute("reset_password_token").clone());
    let elsewhere = app.client_in(other_mode(app.scope), ClientKind::Integration, false).await;
    let elsewhere = app.access_token(&elsewhere).await;
    for attributes in [
        json!({}),
        json!({ "reference": 1 }),
        json!({ "_reset_password_token": secret }),
        json!({ "customer_password": "the second password" }),
        json!({ "customer_password": "the second password", "_reset_password_token": secret }),
        json!({ "customer_password": "", "_reset_password_token": null }),
    ] {
        app.patch(&token, "abcdefghij", attributes.clone()).await.assert_error(404, "RECORD_NOT_FOUND", None);
        app.patch(&elsewhere, id, attributes).await.assert_error(404, "RECORD_NOT_FOUND", None);
    }
    let other = json!({ "data": { "type": "customers", "id": "bbbbbbbbbb" } });
    let path = format!("{RESETS}/abcdefghij");
    let answer = app.call(Method::PATCH, &path, &token, Some(&other)).await;
    answer.assert_error(404, "RECORD_NOT_FOUND", None);

    let attributes = json!({ "customer_password": "the second password", "_reset_password_token": secret });
    let pointer = Some("/data/attributes/_reset_password_token");
    app.patch(&guest, "abcdefghij", attributes).await.assert_error(422, "VALIDATION_ERROR", pointer);
}

#[tokio::test(flavor = "multi_thread")]
async fn token_mass_assign_changes_nothing() {
    let app = TestApp::start().await;
    app.customer("john@example.com", "the first password").await;
    let token = app.integration().await;
    let created = app.ask(&token, "john@example.com").await;
    let body = json!({ "data": {
        "type": "customer_password_resets", "id": created.id(), "meta": { "mode": "live" },
        "attributes": {
            "id": "aaaaaaaaaa", "reset_password_at": "2020-01-01T00:00:00.000Z", "reset_password_token": "a".repeat(43), "created_at": null,
            "customer_email": "eve@example.com", "customer_id": "aaaaaaaaaa", "meta": {}, "expires_at": "2099-01-01T00:00:00.000Z",
        },
        "relationships": { "customer": { "data": { "type": "customers", "id": "aaaaaaaaaa" } } },
    } });
    let path = format!("{RESETS}/{}", created.id());
    let answer = app.call(Method::PATCH, &path, &token, Some(&body)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let mut after = app.get(&path, &token).await.body;
    after["data"]["attributes"]["updated_at"] = created.attribute("updated_at").clone();
    assert_eq!(after, created.body);
}
