//! What a stolen session can't do: a customer changes its own address or password, or deletes itself, only shortly after its sign-in.

use rekey_core::{clients::ClientKind, events::EventBody, resources::customers};
use rekey_testkit::backdoor::{Backdoor, SqliteBackdoor};
use serde_json::{Value, json};
use time::Duration;

use crate::app::{Answer, TestApp, TestClient};

const EMAIL: &str = "john@example.com";
const PASSWORD: &str = "the first password";

struct Customer {
    app: TestApp,
    sales: TestClient,
    id: String,
}

impl Customer {
    async fn start_with(settings: &[(&str, &str)]) -> Self {
        let app = TestApp::start_with(settings, Vec::new()).await;
        let id = app.customer(EMAIL, PASSWORD).await.id().to_owned();
        let sales = app.client(ClientKind::SalesChannel, false).await;
        Self { app, sales, id }
    }

    async fn sign_in(&self) -> Answer {
        let answer = self.app.log_in(&self.sales, EMAIL, PASSWORD).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer
    }

    async fn change(&self, token: &str, attributes: Value) -> Answer {
        self.app.change(token, &self.id, attributes).await
    }
}

#[track_caller]
fn assert_stale(answer: &Answer) {
    answer.assert_error(401, "UNAUTHORIZED", None);
    assert_eq!(answer.body["errors"][0]["title"], "Access denied");
    assert_eq!(answer.body["errors"][0]["meta"]["error"], "fresh_sign_in_required");
    assert_eq!(answer.header("www-authenticate"), "", "clients would throw the token away");
}

/// A4.
#[tokio::test(flavor = "multi_thread")]
async fn a4_an_old_session_changes_neither_address_nor_password() {
    let customer = Customer::start_with(&[]).await;
    let login = customer.sign_in().await;
    let token = login.text_of("access_token").to_owned();
    let attacks = [
        json!({ "email": "thief@example.com" }),
        json!({ "password": "the second password" }),
        json!({ "email": "thief@example.com", "password": "the second password", "reference": "R" }),
        json!({ "password": "short" }),
    ];
    customer.app.clock.forward(Duration::seconds(900));
    for attack in &attacks {
        assert_stale(&customer.change(&token, attack.clone()).await);
    }
    // A refresh makes a new access token, and the session no younger.
    let refresh = json!({
        "grant_type": "refresh_token", "client_id": customer.sales.id, "refresh_token": login.text_of("refresh_token"),
    });
    let refreshed = customer.app.oauth(&refresh).await;
    let refreshed = refreshed.text_of("access_token");
    for attack in &attacks {
        assert_stale(&customer.change(refreshed, attack.clone()).await);
    }
    // The refused tries have used none of the customer's own, and other attributes need nothing.
    let kept = json!({ "reference": "R", "locale": "de", "email": EMAIL });
    assert_eq!(customer.change(refreshed, kept).await.status, 200);
    let integration = customer.app.integration().await;
    let found = customer.app.get(&format!("/api/customers/{}", customer.id), &integration).await;
    assert_eq!(
        (found.attribute(customers::EMAIL.name), found.attribute("reference")),
        (&json!(EMAIL), &json!("R"))
    );

    let again = customer.sign_in().await;
    let token = again.text_of("access_token");
    customer.app.clock.forward(Duration::seconds(890));
    assert_eq!(customer.change(token, json!({ "password": "the second password" })).await.status, 200);
}

/// A4.
#[tokio::test(flavor = "multi_thread")]
async fn a4_the_time_is_a_setting_and_a_back_office_needs_no_sign_in() {
    let customer = Customer::start_with(&[("auth.fresh_seconds", "60")]).await;
    let token = customer.sign_in().await.text_of("access_token").to_owned();
    customer.app.clock.forward(Duration::seconds(61));
    assert_stale(&customer.change(&token, json!({ "email": "new@example.com" })).await);
    let unlimited = customer.app.replica_with(&[("auth.fresh_seconds", "0")]);
    unlimited.clock.forward(Duration::HOUR);
    let moved = unlimited.change(&token, &customer.id, json!({ "email": "new@example.com" })).await;
    assert_eq!(moved.status, 200, "{}", moved.text);
    let integration = customer.app.integration().await;
    assert_eq!(customer.change(&integration, json!({ "email": EMAIL })).await.status, 200);
}

/// A thief who has moved an account can't delete it, and with it the change that its holder could undo.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_session_deletes_no_account() {
    let customer = Customer::start_with(&[]).await;
    let path = format!("/api/customers/{}", customer.id);
    let delete =
        async |app: &TestApp, token: &str| app.call(reqwest::Method::DELETE, &path, token, None).await;
    let old = customer.sign_in().await.text_of("access_token").to_owned();
    customer.app.clock.forward(Duration::seconds(900));
    assert_stale(&delete(&customer.app, &old).await);
    assert_eq!(customer.app.get(&path, &old).await.status, 200);

    let unlimited = customer.app.replica_with(&[("auth.fresh_seconds", "0")]);
    assert_eq!(delete(&unlimited, &old).await.status, 204);
}

/// A4. The notices of a change go to the address from before it, whoever makes it.
#[tokio::test(flavor = "multi_thread")]
async fn a4_notices_go_to_the_address_of_their_time() {
    let customer = Customer::start_with(&[]).await;
    let integration = customer.app.integration().await;
    let both = json!({ "email": "thief@example.com", "password": "the second password" });
    assert_eq!(customer.change(&integration, both).await.status, 200);
    let later = json!({ "password": "the third password" });
    assert_eq!(customer.change(&integration, later).await.status, 200);
    let key = std::array::from_fn(|at| u8::try_from(at).unwrap());
    let keys = rekey_core::secrets::KeyRing::new([("test", &key)]).unwrap();
    let mut recipients = Vec::new();
    for event in customer.app.events().await {
        let recipient = event.recipient(&keys).unwrap().map(|address| address.to_string());
        match event.body {
            EventBody::CustomerPasswordCreated { .. } => recipients.push(("password", recipient.unwrap())),
            EventBody::CustomerEmailChanged(_) => recipients.push(("address", recipient.unwrap())),
            _ => {}
        }
    }
    recipients.sort_unstable();
    let expected = [("address", EMAIL), ("password", EMAIL), ("password", "thief@example.com")];
    assert_eq!(recipients, expected.map(|(what, to)| (what, to.to_owned())));
}

/// A5. An account with an unconfirmed address gets one notice of a kind; a reset by mail confirms the address.
#[tokio::test(flavor = "multi_thread")]
async fn a5_notices_have_the_quota_of_their_address() {
    let customer = Customer::start_with(&[]).await;
    let backdoor = SqliteBackdoor::open(&customer.app.folder.path().join("rekey.db"));
    let budgets = async |budget: u32| {
        let quota = format!("account_digest IS NOT NULL AND mail_budget = {budget}");
        backdoor.count("deliveries", &format!("mail <> 'reset_requested' AND {quota}")).await
    };
    let token = customer.sign_in().await.text_of("access_token").to_owned();
    assert_eq!(customer.change(&token, json!({ "password": "the second password" })).await.status, 200);
    assert_eq!((budgets(1).await, budgets(5).await), (1, 0));

    let integration = customer.app.integration().await;
    let reset = customer.app.ask(&integration, EMAIL).await;
    let secret = reset.attribute("reset_password_token");
    let password = json!({ "customer_password": PASSWORD, "_reset_password_token": secret });
    assert_eq!(customer.app.patch(&integration, reset.id(), password).await.status, 200);
    assert_eq!((budgets(1).await, budgets(5).await), (1, 1));
    let token = customer.sign_in().await.text_of("access_token").to_owned();
    assert_eq!(customer.change(&token, json!({ "email": "new@example.com" })).await.status, 200);
    assert_eq!((budgets(1).await, budgets(5).await), (1, 2));
    let token = customer.app.log_in(&customer.sales, "new@example.com", PASSWORD).await;
    let token = token.text_of("access_token");
    assert_eq!(customer.change(token, json!({ "password": "the third password" })).await.status, 200);
    assert_eq!((budgets(1).await, budgets(5).await), (2, 2));
}
