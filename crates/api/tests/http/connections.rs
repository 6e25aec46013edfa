//! Connections: slow ones, idle ones, and both at a stop.

use std::time::Duration;

use rekey_core::clients::ClientKind;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::app::{MEDIA_TYPE, RESETS, TestApp};

/// Far longer than anything here takes: a hang fails the test instead of stopping the run.
const TIMEOUT: Duration = Duration::from_mins(1);
const LIVEZ: &[u8] = b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_idle_connections_and_finishes_requests() {
    let app = TestApp::start_with(&[("server.shutdown_seconds", "50")], Vec::new()).await;
    app.customer("john@example.com", "the first password").await;
    let token = app.integration().await;
    let mut idle = TcpStream::connect(app.address).await.unwrap();
    idle.write_all(LIVEZ).await.unwrap();
    assert!(read_some(&mut idle).await.starts_with("HTTP/1.1 200 "));

    let body = json!({ "data": { "type": "customer_password_resets", "attributes": { "customer_email": "john@example.com" } } }).to_string();
    let (first, rest) = body.split_at(20);
    let head = format!(
        "POST {RESETS} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: {MEDIA_TYPE}\r\ncontent-length: {}\r\nexpect: 100-continue\r\n\r\n{first}",
        body.len()
    );
    let mut busy = TcpStream::connect(app.address).await.unwrap();
    busy.write_all(head.as_bytes()).await.unwrap();
    // The server sends this when it processes the request.
    assert!(read_some(&mut busy).await.starts_with("HTTP/1.1 100 "));
    app.stop.cancel();
    tokio::time::sleep(Duration::from_millis(300)).await;
    busy.write_all(rest.as_bytes()).await.unwrap();
    let answer = read_some(&mut busy).await;
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    let started = tokio::time::Instant::now();
    timeout(TIMEOUT, app.server).await.unwrap().unwrap().unwrap();
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
    assert!(head.starts_with("HTTP/1.1 408 "), "{head}");
    assert!(body.starts_with("HTTP/1.1 408 "), "{body}");
    assert!(body.contains("REQUEST_TIMEOUT") && body.contains(MEDIA_TYPE), "{body}");
    for stream in [&mut slow_head, &mut slow_body] {
        assert_eq!(read_some(stream).await, "", "the connection is closed");
    }
}

/// Whatever fixed time the server used instead of the setting, the connection that is idle for longer would be closed first.
#[tokio::test(flavor = "multi_thread")]
async fn the_setting_decides_how_long_an_idle_connection_is_kept() {
    let patient = TestApp::start_with(&[("server.keep_alive_seconds", "3600")], Vec::new()).await;
    let hasty = TestApp::start_with(&[("server.keep_alive_seconds", "1")], Vec::new()).await;
    let mut kept = TcpStream::connect(patient.address).await.unwrap();
    let mut closed = TcpStream::connect(hasty.address).await.unwrap();
    for stream in [&mut kept, &mut closed] {
        stream.write_all(LIVEZ).await.unwrap();
        assert!(read_some(stream).await.starts_with("HTTP/1.1 200 "));
    }
    assert_eq!(read_some(&mut closed).await, "", "the connection is closed");
    kept.write_all(LIVEZ).await.unwrap();
    assert!(read_some(&mut kept).await.starts_with("HTTP/1.1 200 "));
}

async fn read_some(stream: &mut TcpStream) -> String {
    let mut buffer = [0; 8192];
    let read = timeout(TIMEOUT, stream.read(&mut buffer)).await.unwrap().unwrap();
    String::from_utf8_lossy(&buffer[..read]).into_owned()
}
