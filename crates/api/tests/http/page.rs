//! The page behind the link, as a browser without JavaScript sees it.

use rekey_core::clients::ClientKind;
use reqwest::{RequestBuilder, header::HeaderMap};
use serde_json::json;
use time::Duration;

use crate::app::{Answer, PUBLIC_URL, RESETS, TestApp};

pub const PATH: &str = "/reset-password";

/// A reset whose link was opened.
pub struct OpenedLink {
    pub app: TestApp,
    pub token: String,
    pub id: String,
    link: String,
    pub cookie: String,
}

impl OpenedLink {
    pub async fn start() -> Self {
        let app = TestApp::start().await;
        app.customer("john@example.com", "the first password").await;
        let reset = app.ask(&app.integration().await, "john@example.com").await;
        let (id, token) =
            (reset.id().to_owned(), reset.attribute("reset_password_token").as_str().unwrap().to_owned());
        let link = format!("{PATH}?id={id}&token={token}");
        let redirect = send(app.http.get(app.url(&link))).await;
        assert_eq!((redirect.status.as_u16(), redirect.header("location")), (303, PATH));
        let set = redirect.header("set-cookie").to_owned();
        assert!(set.starts_with("__Secure-rekey_reset="), "{set}");
        for part in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/reset-password", "Max-Age=3600"] {
            assert!(set.contains(part), "{part}: {set}");
        }
        let cookie = set.split(';').next().unwrap().to_owned();
        Self { app, token, id, link, cookie }
    }

    pub async fn page(&self) -> Answer {
        send(self.app.http.get(self.app.url(PATH)).header("cookie", &self.cookie)).await
    }

    /// The form, as a browser sends it from our page.
    pub async fn submit(&self, password: &str) -> Answer {
        let page = self.page().await;
        send(
            self.post(&form_token(&page), password)
                .header("sec-fetch-site", "same-origin")
                .header("origin", "null"),
        )
        .await
    }

    pub fn post(&self, form_token: &str, password: &str) -> RequestBuilder {
        let form = [("form_token", form_token), ("username", "john@example.com"), ("password", password)];
        self.app.http.post(self.app.url(PATH)).header("cookie", &self.cookie).form(&form)
    }

    pub async fn log_in(&self, password: &str) -> u16 {
        let sales = self.app.client(ClientKind::SalesChannel, false).await;
        self.app.log_in(&sales, "john@example.com", password).await.status.as_u16()
    }
}

pub async fn send(request: RequestBuilder) -> Answer {
    Answer::read(request.send().await.unwrap()).await
}

pub fn form_token(page: &Answer) -> String {
    let after = page
        .text
        .split("name=\"form_token\" value=\"")
        .nth(1)
        .unwrap_or_else(|| panic!("no form: {}", page.text));
    after.split('"').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_sets_the_password_once() {
    let opened = OpenedLink::start().await;
    let page = opened.page().await;
    assert_eq!(page.status, 200);
    assert!(
        page.text.contains("autocomplete=\"new-password\"")
            && page.text.contains("value=\"john@example.com\""),
        "{}",
        page.text
    );
    let done = opened.submit("the second password").await;
    assert_eq!(done.status, 200, "{}", done.text);
    assert_left_the_browser(&done);
    assert_eq!(
        (opened.log_in("the first password").await, opened.log_in("the second password").await),
        (400, 200)
    );
    assert_eq!(opened.page().await.status, 410);
    let again = send(opened.post("x", "the third password")).await;
    assert!([403, 410].contains(&again.status.as_u16()));
    // Going back, and a reload, with the cookie that is left.
    let left = done.header("set-cookie").split(';').next().unwrap();
    for request in
        [opened.app.http.get(opened.app.url(PATH)), opened.app.http.post(opened.app.url(PATH)).body("x")]
    {
        let page = send(request.header("cookie", left)).await;
        assert_eq!(page.status, 410);
        assert!(page.text.contains("Have you just chosen a new password?"), "{}", page.text);
    }
}

// C9: a double click, at both moments that it can come.
#[tokio::test(flavor = "multi_thread")]
async fn c9_a_form_that_is_sent_twice_succeeds_twice_in_its_browser_only() {
    let opened = OpenedLink::start().await;
    let (token, other_tab) = (form_token(&opened.page().await), form_token(&opened.page().await));
    assert_ne!(token, other_tab);
    let sent = async |cookie: &str, token: &str, password: &str| {
        let form = opened.app.http.post(opened.app.url(PATH)).header("cookie", cookie);
        let form = form.form(&[("form_token", token), ("password", password)]);
        send(form.header("sec-fetch-site", "same-origin")).await
    };
    let password = "the second password";
    let cookie = opened.cookie.as_str();
    let clicks = tokio::join!(sent(cookie, &token, password), sent(cookie, &token, password));
    let clicks = [clicks.0, clicks.1, sent(cookie, &token, password).await];
    for page in &clicks {
        assert_eq!(page.status, 200, "{}", page.text);
        assert!(page.text.contains("Your password was changed"), "{}", page.text);
        assert_left_the_browser(page);
        assert!(!page.header("set-cookie").contains(&opened.token));
        // The answer to the first click may be there before the second one is sent.
        let left = page.header("set-cookie").split(';').next().unwrap();
        assert_eq!(sent(left, &token, password).await.text, page.text);
        assert_eq!(sent(left, &other_tab, "the third password").await.status, 410);
        assert_eq!(sent(left, "", "the third password").await.status, 410);
    }
    assert_eq!(opened.log_in(password).await, 200);
    // Another browser, or another tab, has another form.
    for page in [
        sent(cookie, &other_tab, "the third password").await,
        sent(cookie, &other_tab, password).await,
        send(opened.app.http.get(opened.app.url(PATH)).header("cookie", cookie)).await,
    ] {
        assert_eq!(page.status, 410, "{}", page.text);
    }
    let name = cookie.split('=').next().unwrap();
    let forged = format!("{name}=over.{}.AAAAAAAAAA", opened.id);
    assert_eq!(sent(&forged, "AAAAAAAAAA.x", password).await.status, 410);
    assert_eq!(opened.log_in(password).await, 200);
    let events = format!("/api/customer_password_resets/{}/events", opened.id);
    let events = opened.app.get(&events, &opened.app.integration().await).await;
    assert_eq!(events.text.matches("customer_password_resets.reset_password").count(), 1, "{}", events.text);
}

/// The cookie is replaced by one without a token.
#[track_caller]
fn assert_left_the_browser(answer: &Answer) {
    let set = answer.header("set-cookie");
    assert!(set.starts_with("__Secure-rekey_reset=over") && set.contains("Path=/reset-password"), "{set}");
}

#[tokio::test(flavor = "multi_thread")]
async fn scanner_looking_uses_nothing() {
    let opened = OpenedLink::start().await;
    for _ in 0..50 {
        let url = opened.app.url(&opened.link);
        assert_eq!(send(opened.app.http.get(&url)).await.status, 303);
        let head = send(opened.app.http.head(&url)).await;
        assert_eq!((head.status.as_u16(), head.header("location")), (303, PATH));
        opened.page().await;
        send(opened.app.http.head(opened.app.url(PATH)).header("cookie", &opened.cookie)).await;
    }
    assert_eq!(opened.submit("the second password").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn page_leak_nothing_names_the_token_and_no_other_site_is_involved() {
    let opened = OpenedLink::start().await;
    let page = opened.page().await;
    let invalid = opened.submit("short").await;
    for answer in [&page, &invalid] {
        assert!(!answer.text.contains(&opened.token), "{}", answer.text);
        assert!(
            !answer.text.contains("http:")
                && !answer.text.contains("https:")
                && !answer.text.contains("<style")
                && !answer.text.contains(" style="),
            "{}",
            answer.text
        );
    }
    let dead = send(opened.app.http.get(opened.app.url(PATH))).await;
    let redirect = send(opened.app.http.get(opened.app.url(&opened.link))).await;
    for answer in [&page, &invalid, &dead, &redirect] {
        assert_page_headers(&answer.headers);
    }
}

#[track_caller]
pub fn assert_page_headers(headers: &HeaderMap) {
    for (name, value) in [
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("strict-transport-security", "max-age=31536000"),
        (
            "content-security-policy",
            "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        ),
        ("cross-origin-opener-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
        ("vary", "Accept-Language"),
    ] {
        assert_eq!(headers.get_all(name).iter().collect::<Vec<_>>(), [value], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn page_leak_a_cross_site_post_is_refused() {
    let opened = OpenedLink::start().await;
    let form_token = form_token(&opened.page().await);
    let post = || opened.post(&form_token, "the second password");
    for request in [
        post().header("sec-fetch-site", "cross-site"),
        post().header("sec-fetch-site", "same-site"),
        post().header("origin", "https://evil.test"),
        opened.post("", "the second password"),
        opened.post(&"A".repeat(43), "the second password").header("sec-fetch-site", "same-origin"),
    ] {
        assert_eq!(send(request).await.status, 403);
    }
    let json = opened
        .app
        .http
        .post(opened.app.url(PATH))
        .header("cookie", &opened.cookie)
        .json(&json!({ "password": "the second password" }));
    assert_eq!(send(json).await.status, 415);
    let bare = opened
        .app
        .http
        .post(opened.app.url(PATH))
        .form(&[("form_token", form_token.as_str()), ("password", "the second password")]);
    assert_eq!(send(bare).await.status, 400);
    assert_eq!(opened.log_in("the first password").await, 200);
    assert_eq!(send(post().header("origin", PUBLIC_URL)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_password_is_explained_next_to_the_field_and_burns_nothing() {
    let opened = OpenedLink::start().await;
    for (password, message) in [
        ("short", "It needs at least 8 characters."),
        ("john@example.com", "The password is your email address, or little more."),
        ("password123", "Many people use this password"),
        ("", "Please enter a new password."),
        (&"x".repeat(1025), "Please use at most 256 characters."),
        ("long enough\0", "a character that cannot be used"),
    ] {
        let page = opened.submit(password).await;
        assert_eq!(page.status, 422, "{}", page.text);
        assert!(page.text.contains(message), "{}", page.text);
        for part in [
            "<title>Error: ",
            "autofocus aria-invalid=\"true\"",
            "aria-describedby=\"hint error\"",
            "id=\"error\"",
        ] {
            assert!(page.text.contains(part), "{part}: {}", page.text);
        }
        assert!(!page.text.contains("value=\"short"), "what was typed is not repeated");
    }
    assert_eq!(opened.submit("the second password").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_link_is_explained() {
    let opened = OpenedLink::start().await;
    opened.app.clock.forward(Duration::hours(6) + Duration::seconds(1));
    let page = opened.page().await;
    assert_eq!(page.status, 410);
    assert!(page.text.contains("no longer works"), "{}", page.text);
    assert_left_the_browser(&page);
    let integration = opened.app.integration().await;
    assert!(
        opened
            .app
            .get(&format!("{RESETS}/{}", opened.id), &integration)
            .await
            .attribute("reset_password_at")
            .is_null()
    );
}
