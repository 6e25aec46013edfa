//! The field for the code from the mail, on the page that says that the mail was sent.

use rekey_core::clients::ClientKind;

use crate::{
    app::{Answer, TestApp, TestClient},
    page_forgot::{PATH, post, send, start},
};

/// A browser in which a mail with a code was requested.
struct Waiting {
    app: TestApp,
    client: TestClient,
    cookie: String,
    code: String,
}

impl Waiting {
    async fn start(settings: &[(&str, &str)]) -> Self {
        let app = TestApp::start_with(&[&[("resets.code", "true")], settings].concat(), Vec::new()).await;
        app.customer("john@example.com", "the first password").await;
        let client = app.client(ClientKind::SalesChannel, true).await;
        let cookie = asked(&send(post(&app, &client, "john@example.com")).await);
        let id = cookie.split('=').nth(1).unwrap().to_owned();
        let code = app.code(&id).await.unwrap();
        Self { app, client, cookie, code }
    }

    fn url(&self) -> String {
        self.app.url(&format!("{PATH}/sent?client_id={}", self.client.id))
    }

    async fn page(&self) -> Answer {
        send(self.app.http.get(self.url()).header("cookie", &self.cookie)).await
    }

    async fn enter(&self, code: &str) -> Answer {
        let form = self.app.http.post(self.url()).form(&[("code", code)]);
        send(form.header("cookie", &self.cookie).header("sec-fetch-site", "same-origin")).await
    }
}

/// The cookie that an answer sets.
fn asked(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_leads_to_the_form_as_its_link_does() {
    let waiting = Waiting::start(&[]).await;
    let page = waiting.page().await;
    for part in ["autocomplete=\"one-time-code\"", "name=\"code\"", "aria-describedby=\"hint\""] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    let typed = waiting.code.to_lowercase().replace('-', " ");
    let right = waiting.enter(&typed).await;
    let location = format!("/reset-password?client_id={}", waiting.client.id);
    assert_eq!((right.status.as_u16(), right.header("location")), (303, location.as_str()), "{}", right.text);
    let cookie = right.header("set-cookie");
    assert!(
        cookie.starts_with("__Secure-rekey_reset=") && cookie.contains("Path=/reset-password"),
        "{cookie}"
    );
    let form = waiting.app.http.get(waiting.app.url(&location)).header("cookie", asked(&right));
    assert!(send(form).await.text.contains("Choose a new password"));
}

// C9
#[tokio::test(flavor = "multi_thread")]
async fn c9_a_code_is_found_in_what_was_pasted() {
    for around in [
        "CODE.",
        "Code: CODE",
        "\u{201c}CODE\u{201d}",
        "\u{a0}CODE\u{a0}",
        "Der Code lautet CODE (6 Stunden).",
    ] {
        let waiting = Waiting::start(&[]).await;
        let page = waiting.page().await;
        let pasted = around.replace("CODE", &waiting.code.replace('-', "\u{2013}"));
        assert!(page.text.contains("maxlength=\"200\"") && pasted.chars().count() < 200);
        let right = waiting.enter(&pasted).await;
        assert_eq!(right.status, 303, "{pasted}: {}", right.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn enum_body_wrong_exhausted_and_nobodys_codes_are_refused_alike() {
    let waiting = Waiting::start(&[("resets.code_guesses", "2")]).await;
    let nobody = asked(&send(post(&waiting.app, &waiting.client, "nobody@example.com")).await);
    let nobody = Waiting {
        app: waiting.app.replica_with(&[("resets.code", "true")]),
        client: TestClient { id: waiting.client.id.clone(), secret: None },
        cookie: nobody,
        code: String::new(),
    };
    let mut refused = vec![nobody.enter("CDFH-JKMN").await, nobody.enter("").await];
    refused.push(waiting.enter("CDFH-JKMN").await);
    refused.push(waiting.enter("no code at all").await);
    refused.push(waiting.enter("CDFH-JKMQ").await);
    refused.push(waiting.enter(&waiting.code).await);
    for page in &refused {
        assert_eq!(page.status, 422, "{}", page.text);
        assert!(page.text.contains("The code is not valid."), "{}", page.text);
        assert_eq!(page.text, refused[0].text);
    }
    let cross = waiting.app.http.post(waiting.url()).form(&[("code", &waiting.code)]);
    let cross = cross.header("cookie", &waiting.cookie).header("sec-fetch-site", "cross-site");
    assert_eq!(send(cross).await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_still_works_when_another_mail_was_asked_for_too_soon() {
    let mut waiting = Waiting::start(&[("resets.self_service_cooldown_seconds", "60")]).await;
    let again = post(&waiting.app, &waiting.client, "john@example.com").header("cookie", &waiting.cookie);
    waiting.cookie = asked(&send(again).await);
    assert_eq!(waiting.cookie.matches('.').count(), 1, "{}", waiting.cookie);
    assert_eq!(waiting.enter(&waiting.code).await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_typed_code_is_one_guess_however_often_a_mail_was_asked_for() {
    let settings = [("resets.self_service_cooldown_seconds", "0"), ("resets.code_guesses", "3")];
    let mut waiting = Waiting::start(&settings).await;
    for _ in 0..2 {
        let again = post(&waiting.app, &waiting.client, "john@example.com").header("cookie", &waiting.cookie);
        waiting.cookie = asked(&send(again).await);
    }
    let ids = waiting.cookie.split('=').nth(1).unwrap();
    assert_eq!(ids.split('.').count(), 3, "{ids}");
    let newest = waiting.app.code(ids.split('.').next().unwrap()).await.unwrap();
    for _ in 0..2 {
        assert_eq!(waiting.enter("CDFH-JKMN").await.status, 422);
    }
    assert_eq!(waiting.enter(&newest).await.status, 303, "the third and last guess");
    assert_eq!(waiting.enter(&newest).await.status, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_no_field_for_a_code_where_there_are_none() {
    let (app, client) = start().await;
    let cookie = asked(&send(post(&app, &client, "john@example.com")).await);
    let sent = format!("{PATH}/sent?client_id={}", client.id);
    let page = send(app.http.get(app.url(&sent)).header("cookie", cookie)).await;
    assert!(page.status == 200 && !page.text.contains("<form"), "{}", page.text);
    let form = app.http.post(app.url(&sent)).form(&[("code", "CDFH-JKMN")]);
    let led = send(form.header("sec-fetch-site", "same-origin")).await;
    assert_eq!((led.status.as_u16(), led.header("location").starts_with(PATH)), (303, true));
}
