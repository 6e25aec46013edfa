//! Deliveries: the state of mails, for integrations.

use std::collections::BTreeSet;

use rekey_core::{
    clients::ClientKind,
    deliveries::{
        Outcome, Reply,
        ledger::{Claim, Ledger},
    },
};
use reqwest::Method;
use serde_json::{Value, json};
use time::Duration;

use crate::app::{Answer, PUBLIC_URL, RESETS, TestApp};

const LIST: &str = "/api/deliveries";
const NO_SUCH_USER: &str = "permanent error (550): 5.1.1 no such user";

/// A shop with two customers: John's mail was sent, Jane's bounced, and John's next is on its way.
struct Shop {
    app: TestApp,
    token: String,
    sent: Mailed,
    bounced: Mailed,
    queued: Mailed,
}

/// A reset, and the delivery of its mail.
struct Mailed {
    reset: String,
    delivery: String,
}

impl Shop {
    async fn open() -> Self {
        let app = TestApp::start().await;
        let token = app.integration().await;
        for email in ["john@example.com", "jane@example.com"] {
            app.customer(email, "the first password").await;
        }
        let mut made = Vec::new();
        for email in ["john@example.com", "jane@example.com", "john@example.com"] {
            let reset = app.ask(&token, email).await.id().to_owned();
            let events = app.get(&format!("{RESETS}/{reset}/events"), &token).await;
            let delivery = events.body["data"][0]["id"].as_str().unwrap().to_owned();
            made.push(Mailed { reset, delivery });
        }
        let [sent, bounced, queued] = made.try_into().ok().unwrap();
        let shop = Self { app, token, sent, bounced, queued };
        let reply = |code, enhanced: &str| Some(Reply { code, enhanced: Some(enhanced.to_owned()) });
        let response = "250 2.0.0 taken".to_owned();
        let outcome =
            Outcome::Sent { response, reply: reply(250, "2.0.0"), relay: "smtp.example.com".to_owned() };
        shop.settle(&shop.sent, &outcome).await;
        let suppress = Some("jane@example.com".parse().unwrap());
        let outcome =
            Outcome::Bounced { reason: NO_SUCH_USER.to_owned(), reply: reply(550, "5.1.1"), suppress };
        shop.settle(&shop.bounced, &outcome).await;
        shop
    }

    async fn settle(&self, mailed: &Mailed, outcome: &Outcome) {
        let (event, reset) = (mailed.delivery.parse().unwrap(), mailed.reset.parse().unwrap());
        let job = rekey_testkit::seed::reset_mail(self.app.scope, event, reset);
        let claim = self.app.store.claim(&job, Duration::MINUTE).await.unwrap();
        assert!(matches!(claim, Claim::Granted(_)), "{claim:?}");
        // Times are shown and filtered in milliseconds.
        self.app.clock.forward(Duration::SECOND);
        assert!(self.app.store.settle(job.event, 1, outcome).await.unwrap());
    }

    async fn get(&self, path: &str) -> Answer {
        let answer = self.app.get(path, &self.token).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer
    }

    async fn ids(&self, path: &str) -> Vec<String> {
        let page = self.get(path).await;
        let data = page.body["data"].as_array().unwrap().iter();
        data.map(|record| record["id"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_shows_the_state_of_the_mail() {
    let shop = Shop::open().await;
    let sent = shop.get(&format!("{LIST}/{}", shop.sent.delivery)).await;
    let data = &sent.body["data"];
    assert_eq!((&data["type"], sent.id()), (&json!("deliveries"), shop.sent.delivery.as_str()));
    let attributes = data["attributes"].as_object().unwrap();
    let expected = BTreeSet::from([
        "mail",
        "status",
        "attempts",
        "in_doubt",
        "smtp_code",
        "smtp_enhanced_code",
        "detail",
        "relay",
        "sent_at",
        "next_attempt_at",
        "created_at",
        "updated_at",
    ]);
    assert_eq!(attributes.keys().map(String::as_str).collect::<BTreeSet<_>>(), expected);
    for (name, value) in [
        ("mail", json!("reset_requested")),
        ("status", json!("sent")),
        ("attempts", json!(1)),
        ("in_doubt", json!(0)),
        ("smtp_code", json!(250)),
        ("smtp_enhanced_code", json!("2.0.0")),
        ("detail", json!("250 2.0.0 taken")),
        ("relay", json!("smtp.example.com")),
        ("next_attempt_at", Value::Null),
    ] {
        assert_eq!(attributes[name], value, "{name}");
    }
    assert_eq!(attributes["sent_at"], attributes["updated_at"]);
    let queued = shop.get(&format!("{LIST}/{}", shop.queued.delivery)).await;
    assert_eq!(queued.attribute("status"), "queued");
    assert_eq!(
        ["attempts", "smtp_code", "detail", "sent_at"].map(|name| queued.attribute(name).clone()),
        [json!(0), Value::Null, Value::Null, Value::Null]
    );

    let reset = shop.get(&format!("{LIST}/{}/customer_password_reset", shop.sent.delivery)).await;
    assert_eq!(reset.id(), shop.sent.reset);
    let customer = shop.get(&format!("{LIST}/{}/customer", shop.bounced.delivery)).await;
    assert_eq!(customer.attribute("email"), "jane@example.com");
    // A mail server's reply is shown without addresses.
    assert!(!sent.text.contains('@'), "{}", sent.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_deliveries_are_filtered_and_sorted() {
    let shop = Shop::open().await;
    let [sent, bounced, queued] =
        [&shop.sent, &shop.bounced, &shop.queued].map(|mailed| mailed.delivery.as_str());
    let page = shop.get(&format!("{LIST}?page[size]=2")).await;
    assert_eq!(page.body["meta"], json!({ "record_count": 3, "page_count": 2 }));
    assert!(page.body["links"]["next"].as_str().unwrap().starts_with(&format!("{PUBLIC_URL}{LIST}?")));
    let now =
        shop.get(&format!("{LIST}/{bounced}")).await.attribute("updated_at").as_str().unwrap().to_owned();
    for (query, found) in [
        ("", vec![queued, bounced, sent]),
        ("sort=created_at", vec![sent, bounced, queued]),
        ("sort=-updated_at&filter[q][status_not_eq]=queued", vec![bounced, sent]),
        ("filter[q][status_eq]=bounced", vec![bounced]),
        ("filter[q][status_in]=sent,queued", vec![queued, sent]),
        ("filter[q][smtp_code_eq]=550", vec![bounced]),
        ("filter[q][smtp_code_gteq]=250", vec![bounced, sent]),
        ("filter[q][smtp_code_null]=true", vec![queued]),
        ("filter[q][mail_eq]=password_changed", vec![]),
        ("filter[q][customer_email_eq]=john@example.com", vec![queued, sent]),
        (&format!("filter[q][customer_password_reset_id_eq]={}", shop.sent.reset), vec![sent]),
        (&format!("filter[q][updated_at_gteq]={now}"), vec![bounced]),
        (&format!("filter[q][id_in]={sent},{queued}"), vec![queued, sent]),
    ] {
        assert_eq!(shop.ids(&format!("{LIST}?{query}")).await, found, "{query}");
    }
    let resets = shop.ids(&format!("{RESETS}?filter[q][deliveries_status_eq]=bounced")).await;
    assert_eq!(resets, [shop.bounced.reset.as_str()]);
    let customers = shop.get("/api/customers?filter[q][deliveries_smtp_code_eq]=550").await;
    assert_eq!(customers.body["data"][0]["attributes"]["email"], "jane@example.com");
    for wrong in ["filter[q][detail_eq]=x", "sort=status", "filter[q][smtp_code_eq]=x", "include=reset"] {
        assert_eq!(shop.app.get(&format!("{LIST}?{wrong}"), &shop.token).await.status, 400, "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_come_with_resets_and_customers() {
    let shop = Shop::open().await;
    let page = shop.get(&format!("{RESETS}?include=deliveries")).await;
    let resets = page.body["data"].as_array().unwrap().iter();
    let identifier = |mailed: &Mailed| json!([{ "type": "deliveries", "id": mailed.delivery }]);
    let linked: Vec<_> = resets.map(|reset| &reset["relationships"]["deliveries"]["data"]).collect();
    let expected = [&shop.queued, &shop.bounced, &shop.sent].map(identifier);
    assert_eq!(linked, expected.iter().collect::<Vec<_>>());
    let included = page.body["included"].as_array().unwrap().iter();
    let statuses: Vec<_> = included.map(|delivery| &delivery["attributes"]["status"]).collect();
    assert_eq!(statuses, ["queued", "bounced", "sent"]);

    // The mail about the changed password belongs to the same reset.
    let reset = shop.get(&format!("{RESETS}/{}", shop.queued.reset)).await;
    let used = json!({ "customer_password": "the second password", "_reset_password_token": reset.attribute("reset_password_token") });
    assert_eq!(shop.app.patch(&shop.token, &shop.queued.reset, used).await.status, 200);
    let reset = shop.get(&format!("{RESETS}/{}?include=deliveries.customer", shop.queued.reset)).await;
    let included = reset.body["included"].as_array().unwrap();
    let mails: Vec<_> = included.iter().filter_map(|record| record["attributes"]["mail"].as_str()).collect();
    assert_eq!(mails, ["password_changed", "reset_requested"]);
    assert_eq!(included[2]["attributes"]["email"], "john@example.com");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_writes_a_delivery() {
    let shop = Shop::open().await;
    let body = json!({ "data": { "type": "deliveries", "attributes": { "status": "sent" } } });
    let one = format!("{LIST}/{}", shop.queued.delivery);
    for (method, path) in [(Method::POST, LIST), (Method::PATCH, &one), (Method::DELETE, &one)] {
        let refused = shop.app.call(method, path, &shop.token, Some(&body)).await;
        refused.assert_error(405, "METHOD_NOT_ALLOWED", None);
        assert_eq!(refused.header("allow"), "GET, HEAD");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn enum_body_deliveries_reveal_no_decoys() {
    let app = TestApp::start().await;
    let token = app.integration().await;
    let guest = app.guest(true).await;
    let decoy = app.ask(&guest, "nobody@example.com").await;
    assert_eq!(decoy.status, 201);
    let page = app.get(LIST, &token).await;
    assert_eq!((&page.body["data"], &page.body["meta"]["record_count"]), (&json!([]), &json!(0)));
    app.get(&format!("{RESETS}/{}/deliveries", decoy.id()), &token).await.assert_error(
        404,
        "RECORD_NOT_FOUND",
        None,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn tenant_no_delivery_of_another_shop_is_found() {
    let shop = Shop::open().await;
    let other = rekey_testkit::seed::scope(&shop.app.store, "other").await;
    let stranger = shop.app.client_in(other, ClientKind::Integration, false).await;
    let token = shop.app.access_token(&stranger).await;
    assert_eq!(shop.app.get(LIST, &token).await.body["data"], json!([]));
    for path in ["", "/customer", "/customer_password_reset", "/relationships/customer", "/event_stores"] {
        let path = format!("{LIST}/{}{path}", shop.sent.delivery);
        shop.app.get(&path, &token).await.assert_error(404, "RECORD_NOT_FOUND", None);
    }
}
