use super::*;

#[test]
fn an_origin_is_kept_as_browsers_send_it() {
    for (text, kept) in [
        ("https://shop.example", "https://shop.example"),
        ("HTTPS://Shop.Example:443", "https://shop.example"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("*", "*"),
    ] {
        let origin: AllowedOrigin = text.parse().unwrap();
        assert_eq!(origin.as_str(), kept);
        assert_eq!(origin.to_string().parse(), Ok(origin));
    }
}

#[test]
fn what_is_no_origin_is_refused() {
    for text in [
        "",
        "null",
        "shop.example",
        "//shop.example",
        "https://",
        "https://shop.example/",
        "https://shop.example/checkout",
        "https://shop.example?x",
        "https://shop.example#x",
        "https://user@shop.example",
        "https://*.shop.example",
        "https://shop.example:",
        "https://shop.example:99999",
        "https://shop.example.",
        "https:\\\\shop.example",
        "https://shop.example\\x",
        " https://shop.example",
        "https://shop.example\n",
        "https://shop.example\u{1}",
        "https://shop.example ",
        "https://shop.example, https://other.example",
        "ftp://shop.example",
        "javascript://shop.example",
        "file://x",
        "**",
    ] {
        assert_eq!(text.parse::<AllowedOrigin>(), Err(InvalidOrigin), "{text:?}");
    }
}

#[test]
fn only_the_very_origin_is_allowed() {
    let shop: AllowedOrigin = "https://shop.example".parse().unwrap();
    assert!(shop.allows("https://shop.example"));
    for other in [
        "http://shop.example",
        "https://shop.example:8443",
        "https://shop.example.evil.test",
        "https://evil-shop.example",
        "https://www.shop.example",
        "null",
        "*",
        "",
    ] {
        assert!(!shop.allows(other), "{other}");
    }
    let any: AllowedOrigin = "*".parse().unwrap();
    assert!(any.allows("https://evil.test") && any.allows("null"));
}
