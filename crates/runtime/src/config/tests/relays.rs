//! `smtp.relays`: what the URLs mean, and that an error doesn't show them.

use std::time::Duration;

use secrecy::ExposeSecret;

use super::*;

fn relays(text: &str) -> Vec<SmtpRelayConfig> {
    load(&with(&[("smtp.relays", text)])).unwrap_or_else(|error| panic!("{text}: {error}")).1.smtp.relays
}

/// Username, password and mechanism.
fn password(text: &str) -> (String, String, Option<PasswordMechanism>) {
    match relays(text).remove(0).login {
        Some(SmtpLogin::Password { username, password, mechanism }) => {
            (username, password.expose_secret().to_owned(), mechanism)
        }
        login => panic!("{text}: {login:?}"),
    }
}

#[test]
fn a_url_holds_host_port_and_encryption() {
    for (text, shown, tls) in [
        ("smtp://mail.example.com", "mail.example.com:587", SmtpTls::StartTls),
        ("smtp://mail.example.com:2525/?tls=starttls", "mail.example.com:2525", SmtpTls::StartTls),
        ("smtps://mail.example.com", "mail.example.com:465", SmtpTls::Implicit),
        ("smtps://192.0.2.1:466", "192.0.2.1:466", SmtpTls::Implicit),
        ("smtp://[2001:db8::1]", "[2001:db8::1]:587", SmtpTls::StartTls),
        ("smtp://[::ffff:192.0.2.1]", "192.0.2.1:587", SmtpTls::StartTls),
        ("smtp://127.0.0.1:1025?tls=none", "127.0.0.1:1025", SmtpTls::None),
    ] {
        let relay = relays(text).remove(0);
        assert_eq!((relay.to_string().as_str(), relay.tls), (shown, tls), "{text}");
        assert!(relay.login.is_none());
    }
    assert_eq!(relays("smtp://[2001:db8::1]")[0].host, "2001:db8::1");
}

#[test]
fn relays_are_separated_by_commas_or_lines_and_keep_their_order() {
    let shown: Vec<_> = relays(" smtp://a.example,smtps://u:p%2C@b.example\nsmtp://c.example, ")
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(shown, ["a.example:587", "b.example:465", "c.example:587"]);
}

#[test]
fn smtp_auth_credentials_are_percent_decoded() {
    let (username, word, mechanism) =
        password("smtp://shop%40example.com:p%2C%3A%2F%25%23%C3%A4@mail.example");
    assert_eq!((username.as_str(), word.as_str(), mechanism), ("shop@example.com", "p,:/%#ä", None));
    let (username, word, _) = password("smtp://u:a:b@c@mail.example");
    assert_eq!((username.as_str(), word.as_str()), ("u", "a:b@c"));
    for (text, expected) in [
        ("smtp://u:p@mail.example?auth=plain", PasswordMechanism::Plain),
        ("smtps://u:p@mail.example?auth=login", PasswordMechanism::Login),
    ] {
        assert_eq!(password(text).2, Some(expected));
    }
    let by_token = relays("smtp://u@mail.example?auth=xoauth2&token_file=%2Frun%2Fsecrets/token").remove(0);
    let Some(SmtpLogin::Token { username, file }) = by_token.login else { panic!() };
    assert_eq!((username.as_str(), file.to_str()), ("u", Some("/run/secrets/token")));
}

#[test]
fn a_mistake_is_reported_by_the_relays_number_and_without_its_url() {
    for (text, expected) in [
        ("mail.example.com", "to begin with its scheme, such as smtp://"),
        // C6: a password as a server generates it, unescaped, also where what is left is a URL of another host.
        ("smtp://u:marker/x@mail.example", "to have user and password percent-encoded: write \"/\" as %2F"),
        ("smtp://u:mar#ker@mail.example:587", "to have user and password percent-encoded"),
        ("smtp://u:mar?ker@mail.example:587", "to have user and password percent-encoded"),
        ("smtp://u:1?marker@mail.example", "to have user and password percent-encoded"),
        ("smtp://u@v:mar@k/er@mail.example", "to have user and password percent-encoded"),
        (
            "smtps://u:mar",
            "to have a port from 1 to 65535 behind its host, and user and password percent-encoded",
        ),
        ("smtp://mail.example:99999", "to have a port from 1 to 65535"),
        (
            "smtp://[fe80::1%25eth0]",
            "to have a host name or an IP address, IPv6 in brackets and without a zone",
        ),
        ("smtp://[fe80::marker]", "to have a host name or an IP address"),
        ("smtp://m%61il.example", "to name a host"),
        ("http://mail.example", "to begin with smtp:// or smtps://"),
        ("smtp:mail.example", "to have no path"),
        ("smtp://", "to name a host"),
        ("smtp://Mail.example", "to name a host"),
        ("smtp://mail_example", "to name a host"),
        ("smtp://mail.example/marker", "to have no path"),
        ("smtp://mail.example#marker", "to have no path"),
        ("smtp://u:1/2@mail.example", "to have user and password percent-encoded"),
        ("smtp://mail.example?tls=marker", "to have tls="),
        ("smtps://mail.example?tls=none", "to have tls="),
        ("smtp://mail.example?TLS=none", "to have no other query"),
        ("smtp://localhost?tls=none&tls=none", "to have each of"),
        ("smtp://mail.example?tls=none", "to be encrypted"),
        ("smtp://10.0.0.1?tls=none", "to be encrypted"),
        ("smtp://localhost.example.com?tls=none", "to be encrypted"),
        ("smtp://u@mail.example", "to have a user and a password"),
        ("smtp://:marker@mail.example", "to have a user and a password"),
        ("smtp://mail.example?auth=plain", "to have a user and a password"),
        ("smtp://u:p@mail.example?auth=marker", "to have auth="),
        ("smtp://u@mail.example?auth=xoauth2", "to have, with auth=xoauth2"),
        ("smtp://mail.example?auth=xoauth2&token_file=/t", "to have, with auth=xoauth2"),
        ("smtp://u:marker@mail.example?auth=xoauth2&token_file=/t", "to have, with auth=xoauth2"),
        ("smtp://u@mail.example?auth=xoauth2&token_file=t", "to have an absolute path"),
        ("smtp://u:p@mail.example?token_file=/t", "to have auth=xoauth2"),
        ("smtp://u:100%25%marker@mail.example", "to have user and password percent-encoded"),
        ("smtp://u:%0Amarker@mail.example", "to have user and password percent-encoded"),
        ("smtp://u:%00@mail.example", "to have user and password percent-encoded"),
        ("smtp://u:%FFmarker@mail.example", "to have user and password percent-encoded"),
    ] {
        let line = error(&with(&[("smtp.relays", &format!("smtp://good.example, {text}"))]));
        let start = "configuration: smtp.relays is not usable, and secret (from REKEY__SMTP__RELAYS), expected relay 2 ";
        assert!(line.starts_with(&format!("{start}{expected}")), "{text}: {line}");
        assert!(!line.contains("marker"), "{line}");
    }
    assert!(error(&with(&[("smtp.relays", ",")])).ends_with("expected URLs separated by commas"));
}

#[test]
fn smtp_without_encryption_stays_on_this_machine_unless_it_is_allowed() {
    for host in ["localhost", "127.0.0.1", "127.8.8.8", "[::1]", "[::ffff:127.0.0.1]"] {
        assert_eq!(relays(&format!("smtp://{host}?tls=none"))[0].tls, SmtpTls::None);
    }
    let elsewhere = ("smtp.relays", "smtp://mail.example.com?tls=none");
    assert!(load(&with(&[elsewhere, ("smtp.allow_unencrypted", "true")])).is_ok());
}

#[test]
fn the_lease_of_a_mail_outlasts_the_wait_for_all_relays() {
    for (relays, seconds, lease) in [
        ("smtp://a.example", "20", 25),
        ("smtp://a.example,smtp://b.example,smtp://c.example", "20", 65),
        ("smtp://a.example,smtp://b.example", "300", 605),
    ] {
        let (_, mailer) = load(&with(&[("smtp.timeout_seconds", seconds), ("smtp.relays", relays)])).unwrap();
        assert_eq!(mailer.smtp.lease(), Duration::from_secs(lease));
        assert!(mailer.smtp.lease() > mailer.smtp.max_duration());
    }
}
