use actix_web::test::TestRequest;

use super::*;
use crate::config::{Configuration, DevSettings, Source};

fn proxies(header: &str, trusted: &str) -> Proxies {
    let source = Source::default()
        .preset("server.public_url", "https://shop.test")
        .preset("server.trusted_proxies", trusted)
        .preset("server.forwarded_header", header)
        .preset("auth.signing_key", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----")
        .preset("keys.sealing", "test:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
        .preset("mail.from", "shop@example.com");
    let settings: DevSettings = Configuration::load(&source).unwrap().settings().unwrap();
    Proxies::new(&settings.server)
}

fn seen_in(header: &str, peer: &str, trusted: &str, lines: &[&[u8]]) -> String {
    let request = lines.iter().fold(TestRequest::default(), |request, line| {
        request.append_header((header, HeaderValue::from_bytes(line).unwrap()))
    });
    let request = request.to_http_request();
    proxies(header, trusted).client_address(peer.parse().unwrap(), request.headers()).to_string()
}

fn seen(peer: &str, trusted: &str, lines: &[&str]) -> String {
    let lines: Vec<_> = lines.iter().map(|line| line.as_bytes()).collect();
    seen_in("x-forwarded-for", peer, trusted, &lines)
}

/// The client of a `Forwarded` that a trusted proxy sent.
fn forwarded(lines: &[&str]) -> String {
    let lines: Vec<_> = lines.iter().map(|line| line.as_bytes()).collect();
    seen_in("forwarded", "10.0.0.1", "10.0.0.0/8,fd00::/8", &lines)
}

#[test]
fn forwarded_for_is_believed_only_from_configured_proxies() {
    assert_eq!(seen("203.0.113.9", "10.0.0.0/8", &["192.0.2.1"]), "203.0.113.9");
    assert_eq!(seen("10.0.0.1", "10.0.0.0/8", &[]), "10.0.0.1");
    assert_eq!(seen("10.0.0.1", "10.0.0.0/8", &["192.0.2.1"]), "192.0.2.1");
    // The client's own claim is to the left of the address that our proxy saw.
    assert_eq!(seen("10.0.0.1", "10.0.0.0/8", &["198.51.100.7, 192.0.2.1"]), "192.0.2.1");
    assert_eq!(seen("10.0.0.1", "10.0.0.0/8", &["198.51.100.7", "192.0.2.1 , 10.1.1.1"]), "192.0.2.1");
    assert_eq!(seen("::ffff:10.0.0.1", "10.0.0.0/8", &["2001:db8::1"]), "2001:db8::1");
    assert_eq!(seen("10.0.0.1", "10.0.0.0/8", &["192.0.2.1, nonsense"]), "10.0.0.1");
}

// C1
#[test]
fn forwarded_for_ports_brackets_and_quotes_are_not_the_address() {
    for (entry, address) in [
        ("203.0.113.5:4711", "203.0.113.5"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("\"203.0.113.5:4711\"", "203.0.113.5"),
        ("\"[2001:db8::1]:4711\"", "2001:db8::1"),
        ("::ffff:203.0.113.5", "203.0.113.5"),
        ("[::ffff:203.0.113.5]:80", "203.0.113.5"),
    ] {
        assert_eq!(seen("10.0.0.1", "10.0.0.0/8", &[entry]), address, "{entry}");
        let chain = format!("198.51.100.7, {entry} , 10.1.1.1:80");
        assert_eq!(seen("10.0.0.1", "10.0.0.0/8", &[&chain]), address, "{chain}");
    }
    for entry in [
        "",
        "unknown",
        "_hidden",
        "[2001:db8::1",
        "2001:db8::1]",
        "[2001:db8::1]80",
        ":80",
        "203.0.113.5:80:80",
        "\"203.0.113.5",
    ] {
        let chain = format!("198.51.100.7, {entry}");
        assert_eq!(seen("10.0.0.1", "10.0.0.0/8", &[&chain]), "10.0.0.1", "{entry}");
    }
}

// C1
#[test]
fn forwarded_for_invalid_bytes_of_a_client_hide_nothing() {
    let lines: [&[u8]; 2] = [b"198.51.100.7", b"\xff, 192.0.2.1"];
    assert_eq!(seen_in("x-forwarded-for", "10.0.0.1", "10.0.0.0/8", &lines), "192.0.2.1");
    let lines: [&[u8]; 2] = [b"198.51.100.7", b"\xff"];
    assert_eq!(seen_in("x-forwarded-for", "10.0.0.1", "10.0.0.0/8", &lines), "10.0.0.1");
    let lines: [&[u8]; 2] = [b"for=198.51.100.7", b"for=\xff, for=192.0.2.1"];
    assert_eq!(seen_in("forwarded", "10.0.0.1", "10.0.0.0/8", &lines), "10.0.0.1");
}

// C1
#[test]
fn forwarded_for_is_read_from_the_chosen_header_only() {
    let both = TestRequest::default()
        .append_header(("x-forwarded-for", "192.0.2.1"))
        .append_header(("forwarded", "for=192.0.2.2"))
        .to_http_request();
    for (header, address) in [("x-forwarded-for", "192.0.2.1"), ("forwarded", "192.0.2.2")] {
        let peer = "10.0.0.1".parse().unwrap();
        let client = proxies(header, "10.0.0.0/8").client_address(peer, both.headers());
        assert_eq!(client.to_string(), address);
    }
}

// C1
#[test]
fn forwarded_elements_are_those_of_rfc_7239() {
    for (line, address) in [
        ("for=192.0.2.43", "192.0.2.43"),
        ("For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"),
        ("for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"),
        ("proto=https; FOR = \"192.0.2.60:_port\" ; host=shop.test", "192.0.2.60"),
        ("for=198.51.100.7, for=192.0.2.43", "192.0.2.43"),
        ("for=198.51.100.7, for=192.0.2.43, for=10.2.2.2, for=\"[fd00::1]\"", "192.0.2.43"),
        ("for=192.0.2.43;host=\"a, for=198.51.100.7\"", "192.0.2.43"),
        ("for=192.0.2.43;host=\"a, for=198.51.100.7;x=\\\"\"", "192.0.2.43"),
        ("for=_hidden, for=192.0.2.43", "192.0.2.43"),
        (", for=192.0.2.43 ,", "192.0.2.43"),
        // What names no address ends the list at the proxy that wrote it.
        ("for=198.51.100.7, for=unknown", "10.0.0.1"),
        ("for=198.51.100.7, for=_hidden, for=10.2.2.2", "10.2.2.2"),
        ("for=198.51.100.7, for=\"_SEVKISEK\"", "10.0.0.1"),
        ("for=198.51.100.7, proto=https", "10.0.0.1"),
        ("192.0.2.43", "10.0.0.1"),
        ("for=198.51.100.7;for=192.0.2.43", "10.0.0.1"),
        ("for=\"198.51.100.7, for=192.0.2.43", "10.0.0.1"),
        ("for=x\", for=192.0.2.43;host=\", for=198.51.100.7", "10.0.0.1"),
        ("x=\", for=192.0.2.43;host=\", for=198.51.100.7;y=\\\"\"", "10.0.0.1"),
        ("", "10.0.0.1"),
    ] {
        assert_eq!(forwarded(&[line]), address, "{line}");
        assert_eq!(
            forwarded(&["for=198.51.100.9", line]),
            if line.is_empty() { "198.51.100.9" } else { address }
        );
    }
    assert_eq!(forwarded(&["for=198.51.100.7", "for=192.0.2.43", "for=10.1.1.1"]), "192.0.2.43");
}
