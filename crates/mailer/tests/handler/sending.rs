//! One event, one mail.

use rekey_core::{
    events::{EmailChanged, Event, EventBody, bus::Verdict},
    ids::ResetId,
    random::OsRandom,
    resets::ResetOrigin,
    secrets::{RejectionProof, ResetToken, SealedAddress, SealedUndoToken},
};
use rekey_testkit::{backdoor::Backdoor, seed, smtp::ScriptedSmtp};
use time::Duration;

use crate::world::{LEASE, World, handle, rejection, wait};

#[tokio::test]
async fn a_reset_leads_to_one_mail_with_its_link_however_often_the_event_comes() {
    let world = World::new().await;
    seed::customer(&world.store, world.test, "john@example.com", None).await;
    let reset = seed::reset(&world.store, world.test, "john@example.com", ResetOrigin::SelfService).await;
    let (mailer, events) = (world.mailer(1), world.events().await);
    for _ in 0..3 {
        assert_eq!(handle(&mailer, &events[0]).await, Verdict::Done);
    }
    let mails = world.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to, "john@example.com");
    assert_eq!(mails[0].subject, "Set a new password for The acme shop");
    let link =
        format!("https://rekey.example.com/reset-password?id={}&token={}", reset.id, reset.token.expose());
    assert!(mails[0].text.contains(&link), "{}", mails[0].text);
    assert!(mails[0].html.contains(&link.replace('&', "&amp;")));
    assert!(mails[0].text.contains("valid for 6 hours, until "));
    let message_id = format!("<{}@example.com>", reset.event);
    assert!(mails[0].headers.contains(&("Message-ID".to_owned(), message_id)));
    assert_eq!(world.delivery().await.unwrap(), "sent: kept in the local mailbox");
}

/// B11
#[tokio::test]
async fn a_mail_says_how_long_its_link_works_whatever_the_mailers_clock_is() {
    for skew in [Duration::hours(3), Duration::hours(-3)] {
        let world = World::new().await;
        world.mailer_clock.advance(skew);
        seed::customer(&world.store, world.test, "john@example.com", None).await;
        seed::reset(&world.store, world.test, "john@example.com", ResetOrigin::SelfService).await;
        assert_eq!(handle(&world.mailer(1), &world.events().await[0]).await, Verdict::Done);
        let text = &world.mails()[0].text;
        assert!(text.contains("valid for 6 hours, until "), "{text}");
    }
}

#[tokio::test]
async fn headers_a_name_that_was_stored_breaks_no_line_of_a_mail() {
    let world = World::new().await;
    seed::customer(&world.store, world.test, "john@example.com", None).await;
    seed::reset(&world.store, world.test, "john@example.com", ResetOrigin::SelfService).await;
    let name = "'Shop' || char(13, 10, 13, 10) || 'https://evil.example/' || char(0x202e) || 'x'";
    let renamed = format!("UPDATE organizations SET name = {name} RETURNING id");
    assert!(world.backdoor().text(&renamed).await.is_some());
    assert_eq!(handle(&world.mailer(1), &world.events().await[0]).await, Verdict::Done);
    let mail = world.mails().remove(0);
    assert_eq!(mail.subject, "Set a new password for Shop https://evil.example/x");
    assert!(mail.text.lines().all(|line| !line.starts_with("https://evil.example/")), "{}", mail.text);
    assert!(!mail.text.contains('\u{202e}') && !mail.html.contains('\u{202e}'));
}

#[tokio::test]
async fn a_mail_is_in_the_language_that_the_call_asked_for() {
    let world = World::new().await;
    seed::customer(&world.store, world.test, "john@example.com", None).await;
    let reset = seed::reset(&world.store, world.test, "john@example.com", ResetOrigin::SelfService).await;
    let events = world.events().await;
    let mut event = Event::verify(&events[0].payload, &seed::keys()).unwrap();
    event.locales = ["zh-TW", "pt-PT", "en"].map(|tag| tag.parse().unwrap()).into();
    assert_eq!(handle(&world.mailer(1), &event.sign(&seed::keys())).await, Verdict::Done);
    let mail = world.mails().remove(0);
    assert_eq!(mail.subject, "Escolha uma nova senha para The acme shop");
    assert!(mail.headers.contains(&("Content-Language".to_owned(), "pt-BR".to_owned())));
    assert!(
        mail.text.contains(&format!("&token={}&organization=acme&locale=pt-BR", reset.token.expose())),
        "{}",
        mail.text
    );
    assert!(mail.html.contains("lang=\"pt-BR\""));
}

#[tokio::test]
async fn a_mails_reader_can_disavow_its_reset_and_no_other() {
    let world = World::new().await;
    seed::customer(&world.store, world.test, "john@example.com", None).await;
    let reset = seed::reset(&world.store, world.test, "john@example.com", ResetOrigin::SelfService).await;
    handle(&world.mailer(1), &world.events().await[0]).await;
    let mail = world.mails().remove(0);
    let start = format!("https://rekey.example.com/not-me?id={}&proof=", reset.id);
    let proof = mail.text.split(&start).nth(1).unwrap().split('&').next().unwrap();
    let proof = percent_encoding::percent_decode_str(proof).decode_utf8().unwrap();
    let proof = RejectionProof::parse(&proof).unwrap();
    assert!(proof.is_for(reset.id, &seed::keys()));
    assert!(!proof.is_for("RESETRESE1".parse().unwrap(), &seed::keys()));
    assert!(mail.html.contains(&start.replace('&', "&amp;")));
}

#[tokio::test]
async fn however_a_password_was_changed_its_customer_gets_word_of_it() {
    let world = World::new().await;
    let customer = seed::customer(&world.store, world.test, "john@example.com", None).await.id;
    let reset: ResetId = "RESETRESE1".parse().unwrap();
    let mailer = world.mailer(1);
    for body in [
        EventBody::ResetUsed { reset, customer, address: None },
        EventBody::CustomerPasswordCreated { customer, address: None },
    ] {
        assert_eq!(handle(&mailer, &seed::event(world.test, body).message).await, Verdict::Done);
    }
    let mails = world.mails();
    assert_eq!(mails.len(), 2);
    for mail in &mails {
        assert_eq!(mail.to, "john@example.com");
        assert_eq!(mail.subject, "Your password for The acme shop was changed");
        assert!(!mail.text.contains("http"), "no page of this shop takes requests");
    }
}

/// A4.
#[tokio::test]
async fn a4_a_changed_address_is_announced_to_the_old_one_with_a_link_that_undoes_it() {
    let world = World::new().await;
    let customer = seed::customer(&world.store, world.test, "thief@example.com", None).await.id;
    let (change, token) = seed::email_change("john@example.com", "thief@example.com");
    let organization = world.test.organization;
    let changed = EmailChanged {
        customer,
        change: change.id,
        token: SealedUndoToken::seal(&token, organization, change.id, &seed::keys(), &OsRandom),
        address: SealedAddress::seal(&change.old, organization, change.id, &seed::keys(), &OsRandom),
    };
    let event = seed::event(world.test, EventBody::CustomerEmailChanged(changed.clone()));
    assert_eq!(handle(&world.mailer(1), &event.message).await, Verdict::Done);
    let [mail] = world.mails().try_into().unwrap();
    assert_eq!(mail.to, "john@example.com");
    assert_eq!(mail.subject, "Your email address for The acme shop was changed");
    let link = format!("/restore-email?id={}&token={}&locale=en", change.id, token.expose());
    assert!(mail.text.contains(&link), "{}", mail.text);
    assert!(mail.html.contains(&link.replace('&', "&amp;")));
    assert!(!mail.text.contains("thief"), "{}", mail.text);

    // A password that is set later is no news for the old address; one that was set before the change is.
    for (named, to) in [(Some("john@example.com"), "john@example.com"), (None, "thief@example.com")] {
        let seal = |address: &str| {
            SealedAddress::seal(&seed::email(address), organization, customer, &seed::keys(), &OsRandom)
        };
        let body = EventBody::CustomerPasswordCreated { customer, address: named.map(seal) };
        let event = seed::event(world.test, body).message;
        assert_eq!(handle(&world.mailer(1), &event).await, Verdict::Done);
        assert!(world.mails().iter().any(|mail| mail.to == to && mail.subject.contains("password")));
    }

    // Without its key the mail waits, and never goes to the address that the customer has now.
    let lost = EmailChanged { address: SealedAddress::from_bytes(vec![1, 2, 3]), ..changed };
    let event = seed::event(world.test, EventBody::CustomerEmailChanged(lost));
    let count = world.mails().len();
    assert!(matches!(handle(&world.mailer(1), &event.message).await, Verdict::Retry { .. }));
    assert_eq!(world.mails().len(), count);
}

#[tokio::test]
async fn events_without_a_mail_do_not_touch_the_ledger() {
    let world = World::new().await;
    let mailer = world.mailer(1);
    let customer = "CUSTOMERS1".parse().unwrap();
    for body in [
        EventBody::ResetDestroyed { reset: "RESETRESE1".parse().unwrap() },
        EventBody::CustomerCreated { customer },
        EventBody::CustomerDestroyed { customer },
    ] {
        assert_eq!(handle(&mailer, &seed::event(world.live, body).message).await, Verdict::Done);
    }
    assert_eq!(world.deliveries().await, 0);
}

#[tokio::test]
async fn test_mode_mails_never_go_to_the_relay_and_live_ones_do() {
    let world = World::new().await;
    let relay = ScriptedSmtp::start(&[&[]]).await;
    for scope in [world.test, world.live] {
        seed::customer(&world.store, scope, "john@example.com", None).await;
        seed::reset(&world.store, scope, "john@example.com", ResetOrigin::Integration).await;
    }
    let (without, with) = (world.mailer_with(&[relay.port], None), world.mailer(relay.port));
    let events = world.events().await;
    assert_eq!(
        rejection(handle(&without, &events[0]).await),
        "mailbox.directory is not set, so mails of test mode go nowhere"
    );
    assert_eq!(
        world.delivery().await.unwrap(),
        "failed: mailbox.directory is not set, so mails of test mode go nowhere"
    );
    assert_eq!(handle(&with, &events[1]).await, Verdict::Done);
    assert_eq!((relay.messages().len(), world.mails().len()), (1, 0));
}

#[tokio::test]
async fn of_many_mailers_at_once_one_sends() {
    let world = World::new().await;
    seed::customer(&world.store, world.test, "john@example.com", None).await;
    seed::reset(&world.store, world.test, "john@example.com", ResetOrigin::Integration).await;
    let events = world.events().await;
    let handling = (0..16).map(|_| {
        let (mailer, event) = (world.mailer(1), events[0].clone());
        tokio::spawn(async move { handle(&mailer, &event).await })
    });
    for verdict in handling.collect::<Vec<_>>() {
        match verdict.await.unwrap() {
            Verdict::Done => {}
            verdict => assert!(wait(&verdict) <= LEASE, "{verdict:?}"),
        }
    }
    assert_eq!(world.delivery().await.unwrap(), "sent: kept in the local mailbox");
    assert_eq!(world.mails().len(), 1);
}

#[tokio::test]
async fn a_ledger_that_is_away_is_asked_again() {
    let world = World::new().await;
    seed::customer(&world.store, world.test, "john@example.com", None).await;
    seed::reset(&world.store, world.test, "john@example.com", ResetOrigin::Integration).await;
    let (mailer, events) = (world.mailer(1), world.events().await);
    world.store.close().await;
    assert_eq!(wait(&handle(&mailer, &events[0]).await), Duration::seconds(10));
    assert_eq!(world.mails().len(), 0);
}

/// B3: an operator who left a key out can add it; the reset's expiry ends the mail of an event that is simply wrong.
#[tokio::test]
async fn a_token_of_another_reset_or_key_is_tried_again() {
    let world = World::new().await;
    seed::customer(&world.store, world.test, "john@example.com", None).await;
    let reset = seed::reset(&world.store, world.test, "john@example.com", ResetOrigin::Integration).await;
    let (other, _) = seed::new_reset(world.test, "john@example.com", ResetOrigin::Integration);
    let event = seed::event(world.test, EventBody::ResetCreated(seed::created(reset.id, other.sealed_token)));
    assert!(wait(&handle(&world.mailer(1), &event.message).await) <= Duration::seconds(10));
    assert_eq!(world.delivery().await.unwrap(), "deferred: decryption failed: unknown key or wrong context");
    assert!(ResetToken::parse(reset.token.expose()).is_some() && world.mails().is_empty());
}
