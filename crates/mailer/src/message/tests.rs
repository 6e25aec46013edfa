use mail_parser::MessageParser;
use rekey_texts::Language;

use super::*;

fn sender(name: &str) -> config::Mail {
    let address = |text: &str| text.parse::<EmailAddress>().unwrap();
    let name = Some(name.to_owned()).filter(|name| !name.is_empty());
    config::Mail {
        from: config::Mailbox { name, address: address("shop@example.com") },
        reply_to: Some(config::Mailbox { name: None, address: address("help@example.com") }),
        envelope_from: None,
        bounce_domain: None,
    }
}

fn rendered(subject: &str) -> Rendered {
    Rendered {
        subject: subject.to_owned(),
        text: "Grüße\n.\n..\nhttps://a.example/?id=1&token=2\n".to_owned(),
        html: "<p>Grüße</p>".to_owned(),
        language: Language::English,
    }
}

fn mail(to: &str, subject: &str) -> Result<Mail, MessageError> {
    let now = OffsetDateTime::from_unix_timestamp(1_730_126_165).unwrap();
    compose("EVENTEVEN1", &sender("Söhne & Co"), &to.parse().unwrap(), &rendered(subject), now)
}

/// A14: its text has the token.
#[test]
fn debug_shows_nothing_of_a_mail() {
    assert_eq!(format!("{:?}", mail("john@example.com", "Hello").unwrap()), "Mail(…)");
}

#[test]
fn headers_are_complete_and_stand_once() {
    let mail = mail("john.o'neil+shop@example.com", "Set a new password").unwrap();
    let content = String::from_utf8(mail.content).unwrap();
    assert!(content.is_ascii());
    let message = MessageParser::default().parse(&content).unwrap();
    let headers: Vec<_> = message.headers_raw().map(|(name, value)| (name, value.trim())).collect();
    for (name, expected) in [
        ("From", "=?utf-8?b?U8O2aG5lICYgQ28=?= <shop@example.com>"),
        ("Reply-To", "help@example.com"),
        ("To", "john.o'neil+shop@example.com"),
        ("Subject", "Set a new password"),
        ("Date", "Mon, 28 Oct 2024 14:36:05 +0000"),
        ("Message-ID", "<EVENTEVEN1@example.com>"),
        ("Auto-Submitted", "auto-generated"),
        ("Content-Language", "en"),
        ("MIME-Version", "1.0"),
    ] {
        let values: Vec<_> =
            headers.iter().filter(|(known, _)| *known == name).map(|(_, value)| *value).collect();
        assert_eq!(values, [expected], "{name}");
    }
    assert!(headers.iter().all(|(name, _)| !["Cc", "Bcc", "Sender"].contains(name)));
    assert_eq!(mail.recipient.to_string(), "john.o'neil+shop@example.com");
    assert_eq!(mail.sender.to_string(), "shop@example.com");
}

/// Composes a mail of this sender, and returns its header of that name.
fn header_of(sender: &config::Mail, name: &str) -> String {
    let (event, recipient) = ("EVENTEVEN1", "john@example.com".parse().unwrap());
    let mail = compose(event, sender, &recipient, &rendered("x"), OffsetDateTime::UNIX_EPOCH).unwrap();
    header_in(&mail, name)
}

fn header_in(mail: &Mail, name: &str) -> String {
    let message = MessageParser::default().parse(&mail.content).unwrap();
    let values: Vec<_> = message.headers_raw().filter(|(known, _)| *known == name).collect();
    assert_eq!(values.len(), 1, "{name}");
    values[0].1.trim_end().trim_start_matches(' ').to_owned()
}

// C5
#[test]
fn headers_a_senders_name_is_quoted_or_encoded() {
    for (name, expected) in [
        ("Acme, Inc.", "\"Acme, Inc.\" <shop@example.com>"),
        ("Acme (Deutschland) GmbH", "\"Acme (Deutschland) GmbH\" <shop@example.com>"),
        ("Shop: Orders", "\"Shop: Orders\" <shop@example.com>"),
        ("Shop@Home", "\"Shop@Home\" <shop@example.com>"),
        ("The \"Best\" \\ Shop", "\"The \\\"Best\\\" \\\\ Shop\" <shop@example.com>"),
        ("Acme", "\"Acme\" <shop@example.com>"),
        ("Müller & Söhne, GmbH", "=?utf-8?b?TcO8bGxlciAmIFPDtmhuZSwgR21iSA==?= <shop@example.com>"),
    ] {
        let config::Mail { from, .. } = sender(name);
        let sender = config::Mail { reply_to: Some(from), ..sender(name) };
        for header in ["From", "Reply-To"] {
            assert_eq!(header_of(&sender, header), expected);
        }
        let mail = compose(
            "EVENTEVEN1",
            &sender,
            &"john@example.com".parse().unwrap(),
            &rendered("x"),
            OffsetDateTime::UNIX_EPOCH,
        );
        let content = mail.unwrap().content;
        let message = MessageParser::default().parse(&content).unwrap();
        let from = message.from().unwrap().as_list().unwrap();
        assert_eq!(
            (from.len(), from[0].name(), from[0].address()),
            (1, Some(name), Some("shop@example.com"))
        );
    }
}

// C5
#[test]
fn headers_the_longest_name_of_a_sender_survives_folding() {
    for name in ["Ä, ".repeat(33), "語".repeat(100), "\"\\,".repeat(33), "a".repeat(100)] {
        let name = name.trim();
        let value = header_of(&sender(name), "From");
        let content = format!("From: {value}\r\n\r\n");
        let message = MessageParser::default().parse(&content).unwrap();
        let from = message.from().unwrap().as_list().unwrap();
        assert_eq!((from.len(), from[0].name()), (1, Some(name)), "{value}");
    }
}

#[test]
fn bounces_go_to_the_envelopes_sender() {
    let sender =
        config::Mail { envelope_from: Some("bounces@mta.example.com".parse().unwrap()), ..sender("Shop") };
    let recipient = "john@example.com".parse().unwrap();
    let event = "EVENTEVEN1";
    let mail = compose(event, &sender, &recipient, &rendered("x"), OffsetDateTime::UNIX_EPOCH).unwrap();
    assert_eq!(mail.sender.to_string(), "bounces@mta.example.com");
    let content = String::from_utf8(mail.content).unwrap();
    assert!(!content.contains("bounces@"), "{content}");
    assert!(content.contains("Message-ID: <EVENTEVEN1@example.com>\r\n"), "{content}");
}

#[test]
fn headers_text_comes_before_html_and_both_survive() {
    let mail = mail("john@example.com", "x").unwrap();
    let message = MessageParser::default().parse(&mail.content).unwrap();
    let types: Vec<_> = message
        .parts
        .iter()
        .filter_map(|part| {
            use mail_parser::MimeHeaders;
            part.content_type().and_then(|kind| kind.subtype().map(str::to_owned))
        })
        .collect();
    assert_eq!(types, ["alternative", "plain", "html"]);
    let text = message.body_text(0).unwrap().replace("\r\n", "\n");
    assert_eq!(text.trim_end(), rendered("x").text.trim_end());
    assert_eq!(message.body_html(0).unwrap().trim_end(), "<p>Grüße</p>");
}

#[test]
fn headers_hold_what_a_shops_name_can_not_break() {
    for name in ["Shop\r\nBcc: x@example.com", "Shop\n\nbody", "Shop\0\u{202e}evil", "\u{2028}Shop\u{b}x"] {
        let mail = mail("john@example.com", &format!("A password for {name}")).unwrap();
        let message = MessageParser::default().parse(&mail.content).unwrap();
        assert_eq!(message.headers_raw().filter(|(name, _)| *name == "Subject").count(), 1);
        assert!(message.bcc().is_none(), "{name:?}");
        let subject = message.subject().unwrap();
        assert!(subject.starts_with("A password for Shop"), "{subject:?}");
        assert!(
            !subject.contains(|c: char| c.is_control() || c == '\u{202e}' || c == '\u{2028}'),
            "{subject:?}"
        );
    }
}

#[test]
fn headers_subjects_keep_emoji_whole_and_names_of_the_other_direction_apart() {
    for subject in
        ["A password for 👩‍🍳 Küche", "لا يوجد حساب لدى \u{2068}Acme!\u{2069} بهذا العنوان", "می‌خواهم"]
    {
        let mail = mail("john@example.com", subject).unwrap();
        assert_eq!(MessageParser::default().parse(&mail.content).unwrap().subject(), Some(subject));
    }
    let mail = mail("john@example.com", "A\u{200b}c\u{feff}me").unwrap();
    assert_eq!(MessageParser::default().parse(&mail.content).unwrap().subject(), Some("Acme"));
}

#[test]
fn headers_long_subjects_are_folded() {
    let mail = mail("john@example.com", &"Übergröße ".repeat(40)).unwrap();
    let content = String::from_utf8(mail.content).unwrap();
    // RFC 5322 §2.1.1: 998 characters a line at most.
    assert!(content.lines().all(|line| line.len() <= 998));
    assert_eq!(
        MessageParser::default().parse(&content).unwrap().subject().unwrap(),
        "Übergröße ".repeat(40).trim()
    );
}

#[test]
fn email_one_parser_what_is_stored_is_what_goes_on_the_wire() {
    let local = "a".repeat(64);
    for text in [
        "john@example.com",
        "o'neil+x@example.co.uk",
        "a_b-c{d}|e~f@xn--mnchen-3ya.de",
        &format!("{local}@example.com"),
    ] {
        match mail(text, "x") {
            Ok(mail) => assert_eq!(mail.recipient.to_string(), text),
            // An address that lettre can't take bounces; it never becomes another one.
            Err(error) => assert_eq!(error, MessageError::Recipient, "{text}"),
        }
    }
    assert!(mail("john@example.com", "x").is_ok());
}

// C7
#[test]
fn email_input_odd_dots_are_quoted_in_the_envelope_and_the_header() {
    for (address, mailbox) in [
        ("taro..yamada@docomo.example", "\"taro..yamada\"@docomo.example"),
        ("hanako.@ezweb.example", "\"hanako.\"@ezweb.example"),
        (".jiro@docomo.example", "\".jiro\"@docomo.example"),
        ("..@docomo.example", "\"..\"@docomo.example"),
        ("x@m\u{fc}nchen.de", "x@xn--mnchen-3ya.de"),
    ] {
        let mail = mail(address, "x").unwrap();
        assert_eq!(
            (mail.recipient.to_string(), header_in(&mail, "To")),
            (mailbox.to_owned(), mailbox.to_owned())
        );
        // As a sender, too.
        let own = config::Mail { envelope_from: Some(address.parse().unwrap()), ..sender("Shop") };
        let sender = config::Mailbox { name: Some("Shop".to_owned()), address: address.parse().unwrap() };
        assert_eq!(header_of(&config::Mail { from: sender, ..own }, "From"), format!("\"Shop\" <{mailbox}>"));
    }
}

#[test]
fn a_mail_written_again_is_the_same_mail() {
    assert_eq!(
        mail("john@example.com", "x").unwrap().content,
        mail("john@example.com", "x").unwrap().content
    );
}
