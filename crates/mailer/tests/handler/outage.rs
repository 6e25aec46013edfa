//! The ledger becomes unavailable while a mail is sent.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use rekey_core::{
    deliveries::{
        MailJob, Outcome,
        ledger::{Claim, Ledger},
    },
    error::StoreError,
    events::bus::{Delivery, Handler, RejectCause, Verdict},
    ids::EventId,
    resets::ResetOrigin,
};
use rekey_store_sqlite::SqliteStore;
use rekey_testkit::seed;
use time::Duration;

use crate::world::{World, handle, rejection, wait};

/// A ledger that fails its first calls to record an outcome.
struct Faltering {
    store: SqliteStore,
    refusals: AtomicUsize,
    is_away: bool,
}

impl Faltering {
    fn falter(&self) -> Result<(), StoreError> {
        let left =
            self.refusals.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        match (left, self.is_away) {
            (Err(_), _) => Ok(()),
            (Ok(_), true) => Err(StoreError::Unavailable("away".into())),
            (Ok(_), false) => Err(StoreError::Internal("broken".into())),
        }
    }
}

#[async_trait]
impl Ledger for Faltering {
    async fn claim(&self, job: &MailJob, lease: Duration) -> Result<Claim, StoreError> {
        self.store.claim(job, lease).await
    }

    async fn settle(&self, event: EventId, attempt: u32, outcome: &Outcome) -> Result<bool, StoreError> {
        self.falter()?;
        self.store.settle(event, attempt, outcome).await
    }

    async fn reject(&self, event: EventId, payload: &[u8], reason: &str) -> Result<bool, StoreError> {
        self.falter()?;
        self.store.reject(event, payload, reason).await
    }

    async fn republish_overdue(&self, max: u32) -> Result<u64, StoreError> {
        self.store.republish_overdue(max).await
    }
}

async fn sent_despite(refusals: usize, is_away: bool) -> (World, Verdict) {
    let world = World::new().await;
    seed::customer(&world.store, world.live, "john@example.com", None).await;
    seed::reset(&world.store, world.live, "john@example.com", ResetOrigin::Integration).await;
    let ledger = Faltering { store: world.store.clone(), refusals: refusals.into(), is_away };
    let mailer = world.mailer_on(Arc::new(ledger));
    let verdict = handle(&mailer, &world.events().await[0]).await;
    (world, verdict)
}

#[tokio::test]
async fn crash_of_the_database_after_a_mail_was_taken_is_waited_for_and_the_mail_is_recorded_as_sent() {
    // More failures than there are short pauses.
    let (world, verdict) = sent_despite(6, true).await;
    assert_eq!(verdict, Verdict::Done);
    assert_eq!(world.delivery().await.unwrap(), "sent: kept in the local mailbox");
    assert_eq!((world.mails().len(), world.in_doubt().await), (1, 0));
}

#[tokio::test]
async fn a_rejection_waits_for_the_database_and_not_for_a_ledger_that_refuses() {
    for is_away in [true, false] {
        let world = World::new().await;
        seed::customer(&world.store, world.live, "john@example.com", None).await;
        seed::reset(&world.store, world.live, "john@example.com", ResetOrigin::Integration).await;
        let ledger = Faltering { store: world.store.clone(), refusals: 1.into(), is_away };
        let (mailer, message) = (world.mailer_on(Arc::new(ledger)), world.events().await.remove(0));
        let message = Delivery { id: Some(message.id), payload: message.payload, attempt: 1 };
        let first = mailer.reject(&message, RejectCause::Panicked, "panicked".to_owned()).await;
        assert_eq!(world.deliveries().await, 0, "nothing is recorded");
        if !is_away {
            assert_eq!(rejection(first), "panicked");
            continue;
        }
        assert_eq!(wait(&first), Duration::seconds(10));
        assert_eq!(
            rejection(mailer.reject(&message, RejectCause::Panicked, "panicked".to_owned()).await),
            "panicked"
        );
        assert_eq!(world.delivery().await, Some("failed: panicked".to_owned()));
    }
}

#[tokio::test]
async fn a_mail_that_another_mailer_has_is_looked_at_again_within_seconds() {
    let world = World::new().await;
    seed::customer(&world.store, world.live, "john@example.com", None).await;
    let reset = seed::reset(&world.store, world.live, "john@example.com", ResetOrigin::Integration).await;
    let job = seed::reset_mail(world.live, reset.event, reset.id);
    let claim = world.store.claim(&job, Duration::minutes(15)).await.unwrap();
    assert!(matches!(claim, Claim::Granted(_)));
    let verdict = handle(&world.mailer(1), &world.events().await[0]).await;
    // B9: that mailer may be dead, and its claim end long before the broker's next longer wait.
    assert_eq!(wait(&verdict), Duration::seconds(10));
}

#[tokio::test]
async fn a_ledger_that_answers_and_refuses_is_not_waited_for() {
    let (world, verdict) = sent_despite(usize::MAX, false).await;
    assert_eq!(wait(&verdict), Duration::seconds(10));
    assert_eq!(world.delivery().await, Some("queued: ".to_owned()));
}
