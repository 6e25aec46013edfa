//! Refusals under `/api` are JSON:API, also those of the framework.

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::app::{Answer, MEDIA_TYPE, PUBLIC_URL, RESETS, TestApp};

#[tokio::test(flavor = "multi_thread")]
async fn paths_and_methods() {
    let app = TestApp::start().await;
    let token = app.integration().await;
    for path in [
        "/api",
        "/api/",
        "/api/nothing",
        "/api/customer_password_resets/",
        "//api/customer_password_resets",
        "/api%2fcustomer_password_resets",
        "/API/customers",
        "/api/customer_password_resets/x",
        "/api/customer_password_resets/%ff",
        "/nothing",
    ] {
        app.get(path, &token).await.assert_error(404, "RECORD_NOT_FOUND", None);
    }
    for (method, path, allow) in [
        (Method::PUT, RESETS, "GET, HEAD, POST"),
        (Method::DELETE, RESETS, "GET, HEAD, POST"),
        (Method::POST, "/api/customer_password_resets/aaaaaaaaaa", "GET, HEAD, PATCH, DELETE"),
    ] {
        let answer = app.call(method, path, &token, None).await;
        answer.assert_error(405, "METHOD_NOT_ALLOWED", None);
        assert_eq!(answer.header("allow"), allow);
    }
    let head = app.call(Method::HEAD, RESETS, &token, None).await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn media_types() {
    let app = TestApp::start().await;
    let token = app.integration().await;
    let send =
        async |request: RequestBuilder| Answer::read(request.bearer_auth(&token).send().await.unwrap()).await;
    for accept in ["application/json", "text/html", "application/vnd.api+json;q=0", "image/*, text/*"] {
        send(app.http.get(app.url(RESETS)).header("accept", accept)).await.assert_error(
            406,
            "NOT_ACCEPTABLE",
            None,
        );
    }
    for accept in ["*/*", "application/*", MEDIA_TYPE, "text/html, */*;q=0.1", "Application/Vnd.Api+Json"] {
        assert_eq!(
            send(app.http.get(app.url(RESETS)).header("accept", accept)).await.status,
            200,
            "{accept}"
        );
    }
    for content in [
        "application/json",
        "text/plain",
        "application/vnd.api+json; ext=x",
        "application/x-www-form-urlencoded",
        "",
    ] {
        send(app.http.post(app.url(RESETS)).header("content-type", content).body("{}")).await.assert_error(
            415,
            "UNSUPPORTED_MEDIA_TYPE",
            None,
        );
    }
    let gzip = app
        .http
        .post(app.url(RESETS))
        .header("content-type", MEDIA_TYPE)
        .header("content-encoding", "gzip")
        .body(vec![31, 139, 8, 0]);
    send(gzip).await.assert_error(415, "UNSUPPORTED_MEDIA_TYPE", None);
}

#[tokio::test(flavor = "multi_thread")]
async fn body_what_is_no_document() {
    let app = TestApp::start().await;
    let token = app.integration().await;
    let post = async |body: Vec<u8>| {
        Answer::read(
            app.http
                .post(app.url(RESETS))
                .bearer_auth(&token)
                .header("content-type", MEDIA_TYPE)
                .body(body)
                .send()
                .await
                .unwrap(),
        )
        .await
    };
    let deep = "[".repeat(30_000).into_bytes();
    for body in [
        b"".to_vec(),
        b"{".to_vec(),
        b"\xff\xfe".to_vec(),
        b"{\"data\":\"\xff\"}".to_vec(),
        b"null".to_vec(),
        b"[]".to_vec(),
        b"{}".to_vec(),
        b"{\"data\":[]}".to_vec(),
        deep,
        // A14: a member that occurs twice, whichever depth it has.
        b"{\"data\":{\"type\":\"customer_password_resets\"},\"data\":{}}".to_vec(),
        br#"{"data":{"type":"customer_password_resets","attributes":{"customer_email":"john@example.com","customer_email":"eve@example.com"}}}"#.to_vec(),
        br#"{"data":{"type":"customer_password_resets","attributes":{"metadata":{"a":[{"b":1,"b":2}]}}}}"#.to_vec(),
    ] {
        post(body).await.assert_error(400, "INVALID_DATA_FORMAT", None);
    }
    for member in ["attributes", "relationships"] {
        let document = json!({ "data": { "type": "customer_password_resets", member: [] } });
        post(document.to_string().into_bytes()).await.assert_error(400, "INVALID_DATA_FORMAT", None);
    }
    for kind in
        [json!({ "data": { "type": "customers" } }), json!({ "data": {} }), json!({ "data": { "type": 1 } })]
    {
        post(kind.to_string().into_bytes()).await.assert_error(400, "INVALID_RESOURCE", None);
    }
    app.customer("john@example.com", "the first password").await;
    let path = format!("{RESETS}/{}", app.ask(&token, "john@example.com").await.id());
    let other =
        json!({ "data": { "type": "customer_password_resets", "id": "bbbbbbbbbb", "attributes": {} } });
    app.call(Method::PATCH, &path, &token, Some(&other)).await.assert_error(
        400,
        "KEY_NOT_INCLUDED_IN_URL",
        None,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn queries() {
    let app = TestApp::start().await;
    let token = app.integration().await;
    for (query, code) in [
        ("page[number]=0", "INVALID_PAGE_VALUE"),
        ("page[size]=26", "INVALID_PAGE_VALUE"),
        ("page[size]=%ff", "INVALID_PAGE_VALUE"),
        ("filter[q][x_eq]=1", "FILTER_NOT_ALLOWED"),
        ("sort=x", "INVALID_SORT_CRITERIA"),
        ("include=x", "INVALID_INCLUDE"),
        ("fields[x]=y", "INVALID_FIELD"),
    ] {
        let answer = app.get(&format!("{RESETS}?{query}"), &token).await;
        answer.assert_error(400, code, None);
        assert_eq!(answer.body["errors"][0]["source"]["parameter"], query.split('=').next().unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn body_too_large_is_refused_unread_whether_announced_or_not() {
    let app = TestApp::start().await;
    let token = app.integration().await;
    let head = format!(
        "POST {RESETS} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: {MEDIA_TYPE}\r\n"
    );
    // 10 MB are announced and never sent: there still is an answer.
    let announced = raw(&app, &[format!("{head}content-length: 10000000\r\n\r\n").as_bytes()]).await;
    assert!(announced.starts_with("HTTP/1.1 413 ") && announced.contains("PAYLOAD_TOO_LARGE"), "{announced}");
    let chunk = format!("8000\r\n{}\r\n", " ".repeat(0x8000));
    let endless = raw(
        &app,
        &[format!("{head}transfer-encoding: chunked\r\n\r\n").as_bytes(), chunk.repeat(3).as_bytes()],
    )
    .await;
    assert!(endless.starts_with("HTTP/1.1 413 ") && endless.contains(MEDIA_TYPE), "{endless}");
    // No body is read before the caller is authenticated.
    let unknown = head.replace(&token, "nobody");
    let stranger = raw(&app, &[format!("{unknown}content-length: 10000000\r\n\r\n").as_bytes()]).await;
    assert!(stranger.starts_with("HTTP/1.1 401 ") && stranger.contains("INVALID_TOKEN"), "{stranger}");
}

#[tokio::test(flavor = "multi_thread")]
async fn host_poison_links_come_from_configuration_only() {
    let app = TestApp::start().await;
    app.customer("john@example.com", "the first password").await;
    let token = app.integration().await;
    let body = json!({ "data": { "type": "customer_password_resets", "attributes": { "customer_email": "john@example.com" } } }).to_string();
    let evil = "x-forwarded-host: evil.test\r\nforwarded: host=evil.test;proto=http\r\nx-forwarded-proto: http\r\nx-original-url: http://evil.test/\r\n";
    for head in [
        format!("POST {RESETS} HTTP/1.1\r\nhost: evil.test\r\n"),
        format!("POST {RESETS} HTTP/1.1\r\nhost: shop.test\r\nhost: evil.test\r\n"),
        format!("POST http://evil.test{RESETS} HTTP/1.1\r\nhost: evil.test\r\n"),
    ] {
        let request = format!(
            "{head}{evil}connection: close\r\nauthorization: Bearer {token}\r\ncontent-type: {MEDIA_TYPE}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = raw(&app, &[request.as_bytes()]).await;
        assert!(!answer.contains("evil"), "{answer}");
        assert!(
            answer.starts_with("HTTP/1.1 400 ")
                || answer.contains(&format!("location: {PUBLIC_URL}{RESETS}/")),
            "{answer}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_the_security_headers() {
    let app = TestApp::start().await;
    let token = app.integration().await;
    for path in [RESETS, "/api/nothing", "/livez", "/reset-password"] {
        let answer = app.get(path, &token).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("strict-transport-security"), "max-age=31536000", "{path}");
        assert_eq!(answer.header("content-encoding"), "", "{path}");
    }
}

/// Far longer than anything here takes: a hang fails the test instead of stopping the run.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Returns the complete answer to these bytes, which end the request. The connection may stay open.
async fn raw(app: &TestApp, parts: &[&[u8]]) -> String {
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    for part in parts {
        // The server may close before all is sent.
        let _ = stream.write_all(part).await;
    }
    let mut answer = Vec::new();
    let mut buffer = [0; 8192];
    while !is_whole(&answer) {
        let read = timeout(TIMEOUT, stream.read(&mut buffer)).await.unwrap().unwrap();
        assert!(read > 0, "closed within the answer: {}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&buffer[..read]);
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// Whether an answer's body is complete.
fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.split("\r\n").find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}
