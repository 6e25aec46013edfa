//! smtp-4xx/5xx/auth: the outcome of a mail by the relay's replies.

use rekey_core::{
    deliveries::suppression::{SuppressionFilter, SuppressionStore},
    events::{
        bus::{Capacity, Handler, Verdict},
        outbox::OutboxMessage,
    },
    resets::ResetOrigin,
};
use rekey_testkit::{
    seed,
    smtp::{Act, ScriptedSmtp},
};
use time::Duration;

use crate::world::{PAUSE, World, handle, next_trial, recover, wait};

/// Makes the events of that many live resets.
pub async fn live_events(world: &World, count: usize) -> Vec<OutboxMessage> {
    seed::customer(&world.store, world.live, "john@example.com", None).await;
    for _ in 0..count {
        seed::reset(&world.store, world.live, "john@example.com", ResetOrigin::Integration).await;
    }
    world.events().await
}

#[tokio::test]
async fn smtp_4xx_is_tried_again_after_the_waits_of_the_ladder() {
    let world = World::new().await;
    let relay = ScriptedSmtp::start(&[&[("RCPT", Act::Reply("450 4.2.1 john@example.com is busy"))]]).await;
    let (mailer, events) = (world.mailer(relay.port), live_events(&world, 1).await);
    for seconds in [10, 60, 600, 3600, 3600] {
        let wait = wait(&handle(&mailer, &events[0]).await);
        let longest = Duration::seconds(seconds);
        assert!(longest * 4 / 5 <= wait && wait <= longest, "{wait} for {longest}");
    }
    let delivery = world.delivery().await.unwrap();
    assert!(
        delivery.starts_with(&format!("deferred: 127.0.0.1:{}: 450 4.2.1 (address) is busy", relay.port)),
        "{delivery}"
    );
    assert!(!delivery.contains("john"), "{delivery}");
}

#[tokio::test]
async fn smtp_4xx_after_a_drop_behind_the_final_dot_the_same_mail_goes_again() {
    let world = World::new().await;
    let relay = ScriptedSmtp::start(&[&[(".", Act::Close)], &[]]).await;
    let (mailer, events) = (world.mailer(relay.port), live_events(&world, 1).await);
    assert!(wait(&handle(&mailer, &events[0]).await) <= Duration::seconds(10));
    assert_eq!(world.in_doubt().await, 1, "nobody knows whether it was taken");
    assert_eq!(handle(&mailer, &events[0]).await, Verdict::Done);
    let messages = relay.messages();
    let line =
        |message: &str, start: &str| message.lines().find(|line| line.contains(start)).unwrap().to_owned();
    assert_eq!(messages.len(), 2);
    for start in ["Message-ID: <", "https://rekey.example.com/reset-password"] {
        assert_eq!(line(&messages[0], start), line(&messages[1], start));
    }
    assert_eq!(world.delivery().await.unwrap(), "sent: 250 2.0.0 taken");
}

#[tokio::test]
async fn smtp_5xx_is_recorded_as_bounced_and_never_tried_again() {
    let world = World::new().await;
    let relay = ScriptedSmtp::start(&[&[("RCPT", Act::Reply("550 5.1.1 no such user"))]]).await;
    let (mailer, events) = (world.mailer(relay.port), live_events(&world, 1).await);
    for _ in 0..2 {
        assert_eq!(handle(&mailer, &events[0]).await, Verdict::Done);
    }
    assert_eq!(relay.commands().iter().filter(|command| command.starts_with("RCPT")).count(), 1);
    let reason = format!("bounced: 127.0.0.1:{}: 550 5.1.1 no such user", relay.port);
    assert_eq!(world.delivery().await.unwrap(), reason);
    assert_eq!(world.reply().await.unwrap(), "550 5.1.1");
}

/// B3: nothing else is a bounce.
#[tokio::test]
async fn smtp_5xx_about_the_address_suppresses_it_and_any_other_is_tried_again() {
    for (reply, is_bounce) in [
        ("550 5.1.1 no such user", true),
        ("550 5.1.10 null MX", true),
        ("552 5.2.2 mailbox full", false),
        ("554 5.7.1 looks like spam", false),
        ("550 no such user", false),
        ("550 relay not permitted", false),
        ("550 4.1.1 another class", false),
    ] {
        let world = World::new().await;
        let scene: &[_] = Box::leak(Box::new([("RCPT", Act::Reply(reply))]));
        let relay = ScriptedSmtp::start(Box::leak(Box::new([scene]))).await;
        let (mailer, events) = (world.mailer(relay.port), live_events(&world, 2).await);
        let verdict = handle(&mailer, &events[0]).await;
        assert_eq!(verdict == Verdict::Done, is_bounce, "{reply}: {verdict:?}");
        let status = if is_bounce { "bounced: " } else { "deferred: " };
        assert!(world.delivery().await.unwrap().starts_with(status), "{reply}");
        let suppressions = world.store.suppressions(SuppressionFilter::default()).await.unwrap();
        assert_eq!(suppressions.len(), usize::from(is_bounce), "{reply}");
        handle(&mailer, &events[1]).await;
        let tried = relay.commands().iter().filter(|command| command.starts_with("RCPT")).count();
        assert_eq!(tried, if is_bounce { 1 } else { 2 }, "{reply}");
    }
}

/// B3: a relay that denies relaying.
#[tokio::test]
async fn mails_of_a_relay_that_is_set_up_wrongly_are_sent_once_it_is_repaired() {
    let world = World::new().await;
    let relay = ScriptedSmtp::start(&[&[("RCPT", Act::Reply("554 5.7.1 Relay access denied"))]]).await;
    let mailer = world.mailer(relay.port);
    for number in 0..5 {
        let address = format!("john{number}@example.com");
        seed::customer(&world.store, world.live, &address, None).await;
        seed::reset(&world.store, world.live, &address, ResetOrigin::SelfService).await;
    }
    let events = world.events().await;
    for event in &events {
        assert!(wait(&handle(&mailer, event).await) <= PAUSE);
    }
    let tried = || relay.commands().iter().filter(|command| command.starts_with("RCPT")).count();
    for tries in 6..11 {
        assert!(wait(&handle(&mailer, &events[0]).await) <= PAUSE);
        assert_eq!(
            (mailer.capacity(), tried()),
            (Capacity::One, tries - 1),
            "it was refused, others may try"
        );
        next_trial().await;
        assert!(
            wait(&handle(&mailer, &events[0]).await) <= PAUSE,
            "a mail that tries the relay spends no attempt"
        );
        assert_eq!(tried(), tries);
    }
    relay.repair();
    next_trial().await;
    for event in &events {
        assert_eq!(handle(&mailer, event).await, Verdict::Done);
    }
    assert_eq!((mailer.capacity(), relay.messages().len()), (Capacity::Full, 5));
}

#[tokio::test]
async fn smtp_auth_failures_open_the_circuit_and_the_mails_that_wait_spend_no_attempt() {
    let world = World::new().await;
    let refused: &[(&str, Act)] = &[("EHLO", Act::ReplyAndClose("530 5.7.0 not without credentials"))];
    let scenes = Box::leak(Box::new([refused, refused, &[]]));
    let relay = ScriptedSmtp::start(scenes).await;
    let (mailer, events) = (world.mailer(relay.port), live_events(&world, 2).await);
    for event in &events {
        assert_eq!(wait(&handle(&mailer, event).await), PAUSE);
    }
    assert_eq!(
        (world.deliveries().await, relay.connections()),
        (1, 1),
        "the second mail was not even claimed"
    );
    recover(&mailer).await;
    assert_eq!((world.deliveries().await, relay.connections()), (1, 3));
    for event in &events {
        assert_eq!(handle(&mailer, event).await, Verdict::Done);
    }
    assert_eq!((mailer.capacity(), relay.messages().len()), (Capacity::Full, 2));
}

#[tokio::test]
async fn test_mode_mails_flow_while_the_relay_is_paused() {
    let world = World::new().await;
    let relay = ScriptedSmtp::start(&[&[("MAIL", Act::Reply("535 5.7.8 no"))]]).await;
    let mailer = world.mailer(relay.port);
    let live = live_events(&world, 1).await;
    wait(&handle(&mailer, &live[0]).await);
    assert_eq!(mailer.capacity(), Capacity::None);
    seed::customer(&world.store, world.test, "john@example.com", None).await;
    seed::reset(&world.store, world.test, "john@example.com", ResetOrigin::Integration).await;
    assert_eq!(handle(&mailer, &world.events().await[0]).await, Verdict::Done);
    assert_eq!(world.mails().len(), 1);
}

#[tokio::test]
async fn crash_a_claim_that_ran_out_is_sent_again_by_another_mailer_and_counted() {
    let world = World::new().await;
    // The relay accepts the mail and then hangs: this mailer is stopped before it gets the reply.
    let relay = ScriptedSmtp::start(&[&[(".", Act::Hang)], &[]]).await;
    let (mailer, events) = (world.mailer(relay.port), live_events(&world, 1).await);
    tokio::select! {
        verdict = handle(&mailer, &events[0]) => panic!("{verdict:?}"),
        () = relay.reached(".") => {}
    }
    assert!(wait(&handle(&mailer, &events[0]).await) > Duration::ZERO, "its claim still holds");
    world.clock.advance(crate::world::LEASE + Duration::SECOND);
    assert_eq!(handle(&world.mailer(relay.port), &events[0]).await, Verdict::Done);
    assert_eq!(relay.messages().len(), 2);
    assert_eq!(world.in_doubt().await, 1);
}

/// B3
#[tokio::test]
async fn no_number_of_attempts_ends_a_mail_before_its_reset_expires() {
    for reply in ["450 4.2.1 busy", "554 5.7.1 Relay access denied"] {
        let world = World::new().await;
        let scene: &[_] = Box::leak(Box::new([("RCPT", Act::Reply(reply))]));
        let relay = ScriptedSmtp::start(Box::leak(Box::new([scene]))).await;
        let (mailer, events) = (world.mailer(relay.port), live_events(&world, 1).await);
        for _ in 0..200 {
            wait(&handle(&mailer, &events[0]).await);
        }
        world.clock.advance(seed::TOKEN_TTL + Duration::SECOND);
        assert_eq!(handle(&mailer, &events[0]).await, Verdict::Done);
        assert_eq!(world.delivery().await.unwrap(), "expired: reset expired");
    }
}
