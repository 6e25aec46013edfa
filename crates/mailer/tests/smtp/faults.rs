//! A scripted server that misbehaves as no real one does on demand.

use std::sync::Arc;

use super::*;

#[tokio::test]
async fn smtp_4xx_a_drop_after_the_final_dot_is_sent_again_and_is_the_same_mail() {
    let server = ScriptedSmtp::start(&[&[(".", Act::Close)], FINE]).await;
    let transport = transport(&settings(server.port));
    let error = transport.send(&mail("EVENTEVEN1")).await.unwrap_err();
    assert!(is_in_doubt(&error), "{error:?}");
    assert!(error.to_string().ends_with(": the relay closed the connection"), "{error}");
    assert_eq!(server.connections(), 1, "no silent attempt once the message was sent");
    transport.send(&mail("EVENTEVEN1")).await.unwrap();
    let messages = server.messages();
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[0], messages[1]);
    assert!(messages[0].contains("Message-ID: <EVENTEVEN1@example.com>\r\n"));
}

#[tokio::test]
async fn smtp_4xx_a_hang_after_data_ends_with_the_timeout() {
    let scenes: [(&str, &'static [Scene]); 3] = [
        (".", &[&[(".", Act::Hang)], FINE]),
        ("DATA", &[&[("DATA", Act::Hang)], FINE]),
        ("MAIL", &[&[("MAIL", Act::Hang)], FINE]),
    ];
    for (step, scenes) in scenes {
        let server = ScriptedSmtp::start(scenes).await;
        let transport = transport(&settings(server.port));
        let error = send_until(&transport, &server, step).await.unwrap_err();
        // Before the message, the relay can't have accepted anything.
        assert_eq!(
            (is_in_doubt(&error), is_transient(&error)),
            (step == ".", step != "."),
            "{step}: {error:?}"
        );
        transport.send(&mail("EVENTEVEN1")).await.unwrap();
    }
}

#[tokio::test]
async fn smtp_4xx_421_defers_wherever_it_comes() {
    let scenes: [&'static [Scene]; 2] = [
        &[&[("RCPT", Act::ReplyAndClose("421 4.3.2 busy"))], FINE],
        &[&[(".", Act::ReplyAndClose("421 4.3.2 busy"))], FINE],
    ];
    for scene in scenes {
        let server = ScriptedSmtp::start(scene).await;
        let transport = transport(&settings(server.port));
        let error = transport.send(&mail("EVENTEVEN1")).await.unwrap_err();
        assert!(is_transient(&error) && error.reply == Some(reply(421, "4.3.2")), "{error:?}");
        transport.send(&mail("EVENTEVEN1")).await.unwrap();
    }
}

#[tokio::test]
async fn smtp_5xx_a_refused_recipient_is_permanent_and_its_address_is_not_shown() {
    let refusal = "550-5.1.1 <john@example.com>: no such user\r\n550 5.1.1 ask john@example.com";
    let server = failing("RCPT", Act::Reply(refusal)).await;
    let transport = transport(&settings(server.port));
    for event in ["EVENTEVEN1", "EVENTEVEN2"] {
        let error = transport.send(&mail(event)).await.unwrap_err();
        let expected = SendError {
            reason: format!("127.0.0.1:{}: 550 5.1.1 (address) no such user ask (address)", server.port),
            reply: Some(reply(550, "5.1.1")),
            kind: SendErrorKind::BadAddress,
        };
        assert_eq!(error, expected);
        assert!(!error.to_string().contains("john"), "{error}");
    }
    assert_eq!(server.connections(), 1, "the connection is reset and used again");
    assert!(server.commands().contains(&"RSET".to_owned()));
}

#[tokio::test]
async fn smtp_auth_a_failure_that_concerns_every_mail_makes_the_transport_unavailable() {
    let scenes: [&'static [Scene]; 4] = [
        &[&[("GREETING", Act::ReplyAndClose("554 5.3.2 not for you"))]],
        &[&[("GREETING", Act::ReplyAndClose("421 4.3.2 busy"))]],
        &[&[("EHLO", Act::Close)]],
        &[&[("RCPT", Act::Reply("530 5.7.0 authentication required"))]],
    ];
    for scene in scenes {
        let server = ScriptedSmtp::start(scene).await;
        let error = transport(&settings(server.port)).send(&mail("EVENTEVEN1")).await.unwrap_err();
        assert!(error.kind == SendErrorKind::Unavailable, "{error:?}");
    }
}

#[tokio::test]
async fn smtp_auth_no_starttls_is_refused_before_anything_is_sent() {
    let server = ScriptedSmtp::start(&[FINE]).await;
    let settings = with_relays(vec![encrypted(server.port, SmtpTls::StartTls)]);
    let error = transport(&settings).send(&mail("EVENTEVEN1")).await.unwrap_err();
    let reason = format!("localhost:{}: the relay offers no STARTTLS", server.port);
    assert_eq!(error, unavailable(reason));
    assert_eq!(server.commands(), ["EHLO rekey.example.com"]);
}

#[tokio::test]
async fn smtp_auth_a_relay_that_does_not_start_tls_is_left_with_what_it_said() {
    let offer = ("EHLO", Act::Reply("250-scripted\r\n250 starttls"));
    for (scene, reason) in [
        (
            &[offer, ("STARTTLS", Act::Reply("454 4.7.0 TLS not available"))][..],
            "454 4.7.0 TLS not available",
        ),
        (&[offer, ("STARTTLS", Act::Close)], "the relay closed the connection"),
        (
            &[("GREETING", Act::ReplyAndClose("554-5.3.2 not\r\n554 5.3.2 you"))],
            "554-5.3.2 not 554 5.3.2 you",
        ),
        (&[("EHLO", Act::Reply("502 5.5.1 no"))], "502 5.5.1 no"),
    ] {
        let server = scripted(&[scene.to_vec().leak()]).await;
        let settings = with_relays(vec![encrypted(server.port, SmtpTls::StartTls)]);
        let error = transport(&settings).send(&mail("EVENTEVEN1")).await.unwrap_err();
        let start = format!("localhost:{}: {reason}", server.port);
        assert!(is_unavailable(&error) && error.reason.starts_with(&start), "{error:?}");
    }
}

#[tokio::test]
async fn smtp_auth_a_reply_injected_behind_starttls_is_never_believed() {
    // An attacker on the path appends a second greeting to the server's answer, to have it read after the handshake.
    let server = ScriptedSmtp::start(&[&[
        ("EHLO", Act::Reply("250-scripted\r\n250 STARTTLS")),
        ("STARTTLS", Act::Reply("220 go ahead\r\n250-scripted\r\n250 AUTH PLAIN")),
    ]])
    .await;
    let settings = with_relays(vec![encrypted(server.port, SmtpTls::StartTls)]);
    let error = transport(&settings).send(&mail("EVENTEVEN1")).await.unwrap_err();
    assert!(is_unavailable(&error) && error.reason.contains("corrupt message"), "{error:?}");
}

#[tokio::test]
async fn a_stale_pooled_connection_costs_one_silent_attempt() {
    // The server closes after each mail: with a 421, without a reply, or by not answering any more.
    let scenes: [&'static [Scene]; 3] = [
        &[&[(".", Act::ReplyAndClose("250 2.0.0 taken"))], FINE],
        &[
            &[
                ("MAIL", Act::Reply("250 fine")),
                (".", Act::ReplyAndClose("250 2.0.0 taken\r\n421 4.4.2 idle")),
            ],
            FINE,
        ],
        &[
            &[(".", Act::ReplyAndClose("250 2.0.0 taken"))],
            &[(".", Act::ReplyAndClose("250 2.0.0 taken"))],
            FINE,
        ],
    ];
    for scene in scenes {
        let server = ScriptedSmtp::start(scene).await;
        let transport = transport(&settings(server.port));
        for event in ["EVENTEVEN1", "EVENTEVEN2", "EVENTEVEN3"] {
            transport.send(&mail(event)).await.unwrap();
        }
        assert_eq!(server.messages().len(), 3, "each mail once");
        assert_eq!(server.connections(), scene.len());
    }
}

#[tokio::test]
async fn a_sender_that_the_relay_refuses_defers_its_mails_and_no_others() {
    let server = failing("MAIL", Act::Reply("550 5.7.1 not your sender")).await;
    let error = transport(&settings(server.port)).send(&mail("EVENTEVEN1")).await.unwrap_err();
    assert_eq!((error.kind, error.reply), (SendErrorKind::Refused, Some(reply(550, "5.7.1"))));
}

#[tokio::test]
async fn no_more_connections_are_open_than_configured() {
    let server = ScriptedSmtp::start(&[FINE]).await;
    let transport = Arc::new(transport(&settings(server.port)));
    let sends = (0..50).map(|number| {
        let transport = Arc::clone(&transport);
        tokio::spawn(async move { transport.send(&mail(&format!("EVENTEVE{number:02}"))).await })
    });
    for send in sends.collect::<Vec<_>>() {
        send.await.unwrap().unwrap();
    }
    assert_eq!((server.messages().len(), server.connections()), (50, 2));
    transport.close().await;
    assert_eq!(server.commands().iter().filter(|command| *command == "QUIT").count(), 2);
}

#[tokio::test]
async fn a_pooled_connection_that_went_dead_without_a_word_leaves_time_for_another() {
    let server = ScriptedSmtp::start(&[&[(".", Act::ReplyAndHang("250 2.0.0 taken"))], FINE]).await;
    let transport = transport(&Smtp { timeout: Duration::from_secs(4), ..settings(server.port) });
    for event in ["EVENTEVEN1", "EVENTEVEN2"] {
        transport.send(&mail(event)).await.unwrap();
    }
    assert_eq!((server.messages().len(), server.connections()), (2, 2));
}

#[tokio::test]
async fn a_mail_is_accepted_in_whatever_form_the_reply_comes() {
    for (answer, kept) in [
        ("250", "250"),
        ("250 2.0.0 \u{fc}", "250 2.0.0 ??"),
        ("250-2.0.0 one\n250 2.0.0 two", "250 2.0.0 one 2.0.0 two"),
    ] {
        let server = failing(".", Act::Reply(answer)).await;
        let accepted = transport(&settings(server.port)).send(&mail("EVENTEVEN1")).await.unwrap();
        assert_eq!((accepted.response.as_str(), server.messages().len()), (kept, 1));
    }
}

#[tokio::test]
async fn one_answer_too_many_is_never_taken_for_the_mails() {
    let twice = failing("RCPT", Act::Reply("250 2.1.5 fine\r\n250 2.1.5 fine")).await;
    let second = scripted(&[FINE]).await;
    let transport = transport(&with_relays(vec![relay(twice.port), relay(second.port)]));
    let accepted = transport.send(&mail("EVENTEVEN1")).await.unwrap();
    assert_eq!(accepted.response, "250 2.0.0 taken");
    assert_eq!((twice.messages().len(), second.messages().len()), (0, 1));

    for (answer, reason) in [
        ("354 go ahead", "an answer that does not belong there: 354 go ahead"),
        ("HTTP/1.1 400 Bad Request", "the relay's answer is no reply of SMTP"),
    ] {
        let server = failing(".", Act::Reply(answer)).await;
        let error = self::transport(&settings(server.port)).send(&mail("EVENTEVEN1")).await.unwrap_err();
        assert!(is_in_doubt(&error) && error.to_string().ends_with(reason), "{error:?}");
    }
}

#[tokio::test]
async fn a_relay_at_its_limit_of_connections_gets_all_mails_over_those_it_takes() {
    let full: Scene = &[("GREETING", Act::ReplyAndClose("421 4.7.0 too many connections"))];
    let server = scripted(&[FINE, FINE, full]).await;
    let transport = Arc::new(transport(&Smtp { connections: 6, ..settings(server.port) }));
    let sends = (0..50).map(|number| {
        let transport = Arc::clone(&transport);
        tokio::spawn(async move { transport.send(&mail(&format!("EVENTEVE{number:02}"))).await })
    });
    for send in sends.collect::<Vec<_>>() {
        send.await.unwrap().unwrap();
    }
    assert_eq!(server.messages().len(), 50);
    assert!(server.connections() < 25, "{}: it isn't asked for more again and again", server.connections());
}

// C7
#[tokio::test]
async fn email_input_a_quoted_local_part_is_sent_quoted_and_never_logged() {
    let refusal = "550 5.1.1 <\"taro..yamada\"@docomo.example>: unknown";
    let server = scripted(&[FINE, vec![("RCPT", Act::Reply(refusal))].leak()]).await;
    let recipient = "\"taro..yamada\"@docomo.example".parse().unwrap();
    let mail = Mail { recipient, ..mail("EVENTEVEN1") };
    transport(&settings(server.port)).send(&mail).await.unwrap();
    let command = "RCPT TO:<\"taro..yamada\"@docomo.example>".to_owned();
    assert!(server.commands().contains(&command), "{:?}", server.commands());
    let error = transport(&settings(server.port)).send(&mail).await.unwrap_err();
    assert!(error.kind == SendErrorKind::BadAddress && !error.reason.contains("taro"), "{error:?}");
}
