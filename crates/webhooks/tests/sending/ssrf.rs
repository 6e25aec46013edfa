use std::sync::Arc;

use super::*;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

const REFUSED: &str = "refused: it is not at a public address";

/// Hosts that are special addresses, in each form that the URL standard reads as one, and the name of this machine.
const SPECIAL: [&str; 26] = [
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0X7F.0.0.0x1",
    "017700000001",
    "0177.0.0.01",
    "%31%32%37.0.0.1",
    "127。0。0。1",
    "①②⑦.⓪.⓪.①",
    "0",
    "10.0.0.7",
    "169.254.169.254",
    "0xa9fea9fe",
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::7f00:1]",
    "[fe80::1]",
    "localhost",
    "LOCALHOST",
];

#[tokio::test]
async fn ssrf_special_hosts_are_refused_in_every_form() {
    let client = client(ClientOptions::default());
    for host in SPECIAL {
        let url = Url::parse(&format!("https://{host}:1/")).unwrap();
        let failure = send(&client, url.as_str()).await.unwrap_err();
        assert_eq!(failure.to_string(), format!("{}: {REFUSED}", url.host_str().unwrap()));
    }
}

#[tokio::test]
async fn ssrf_urls_that_are_not_for_receivers_are_refused() {
    let client = client(local());
    let no_https = "expected https (http is for this machine only)";
    let credentials = "it has a user name or a password";
    for (url, reason) in [
        ("http://receiver.example/", no_https),
        ("http://localhost.example/", no_https),
        ("http://1.1.1.1/", no_https),
        ("http://[::ffff:1.1.1.1]/", no_https),
        ("ftp://localhost/", no_https),
        ("data:,text", no_https),
        ("http://user@localhost/", credentials),
        ("https://:password@receiver.example/", credentials),
    ] {
        let failure = send(&client, url).await.unwrap_err();
        assert_eq!(failure.reason, FailureReason::UnusableUrl(reason), "{url}");
    }
}

#[tokio::test]
async fn ssrf_rebinding_never_reaches_an_address_that_was_not_checked() {
    let receiver = Receiver::start(OK, Then::Close).await;
    let port = receiver.address.port();
    let victim = Receiver::start_at(&format!("127.0.0.2:{port}"), None, OK, Then::Close).await;
    let names = Names::new(&[
        &["127.0.0.1"],
        &["127.0.0.2"],
        // The host's other addresses are used.
        &["127.0.0.2", "127.0.0.1"],
        // This machine's name is no way to send to another one without TLS.
        &["1.1.1.1"],
        &[],
    ]);
    let client = client(ClientOptions { lookup: Arc::new(names), ..options(&["127.0.0.1/32"]) });
    let mut outcomes = Vec::new();
    for _ in 0..5 {
        let sent = send(&client, &format!("http://localhost:{port}/")).await;
        outcomes.push(sent.map_or_else(|failure| failure.to_string(), |answer| answer.status.to_string()));
    }
    let (refused, not_found) =
        (format!("localhost: {REFUSED}"), "localhost: it was not found: it has no address");
    assert_eq!(outcomes, ["200", &refused, "200", &refused, not_found]);
    assert_eq!((receiver.connection_count(), victim.connection_count()), (2, 0));
}
