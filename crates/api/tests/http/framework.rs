//! Requests that are malformed or unusual, sent byte by byte over TCP. The framework itself refuses what it can't parse.

use std::time::Duration;

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::app::{MEDIA_TYPE, RESETS, TestApp};

/// An answer as it came over the wire.
#[derive(Debug)]
struct Raw {
    status: u16,
    head: String,
    body: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_head_is_refused_and_the_connection_closed() {
    let app = TestApp::start().await;
    let long_path = format!("GET /api/{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(70_000));
    let cases: [&[u8]; 28] = [
        b"\0\r\n\r\n",
        b"GARBAGE\r\n\r\n",
        b"{\"data\":{}}\r\n\r\n",
        b"GET /api/customers\r\n\r\n",
        b"GET  /api/customers HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /api/ customers HTTP/1.1\r\nhost: x\r\n\r\n",
        b"G\xc3\x88T /api/customers HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /api/customers HTTP/3.0\r\nhost: x\r\n\r\n",
        b"GET /api/customers http/1.1\r\nhost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET /api/\xff HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /api/customers?\xff HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /api/customers?<> HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /api/customers HTTP/1.1\r\n\r\n",
        b"GET /api/customers HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n",
        b"GET /api/customers HTTP/1.1\r\nhost: x\r\nno colon\r\n\r\n",
        b"GET /api/customers HTTP/1.1\r\nhost: x\r\nb\xc3\xa4d: x\r\n\r\n",
        b"GET /api/customers HTTP/1.1\r\nhost: x\r\nx: a\0b\r\n\r\n",
        b"GET /api/customers HTTP/1.1\r\nhost: x\r\n folded: x\r\n\r\n",
        b"POST /api/customers HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\n{}",
        b"POST /api/customers HTTP/1.1\r\nhost: x\r\ncontent-length: 2, 2\r\n\r\n{}",
        b"POST /api/customers HTTP/1.1\r\nhost: x\r\ncontent-length: +2\r\n\r\n{}",
        b"POST /api/customers HTTP/1.1\r\nhost: x\r\ncontent-length: -2\r\n\r\n{}",
        b"POST /api/customers HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /api/customers HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /api/customers HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip\r\n\r\n",
        long_path.as_bytes(),
    ];
    for case in cases {
        let answers = exchange(&app, case).await;
        let shown = String::from_utf8_lossy(&case[..case.len().min(120)]);
        assert_eq!(answers.len(), 1, "{shown:?}: {answers:?}");
        assert_eq!(answers[0].status, 400, "{shown:?}: {answers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn body_a_head_that_is_too_large_is_refused() {
    let app = TestApp::start().await;
    let many = "x: y\r\n".repeat(200);
    let large = format!("x: {}\r\n", "y".repeat(200_000));
    for headers in [many, large] {
        let request = format!("GET {RESETS} HTTP/1.1\r\nhost: x\r\n{headers}\r\n");
        let answers = exchange(&app, request.as_bytes()).await;
        assert_eq!(answers.len(), 1, "{} bytes: {answers:?}", request.len());
        assert_eq!(answers[0].status, 431, "{answers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unusual_requests_get_the_apps_answers() {
    let app = TestApp::start().await;
    let cases: [(&[u8], u16, &str); 14] = [
        (b"BREW /api/customers HTTP/1.1\r\nhost: x\r\n", 405, "METHOD_NOT_ALLOWED"),
        (b"TRACE /api/customers HTTP/1.1\r\nhost: x\r\n", 405, "METHOD_NOT_ALLOWED"),
        (b"get /api/customers HTTP/1.1\r\nhost: x\r\n", 405, "METHOD_NOT_ALLOWED"),
        (b"BREW /api/nothing HTTP/1.1\r\nhost: x\r\n", 404, "RECORD_NOT_FOUND"),
        (b"OPTIONS * HTTP/1.1\r\nhost: x\r\n", 404, "RECORD_NOT_FOUND"),
        (b"CONNECT shop.test:443 HTTP/1.1\r\nhost: x\r\n", 404, "RECORD_NOT_FOUND"),
        (b"GET http://evil.test/api/nothing HTTP/1.1\r\nhost: x\r\n", 404, "RECORD_NOT_FOUND"),
        (b"GET /api/%00 HTTP/1.1\r\nhost: x\r\n", 404, "RECORD_NOT_FOUND"),
        (b"GET /api/customers/%ff%fe HTTP/1.1\r\nhost: x\r\n", 401, "INVALID_TOKEN"),
        (b"GET /api/../../etc/passwd HTTP/1.1\r\nhost: x\r\n", 404, "RECORD_NOT_FOUND"),
        (b"GET /api/customer_password_resets HTTP/1.0\r\n", 401, "INVALID_TOKEN"),
        (b"GET /api/customer_password_resets HTTP/1.1\r\nhost: x\r\nauthorization: Bearer \xff\r\n", 401, "INVALID_TOKEN"),
        (b"GET /api/customer_password_resets HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n", 401, "INVALID_TOKEN"),
        (b"POST /api/customer_password_resets HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 0\r\n", 401, "INVALID_TOKEN"),
    ];
    for (request, status, code) in cases {
        let whole = [request, b"connection: close\r\n\r\n"].concat();
        let answers = exchange(&app, &whole).await;
        let shown = String::from_utf8_lossy(request);
        let last = answers.last().unwrap_or_else(|| panic!("no answer to {shown:?}"));
        assert_error(last, status, code);
        assert!(answers.iter().rev().skip(1).all(|earlier| earlier.status == 100), "{shown:?}: {answers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_request_after_good_ones_is_refused_in_its_turn() {
    let app = TestApp::start().await;
    let good = "GET /livez HTTP/1.1\r\nhost: x\r\n\r\n";
    let answers = exchange(&app, format!("{good}{good}GARBAGE\r\n\r\n").as_bytes()).await;
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200, 200, 400]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_breaks_off_or_is_framed_wrongly_is_refused() {
    let app = TestApp::start().await;
    let token = app.integration().await;
    let head = format!(
        "POST {RESETS} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: {MEDIA_TYPE}\r\n"
    );
    let chunks = format!("{head}transfer-encoding: chunked\r\n\r\nnonsense\r\n");
    // The framework treats a malformed chunk as the end of the connection: whether the app can still answer is a race.
    for answer in exchange(&app, chunks.as_bytes()).await {
        assert_eq!(answer.status, 400, "{answer:?}");
        if !answer.body.is_empty() {
            assert_error(&answer, 400, "INVALID_DATA_FORMAT");
        }
    }
    let written: Vec<_> = app.get(RESETS, &token).await.body["data"].as_array().unwrap().clone();
    assert!(written.is_empty(), "nothing came of it");
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    stream.write_all(format!("{head}content-length: 100\r\n\r\n{{").as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    timeout(TIMEOUT, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    // The connection may be gone before there is an answer; if there is one, it has the contract's form.
    for answer in parse(&answer) {
        assert_error(&answer, 400, "INVALID_DATA_FORMAT");
    }
}

/// Far longer than anything here takes: a hang fails the test instead of stopping the run.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Returns all answers to these bytes until the server closes. Sending and reading happen at the same time.
async fn exchange(app: &TestApp, request: &[u8]) -> Vec<Raw> {
    let (mut reader, mut writer) = TcpStream::connect(app.address).await.unwrap().into_split();
    let request = request.to_vec();
    let sending = tokio::spawn(async move {
        // The server may close before all is sent.
        let _ = writer.write_all(&request).await;
        writer
    });
    let mut answer = Vec::new();
    let read = timeout(TIMEOUT, reader.read_to_end(&mut answer)).await.unwrap();
    assert!(read.is_ok() || !answer.is_empty(), "the answer was lost: {read:?}");
    drop(sending.await.unwrap());
    parse(&answer)
}

fn parse(mut bytes: &[u8]) -> Vec<Raw> {
    let mut answers = Vec::new();
    while !bytes.is_empty() {
        let end = bytes.windows(4).position(|part| part == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let length = head.split("\r\n").find_map(|line| line.strip_prefix("content-length: "));
        let length = length.map_or(0, |length| length.parse().unwrap());
        let body = String::from_utf8(bytes[end + 4..end + 4 + length].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        answers.push(Raw { status, head, body });
        bytes = &bytes[end + 4 + length..];
    }
    answers
}

#[track_caller]
fn assert_error(answer: &Raw, status: u16, code: &str) {
    let Raw { head, body, .. } = answer;
    assert_eq!(answer.status, status, "{head}\n{body}");
    let document: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("{head}\n{body}"));
    let errors = document["errors"].as_array().unwrap();
    assert_eq!((errors.len(), &errors[0]["code"]), (1, &code.into()), "{body}");
    assert_eq!(errors[0]["status"], status.to_string());
    assert!(errors[0]["title"].is_string() && errors[0]["detail"].is_string(), "{body}");
    for header in [
        &format!("content-type: {MEDIA_TYPE}"),
        "x-content-type-options: nosniff",
        "referrer-policy: no-referrer",
        "cache-control: no-store",
        "strict-transport-security: max-age=31536000",
        "date: ",
    ] {
        assert_eq!(head.matches(&format!("\r\n{header}")).count(), 1, "{header}: {head}");
    }
}
