use std::process::Command;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::net::TcpListener;

use super::*;

const OK: &str = "HTTP/1.1 200 OK\r\nretry-after: 5\r\ncontent-length: 5\r\n\r\nfine\n";

/// Signs as a receiver would, by another library.
fn hmac(key: &[u8], message: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

#[tokio::test]
async fn a_delivery_arrives_as_signed_byte_by_byte() {
    let receiver = Receiver::start(OK, Then::KeepOpen).await;
    let answer = send(&client(local()), &receiver.url()).await.unwrap();
    let retry_after = Some(Duration::from_secs(5));
    assert_eq!(answer, Answer { status: 200, body: "fine ".to_owned(), retry_after });

    let vendor = hmac(STANDARD.encode(KEYS[0]).as_bytes(), BODY);
    let [new, old] = KEYS.map(|key| hmac(&key, &format!("event-1.{SENT_AT}.{BODY}")));
    let request = receiver.requests().pop().unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let (first, headers) = head.split_once("\r\n").unwrap();
    let mut headers: Vec<_> = headers.split("\r\n").collect();
    headers.sort_unstable();
    assert_eq!((first, body), ("POST /hooks?token=marker HTTP/1.1", BODY));
    assert_eq!(
        headers,
        [
            "accept: */*",
            &format!("content-length: {}", BODY.len()),
            "content-type: application/vnd.api+json",
            &format!("host: {}", receiver.address),
            &format!("user-agent: Rekey/{}", env!("CARGO_PKG_VERSION")),
            "webhook-id: event-1",
            &format!("webhook-signature: v1,{new} v1,{old}"),
            &format!("webhook-timestamp: {SENT_AT}"),
            &format!("x-commercelayer-signature: {vendor}"),
            "x-commercelayer-topic: customers.create",
        ]
    );
}

/// The environment of this process belongs to all tests, so the test above runs again in a process of its own.
#[test]
fn ssrf_proxies_of_the_environment_are_not_used() {
    let mut run = Command::new(std::env::current_exe().unwrap());
    run.args(["--exact", "answers::a_delivery_arrives_as_signed_byte_by_byte"]);
    for name in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        run.env(name, "http://127.0.0.1:9");
    }
    let output = String::from_utf8(run.output().unwrap().stdout).unwrap();
    assert!(output.contains("1 passed"), "{output}");
}

#[tokio::test]
async fn connections_are_reused() {
    let receiver = Receiver::start(OK, Then::KeepOpen).await;
    let client = client(local());
    for _ in 0..3 {
        send(&client, &receiver.url()).await.unwrap();
    }
    assert_eq!((receiver.requests().len(), receiver.connection_count()), (3, 1));
}

#[tokio::test]
async fn answers_are_cut_and_neither_followed_remembered_nor_decompressed() {
    let elsewhere = Receiver::start(OK, Then::KeepOpen).await;
    let redirect = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: {}\r\nset-cookie: a=b\r\ncontent-length: 0\r\n\r\n",
        elsewhere.url()
    );
    let client = client(local());
    for (answer, then, status, body) in [
        (&*redirect.leak(), Then::KeepOpen, 307, String::new()),
        ("HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n", Then::KeepOpen, 410, String::new()),
        (
            "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc",
            Then::KeepOpen,
            200,
            "abc".to_owned(),
        ),
        ("HTTP/1.1 200 OK\r\n\r\n", Then::Flood("endless "), 200, "endless ".repeat(128)),
    ] {
        let receiver = Receiver::start(answer, then).await;
        for _ in 0..2 {
            let found = send(&client, &receiver.url()).await.unwrap();
            assert_eq!((found.status, &found.body), (status, &body), "{answer}");
        }
        assert!(!receiver.requests().concat().contains("cookie"), "{answer}");
    }
    assert_eq!(elsewhere.connection_count(), 0);
}

#[tokio::test]
async fn a_failure_is_said_in_words_without_the_url() {
    let (patient, hasty) =
        (client(local()), client(ClientOptions { timeout: Duration::from_millis(200), ..local() }));
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nbegin";
    let closed = "127.0.0.1: it closed the connection before its answer was complete";
    let late = "127.0.0.1: it sent no complete answer within 200ms";
    let too_large = "127.0.0.1: its answer is not valid HTTP: message head is too large";
    for (client, answer, then, expected) in [
        (&patient, "", Then::Close, closed),
        (&patient, "", Then::Reset, closed),
        (&patient, head, Then::Close, closed),
        (&patient, head, Then::Reset, closed),
        (
            &patient,
            "SSH-2.0-OpenSSH_9.2\r\n",
            Then::Close,
            "127.0.0.1: its answer is not valid HTTP: invalid HTTP version parsed",
        ),
        (&patient, "HTTP/1.1 200 OK\r\n", Then::Flood("x-one-of-many: 1\r\n"), too_large),
        (&patient, "HTTP/1.1 200 OK\r\nx: ", Then::Flood("a long header"), too_large),
        (&hasty, "HTTP/1.1 200 OK\r\nx: ", Then::Drip, late),
        (&hasty, head, Then::Drip, late),
    ] {
        let receiver = Receiver::start(answer, then).await;
        let failure = send(client, &receiver.url()).await.unwrap_err();
        assert_eq!(failure.to_string(), expected, "{answer}");
    }
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let failure = send(&patient, &format!("http://{nobody}/")).await.unwrap_err();
    let expected = "127.0.0.1: it refused the connection: nothing listens at the URL's port";
    assert_eq!(failure.to_string(), expected);
}
