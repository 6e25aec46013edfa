//! Permissions: the contract's table, cell by cell.

use rekey_core::clients::ClientKind;
use reqwest::Method;
use serde_json::{Value, json};

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
