//! The page on which the holder of a changed address takes the account back.

use rekey_core::{clients::ClientKind, events::EventBody};
use reqwest::RequestBuilder;
use serde_json::json;
use time::Duration;

use crate::{
    app::{Answer, TestApp},
    page::assert_page_headers,
};

const EMAIL: &str = "john@example.com";
const THIEF: &str = "thief@example.com";
const PASSWORD: &str = "the first password";

/// An account that somebody has moved to another address.
struct Taken {
    app: TestApp,
    customer: String,
    link: String,
}

impl Taken {
    async fn start() -> Self {
        let app = TestApp::start().await;
        let customer = app.customer(EMAIL, PASSWORD).await.id().to_owned();
        let sales = app.client(ClientKind::SalesChannel, false).await;
        let token = app.log_in(&sales, EMAIL, PASSWORD).await.text_of("access_token").to_owned();
        let moved = app.change(&token, &customer, json!({ "email": THIEF })).await;
        assert_eq!(moved.status, 200, "{}", moved.text);
        let (link, recipient) = app.undo_link().await;
        assert_eq!(recipient, EMAIL);
        Self { app, customer, link }
    }

    async fn look(&self, link: &str) -> Answer {
        send(self.app.http.get(self.app.url(link))).await
    }

    async fn act(&self, link: &str) -> Answer {
        let form = self.app.http.post(self.app.url(link)).form(&[("x", "")]);
        send(form.header("sec-fetch-site", "same-origin").header("origin", "null")).await
    }

    async fn address(&self) -> String {
        let integration = self.app.integration().await;
        let found = self.app.get(&format!("/api/customers/{}", self.customer), &integration).await;
        found.attribute("email").as_str().unwrap().to_owned()
    }
}

async fn send(request: RequestBuilder) -> Answer {
    Answer::read(request.send().await.unwrap()).await
}

/// A4.
#[tokio::test(flavor = "multi_thread")]
async fn a4_scanner_looking_undoes_nothing_and_the_form_gives_the_account_back() {
    let account = Taken::start().await;
    let sales = account.app.client(ClientKind::SalesChannel, true).await;
    let session = account.app.log_in(&sales, THIEF, PASSWORD).await.text_of("access_token").to_owned();
    for _ in 0..50 {
        let page = account.look(&account.link).await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert!(page.text.contains("Undo the change of your email address?"), "{}", page.text);
        assert!(page.text.contains("The demo shop") && !page.text.contains("example.com"), "{}", page.text);
        assert_page_headers(&page.headers);
        assert_eq!(send(account.app.http.head(account.app.url(&account.link))).await.status, 200);
    }
    assert_eq!(account.address().await, THIEF);
    // Until then nobody else gets the address.
    let integration = account.app.integration().await;
    let sign_up = account.app.create("customers", &integration, json!({ "email": EMAIL })).await;
    sign_up.assert_error(422, "VALIDATION_ERROR", Some("/data/attributes/email"));
    assert_eq!(sign_up.body["errors"][0]["meta"]["error"], "taken");

    let page = account.look(&format!("{}&locale=de", account.link)).await.text;
    assert!(page.contains("<html lang=\"de\"") && page.contains("Änderung rückgängig machen"), "{page}");
    let action = page.split("action=\"").nth(1).unwrap().split('"').next().unwrap();
    let action = action.replace("&#x2f;", "/").replace("&amp;", "&");
    assert_eq!(action, format!("{}&locale=de", account.link));
    let done = account.act(&account.link).await;
    assert_eq!(done.status, 200, "{}", done.text);
    assert!(done.text.contains("Your email address was restored"), "{}", done.text);

    assert_eq!(account.address().await, EMAIL);
    for address in [EMAIL, THIEF] {
        let refused = account.app.log_in(&sales, address, PASSWORD).await;
        refused.assert_oauth_error(400, "invalid_grant", "INVALID_GRANT");
    }
    let own = format!("/api/customers/{}", account.customer);
    account.app.get(&own, &session).await.assert_error(401, "INVALID_TOKEN", None);
    let events = account.app.events().await;
    assert!(events.iter().any(|event| matches!(event.body, EventBody::CustomerEmailRestored { .. })));
    // The link that was mailed sets a password.
    let resets = account.app.get("/api/customer_password_resets", &integration).await;
    let reset = &resets.body["data"][0];
    assert_eq!(reset["attributes"]["customer_email"], EMAIL);
    let mailed = events.iter().any(|event| {
        matches!(&event.body, EventBody::ResetCreated(created) if created.reset.as_str() == reset["id"])
    });
    assert!(mailed, "{}", resets.text);
    let token = &reset["attributes"]["reset_password_token"];
    let password = json!({ "customer_password": "the second password", "_reset_password_token": token });
    let used = account.app.patch(&integration, reset["id"].as_str().unwrap(), password).await;
    assert_eq!(used.status, 200, "{}", used.text);
    assert_eq!(account.app.log_in(&sales, EMAIL, "the second password").await.status, 200);

    // Sent or opened again, it says the same, and changes nothing.
    for again in [account.look(&account.link).await, account.act(&account.link).await] {
        assert!(again.text.contains("Your email address was restored"), "{}", again.text);
    }
    assert_eq!(account.app.log_in(&sales, EMAIL, "the second password").await.status, 200);
}

/// The account that came back has no password hash, on which no process depends.
#[tokio::test(flavor = "multi_thread")]
async fn a4_other_customers_log_in_after_an_undo() {
    let account = Taken::start().await;
    account.app.customer("jane@example.com", "her own password").await;
    let sales = account.app.client(ClientKind::SalesChannel, false).await;
    assert_eq!(account.act(&account.link).await.status, 200);
    // A new process reads the schemes of the stored hashes first.
    let replica = account.app.replica();
    assert_eq!(replica.log_in(&sales, "jane@example.com", "her own password").await.status, 200);
    replica.log_in(&sales, EMAIL, PASSWORD).await.assert_oauth_error(400, "invalid_grant", "INVALID_GRANT");
}

/// A4.
#[tokio::test(flavor = "multi_thread")]
async fn a4_the_thiefs_own_link_is_dead_once_the_account_is_back() {
    let account = Taken::start().await;
    let integration = account.app.integration().await;
    let moved =
        account.app.change(&integration, &account.customer, json!({ "email": "other@example.com" })).await;
    assert_eq!(moved.status, 200, "{}", moved.text);
    let (thiefs, recipient) = account.app.undo_link().await;
    assert_eq!(recipient, THIEF);
    assert_eq!(account.act(&account.link).await.status, 200);
    for page in [account.look(&thiefs).await, account.act(&thiefs).await] {
        assert_eq!(page.status, 410, "{}", page.text);
        assert!(page.text.contains("This link no longer works"), "{}", page.text);
    }
    assert_eq!(account.address().await, EMAIL);
}

/// A4.
#[tokio::test(flavor = "multi_thread")]
async fn a4_after_seven_days_the_link_is_dead_and_the_address_free() {
    let account = Taken::start().await;
    account.app.clock.forward(Duration::days(7));
    for page in [account.look(&account.link).await, account.act(&account.link).await] {
        assert_eq!(page.status, 410, "{}", page.text);
    }
    assert_eq!(account.address().await, THIEF);
    account.app.customer(EMAIL, PASSWORD).await;
}

/// A4.
#[tokio::test(flavor = "multi_thread")]
async fn a4_page_leak_a_cross_site_form_restores_nothing() {
    let account = Taken::start().await;
    let form = || account.app.http.post(account.app.url(&account.link)).form(&[("x", "")]);
    for request in
        [form().header("sec-fetch-site", "cross-site"), form().header("origin", "https://evil.test")]
    {
        assert_eq!(send(request).await.status, 403);
    }
    assert_eq!(account.address().await, THIEF);
}

/// A4.
#[tokio::test(flavor = "multi_thread")]
async fn a4_token_type_what_is_no_token_of_the_change_is_no_page() {
    let account = Taken::start().await;
    let (id, token) = account.link.strip_prefix("/restore-email?id=").unwrap().split_once("&token=").unwrap();
    let flipped: String = token
        .chars()
        .map(|c| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
        .collect();
    for wrong in [
        "/restore-email".to_owned(),
        "/restore-email?id=&token=".to_owned(),
        format!("/restore-email?id={id}"),
        format!("/restore-email?id={id}&token={}", &token[1..]),
        format!("/restore-email?id={id}&token={flipped}"),
        format!("/restore-email?id=NOBODYNOBO&token={token}"),
    ] {
        assert_eq!(account.look(&wrong).await.status, 404, "{wrong}");
        assert_eq!(account.act(&wrong).await.status, 404, "{wrong}");
    }
    assert_eq!(account.address().await, THIEF);
}
