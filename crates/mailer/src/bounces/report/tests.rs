//! Reports as these mail servers write them: Postfix, Exim, Sendmail, Exchange Online, Gmail, and a feedback loop.

use rekey_core::email::EmailAddress;

use super::*;

#[test]
fn reports_of_mail_servers_are_parsed() {
    for (report, expected) in [
        (
            include_bytes!("../../../tests/reports/postfix.eml").as_slice(),
            "bounced mx.shop.example 550 5.1.1 anna@example.com \
             [550 5.1.1 (address) Recipient address rejected: User unknown in virtual mailbox table]",
        ),
        (
            include_bytes!("../../../tests/reports/exim.eml"),
            "bounced relay.example.net 550 5.1.1 anna@example.com \
             [550-5.1.1 The email account that you tried to reach does not exist. Please try 550 5.1.1 double-checking the recipient's \
             email address for typos.]",
        ),
        (
            include_bytes!("../../../tests/reports/sendmail.eml"),
            "bounced relay.example.net 550 5.1.1 anna@example.com [550 5.1.1 (address) User unknown]",
        ),
        (
            include_bytes!("../../../tests/reports/exchange-online.eml"),
            "bounced AB1PR01MB0002.eurprd01.prod.exchangelabs.com 550 5.1.10 anna@example.com \
             [550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient (address) not found by SMTP address lookup]",
        ),
        // It has given up, but says nothing about the address.
        (
            include_bytes!("../../../tests/reports/gmail.eml"),
            "bounced googlemail.com 450 4.4.1 - \
             [The recipient server did not accept our requests to connect. [mx.example.com 192.0.2.25: timed out]]",
        ),
        (
            include_bytes!("../../../tests/reports/postfix-delayed.eml"),
            "delayed mx.shop.example 450 4.4.1 - [connect to mx.example.com[192.0.2.25]:25: Connection timed out]",
        ),
        (
            include_bytes!("../../../tests/reports/complaint.eml"),
            "complained mail.provider.example - - anna@example.com [complaint: abuse]",
        ),
    ] {
        assert_eq!(shown(parse(report).unwrap()), expected);
        // As a mailbox poller gives it.
        let with_crlf = String::from_utf8(report.to_vec()).unwrap().replace('\n', "\r\n");
        assert_eq!(shown(parse(with_crlf.as_bytes()).unwrap()), expected);
    }
}

#[test]
fn other_mails_and_successes_are_no_reports() {
    let reply = include_bytes!("../../../tests/reports/automatic-reply.eml");
    assert_eq!(parse(reply), Err(NotReported::NoReport));
    assert_eq!(parse(b""), Err(NotReported::NoReport));
    let postfix = include_str!("../../../tests/reports/postfix.eml");
    let delivered = postfix.replace("Action: failed", "Action: delivered");
    assert_eq!(parse(delivered.as_bytes()), Err(NotReported::NoFailure));
    let complaint = include_str!("../../../tests/reports/complaint.eml");
    let praise = complaint.replace("Feedback-Type: abuse", "Feedback-Type: not-spam");
    assert_eq!(parse(praise.as_bytes()), Err(NotReported::NoFailure));
    // A report that somebody attaches to another mail.
    let forwarded = format!(
        "Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: message/rfc822\n\n{postfix}\n--x--\n"
    );
    assert_eq!(parse(forwarded.as_bytes()), Err(NotReported::NoReport));
}

/// Of a mail that was forwarded to several, the one that failed counts.
#[test]
fn the_failed_recipient_is_the_one_that_is_reported() {
    let postfix = include_str!("../../../tests/reports/postfix.eml");
    let other = "Final-Recipient: rfc822; <first@example.net>\nAction: relayed\nStatus: 2.0.0\n\n";
    let several =
        postfix.replace("Final-Recipient: rfc822; anna", &format!("{other}Final-Recipient: rfc822; anna"));
    assert_eq!(parse(several.as_bytes()).unwrap().addresses, ["anna@example.com"]);
}

/// Whoever can write to the listener sends anything.
#[test]
fn a_damaged_report_does_no_harm() {
    let postfix = include_bytes!("../../../tests/reports/postfix.eml");
    for length in (0..postfix.len()).step_by(7) {
        let _ = parse(&postfix[..length]);
        let mut damaged = postfix.to_vec();
        damaged[length] = 0xff;
        let _ = parse(&damaged);
    }
}

/// Kind, reporter, codes, the addresses to suppress, and the text.
fn shown(notice: Notice) -> String {
    let new = notice.into_report("EVENTEVENT".parse().unwrap());
    let (code, enhanced) = new.report.reply.map_or((None, None), |reply| (Some(reply.code), reply.enhanced));
    let addresses: Vec<_> = new.suppress.iter().map(EmailAddress::as_str).collect();
    let or_dash =
        |text: Option<String>| text.filter(|text| !text.is_empty()).unwrap_or_else(|| "-".to_owned());
    format!(
        "{} {} {} {} {} [{}]",
        new.report.kind.as_str(),
        or_dash(new.report.reporter),
        or_dash(code.map(|code| code.to_string())),
        or_dash(enhanced),
        or_dash(Some(addresses.join(","))),
        or_dash(new.report.detail)
    )
}
