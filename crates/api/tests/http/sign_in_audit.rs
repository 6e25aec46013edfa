//! A11: the audit log has log-ins, throttles that fired, and rotated keys.

use futures_util::future::join_all;
use rekey_core::clients::ClientKind;
use rekey_testkit::backdoor::{Backdoor, SqliteBackdoor};
use serde_json::{Value, json};

use crate::app::{TestApp, TestClient, new_signing_key};

const JOHN: &str = "john@example.com";
const RIGHT: &str = "the first password";
const WRONG: &str = "another password";

struct Shop {
    app: TestApp,
    sales: TestClient,
    integration: String,
    john: String,
}

impl Shop {
    async fn start_with(settings: &[(&str, &str)]) -> Self {
        let app = TestApp::start_with(settings, Vec::new()).await;
        let john = app.customer(JOHN, RIGHT).await.id().to_owned();
        let sales = app.client(ClientKind::SalesChannel, false).await;
        let integration = app.integration().await;
        Self { app, sales, integration, john }
    }

    async fn log_in(&self, email: &str, password: &str) -> u16 {
        self.app.log_in(&self.sales, email, password).await.status.as_u16()
    }

    /// The attributes of the customer's entries with that event.
    async fn entries(&self, event: &str) -> Vec<Value> {
        let path = format!("/api/customers/{}?include=event_stores", self.john);
        let answer = self.app.get(&path, &self.integration).await;
        let included = answer.body["included"].as_array().unwrap().iter();
        let of_event = included.filter(|entry| entry["attributes"]["event"] == event);
        of_event.map(|entry| entry["attributes"].clone()).collect()
    }

    fn backdoor(&self) -> SqliteBackdoor {
        SqliteBackdoor::open(&self.app.folder.path().join("rekey.db"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a11_log_ins_their_failures_and_throttled_ones_are_in_the_audit_log() {
    let shop = Shop::start_with(&[]).await;
    let nobody = "nobody@example.com";
    assert_eq!(shop.log_in(JOHN, RIGHT).await, 200);
    for address in [JOHN, nobody] {
        for _ in 0..5 {
            assert_eq!(shop.log_in(address, WRONG).await, 400);
        }
        assert_eq!(shop.log_in(address, RIGHT).await, 429);
    }
    let backdoor = shop.backdoor();
    let client = shop.app.registered(&shop.sales).await.id.to_string();
    for (event, count) in [("sign_in", 1), ("sign_in_failed", 5), ("sign_in_throttled", 1)] {
        let entries = shop.entries(event).await;
        assert_eq!(entries.len(), count, "{event}");
        for entry in entries {
            assert_eq!(entry["resource_type"], "customers");
            assert_eq!(entry["resource_id"], shop.john);
            assert_eq!(entry["ip_address"], "127.0.0.1");
            assert_eq!(entry["payload"], json!({ "attributes": [] }));
            assert_eq!(entry["who"], json!({ "application": { "id": client } }));
        }
        let log = backdoor.count("audit_entries", &format!("action = '{event}'")).await;
        let decoys = backdoor.count("decoy_audit_entries", &format!("action = '{event}'")).await;
        let unknown = if event == "sign_in" { 0 } else { count };
        assert_eq!((log, decoys), (count as u64, unknown as u64), "{event}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a11_a_password_that_was_not_compared_is_not_recorded() {
    let shop = Shop::start_with(&[
        ("passwords.hashing_threads", "1"),
        ("passwords.hashing_queue", "2"),
        ("limits.sales_channel_per_minute", "0"),
    ])
    .await;
    let addresses: Vec<_> = (0..60).map(|n| format!("nobody{n}@example.com")).collect();
    let answers = join_all(addresses.iter().map(|address| shop.log_in(address, WRONG))).await;
    let count = |status: u16| answers.iter().filter(|answer| **answer == status).count() as u64;
    assert!(count(400) > 0 && count(503) > 0 && count(400) + count(503) == 60, "{answers:?}");
    assert_eq!(shop.backdoor().count("sign_in_counts", "action = 'sign_in_failed'").await, count(400));
    assert_eq!(shop.backdoor().count("decoy_audit_entries", "true").await, count(400));
}

#[tokio::test(flavor = "multi_thread")]
async fn a11_a_log_in_that_cannot_be_recorded_fails() {
    let shop = Shop::start_with(&[]).await;
    let backdoor = shop.backdoor();
    backdoor.script("ALTER TABLE sign_in_counts RENAME TO gone").await;
    for (address, password) in [(JOHN, RIGHT), (JOHN, WRONG), ("nobody@example.com", WRONG)] {
        assert_eq!(shop.log_in(address, password).await, 500, "{address} {password}");
    }
    backdoor.script("ALTER TABLE gone RENAME TO sign_in_counts").await;
    assert_eq!(shop.log_in(JOHN, RIGHT).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a11_a_reused_refresh_token_and_used_up_tries_are_in_the_audit_log() {
    let shop = Shop::start_with(&[]).await;
    let login = shop.app.log_in(&shop.sales, JOHN, RIGHT).await;
    for expected in [200, 400, 400] {
        let grant = json!({
            "grant_type": "refresh_token", "client_id": shop.sales.id, "refresh_token": login.text_of("refresh_token"),
        });
        assert_eq!(shop.app.oauth(&grant).await.status, expected);
    }
    let [reused] = <[_; 1]>::try_from(shop.entries("refresh_token_reused").await).unwrap();
    assert_eq!(reused["ip_address"], "127.0.0.1");
    assert!(shop.entries("sign_in").await.len() == 1, "a refresh is no sign-in");

    let login = shop.app.log_in(&shop.sales, JOHN, RIGHT).await;
    seed_taken(&shop).await;
    for expected in [422, 422, 422, 422, 422, 429, 429] {
        let attributes = json!({ "email": "taken@example.com" });
        let answer = shop.app.change(login.text_of("access_token"), &shop.john, attributes).await;
        assert_eq!(answer.status, expected, "{}", answer.text);
    }
    let [throttled] = <[_; 1]>::try_from(shop.entries("email_change_throttled").await).unwrap();
    assert_eq!(throttled["who"]["owner"], json!({ "id": shop.john, "type": "Customer" }));
}

async fn seed_taken(shop: &Shop) {
    shop.app.customer("taken@example.com", RIGHT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a11_a_start_with_other_keys_is_in_the_audit_log() {
    let shop = Shop::start_with(&[]).await;
    let backdoor = shop.backdoor();
    let until = async |table: &str, condition: &str, count: u64| {
        for _ in 0..600 {
            if backdoor.count(table, condition).await == count {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("not {count} rows of {table} with {condition}");
    };
    until("known_keys", "true", 2).await;
    let _same = shop.app.replica();
    let rotated = "action = 'rotate_keys' AND resource_type = 'signing_keys'";
    let key = new_signing_key(2048);
    let _other = shop.app.replica_with(&[("auth.signing_key", &key)]);
    until("audit_entries", rotated, 2).await;
    let kept = "key_ids LIKE '[\"%\"]' AND key_ids NOT LIKE '%PRIVATE%' AND length(key_ids) < 60";
    assert_eq!(backdoor.count("known_keys", kept).await, 2);
    let id = backdoor.text(&format!("SELECT id FROM audit_entries WHERE mode = 'test' AND {rotated}")).await;
    let entry = shop.app.get(&format!("/api/event_stores/{}", id.unwrap()), &shop.integration).await;
    let first = backdoor.text("SELECT key_ids ->> 0 FROM known_keys WHERE kind = 'signing_keys'").await;
    assert_eq!(entry.attribute("resource_id"), &json!(first.unwrap()));
    assert_eq!(entry.attribute("who"), &json!({ "owner": { "type": "Operator" } }));
}
