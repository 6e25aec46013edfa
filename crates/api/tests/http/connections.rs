//! Connections: slow ones, and what becomes of them at a stop.

use std::time::Duration;

use rekey_core::clients::ClientKind;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::app::{MEDIA_TYPE, RESETS, TestApp};

/// Far longer than anything here takes; a hang fails the test instead of stopping the run.
const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_idle_connections_and_finishes_requests() {
    let app = TestApp::start_with(&[("server.shutdown_seconds", "50")], Vec::new()).await;
    app.customer("john@example.com", "the first password").await;
    let token = app.integration().await;
    let mut idle = TcpStream::connect(app.address).await.unwrap();
    idle.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert!(read_some(&mut idle).await.starts_with("HTTP/1.1 200 "));

    let body = json!({ "data": { "type": "customer_password_resets", "attributes": { "customer_email": "john@example.com" } } }).to_string();
    let (first, rest) = body.split_at(20);
    let head = format!(
        "POST {RESETS} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: {MEDIA_TYPE}\r\ncontent-length: {}\r\nexpect: 100-continue\r\n\r\n{first}",
        body.len()
    );
    let mut busy = TcpStream::connect(app.address).await.unwrap();
    busy.write_all(head.as_bytes()).await.unwrap();
    // The server says so when the request is under way.
    assert!(read_some(&mut busy).await.starts_with("HTTP/1.1 100 "));
    app.stop.cancel();
    tokio::time::sleep(Duration::from_millis(300)).await;
    busy.write_all(rest.as_bytes()).await.unwrap();
    let answer = read_some(&mut busy).await;
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    let started = tokio::time::Instant::now();
    timeout(PATIENCE, app.server).await.unwrap().unwrap().unwrap();
    assert!(
        started.elapsed() < Duration::from_secs(25),
        "an idle connection holds up the stop: {:?}",
        started.elapsed()
    );
    assert!(TcpStream::connect(app.address).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn body_slow_heads_and_slow_bodies_are_given_up() {
    let app = TestApp::start().await;
    let guest = app.access_token(&app.client(ClientKind::SalesChannel, true).await).await;
    let mut slow_head = TcpStream::connect(app.address).await.unwrap();
    slow_head.write_all(b"POST /oauth/token HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    let mut slow_body = TcpStream::connect(app.address).await.unwrap();
    let head = format!(
        "POST {RESETS} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {guest}\r\ncontent-type: {MEDIA_TYPE}\r\ncontent-length: 100\r\n\r\n{{"
    );
    slow_body.write_all(head.as_bytes()).await.unwrap();
    let (head, body) = tokio::join!(read_some(&mut slow_head), read_some(&mut slow_body));
    for answer in [head, body] {
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert!(answer.contains("REQUEST_TIMEOUT") && answer.contains(MEDIA_TYPE), "{answer}");
    }
}

async fn read_some(stream: &mut TcpStream) -> String {
    let mut buffer = [0; 8192];
    let read = timeout(PATIENCE, stream.read(&mut buffer)).await.unwrap().unwrap();
    String::from_utf8_lossy(&buffer[..read]).into_owned()
}
