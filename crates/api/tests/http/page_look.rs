//! The look and the language of the hosted pages, for each organization.

use std::{fs, path::Path};

use rekey_core::clients::ClientKind;
use reqwest::{Method, RequestBuilder};
use tempfile::TempDir;

use crate::{
    app::{Answer, TestApp},
    page::assert_page_headers,
};

async fn send(request: RequestBuilder) -> Answer {
    Answer::read(request.send().await.unwrap()).await
}

async fn get(app: &TestApp, path: &str) -> Answer {
    send(app.http.get(app.url(path))).await
}

/// A directory with one organization's folder.
fn folder(slug: &str, files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = directory.path().join(slug).join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    directory
}

fn settings(directory: &Path) -> [(&str, &str); 1] {
    [("organizations.directory", directory.to_str().unwrap())]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_speaks_the_language_of_the_link_then_of_the_browser_then_of_the_shop() {
    let app = TestApp::start_with(&[("languages.default", "it")], Vec::new()).await;
    for (query, accepted, tag, dir, title) in [
        ("", "", "it", "ltr", "Questo link non funziona più"),
        ("", "xx, zh;q=0.9", "it", "ltr", "Questo link non funziona più"),
        ("", "de-AT,de;q=0.9,en;q=0.8", "de", "ltr", "Dieser Link funktioniert nicht mehr"),
        ("?locale=ar", "de", "ar", "rtl", "لم يعد هذا الرابط صالحًا"),
        ("?locale=pt-PT", "de", "pt-BR", "ltr", "Este link não funciona mais"),
        ("?locale=xx", "ja", "ja", "ltr", "このリンクは無効になりました"),
        ("?locale=%3Cscript%3E", "pl", "pl", "ltr", "Ten link już nie działa"),
    ] {
        let request = app.http.get(app.url(&format!("/reset-password{query}")));
        let request = request.header("cookie", "__Secure-rekey_reset=over");
        let page = send(request.header("accept-language", accepted)).await;
        assert!(page.text.contains(&format!("<html lang=\"{tag}\" dir=\"{dir}\">")), "{}", page.text);
        assert!(page.text.contains(title), "{title}: {}", page.text);
        assert_eq!((page.header("content-language"), page.header("vary")), (tag, "Accept-Language"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn language_and_organization_are_carried_along_and_the_token_is_not() {
    let app = TestApp::start().await;
    app.customer("john@example.com", "the first password").await;
    let client = app.client(ClientKind::SalesChannel, true).await;
    let reset = app.ask(&app.integration().await, "john@example.com").await;
    let token = reset.attribute("reset_password_token").as_str().unwrap();
    let query = format!("id={}&token={token}&organization=demo&locale=de&x=y", reset.id());
    let redirect = get(&app, &format!("/reset-password?{query}")).await;
    assert_eq!(redirect.header("location"), "/reset-password?organization=demo&locale=de");
    let cookie = redirect.header("set-cookie").split(';').next().unwrap();
    let page = send(app.http.get(app.url(redirect.header("location"))).header("cookie", cookie)).await;
    assert!(page.text.contains("Neues Passwort festlegen"), "{}", page.text);
    let action = "action=\"&#x2f;reset-password?organization=demo&amp;locale=de\"";
    assert!(page.text.contains(action), "{}", page.text);

    let form = app.http.post(app.url(&format!("/forgot-password?client_id={}&locale=fr", client.id)));
    let sent = send(form.form(&[("email", "john@example.com")])).await;
    let location = format!("/forgot-password/sent?client_id={}&locale=fr", client.id);
    assert_eq!(sent.header("location"), location);
    assert!(get(&app, &location).await.text.contains("Consultez vos e-mails"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_has_a_look_and_words_of_its_own() {
    let app = TestApp::start().await;
    let client = app.client(ClientKind::SalesChannel, true).await;
    let own = format!(
        "[brand]\ncolor = \"#ffee00\"\nlogo_text = \"D&D\"\nsupport = \"help@shop.example\"\n\
         [pages]\nclient_id = \"{}\"\nlogin_url = \"https://shop.example/login\"\n",
        client.id
    );
    let directory = folder(
        "demo",
        &[
            ("organization.toml", &own),
            ("texts/en.ftl", "pages-forgot-title = Lost <your> key?\n"),
            (
                "templates/pages/lost.html",
                "{% extends \"layout.html\" %}{% block content %}Own{% endblock %}",
            ),
        ],
    );
    let app = app.replica_with(&settings(directory.path()));
    let page = get(&app, "/forgot-password?organization=demo").await;
    for part in [
        "<h1>Lost &lt;your&gt; key?</h1>",
        "D&amp;D",
        "href=\"mailto:help@shop.example\"",
        "href=\"https://shop.example/login\"",
        "/ffee00.css\"",
    ] {
        let text = page.text.replace("&#x2f;", "/");
        assert!(text.contains(part), "{part}: {text}");
    }
    let lost = get(&app, "/reset-password?organization=demo").await;
    assert!(lost.status == 400 && lost.text.contains("Own"), "{}", lost.text);
    let dead = app.http.get(app.url("/reset-password?organization=demo"));
    let dead = send(dead.header("cookie", "__Secure-rekey_reset=over")).await.text.replace("&#x2f;", "/");
    assert!(dead.contains("href=\"https://shop.example/login\""), "who has a new password logs in: {dead}");
    let other = get(&app, "/reset-password?organization=other").await;
    assert!(
        other.text.contains("open the link again") && other.text.contains("1f5fbf.css"),
        "{}",
        other.text
    );
}

/// For readers of another language than the link's or the browser's; without JavaScript.
#[tokio::test(flavor = "multi_thread")]
async fn a_language_is_chosen_on_the_page_and_holds() {
    let app = TestApp::start().await;
    let client = app.client(ClientKind::SalesChannel, true).await;
    let path = format!("/forgot-password?client_id={}", client.id);
    let page = get(&app, &path).await;
    let choices = page.text.matches("hreflang=").count();
    assert!(choices == 9 && !page.text.contains("hreflang=\"en\""), "all but its own: {}", page.text);
    let german = format!("{path}&locale=de");
    let link = format!("href=\"{}\" lang=\"de\"", german.replace('/', "&#x2f;").replace("&l", "&amp;l"));
    assert!(page.text.contains(&link), "{link}: {}", page.text);
    let page = send(app.http.get(app.url(&german)).header("accept-language", "pl")).await;
    assert!(
        page.text.contains("<html lang=\"de\"") && page.text.contains("&amp;locale=de\" novalidate"),
        "{}",
        page.text
    );
    // The typed text is lost, so that a refused form can be shown in another language, too.
    let refused = send(app.http.post(app.url(&german)).form(&[("email", "john")])).await;
    assert!(refused.status == 422 && refused.text.contains("hreflang=\"pl\""), "{}", refused.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_pages_load_may_be_kept_for_good() {
    let app = TestApp::start().await;
    let page = get(&app, "/reset-password").await.text.replace("&#x2f;", "/");
    let style = page.split("href=\"").nth(1).unwrap().split('"').next().unwrap();
    let sheet = get(&app, style).await;
    assert_eq!((sheet.status.as_u16(), sheet.header("content-type")), (200, "text/css; charset=utf-8"));
    assert_eq!(sheet.header("cache-control"), "public, max-age=31536000, immutable");
    assert!(sheet.text.starts_with(":root{--accent:#1f5fbf;--on-accent:#ffffff;"), "{}", sheet.text);
    let script = style.replace("1f5fbf.css", "show-password.js");
    let script = get(&app, &script).await;
    assert_eq!(script.header("content-type"), "text/javascript; charset=utf-8");
    for answer in [&sheet, &script] {
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin");
    }
    // Another version's URL, requested during an upgrade.
    assert_eq!(get(&app, "/pages/other/1f5fbf.css").await.header("cache-control"), "no-cache");
    for path in ["red", "1f5fb", "1f5fbfa", "1f5fb%22", "+f5fbf"] {
        let answer = get(&app, &format!("/pages/other/{path}.css")).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_page_headers(&answer.headers);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_pages_too() {
    let app = TestApp::start().await;
    let client = app.client(ClientKind::SalesChannel, true).await;
    let forgot = format!("/forgot-password?client_id={}", client.id);
    let to = |method: Method, path: &str| app.http.request(method, app.url(path));
    for (request, status, allow) in [
        (to(Method::PUT, "/forgot-password"), 405, "GET, HEAD, POST"),
        (to(Method::DELETE, "/reset-password"), 405, "GET, HEAD, POST"),
        (to(Method::OPTIONS, "/not-me"), 405, "GET, HEAD, POST"),
        (to(Method::PUT, "/forgot-password/sent"), 405, "GET, HEAD, POST"),
        (to(Method::POST, "/.well-known/change-password"), 405, "GET, HEAD"),
        (to(Method::GET, "/reset-password/x"), 404, ""),
        (to(Method::GET, "/forgot-password/sent/x"), 404, ""),
        (to(Method::GET, "/not-me/"), 404, ""),
        (to(Method::GET, "/pages/x"), 404, ""),
        (to(Method::POST, &forgot).body("{}"), 415, ""),
        (to(Method::POST, &forgot).form(&[("email", "a".repeat(70_000))]), 413, ""),
    ] {
        let page = send(request.header("accept", "application/json")).await;
        assert_eq!((page.status.as_u16(), page.header("allow")), (status, allow), "{}", page.text);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert!(page.text.contains("<h1>") && !page.text.contains("errors"), "{}", page.text);
        assert_page_headers(&page.headers);
    }
}
