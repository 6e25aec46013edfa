//! Several relays: the outcome of a mail when one of them is down, and when all are.

use rekey_core::events::bus::{Capacity, Handler, Verdict};
use rekey_testkit::{
    backdoor::Backdoor,
    smtp::{Act, Scene, ScriptedSmtp},
};

use crate::{
    relay::live_events,
    world::{PAUSE, World, handle, recover, wait},
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
    assert_eq!(mailer.capacity(), Capacity::Full);
    assert_eq!(world.attempts().await, "3");
    let through = world.backdoor().count("deliveries", &format!("relay = '127.0.0.1:{}'", third.port)).await;
    assert_eq!((world.delivery().await.as_deref(), through), (Some("sent: 250 2.0.0 taken"), 3));
}

#[tokio::test]
async fn smtp_auth_while_all_relays_are_down_no_attempt_is_spent() {
    let world = World::new().await;
    let second = ScriptedSmtp::start(&[BUSY, BUSY, BUSY, &[]]).await;
    let (mailer, events) = (world.mailer_through(&[NOBODY, second.port]), live_events(&world, 3).await);

    assert_eq!(wait(&handle(&mailer, &events[0]).await), PAUSE);
    let detail = world.delivery().await.unwrap();
    assert!(
        detail.starts_with("deferred: 127.0.0.1:1: can't connect") && detail.ends_with("421 4.3.2 busy"),
        "{detail}"
    );
    // B5: the relays are checked in the background, and the mails that come all the same touch nothing.
    assert_eq!(mailer.capacity(), Capacity::None);
    assert_eq!(wait(&handle(&mailer, &events[1]).await), PAUSE);
    assert_eq!(
        (world.deliveries().await, world.attempts().await.as_str(), second.connections()),
        (1, "0", 1)
    );
    recover(&mailer).await;
    assert_eq!((second.connections(), second.messages().len()), (4, 0));

    for event in &events {
        assert_eq!(handle(&mailer, event).await, Verdict::Done);
    }
    assert_eq!(mailer.capacity(), Capacity::Full);
    assert_eq!((world.attempts().await.as_str(), second.messages().len()), ("3", 3));
}
