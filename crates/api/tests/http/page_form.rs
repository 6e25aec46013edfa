//! Requests that no form of the pages would send, and the state after a refused form.

use rekey_core::clients::ClientKind;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    app::TestApp,
    page::{OpenedLink, PATH, assert_page_headers, form_token, send},
};

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_not_quite_a_form_sets_no_password() {
    let opened = OpenedLink::start().await;
    let token = form_token(&opened.page().await);
    let typed = |password: &str| format!("form_token={token}&password={password}");
    let twice = typed("the+second+password&password=the+third+password");
    for (media_type, encoding, body, status) in [
        // Decoded leniently, it would be a password of replacement characters.
        (FORM, None, typed("the+second+p%E4ssword"), 400),
        (FORM, None, typed("%FF%FE%00t%00h%00e%00"), 400),
        (FORM, None, twice, 400),
        (FORM, Some("gzip"), typed("the+second+password"), 415),
        ("multipart/form-data; boundary=x", None, typed("the+second+password"), 415),
        ("text/plain", None, typed("the+second+password"), 415),
        ("application/x-www-form-urlencoded-x", None, typed("the+second+password"), 415),
        (FORM, None, "x".repeat(70_000), 413),
    ] {
        let request = opened.app.http.post(opened.app.url(PATH)).header("cookie", &opened.cookie).body(body);
        let request = request.header("content-type", media_type).header("sec-fetch-site", "same-origin");
        let request =
            encoding.into_iter().fold(request, |request, name| request.header("content-encoding", name));
        let page = send(request).await;
        assert_eq!(page.status, status, "{media_type}: {}", page.text);
        let again = "<a class=\"main\" href=\"&#x2f;reset-password\">Try again</a>";
        assert!(page.text.contains("Nothing was changed.") && page.text.contains(again), "{}", page.text);
        assert_page_headers(&page.headers);
    }
    assert_eq!(opened.log_in("the first password").await, 200);
    // Forms of the URL Standard are UTF-8, whatever charset they declare.
    let request = opened.app.http.post(opened.app.url(PATH)).header("cookie", &opened.cookie);
    let request = request.header("content-type", format!("{FORM}; charset=iso-8859-1"));
    assert_eq!(send(request.body(typed("p%C3%A4ssword+the+second"))).await.status, 200);
    assert_eq!(opened.log_in("pässword the second").await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_header_or_field_makes_another_method_of_a_request() {
    let opened = OpenedLink::start().await;
    let token = form_token(&opened.page().await);
    let query = format!("{PATH}?_method=POST&form_token={token}&password=the+second+password");
    for request in [
        opened.app.http.get(opened.app.url(&query)).header("x-http-method-override", "POST"),
        opened.app.http.head(opened.app.url(&query)).header("x-method-override", "POST"),
    ] {
        assert_eq!(send(request.header("cookie", &opened.cookie)).await.status, 200);
    }
    assert_eq!(opened.log_in("the first password").await, 200);
}

/// A restored tab, or a manual reload: no page has sent it.
#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_the_browser_sends_anew_by_itself_is_good() {
    let opened = OpenedLink::start().await;
    let token = form_token(&opened.page().await);
    let form = opened.post(&token, "the second password").header("sec-fetch-site", "none");
    assert_eq!(send(form.header("origin", "null")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn pool_while_the_store_is_away_the_link_is_kept() {
    let opened = OpenedLink::start().await;
    let token = form_token(&opened.page().await);
    opened.app.store.close().await;
    for page in [opened.page().await, send(opened.post(&token, "the second password")).await] {
        assert_eq!((page.status.as_u16(), page.header("retry-after")), (503, "1"), "{}", page.text);
        let again = "<a class=\"main\" href=\"&#x2f;reset-password\">Try again</a>";
        assert!(page.text.contains("Nothing was changed.") && page.text.contains(again), "{}", page.text);
        assert_eq!(page.header("set-cookie"), "", "the browser still has the link");
    }
}

/// The absolute form of a request line, as proxies send it (RFC 9112 §3.2.2).
#[tokio::test(flavor = "multi_thread")]
async fn host_poison_no_host_of_a_request_gets_into_a_page() {
    let app = TestApp::start().await;
    let client = app.client(ClientKind::SalesChannel, true).await;
    for path in ["/forgot-password", "/forgot-password/sent", "/reset-password", "/not-me"] {
        for method in ["GET", "POST", "PUT"] {
            let target = format!("http://evil.test{path}?client_id={}&id=x&proof=y", client.id);
            let head = format!("{method} {target} HTTP/1.1\r\nHost: evil.test\r\nContent-Length: 0\r\n");
            let answer = exchange(&app, &format!("{head}Connection: close\r\n\r\n")).await;
            assert!(answer.starts_with("HTTP/1.1 ") && !answer.contains("evil"), "{method} {path}: {answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_had_by_http_1_0_too() {
    let app = TestApp::start().await;
    let client = app.client(ClientKind::SalesChannel, true).await;
    let page =
        exchange(&app, &format!("GET /forgot-password?client_id={} HTTP/1.0\r\n\r\n", client.id)).await;
    assert!(page.starts_with("HTTP/1.0 200") && page.contains("</html>"), "{page}");
}

/// Returns the answer to these bytes.
pub async fn exchange(app: &TestApp, request: &str) -> String {
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
