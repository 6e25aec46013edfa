//! Several relays: the outcome of a mail when one of them is down, and when all are.

use rekey_core::events::bus::Verdict;
use rekey_testkit::{
    backdoor::Backdoor,
    smtp::{Act, Scene, ScriptedSmtp},
};
use time::Duration;

use crate::{
    relay::live_events,
    world::{PAUSE, World, handle, pass, wait},
};

/// A port where nobody listens.
const NOBODY: u16 = 1;
const BUSY: Scene = &[("GREETING", Act::ReplyAndClose("421 4.3.2 busy"))];

impl World {
    /// Returns the number of attempts at all mails.
    async fn attempts(&self) -> String {
        self.backdoor().text("SELECT CAST(SUM(attempts) AS TEXT) FROM deliveries").await.unwrap()
    }
}

#[tokio::test]
async fn a_relay_that_is_down_leaves_its_mails_to_the_next_in_the_same_attempt() {
    let world = World::new().await;
    let (second, third) = (ScriptedSmtp::start(&[BUSY]).await, ScriptedSmtp::start(&[&[]]).await);
    let (mailer, events) =
        (world.mailer_through(&[NOBODY, second.port, third.port]), live_events(&world, 3).await);
    for event in &events {
        assert_eq!(handle(&mailer, event).await, Verdict::Done);
    }
    assert_eq!((second.connections(), third.messages().len()), (1, 3));
    assert!(!mailer.is_paused());
    assert_eq!(world.attempts().await, "3");
    let through = world.backdoor().count("deliveries", &format!("relay = '127.0.0.1:{}'", third.port)).await;
    assert_eq!((world.delivery().await.as_deref(), through), (Some("sent: 250 2.0.0 taken"), 3));
}

#[tokio::test]
async fn smtp_auth_while_all_relays_are_down_no_attempt_is_spent() {
    let world = World::new().await;
    let second = ScriptedSmtp::start(&[BUSY, BUSY, BUSY, BUSY, &[]]).await;
    let (mailer, events) = (world.mailer_through(&[NOBODY, second.port]), live_events(&world, 3).await);
    let pause = Duration::try_from(PAUSE).unwrap();

    assert_eq!(wait(&handle(&mailer, &events[0]).await), pause);
    let detail = world.delivery().await.unwrap();
    assert!(
        detail.starts_with("deferred: 127.0.0.1:1: can't connect") && detail.ends_with("421 4.3.2 busy"),
        "{detail}"
    );
    // The circuit is open, and opens again after each failed check.
    let mut waits = 0;
    while handle(&mailer, &events[1]).await != Verdict::Done {
        assert!(mailer.is_paused());
        assert_eq!((world.attempts().await.as_str(), second.messages().len()), ("0", 0));
        pass(PAUSE / 2).await;
        waits += 1;
    }
    assert!(waits >= 3, "once for each connection that was refused");

    for event in [&events[0], &events[2]] {
        assert_eq!(handle(&mailer, event).await, Verdict::Done);
    }
    assert!(!mailer.is_paused());
    assert_eq!((world.attempts().await.as_str(), second.messages().len()), ("3", 3));
}
