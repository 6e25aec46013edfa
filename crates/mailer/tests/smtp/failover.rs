//! Several relays: which of them gets a mail, and which is paused.

use rekey_core::events::bus::Capacity;
use rekey_testkit::smtp::RealSmtp;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpSocket,
    time::{Instant, sleep},
};

use super::{pki::Pki, *};

const RECIPIENTS: [&str; 4] = ["john@example.com", "jane@example.com", "jim@example.com", "june@example.com"];

fn mail_to(recipient: &str) -> Mail {
    Mail { recipient: recipient.parse().unwrap(), ..mail("EVENTEVEN1") }
}

fn both(first: u16, second: u16) -> Smtp {
    with_relays(vec![relay(first), relay(second)])
}

#[tokio::test]
async fn the_next_relay_gets_the_mail_when_the_first_is_away() {
    let second = RealSmtp::start(&[]);
    let transport = transport(&both(NOBODY, second.port));
    for event in ["EVENTEVEN1", "EVENTEVEN2"] {
        let accepted = transport.send(&mail(event)).await.unwrap();
        assert_eq!(accepted.relay, format!("127.0.0.1:{}", second.port));
    }
    assert_eq!(second.mails().len(), 2);
    assert_eq!((transport.capacity(), transport.is_degraded()), (Capacity::Full, true));
}

#[tokio::test]
async fn smtp_auth_a_relay_that_can_not_be_used_is_paused_and_the_next_gets_the_mails() {
    for (step, act) in [
        ("GREETING", Act::ReplyAndClose("554 5.3.2 not for you")),
        ("GREETING", Act::ReplyAndClose("421 4.3.2 busy")),
        ("EHLO", Act::Close),
        ("MAIL", Act::Reply("535 5.7.8 log in")),
        ("RCPT", Act::Reply("530 5.7.0 log in")),
    ] {
        let first = failing(step, act).await;
        let second = scripted(&[FINE]).await;
        let transport = transport(&both(first.port, second.port));
        for event in ["EVENTEVEN1", "EVENTEVEN2", "EVENTEVEN3"] {
            transport.send(&mail(event)).await.unwrap();
        }
        assert_eq!((first.connections(), second.messages().len()), (1, 3), "{step} {act:?}");
    }
}

#[tokio::test]
async fn smtp_auth_without_starttls_or_with_a_bad_certificate_the_next_relay_gets_the_mail() {
    let pki = Pki::make("localhost");
    let untrusted = RealSmtp::start(&["--tls-cert", &pki.certificate, "--tls-key", &pki.key]);
    let (readable, last) = (scripted(&[FINE]).await, scripted(&[FINE]).await);
    let transport = transport(&with_relays(vec![
        encrypted(untrusted.port, SmtpTls::StartTls),
        encrypted(readable.port, SmtpTls::StartTls),
        relay(last.port),
    ]));
    transport.send(&mail("EVENTEVEN1")).await.unwrap();
    assert_eq!((untrusted.mails().len(), readable.messages().len(), last.messages().len()), (0, 0, 1));
    assert_eq!(readable.commands(), ["EHLO rekey.example.com"]);
}

#[tokio::test]
async fn smtp_4xx_a_relay_that_breaks_off_before_the_message_has_it_taken_by_the_next() {
    for (step, act) in [
        ("MAIL", Act::Close),
        ("RCPT", Act::ReplyAndClose("421 4.3.2 busy")),
        ("DATA", Act::Hang),
        ("MAIL", Act::Reply("550 5.7.1 not your sender")),
        ("MAIL", Act::Reply("452 4.3.1 no storage left")),
    ] {
        let first = failing(step, act).await;
        let second = scripted(&[FINE]).await;
        let transport = transport(&both(first.port, second.port));
        let accepted = match act {
            Act::Hang => send_until(&transport, &first, step).await.unwrap(),
            _ => transport.send(&mail("EVENTEVEN1")).await.unwrap(),
        };
        assert_eq!(accepted.relay, format!("127.0.0.1:{}", second.port), "{step} {act:?}");
        assert_eq!((first.messages().len(), second.messages().len()), (0, 1));
    }
}

#[tokio::test]
async fn smtp_4xx_once_the_message_was_started_no_other_relay_gets_it() {
    for act in [Act::Close, Act::Hang, Act::ReplyAndClose("421 4.3.2 busy"), Act::Reply("451 4.3.0 later")] {
        let first = failing(".", act).await;
        let second = scripted(&[FINE]).await;
        let transport = transport(&both(first.port, second.port));
        let error = match act {
            Act::Hang => send_until(&transport, &first, ".").await.unwrap_err(),
            _ => transport.send(&mail("EVENTEVEN1")).await.unwrap_err(),
        };
        let is_silent = matches!(act, Act::Close | Act::Hang);
        assert_eq!(
            (is_in_doubt(&error), is_transient(&error)),
            (is_silent, !is_silent),
            "{act:?}: {error:?}"
        );
        assert!(error.to_string().starts_with(&format!("127.0.0.1:{}: ", first.port)), "{error}");
        assert_eq!((first.messages().len(), second.connections()), (1, 0), "{act:?}");
    }
}

#[tokio::test]
async fn smtp_4xx_and_smtp_5xx_about_the_recipient_are_no_matter_of_the_relay() {
    for (step, act) in
        [("RCPT", Act::Reply("450 4.2.1 busy")), ("RCPT", Act::Reply("550 5.1.1 no such user"))]
    {
        let first = failing(step, act).await;
        let second = scripted(&[FINE]).await;
        let transport = transport(&both(first.port, second.port));
        for recipient in RECIPIENTS {
            let error = transport.send(&mail_to(recipient)).await.unwrap_err();
            assert!(error.kind != SendErrorKind::Unavailable, "{error:?}");
        }
        assert_eq!(second.connections(), 0, "{step} {act:?}");
    }
}

/// B3: replies about faults that an operator can repair.
#[tokio::test]
async fn smtp_5xx_that_is_not_about_the_address_has_the_mail_taken_by_the_next_relay() {
    for (step, act) in [
        ("MAIL", Act::Reply("550 5.1.8 sender's domain unknown")),
        ("RCPT", Act::Reply("554 5.7.1 <john@example.com>: Relay access denied")),
        ("RCPT", Act::Reply("550 relay not permitted")),
        ("DATA", Act::Reply("554 5.7.1 not now")),
        (".", Act::Reply("554 Message rejected: Email address is not verified")),
        (".", Act::Reply("554 5.2.252 SendAsDenied; john@example.com not allowed to send")),
        (".", Act::Reply("550 5.7.60 SMTP; Client does not have permissions to send as this sender")),
        (".", Act::Reply("550-5.7.26 unauthenticated\r\n550 5.7.26 requires all senders to authenticate")),
    ] {
        let first = failing(step, act).await;
        let alone = transport(&settings(first.port));
        for recipient in &RECIPIENTS[..2] {
            let error = alone.send(&mail_to(recipient)).await.unwrap_err();
            assert_eq!(error.kind, SendErrorKind::Refused, "{step} {act:?}");
        }
        let second = scripted(&[FINE]).await;
        transport(&both(first.port, second.port)).send(&mail("EVENTEVEN1")).await.unwrap();
        assert_eq!(second.messages().len(), 1, "{step} {act:?}");
    }
}

/// B3
#[tokio::test]
async fn a_relay_that_refuses_several_recipients_in_a_row_is_paused_and_a_mail_tries_it() {
    let relay = failing("RCPT", Act::Reply("554 5.7.1 Relay access denied")).await;
    let transport = transport(&settings(relay.port));
    // The same recipient again and again may be the cause itself.
    for recipient in ["john@example.com", "john@example.com", "john@example.com", "jane@example.com"] {
        let error = transport.send(&mail_to(recipient)).await.unwrap_err();
        assert_eq!((error.kind, transport.capacity()), (SendErrorKind::Refused, Capacity::Full));
    }
    let error = transport.send(&mail_to("jim@example.com")).await.unwrap_err();
    assert!(is_unavailable(&error) && error.reason.ends_with("554 5.7.1 Relay access denied"), "{error}");
    // One that it has not refused may try it at once, since those that it has refused may be the cause.
    let tried = relay.commands().len();
    assert!(is_unavailable(&transport.send(&mail_to("june@example.com")).await.unwrap_err()));
    assert!(relay.commands().len() > tried);
    for is_repaired in [false, true] {
        assert_eq!(transport.capacity(), Capacity::One);
        let (connections, tried) = (relay.connections(), relay.commands().len());
        assert!(is_unavailable(&transport.send(&mail_to("june@example.com")).await.unwrap_err()));
        // The pause begins and ends in the background.
        sleep(LOOK).await;
        pass(Duration::from_secs(30)).await;
        sleep(LOOK).await;
        assert_eq!(
            (relay.connections(), relay.commands().len()),
            (connections, tried),
            "connecting shows nothing"
        );
        if is_repaired {
            relay.repair();
            transport.send(&mail_to("june@example.com")).await.unwrap();
        } else {
            assert!(is_unavailable(&transport.send(&mail_to("june@example.com")).await.unwrap_err()));
            assert!(relay.commands().len() > tried);
        }
    }
    assert_eq!(transport.capacity(), Capacity::Full);
}

#[tokio::test]
async fn a_relay_that_breaks_off_again_and_again_is_paused() {
    let first = failing("MAIL", Act::Close).await;
    let second = scripted(&[FINE]).await;
    let transport = transport(&both(first.port, second.port));
    for number in 0..6 {
        transport.send(&mail(&format!("EVENTEVEN{number}"))).await.unwrap();
    }
    assert_eq!((first.connections(), second.messages().len()), (3, 6));
}

#[tokio::test]
async fn a_relay_that_works_again_is_used_again() {
    let away: Scene = &[("GREETING", Act::ReplyAndClose("421 4.3.2 busy"))];
    let first = scripted(&[away, away, FINE]).await;
    let second = scripted(&[FINE]).await;
    let transport = transport(&both(first.port, second.port));
    for event in ["EVENTEVEN1", "EVENTEVEN2"] {
        transport.send(&mail(event)).await.unwrap();
    }
    assert_eq!((first.connections(), first.messages().len(), second.messages().len()), (1, 0, 2));
    // It is checked without a mail.
    while first.commands().is_empty() {
        pass(Duration::from_secs(5)).await;
        sleep(LOOK).await;
    }
    until(|| first.commands() == ["EHLO rekey.example.com"]).await;
    while first.messages().is_empty() {
        transport.send(&mail("EVENTEVEN3")).await.unwrap();
    }
    assert_eq!(first.connections(), 4);
}

/// B9: however long it was away.
#[tokio::test]
async fn a_transport_can_be_used_again_seconds_after_the_first_relay_is_back() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = socket.local_addr().unwrap().port();
    let transport = transport(&both(NOBODY, port));
    assert!(is_unavailable(&transport.send(&mail("EVENTEVEN1")).await.unwrap_err()));
    assert_eq!(transport.capacity(), Capacity::None);
    for _ in 0..10 {
        pass(Duration::from_mins(5)).await;
        sleep(LOOK).await;
    }
    assert_eq!(transport.capacity(), Capacity::None);
    let greeting = async {
        let (mut client, _) = socket.listen(1).unwrap().accept().await.unwrap();
        client.write_all(b"220 back\r\n").await.unwrap();
        client.read_u8().await.unwrap();
        client.write_all(b"250 fine\r\n").await.unwrap();
        client
    };
    let started = Instant::now();
    tokio::join!(greeting, transport.capacity_changed(Capacity::None));
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    assert_eq!(transport.capacity(), Capacity::Full);
}

#[tokio::test]
async fn smtp_auth_when_no_relay_can_be_used_the_error_names_each() {
    let refusing = failing("GREETING", Act::ReplyAndClose("554 5.3.2 not for you")).await;
    let transport = transport(&both(NOBODY, refusing.port));
    let error = transport.send(&mail("EVENTEVEN1")).await.unwrap_err();
    assert!(is_unavailable(&error), "{error:?}");
    let reason = error.reason;
    assert!(reason.contains("can't connect") && reason.contains("554 5.3.2 not for you"), "{reason}");
    assert!(is_unavailable(&transport.send(&mail("EVENTEVEN1")).await.unwrap_err()));
    assert_eq!(refusing.connections(), 1, "it is paused");
}
