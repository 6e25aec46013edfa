//! The sender of mails.

use super::*;

fn sender(text: &str) -> Mailbox {
    let source = with(&[("mail.from", text), ("mail.reply_to", text)]);
    let organizations = organization_mail_settings(&source).unwrap_or_else(|error| panic!("{text}: {error}"));
    let mail = organizations.default_value().mail.clone();
    assert!(mail.reply_to.as_ref() == Some(&mail.from), "{text}");
    mail.from
}

// C5
#[test]
fn c5_a_sender_is_what_rfc_5322_takes_and_what_firms_are_called() {
    for (text, name) in [
        ("shop@example.com", None),
        (" <shop@example.com> ", None),
        ("\"\" <shop@example.com>", None),
        ("Shop & Söhne <shop@example.com>", Some("Shop & Söhne")),
        ("\"Acme, Inc.\" <shop@example.com>", Some("Acme, Inc.")),
        ("Acme, Inc. <shop@example.com>", Some("Acme, Inc.")),
        ("Acme (Deutschland) GmbH <shop@example.com>", Some("Acme (Deutschland) GmbH")),
        ("Shop: Orders; more <shop@example.com>", Some("Shop: Orders; more")),
        ("\"Shop@Home\" <shop@example.com>", Some("Shop@Home")),
        ("\"The \\\"Best\\\" \\\\ Shop\" <shop@example.com>", Some("The \"Best\" \\ Shop")),
        ("The \"Best, of\" Shop <shop@example.com>", Some("The Best, of Shop")),
        ("Shop <shop@example.com> (our shop)", Some("Shop")),
        ("shop@example.com (Acme, Inc.)", Some("Acme, Inc.")),
        ("株式会社ショップ <shop@example.com>", Some("株式会社ショップ")),
        ("S\\hop<shop@example.com>", Some("S\\hop")),
    ] {
        let from = sender(text);
        assert_eq!((from.name.as_deref(), from.address.as_str()), (name, "shop@example.com"), "{text}");
    }
    assert_eq!(sender("M <x@m\u{fc}nchen.de>").address.as_str(), "x@xn--mnchen-3ya.de");
}

// C5
#[test]
fn c5_an_error_says_what_is_wrong_with_a_sender() {
    for (text, expected) in [
        ("Shop", "with a valid address"),
        ("a@b.c, d@e.f", "with a valid address"),
        ("A <a@b.c", "with a valid address"),
        ("A <a@b.c> B", "with a valid address"),
        ("Shop: a@b.c, d@e.f;", "with a valid address"),
        ("A <@x.y:a@b.c>", "with a valid address"),
        ("A <a@b.c>, B <d@e.f>", "quotation marks around a name with"),
        ("a@b.c, B <d@e.f>", "quotation marks around a name with"),
        ("a@b.c <d@e.f>", "quotation marks around a name with"),
        ("A <<a@b.c>", "quotation marks around a name with"),
        ("\"A <a@b.c>", "a second quotation mark"),
        ("5\" Shop <a@b.c>", "a second quotation mark"),
        ("\"A\\\" <a@b.c>", "a second quotation mark"),
        ("=?utf-8?q?A?= <a@b.c>", "the name as it is read"),
        ("A\r\nBcc: x <a@b.c>", "without line breaks"),
        ("\"A\nB\" <a@b.c>", "without line breaks"),
        ("a@b.c (A\r\nBcc: x)", "without line breaks"),
        ("A\0 <a@b.c>", "without line breaks"),
        ("A\tB <a@b.c>", "without line breaks"),
        ("\"A\\\rB\" <a@b.c>", "without line breaks"),
        ("\u{202e}A <a@b.c>", "without line breaks"),
        (&format!("{} <a@b.c>", "ä".repeat(101)), "up to 100 characters"),
    ] {
        for key in ["mail.from", "mail.reply_to"] {
            let line = error(&with(&[(key, text)]));
            assert!(line.starts_with(&format!("configuration: {key} is ")), "{line}");
            assert!(line.split_once(", expected ").unwrap().1.contains(expected), "{line}");
        }
    }
    assert!(load(&with(&[("mail.from", &format!("{} <a@b.c>", "ä".repeat(100)))])).is_ok());
}
