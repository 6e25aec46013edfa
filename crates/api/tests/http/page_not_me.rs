//! The page on which a recipient says that somebody else requested the reset.

use rekey_core::{
    clients::ClientKind,
    ids::ResetId,
    secrets::{KeyRing, RejectionProof},
};
use rekey_testkit::backdoor::{Backdoor, SqliteBackdoor};
use reqwest::RequestBuilder;
use serde_json::json;
use time::Duration;

use crate::{
    app::{Answer, RESETS, TestApp},
    page::assert_page_headers,
    page_form::exchange,
};

/// A reset that its recipient did not request.
struct Mail {
    app: TestApp,
    id: String,
    token: String,
    link: String,
}

impl Mail {
    async fn start() -> Self {
        Self::start_with(&[]).await
    }

    async fn start_with(settings: &[(&str, &str)]) -> Self {
        let app = TestApp::start_with(settings, Vec::new()).await;
        app.customer("john@example.com", "the first password").await;
        let reset = app.ask(&app.integration().await, "john@example.com").await;
        let token = reset.attribute("reset_password_token").as_str().unwrap().to_owned();
        let id = reset.id().to_owned();
        let link = link(&id, &id);
        Self { app, id, token, link }
    }

    async fn look(&self) -> Answer {
        send(self.app.http.get(self.app.url(&self.link))).await
    }

    async fn act(&self, link: &str) -> Answer {
        let form = self.app.http.post(self.app.url(link)).form(&[("x", "")]);
        send(form.header("sec-fetch-site", "same-origin").header("origin", "null")).await
    }

    /// The status of the page behind the reset's own link.
    async fn reset_page(&self) -> u16 {
        let cookie = format!("__Secure-rekey_reset={}.{}", self.id, self.token);
        send(self.app.http.get(self.app.url("/reset-password")).header("cookie", cookie))
            .await
            .status
            .as_u16()
    }
}

/// The link for a reset, with the proof of another.
fn link(id: &str, proven: &str) -> String {
    let key = std::array::from_fn(|at| u8::try_from(at).unwrap());
    let keys = KeyRing::new([("test", &key)]).unwrap();
    let proof = RejectionProof::for_reset(proven.parse::<ResetId>().unwrap(), &keys).expose();
    format!("/not-me?id={id}&proof={proof}")
}

async fn send(request: RequestBuilder) -> Answer {
    Answer::read(request.send().await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn scanner_looking_kills_no_link_and_the_form_does() {
    let mail = Mail::start().await;
    for _ in 0..50 {
        let page = mail.look().await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert!(page.text.contains("The demo shop") && page.text.contains(": 1 hour."), "{}", page.text);
        assert_page_headers(&page.headers);
        assert_eq!(send(mail.app.http.head(mail.app.url(&mail.link))).await.status, 200);
    }
    assert_eq!(mail.reset_page().await, 200);
    let page = mail.look().await;
    let action = page.text.split("action=\"").nth(1).unwrap().split('"').next().unwrap();
    let action = action.replace("&#x2f;", "/").replace("&amp;", "&");
    assert_eq!(action, mail.link);
    let done = mail.act(&action).await;
    assert_eq!(done.status, 200, "{}", done.text);
    assert!(done.text.contains("Your password was not changed."), "{}", done.text);
    assert_eq!(mail.reset_page().await, 410);
    for again in [mail.look().await, mail.act(&mail.link).await] {
        assert!(again.text.contains("<h1>The link no longer works</h1>"), "{}", again.text);
    }
    let sales = mail.app.client(ClientKind::SalesChannel, false).await;
    assert_eq!(mail.app.log_in(&sales, "john@example.com", "the first password").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_keeps_the_next_reset_back_for_its_own_cooldown() {
    let cooldown = ("resets.self_service_cooldown_seconds", "60");
    let mail = Mail::start_with(&[cooldown, ("resets.disavowal_cooldown_seconds", "600")]).await;
    assert_eq!(mail.act(&mail.link).await.status, 200);
    let backdoor = SqliteBackdoor::open(&mail.app.folder.path().join("rekey.db"));
    for (seconds, count) in [(0, 1), (595, 1), (10, 2)] {
        mail.app.clock.forward(Duration::seconds(seconds));
        let guest = mail.app.guest(true).await;
        assert_eq!(mail.app.ask(&guest, "john@example.com").await.status, 201);
        assert_eq!(backdoor.count("password_resets", "true").await, count, "{seconds}");
    }
}

/// The link as a mail client may change it, and as a proxy may request it.
#[tokio::test(flavor = "multi_thread")]
async fn host_poison_the_forms_address_is_made_of_what_is_understood() {
    let mail = Mail::start().await;
    let form = format!(
        "action=\"{}\"",
        mail.link.replace('/', "&#x2f;").replace('&', "&amp;").replace("&amp;#x2f;", "&#x2f;")
    );
    for way in ["&utm_source=%22%3E%3Cb%3E", "%3E", ".", "&amp;x=y"] {
        let page = send(mail.app.http.get(mail.app.url(&format!("{}{way}", mail.link)))).await;
        assert!(page.status == 200 && page.text.contains(&form), "{way}: {}", page.text);
    }
    let host = mail.app.url("");
    let absolute = format!("GET http://evil.test{} HTTP/1.0\r\n\r\n", mail.link);
    let page = exchange(&mail.app, &absolute).await;
    assert!(page.contains(&form) && !page.contains("evil") && !page.contains(&host), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_can_be_had_in_another_language() {
    let mail = Mail::start().await;
    let page = mail.look().await.text.replace("&#x2f;", "/").replace("&amp;", "&");
    let german = format!("{}&locale=de", mail.link);
    assert!(page.contains(&format!("href=\"{german}\" lang=\"de\"")), "{page}");
    let page = send(mail.app.http.get(mail.app.url(&german))).await.text;
    assert!(page.contains("<html lang=\"de\"") && page.contains("&amp;locale=en\" lang=\"en\""), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn page_leak_a_cross_site_form_disavows_nothing() {
    let mail = Mail::start().await;
    let form = || mail.app.http.post(mail.app.url(&mail.link)).form(&[("x", "")]);
    for request in
        [form().header("sec-fetch-site", "cross-site"), form().header("origin", "https://evil.test")]
    {
        assert_eq!(send(request).await.status, 403);
    }
    assert_eq!(mail.reset_page().await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn token_type_what_proves_nothing_is_no_page() {
    let mail = Mail::start().await;
    let other = mail.app.ask(&mail.app.integration().await, "john@example.com").await.id().to_owned();
    for wrong in [
        "/not-me".to_owned(),
        "/not-me?id=&proof=".to_owned(),
        format!("/not-me?id={}", mail.id),
        format!("/not-me?id={}&proof=test.AAAA", mail.id),
        link(&mail.id, &other),
        format!("{}A", mail.link),
    ] {
        assert_eq!(send(mail.app.http.get(mail.app.url(&wrong))).await.status, 404, "{wrong}");
        assert_eq!(mail.act(&wrong).await.status, 404, "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_rejection_explains_what_to_do() {
    let mail = Mail::start().await;
    let integration = mail.app.integration().await;
    let password = json!({ "customer_password": "the second password", "_reset_password_token": mail.token });
    assert_eq!(mail.app.patch(&integration, &mail.id, password).await.status, 200);
    for page in [mail.look().await, mail.act(&mail.link).await] {
        assert_eq!(page.status, 200);
        assert!(page.text.contains("The link was already used"), "{}", page.text);
        assert!(page.text.contains("password of your email account"), "{}", page.text);
    }
    assert!(
        mail.app
            .get(&format!("{RESETS}/{}", mail.id), &integration)
            .await
            .attribute("reset_password_at")
            .is_string()
    );
}
