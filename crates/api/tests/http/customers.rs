//! `/api/customers`.

use rekey_core::clients::ClientKind;
use rekey_testkit::backdoor::{Backdoor, SqliteBackdoor};
use reqwest::Method;
use serde_json::json;

use crate::app::{Answer, PUBLIC_URL, TestApp};

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_created_and_read() {
    let app = TestApp::start().await;
    let integration = app.integration().await;
    let created = app
        .create(
            "customers",
            &integration,
            json!({ "email": "John@Example.com", "password": "the first password", "reference": "C1" }),
        )
        .await;
    assert_eq!(created.status, 201, "{}", created.text);
    let own = format!("{PUBLIC_URL}/api/customers/{}", created.id());
    assert_eq!(created.header("location"), own);
    let at = created.attribute("created_at");
    assert_eq!(
        created.body["data"]["attributes"],
        json!({
            "email": "john@example.com", "status": "prospect", "has_password": true, "locale": null, "total_orders_count": 0, "shopper_reference": null,
            "profile_id": null, "tax_exemption_code": null, "jwt_custom_claim": null, "anonymization_info": null, "anonymization_status": null,
            "created_at": at, "updated_at": at, "reference": "C1", "reference_origin": null, "metadata": {},
        })
    );
    assert_eq!(app.get(&format!("/api/customers/{}", created.id()), &integration).await.body, created.body);

    let guest = app.guest(false).await;
    let taken = app.create("customers", &guest, json!({ "email": "john@EXAMPLE.com" })).await;
    taken.assert_error(422, "VALIDATION_ERROR", Some("/data/attributes/email"));
    assert_eq!(taken.body["errors"][0]["meta"]["error"], "taken");
    let other = app.create("customers", &guest, json!({ "email": "jane@example.com" })).await;
    assert_eq!((other.status.as_u16(), other.attribute("has_password")), (201, &json!(false)));
}

#[tokio::test(flavor = "multi_thread")]
async fn all_errors_are_reported_at_once() {
    let app = TestApp::start().await;
    let attributes = json!({ "email": "nobody", "password": 7, "locale": "sv SE", "reference": "x".repeat(256), "reference_origin": [], "metadata": "m" });
    let answer = app.create("customers", &app.integration().await, attributes).await;
    assert_eq!(answer.status, 422);
    let details: Vec<_> = answer.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["detail"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        details,
        [
            "email - is invalid",
            "password - is not a string",
            "locale - is invalid",
            "reference - is too long (maximum is 255 characters)",
            "reference_origin - is not a string",
            "metadata - is not an object"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_has_the_language_that_somebody_said_and_no_other() {
    let app = TestApp::start().await;
    let (integration, guest) = (app.integration().await, app.guest(false).await);
    // It is stored in its usual spelling, also if there are no texts in it.
    let swede = app.create("customers", &guest, json!({ "email": "s@example.com", "locale": "SV_se" })).await;
    assert_eq!((swede.status.as_u16(), swede.attribute("locale")), (201, &json!("sv-SE")), "{}", swede.text);
    let body = json!({ "data": { "type": "customers", "attributes": { "email": "silent@example.com" } } });
    let silent = app.http.post(app.url("/api/customers")).bearer_auth(&guest).header("accept-language", "de");
    let silent = silent.header("content-type", "application/vnd.api+json").body(body.to_string());
    let silent = Answer::read(silent.send().await.unwrap()).await;
    assert_eq!((silent.status.as_u16(), silent.attribute("locale")), (201, &json!(null)), "{}", silent.text);

    app.customer("john@example.com", "the first password").await;
    let storefront = app.client(ClientKind::SalesChannel, false).await;
    let session = app.log_in(&storefront, "john@example.com", "the first password").await;
    let john = session.body["owner_id"].as_str().unwrap();
    let amend = async |locale: serde_json::Value| {
        let attributes = json!({ "locale": locale });
        let body = json!({ "data": { "type": "customers", "id": john, "attributes": attributes } });
        let access = session.body["access_token"].as_str().unwrap();
        app.call(Method::PATCH, &format!("/api/customers/{john}"), access, Some(&body)).await
    };
    assert_eq!(amend(json!("pt_br")).await.attribute("locale"), "pt-BR");
    for invalid in [json!(""), json!("German"), json!("de-"), json!("de\r\nX: y"), json!("d".repeat(36))] {
        amend(invalid).await.assert_error(422, "VALIDATION_ERROR", Some("/data/attributes/locale"));
    }
    for not_text in [json!(["de"]), json!(7), json!({ "en": "en" }), json!(true)] {
        let refused = amend(not_text).await;
        refused.assert_error(422, "VALIDATION_ERROR", Some("/data/attributes/locale"));
        assert_eq!(refused.body["errors"][0]["detail"], "locale - is not a string");
    }
    for (filter, found) in [
        ("locale_eq=PT_br", 1),
        ("locale_in=sv-se,pt-br", 2),
        ("locale_start=sv", 1),
        ("locale_null=true", 1),
        ("locale_eq=Brazilian", 0),
    ] {
        let (asked, value) = filter.split_once('=').unwrap();
        let list = app.get(&format!("/api/customers?filter[q][{asked}]={value}"), &integration).await;
        assert_eq!(list.body["meta"]["record_count"], found, "{filter}: {}", list.text);
    }
    assert_eq!(amend(json!(null)).await.attribute("locale"), &json!(null));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_changed_and_deleted() {
    let app = TestApp::start().await;
    let integration = app.integration().await;
    let customer = app.customer("john@example.com", "the first password").await;
    app.customer("jane@example.com", "the first password").await;
    let path = format!("/api/customers/{}", customer.id());
    let amend = async |attributes: serde_json::Value| {
        let body = json!({ "data": { "type": "customers", "id": customer.id(), "attributes": attributes, "relationships": {} } });
        app.call(Method::PATCH, &path, &integration, Some(&body)).await
    };
    let changed = amend(
        json!({ "email": "Johnny@example.com", "reference": "C9", "status": "acquired", "id": "aaaaaaaaaa" }),
    )
    .await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert_eq!(
        (changed.attribute("email"), changed.attribute("reference"), changed.attribute("status")),
        (&json!("johnny@example.com"), &json!("C9"), &json!("prospect"))
    );
    assert_eq!(app.get(&path, &integration).await.body, changed.body);
    for (attributes, pointer, error) in [
        (json!({ "email": "jane@example.com" }), "email", "taken"),
        (json!({ "email": "nobody" }), "email", "invalid"),
        (json!({ "email": null }), "email", "blank"),
        (json!({ "password": "short" }), "password", "too_short"),
        (json!({ "password": "johnny@example.com" }), "password", "contains_email"),
    ] {
        let refused = amend(attributes).await;
        refused.assert_error(422, "VALIDATION_ERROR", Some(&format!("/data/attributes/{pointer}")));
        assert_eq!(refused.body["errors"][0]["meta"]["error"], error);
    }
    assert_eq!(amend(json!({})).await.body, changed.body);

    let gone = app.call(Method::DELETE, &path, &integration, None).await;
    assert_eq!((gone.status.as_u16(), gone.text.as_str()), (204, ""));
    app.get(&path, &integration).await.assert_error(404, "RECORD_NOT_FOUND", None);
    app.call(Method::DELETE, &path, &integration, None).await.assert_error(404, "RECORD_NOT_FOUND", None);
    amend(json!({ "reference": "x", "password": "the second password" })).await.assert_error(
        404,
        "RECORD_NOT_FOUND",
        None,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_keeps_its_own_record_and_a_new_password_ends_its_sessions() {
    let app = TestApp::start().await;
    let sales = app.client(ClientKind::SalesChannel, false).await;
    let john = app.customer("john@example.com", "the first password").await;
    let integration = app.integration().await;
    let pending = app.ask(&integration, "john@example.com").await;
    let log_in = async |password: &str| app.log_in(&sales, "john@example.com", password).await;
    let token = log_in("the first password").await.body["access_token"].as_str().unwrap().to_owned();
    let path = format!("/api/customers/{}", john.id());
    let document =
        |attributes| json!({ "data": { "type": "customers", "id": john.id(), "attributes": attributes } });

    let changed =
        app.call(Method::PATCH, &path, &token, Some(&document(json!({ "reference": "mine" })))).await;
    assert_eq!((changed.status.as_u16(), changed.attribute("reference")), (200, &json!("mine")));
    let nosy = app.get(&format!("{path}?include=events"), &token).await;
    nosy.assert_error(401, "UNAUTHORIZED", None);
    let password = document(json!({ "password": "the second password" }));
    assert_eq!(app.call(Method::PATCH, &path, &token, Some(&password)).await.status, 200);
    app.get(&path, &token).await.assert_error(401, "INVALID_TOKEN", None);
    assert_eq!(log_in("the first password").await.status, 400);
    let shown = app.get(&format!("/api/customer_password_resets/{}", pending.id()), &integration).await;
    assert_eq!(shown.attribute("reset_password_token"), &json!(null), "the pending token is dead");

    let token = log_in("the second password").await.body["access_token"].as_str().unwrap().to_owned();
    assert_eq!(app.call(Method::DELETE, &path, &token, None).await.status, 204);
    app.get(&path, &token).await.assert_error(401, "INVALID_TOKEN", None);
    app.get(&path, &integration).await.assert_error(404, "RECORD_NOT_FOUND", None);

    // The entry stays, without what identifies the customer's device.
    let backdoor = SqliteBackdoor::open(&app.folder.path().join("rekey.db"));
    let entries = "audit_entries JOIN audit_personal_data ON entry_id = id AND action = 'destroy'";
    assert_eq!(backdoor.count(entries, "true").await, 1);
    assert_eq!(backdoor.count(entries, "session_id IS NOT NULL OR address IS NOT NULL").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_and_tags_are_empty_as_of_a_customer_who_has_none() {
    let app = TestApp::start().await;
    let integration = app.integration().await;
    let attributes =
        json!({ "email": "john@example.com", "_add_tags": "vip,".repeat(100), "_remove_tags": null });
    let body = json!({ "data": { "type": "customers", "attributes": attributes } });
    let created = "/api/customers?include=customer_group,tags";
    let john = app.call(Method::POST, created, &integration, Some(&body)).await;
    assert_eq!(john.status, 201, "{}", john.text);
    let path = format!("/api/customers/{}", john.id());
    let own = format!("{PUBLIC_URL}{path}");
    let links = |name: &str| json!({ "self": format!("{own}/relationships/{name}"), "related": format!("{own}/{name}") });
    let with_data = |name: &str, data| json!({ "data": data, "links": links(name) });
    assert_eq!(
        john.body["data"]["relationships"]["customer_group"],
        with_data("customer_group", json!(null))
    );
    assert_eq!(john.body["data"]["relationships"]["tags"], with_data("tags", json!([])));
    assert_eq!(john.body["included"], json!([]));

    let get = async |query: &str| app.get(&format!("{path}{query}"), &integration).await;
    assert_eq!(get("").await.body["data"]["relationships"]["tags"], json!({ "links": links("tags") }));
    assert_eq!(get("/customer_group?fields[customer_groups]=name").await.body, json!({ "data": null }));
    let tags = get("/tags?filter[q][name_eq]=vip&sort=-name&page[size]=5").await;
    assert_eq!((tags.status.as_u16(), &tags.body["data"]), (200, &json!([])), "{}", tags.text);
    assert_eq!(tags.body["meta"], json!({ "record_count": 0, "page_count": 1 }));
    for (name, data) in [("customer_group", json!(null)), ("tags", json!([]))] {
        assert_eq!(get(&format!("/relationships/{name}")).await.body, with_data(name, data));
    }
    get("?include=tags.events").await.assert_error(400, "INVALID_INCLUDE", None);
    let nobody = app.get("/api/customers/aaaaaaaaaa/tags", &integration).await;
    nobody.assert_error(404, "RECORD_NOT_FOUND", None);
    app.get("/api/tags", &integration).await.assert_error(404, "RECORD_NOT_FOUND", None);

    let amend = async |attributes: serde_json::Value| {
        let body = json!({ "data": { "type": "customers", "id": john.id(), "attributes": attributes } });
        app.call(Method::PATCH, &path, &integration, Some(&body)).await
    };
    let changed = amend(json!({ "_add_tags": "vip", "_remove_tags": "new", "reference": "C1" })).await;
    assert_eq!((changed.status.as_u16(), changed.attribute("reference")), (200, &json!("C1")));
    let refused = amend(json!({ "_add_tags": ["vip"] })).await;
    refused.assert_error(422, "VALIDATION_ERROR", Some("/data/attributes/_add_tags"));
    assert_eq!(refused.body["errors"][0]["detail"], "_add_tags - is not a string");
}
