//! The page on which the holder of a changed address takes the account back.

use rekey_core::{clients::ClientKind, events::EventBody};
use reqwest::RequestBuilder;
use serde_json::json;
use time::Duration;

use crate::{
    app::{Answer, TestApp},
    page::{assert_page_headers, form_token, send},
};

const PATH: &str = "/restore-email";

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

    /// Opens a link; returns the address to which it leads, and the cookie.
    async fn open(&self, link: &str) -> (String, String) {
        let opened = send(self.app.http.get(self.app.url(link))).await;
        assert_eq!(opened.status, 303, "{}", opened.text);
        let cookie = opened.header("set-cookie").split(';').next().unwrap().to_owned();
        (opened.header("location").to_owned(), cookie)
    }

    /// Opens a link and follows it to its page.
    async fn look(&self, link: &str) -> Answer {
        let (address, cookie) = self.open(link).await;
        send(self.app.http.get(self.app.url(&address)).header("cookie", cookie)).await
    }

    /// Opens a link, and returns its form as it is sent by the button.
    async fn form(&self, link: &str) -> RequestBuilder {
        let form_token = form_token(&self.look(link).await);
        let (address, cookie) = self.open(link).await;
        let form = self.app.http.post(self.app.url(&address)).form(&[("form_token", form_token)]);
        form.header("cookie", cookie).header("origin", "null")
    }

    async fn act(&self, link: &str) -> Answer {
        send(self.form(link).await).await
    }

    async fn address(&self) -> String {
        let integration = self.app.integration().await;
        let found = self.app.get(&format!("/api/customers/{}", self.customer), &integration).await;
        found.attribute("email").as_str().unwrap().to_owned()
    }
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
        assert_eq!(send(account.app.http.head(account.app.url(&account.link))).await.status, 303);
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
    assert_eq!(action.replace("&#x2f;", "/"), format!("{PATH}?locale=de"));
    let form = account.form(&account.link).await;
    let again = form.try_clone().unwrap();
    let done = send(form).await;
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
    for again in [account.look(&account.link).await, send(again).await] {
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
    let thiefs_form = account.form(&thiefs).await;
    assert_eq!(account.act(&account.link).await.status, 200);
    for page in [account.look(&thiefs).await, send(thiefs_form).await] {
        assert_eq!(page.status, 410, "{}", page.text);
        assert!(page.text.contains("This link no longer works"), "{}", page.text);
    }
    assert_eq!(account.address().await, EMAIL);
}

/// A4.
#[tokio::test(flavor = "multi_thread")]
async fn a4_after_seven_days_the_link_is_dead_and_the_address_free() {
    let account = Taken::start().await;
    let form = account.form(&account.link).await;
    account.app.clock.forward(Duration::days(7));
    for page in [account.look(&account.link).await, send(form).await] {
        assert_eq!(page.status, 410, "{}", page.text);
    }
    assert_eq!(account.address().await, THIEF);
    account.app.customer(EMAIL, PASSWORD).await;
}

/// A4.
#[tokio::test(flavor = "multi_thread")]
async fn a4_page_leak_a_cross_site_form_restores_nothing() {
    let account = Taken::start().await;
    let (_, cookie) = account.open(&account.link).await;
    let shown = form_token(&account.look(&account.link).await);
    let form = |form_token: &str| {
        let form = account.app.http.post(account.app.url(PATH)).form(&[("form_token", form_token)]);
        form.header("cookie", &cookie)
    };
    for request in [
        form(&shown).header("sec-fetch-site", "cross-site"),
        form(&shown).header("origin", "https://evil.test"),
        form("").header("sec-fetch-site", "same-origin"),
        form(&shown.replace('.', "x.")).header("sec-fetch-site", "same-origin"),
    ] {
        assert_eq!(send(request).await.status, 403);
    }
    assert_eq!(account.address().await, THIEF);
}

/// The token is only in the link and in a cookie for this page alone.
#[tokio::test(flavor = "multi_thread")]
async fn page_leak_opening_the_link_takes_the_token_out_of_the_address() {
    let account = Taken::start().await;
    let token = account.link.split_once("&token=").unwrap().1;
    let opened = send(account.app.http.get(account.app.url(&format!("{}&locale=de", account.link)))).await;
    assert_eq!(
        (opened.status.as_u16(), opened.header("location"), opened.text.as_str()),
        (303, "/restore-email?locale=de", "")
    );
    let set = opened.header("set-cookie");
    assert!(set.starts_with("__Secure-rekey_restore=") && set.contains(token), "{set}");
    for part in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/restore-email", "Max-Age=3600"] {
        assert!(set.contains(part), "{part}: {set}");
    }
    let form = account.form(&account.link).await;
    for page in [account.look(&account.link).await, send(form).await, account.look(&account.link).await] {
        assert_eq!(page.status, 200, "{}", page.text);
        assert!(!page.text.contains(token), "{}", page.text);
    }
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
    let form_token = form_token(&account.look(&account.link).await);
    for (query, status) in [
        ("id=&token=".to_owned(), 400),
        (format!("id={id}"), 400),
        (format!("id={id}&token={}", &token[1..]), 400),
        (format!("id={id}&token={flipped}"), 404),
        (format!("id=NOBODYNOBO&token={token}"), 404),
    ] {
        let link = format!("{PATH}?{query}");
        assert_eq!(account.look(&link).await.status, status, "{query}");
        let (_, cookie) = account.open(&link).await;
        let form = account.app.http.post(account.app.url(PATH)).form(&[("form_token", &form_token)]);
        let sent = send(form.header("cookie", cookie)).await;
        assert!([400, 403, 404].contains(&sent.status.as_u16()), "{query}: {}", sent.status);
    }
    let without = send(account.app.http.get(account.app.url(PATH))).await;
    assert_eq!(without.status, 400);
    assert!(without.text.contains("Please open the link again"), "{}", without.text);
    assert_eq!(account.address().await, THIEF);
}
