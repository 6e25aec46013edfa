//! Templates of links: valid ones, and the errors of invalid ones.

use super::*;

const KEY: &str = "links.reset_url_template";

#[test]
fn a_template_is_an_https_url_with_its_placeholders_after_the_host() {
    for text in [
        "https://shop.example.com/{locale}/reset?id={id}&token={token}",
        "http://localhost:3000/#/reset/{id}/{token}",
        "http://shop.localhost/{id}/{token}",
        "http://[::1]:3000/{id}/{token}",
        "HTTPS://Shop.example:443/{token}?{id}",
        "https://büro.example/größe?id={id}&token={token}",
        "https://shop.example?id={id}&token={token}",
        "https://shop.example?c={client_id}&s={scope}&r={login_url}&id={id}&token={token}&{locale}{organization}",
    ] {
        let source = with(&[(KEY, text), ("pages.login_url", "https://shop.example/login")]);
        load(&source).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    }
    for text in [
        "/reset?id={id}&token={token}",
        "https://a.b/?id={id}",
        "https://a.b/?token={token}",
        "javascript:{id}{token}",
        "javascript://a.b/{id}{token}",
        "data:text/html,{id}{token}",
        "http://shop.example/{id}{token}",
        "http://192.0.2.1/{id}{token}",
        "http://localhost.shop.example/{id}{token}",
        "//a.b/{id}{token}",
        "https://a.b/\r\n{id}{token}",
        "https://a.b/\t{id}{token}",
        "https://a.b/{id}{Token}",
        "https://a.b/{{id}}{token}",
        "https://a.b/{id}{token",
        "https://a.b/{id}?token}",
        "https://a.b/?id={id}&token={token}&mail={email}",
        "https://{id}.a.b/{token}",
        "https://a.b{id}/{token}",
        "https://a.b:{id}/{token}",
        "https://u@a.b/{id}{token}",
        "https://a.b/{id}{token}{",
        "https://a.\"/{id}{token}",
        "https://a.b'/{id}{token}",
    ] {
        let line = error(&with(&[(KEY, text)]));
        assert!(line.starts_with(&format!("configuration: {KEY} is ")), "{line}");
    }
}

#[test]
fn each_error_of_a_link_is_one_line() {
    for (text, expected) in [
        ("javascript:{id}{token}", "an https URL without credentials, such as"),
        ("https://u:p@a.b/{id}{token}", "an https URL without credentials, such as"),
        ("http://a.b/{id}{token}", "an https URL (http is for pages of this machine"),
        ("https://a.b/{id}", "a URL with {id} and {token}"),
        (
            "https://a.b/{id}{token}{shop}",
            "a URL with no other placeholders than {id}, {token}, {locale}, {org",
        ),
        ("https://{locale}.a.b/{id}{token}", "a URL with its placeholders after the host"),
    ] {
        let line = error(&with(&[(KEY, text)]));
        assert!(line.contains(&format!("{text:?}")) && !line.contains('\n'), "{line}");
        assert!(line.contains(&format!(", expected {expected}")), "{line}");
        let line = error(&with(&[("links.clients", &format!("a=https://a.b/{{id}}{{token}},b={text}"))]));
        assert!(line.contains(expected) && line.ends_with(" for b"), "{line}");
    }
    let twice = "a=https://a.b/{id}{token},a=https://c.d/{id}{token}";
    assert!(error(&with(&[("links.clients", twice)])).ends_with("expected each client once"));
}

/// C8: a link without the address would lead to a page that refuses it.
#[test]
fn a_link_with_the_address_of_the_log_in_needs_one() {
    let text = "https://a.b/?id={id}&token={token}&returnUrl={login_url}";
    for (key, value) in [(KEY, text.to_owned()), ("links.clients", format!("a={text}"))] {
        let line = error(&with(&[(key, &value)]));
        assert!(line.starts_with(&format!("configuration: {key} is ")), "{line}");
        assert!(line.ends_with("expected no {login_url} as long as pages.login_url is empty"), "{line}");
        load(&with(&[(key, &value), ("pages.login_url", "https://a.b/login")])).unwrap();
    }
}
