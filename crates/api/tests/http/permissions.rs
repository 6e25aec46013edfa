//! Permissions: the contract's table, cell by cell.

use rekey_core::{
    clients::{ClientChange, ClientKind, ClientPermissions, ClientStore, RegisteredClient},
    events::audit::Action,
};
use rekey_testkit::seed;
use reqwest::Method;
use serde_json::{Value, json};
use time::Duration;

use crate::app::{RESETS, TestApp};

#[tokio::test(flavor = "multi_thread")]
async fn every_cell_of_the_table_holds() {
    let app = TestApp::start().await;
    let customer = app.customer("john@example.com", "the first password").await.id().to_owned();
    let other = app.customer("jane@example.com", "the first password").await.id().to_owned();
    let sales = app.client(ClientKind::SalesChannel, true).await;
    let integration = app.integration().await;
    let (guest, self_service) = (app.guest(false).await, app.guest(true).await);
    let logged_in = app.log_in(&sales, "john@example.com", "the first password").await.body["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let reset = format!("{RESETS}/{}", app.ask(&integration, "jane@example.com").await.id());

    let doomed = format!("{RESETS}/{}", app.ask(&integration, "jane@example.com").await.id());

    let document =
        |kind: &str, attributes: Value| Some(json!({ "data": { "type": kind, "attributes": attributes } }));
    let ask = document("customer_password_resets", json!({ "customer_email": "john@example.com" }));
    let refer = document("customer_password_resets", json!({ "reference": "R" }));
    let register = |name: &str| document("customers", json!({ "email": format!("{name}@example.com") }));
    let rename = document("customers", json!({ "reference": "C" }));
    let rename_other = rename.clone();
    let (own, others) = (format!("/api/customers/{customer}"), format!("/api/customers/{other}"));
    // (method, path, body, statuses for: integration, guest, guest with self-service, logged-in customer)
    let rows = [
        (Method::POST, RESETS, ask, [201, 401, 201, 401]),
        (Method::GET, RESETS, None, [200, 401, 401, 401]),
        (Method::GET, &reset, None, [200, 401, 401, 401]),
        (Method::DELETE, &doomed, None, [204, 401, 401, 401]),
        (Method::PATCH, &reset, refer, [200, 401, 401, 401]),
        (Method::POST, "/api/customers", None, [415, 415, 415, 401]),
        (Method::GET, &own, None, [200, 401, 401, 200]),
        (Method::GET, &others, None, [200, 401, 401, 401]),
        (Method::GET, "/api/customers/aaaaaaaaaa", None, [404, 401, 401, 401]),
        (Method::GET, "/api/customers", None, [200, 401, 401, 401]),
        (Method::GET, &format!("{own}/customer_password_resets"), None, [200, 401, 401, 401]),
        (Method::GET, &format!("{own}/relationships/events"), None, [200, 401, 401, 401]),
        (Method::GET, &format!("{reset}/customer"), None, [200, 401, 401, 401]),
        (Method::GET, "/api/events/aaaaaaaaaa", None, [404, 401, 401, 401]),
        (Method::GET, "/api/event_stores/aaaaaaaaaa", None, [404, 401, 401, 401]),
        (Method::GET, "/api/deliveries", None, [200, 401, 401, 401]),
        (Method::GET, "/api/organization", None, [200, 200, 200, 200]),
        (Method::GET, "/api/deliveries/aaaaaaaaaa", None, [404, 401, 401, 401]),
        (Method::GET, &format!("{reset}/deliveries"), None, [200, 401, 401, 401]),
        (Method::GET, &format!("{own}/relationships/deliveries"), None, [200, 401, 401, 401]),
        (Method::GET, &format!("{own}?include=deliveries"), None, [200, 401, 401, 401]),
        (Method::PATCH, &own, rename, [200, 401, 401, 200]),
        (Method::PATCH, &others, rename_other, [200, 401, 401, 401]),
        (Method::DELETE, &others, None, [204, 401, 401, 401]),
    ];
    // The integration goes last: it deletes what the others must not.
    let callers = [(3, &logged_in), (2, &self_service), (1, &guest), (0, &integration)];
    for (method, path, body, statuses) in rows {
        for (column, token) in callers {
            let answer = app.call(method.clone(), path, token, body.as_ref()).await;
            assert_eq!(answer.status, statuses[column], "{method} {path} by {column}: {}", answer.text);
            if statuses[column] == 401 {
                answer.assert_error(401, "UNAUTHORIZED", None);
                assert_eq!(answer.body["errors"][0]["title"], "Access denied");
            }
        }
    }
    for (name, token) in [("a", &integration), ("b", &guest)] {
        assert_eq!(
            app.call(Method::POST, "/api/customers", token, register(name).as_ref()).await.status,
            201
        );
    }
}

const EMAIL: &str = "john@example.com";
const PASSWORD: &str = "the first password";

/// A3. Without sign-up and sign-in, no answer depends on whether an address has an account.
#[tokio::test(flavor = "multi_thread")]
async fn a3_a_client_without_permissions_is_no_oracle() {
    let app = TestApp::start().await;
    app.customer(EMAIL, PASSWORD).await;
    let client =
        app.client_with(ClientPermissions { self_service: true, ..ClientPermissions::default() }).await;
    let guest = app.access_token(&client).await;

    let mut answers = Vec::new();
    for email in [EMAIL, "nobody@example.com", "no address"] {
        let answer = app.create("customers", &guest, json!({ "email": email, "password": PASSWORD })).await;
        answer.assert_error(401, "UNAUTHORIZED", None);
        answers.push(answer.text);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");

    let mut answers = Vec::new();
    for (email, password) in
        [(EMAIL, PASSWORD), (EMAIL, "another password"), ("nobody@example.com", PASSWORD), ("no address", "")]
    {
        let answer = app.log_in(&client, email, password).await;
        answer.assert_oauth_error(400, "unauthorized_client", "UNAUTHORIZED_CLIENT");
        answers.push(answer.text);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    // A self-service request still gets its one answer.
    for email in [EMAIL, "nobody@example.com"] {
        assert_eq!(app.ask(&guest, email).await.status, 201);
    }
}

/// A3. A running API follows a change within seconds, in both directions; sessions end with their next refresh.
#[tokio::test(flavor = "multi_thread")]
async fn a3_changed_permissions_are_followed_by_a_running_api() {
    let app = TestApp::start().await;
    let customer = app.customer(EMAIL, PASSWORD).await.id().to_owned();
    let client = app.client_with(ClientPermissions::for_new(ClientKind::SalesChannel)).await;
    let guest = app.access_token(&client).await;
    let register = async |name: &str| {
        app.create("customers", &guest, json!({ "email": format!("{name}@example.com") })).await
    };
    let change = async |sign_in, sign_up| {
        let permissions = ClientPermissions { self_service: false, sign_in, sign_up };
        let change = ClientChange { permissions: Some(permissions), ..ClientChange::default() };
        let RegisteredClient { scope, id, .. } = app.registered(&client).await;
        let audit = seed::operator_audit(Action::Update);
        assert!(app.store.update_api_client(scope, id, &change, &audit).await.unwrap());
        app.clock.forward(Duration::seconds(5));
    };
    // The default of new clients.
    let login = app.log_in(&client, EMAIL, PASSWORD).await;
    assert_eq!(login.status, 200, "{}", login.text);
    register("a").await.assert_error(401, "UNAUTHORIZED", None);

    change(false, true).await;
    app.log_in(&client, EMAIL, PASSWORD).await.assert_oauth_error(
        400,
        "unauthorized_client",
        "UNAUTHORIZED_CLIENT",
    );
    let refresh = json!({
        "grant_type": "refresh_token", "client_id": client.id, "refresh_token": login.text_of("refresh_token"),
    });
    app.oauth(&refresh).await.assert_oauth_error(400, "unauthorized_client", "UNAUTHORIZED_CLIENT");
    assert_eq!(register("a").await.status, 201);
    register("a").await.assert_error(422, "VALIDATION_ERROR", Some("/data/attributes/email"));

    change(true, false).await;
    register("b").await.assert_error(401, "UNAUTHORIZED", None);
    // The refusal has not used the token.
    let refreshed = app.oauth(&refresh).await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.text);
    assert_eq!(refreshed.body["owner_id"], customer);
}

/// A3. Whether an address is taken is answered five times a day, by all processes together; the customer's other changes go on.
#[tokio::test(flavor = "multi_thread")]
async fn a3_a_customer_tries_few_addresses_a_day() {
    let app = TestApp::start().await;
    let replica = app.replica();
    let id = app.customer(EMAIL, PASSWORD).await.id().to_owned();
    app.customer("jane@example.com", PASSWORD).await;
    let sales = app.client(ClientKind::SalesChannel, false).await;
    let integration = app.integration().await;
    let login = async || app.log_in(&sales, EMAIL, PASSWORD).await.text_of("access_token").to_owned();
    let token = login().await;
    let own = format!("/api/customers/{id}");
    let change = async |app: &TestApp, token: &str, attributes: Value| {
        let body = json!({ "data": { "type": "customers", "id": id, "attributes": attributes } });
        app.call(Method::PATCH, &own, token, Some(&body)).await
    };
    let hers = json!({ "email": "jane@example.com" });
    for process in [&app, &replica, &app, &replica, &app] {
        let answer = change(process, &token, hers.clone()).await;
        answer.assert_error(422, "VALIDATION_ERROR", Some("/data/attributes/email"));
        assert_eq!(answer.body["errors"][0]["meta"]["error"], "taken");
    }
    for email in ["jane@example.com", "free@example.com"] {
        for process in [&app, &replica] {
            let answer = change(process, &token, json!({ "email": email })).await;
            answer.assert_error(429, "TOO_MANY_REQUESTS", None);
            let wait: i64 = answer.header("retry-after").parse().unwrap();
            assert!((86_000..=86_400).contains(&wait), "{wait}");
        }
    }
    // Its own address is no change, other attributes are free, and a back office has no such limit.
    let rest = json!({ "email": EMAIL, "reference": "R" });
    assert_eq!(change(&app, &token, rest).await.status, 200);
    change(&app, &integration, hers).await.assert_error(
        422,
        "VALIDATION_ERROR",
        Some("/data/attributes/email"),
    );

    app.clock.forward(Duration::DAY);
    let (token, integration) = (login().await, app.integration().await);
    assert_eq!(change(&app, &token, json!({ "email": "free@example.com" })).await.status, 200);
    assert_eq!(app.get(&own, &integration).await.attribute("email"), "free@example.com");
}
