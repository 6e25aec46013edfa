//! Addresses as people type and paste them, at every way in.

use rekey_core::clients::ClientKind;
use serde_json::json;

use crate::{
    app::{RESETS, TestApp},
    page_forgot,
};

/// The address as it is stored, and ways to type it.
const TYPED: [(&str, [&str; 3]); 3] = [
    (
        "anna@example.com",
        [" Anna@example.com ", "anna@example.com\u{a0}", "\u{feff}anna@example.com\u{200b}"],
    ),
    ("x@xn--mnchen-3ya.de", ["x@m\u{fc}nchen.de", "X@M\u{dc}NCHEN.DE ", "x@mu\u{308}nchen.de"]),
    (
        "taro..y.@docomo.example",
        ["taro..y.@docomo.example", "Taro..Y.@docomo.example", "taro..y.@docomo.example "],
    ),
];

// C2, C7
#[tokio::test(flavor = "multi_thread")]
async fn email_input_every_way_in_takes_an_address_as_it_is_typed() {
    let app = TestApp::start().await;
    let integration = app.integration().await;
    let sales = app.client(ClientKind::SalesChannel, true).await;
    for (stored, typed) in TYPED {
        let created = app.customer(typed[0], "the first password").await;
        assert_eq!(created.attribute("email"), stored);
        for typed in typed {
            let attributes = json!({ "email": typed, "password": "the first password" });
            let again = app.create("customers", &integration, attributes).await;
            again.assert_error(422, "VALIDATION_ERROR", Some("/data/attributes/email"));
            assert_eq!(again.body["errors"][0]["meta"]["error"], "taken", "{typed:?}");
            assert_eq!(app.log_in(&sales, typed, "the first password").await.status, 200, "{typed:?}");
            let reset = app.ask(&integration, typed).await;
            assert_eq!(reset.attribute("customer_email"), stored);
            let filter = reqwest::Url::parse_with_params(
                &app.url("/api/customers"),
                [("filter[q][email_eq]", typed), ("fields[customers]", "email")],
            );
            let path = filter.unwrap().to_string().replace(&app.url(""), "");
            assert_eq!(app.get(&path, &integration).await.body["meta"]["record_count"], 1, "{typed:?}");
        }
        let change = json!({ "data": { "type": "customers", "id": created.id(), "attributes": { "email": typed[1] } } });
        let path = format!("/api/customers/{}", created.id());
        let changed = app.call(reqwest::Method::PATCH, &path, &integration, Some(&change)).await;
        assert_eq!((changed.status.as_u16(), changed.attribute("email")), (200, &json!(stored)));
    }
    let list = format!("{RESETS}?filter[q][customer_email_eq]=taro..y.@docomo.example");
    assert_eq!(app.get(&list, &integration).await.body["meta"]["record_count"], 3);
    let blank = app.ask(&integration, " \u{a0}").await;
    assert_eq!(blank.body["errors"][0]["meta"]["error"], "blank");
}

// C2, C7: each address is mailed once, whatever form of it is typed on the page.
#[tokio::test(flavor = "multi_thread")]
async fn email_input_the_page_takes_an_address_as_it_is_typed() {
    for (stored, typed) in TYPED {
        let app = TestApp::start().await;
        app.customer(stored, "the first password").await;
        let client = app.client(ClientKind::SalesChannel, true).await;
        for typed in typed {
            let sent = page_forgot::send(page_forgot::post(&app, &client, typed)).await;
            assert_eq!(sent.status, 303, "{typed:?}: {}", sent.text);
        }
        let list = format!("{RESETS}?filter[q][customer_email_eq]={stored}");
        let resets = app.get(&list, &app.integration().await).await;
        assert!(resets.body["meta"]["record_count"].as_u64() > Some(0), "{}", resets.text);
    }
}
