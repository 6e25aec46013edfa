//! The relay between the outbox and a bus, with the queue of new events.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration as StdDuration,
};

use async_trait::async_trait;
use rekey_core::{
    error::StoreError,
    events::{
        EventName,
        audit::Action,
        bus::Bus,
        outbox::{ClaimedMessage, NewEvent, Outbox, Settlement},
        relay::OutboxRelay,
        relay_queue::{RelayInbox, RelayQueue},
    },
    ids::EventId,
    resets::{ResetOrigin, store::ResetRecord},
    scope::Scope,
};
use time::Duration;
use tokio::{sync::Semaphore, task::JoinHandle, time::sleep};
use tokio_util::sync::CancellationToken;

use super::{JOHN, StoreUnderTest};
use crate::{conformance::bus::eventually, seed, store::prelude::*};

/// Longer than any of these tests takes.
const LEASE: Duration = Duration::minutes(10);
/// Messages that a relay claims at once.
const BATCH: u32 = 10;

/// A new event never goes through a claim, which would make its publication the second attempt.
pub async fn a_new_event_is_published_without_a_claim<F: StoreUnderTest>() {
    let scene = Scene::<F>::start(true).await;
    let (queue, inbox) = scene.queue();
    let stop = CancellationToken::new();
    let relay = scene.relay(inbox, &stop);
    let (event, id) = scene.insert(&queue).await;
    queue.publish(event);
    scene.expect_published(&[(id, 1)]).await;
    let settled = format!("id = '{id}' AND published_at IS NOT NULL AND attempts = 1");
    scene.wait_for_events(&settled, 1).await;
    stop.cancel();
    relay.await.unwrap();
}

/// As when the reply to the commit is lost: the process drops the event, and whoever claims after the lease publishes it.
pub async fn a_new_event_is_for_its_own_process_until_its_lease_ends<F: StoreUnderTest>() {
    let scene = Scene::<F>::start(true).await;
    let (queue, _inbox) = scene.queue();
    let (event, id) = scene.insert(&queue).await;
    assert_eq!(event.lease, LEASE);
    drop(event);
    let (store, backdoor) = (scene.fixture.store(), scene.fixture.backdoor());
    backdoor.age("events", "available_at", "true", LEASE - Duration::minutes(2)).await;
    assert_eq!(store.claim_messages(LEASE, 10).await.unwrap(), []);
    backdoor.age("events", "available_at", "true", Duration::minutes(3)).await;
    let claimed = store.claim_messages(LEASE, 10).await.unwrap();
    assert_eq!(claimed.iter().map(|claim| (claim.message.id, claim.attempt)).collect::<Vec<_>>(), [(id, 2)]);
}

/// As when the bus takes long for the batch before: then another process may have claimed it.
pub async fn a_new_event_whose_lease_ends_in_the_queue_is_left_to_the_next_claim<F: StoreUnderTest>() {
    let scene = Scene::<F>::start(true).await;
    let lease = Duration::milliseconds(20);
    let (queue, inbox) = RelayQueue::new(scene.bus.clone(), lease);
    let (event, id) = scene.insert(&queue).await;
    queue.publish(event);
    sleep(lease.unsigned_abs() * 2).await;
    let claimed = scene.fixture.store().claim_messages(LEASE, 10).await.unwrap();
    assert_eq!(claimed.iter().map(|claim| claim.message.id).collect::<Vec<_>>(), [id]);

    let stop = CancellationToken::new();
    let relay = scene.relay(inbox, &stop);
    sleep(StdDuration::from_millis(50)).await;
    stop.cancel();
    relay.await.unwrap();
    scene.expect_published(&[]).await;
    assert_eq!(
        scene.fixture.store().claim_messages(LEASE, 10).await.unwrap(),
        [],
        "its claim was given back"
    );
}

/// Finding B4: without a connection, the relay leaves the database alone, however many events wait.
pub async fn b4_without_a_connection_events_are_inserted_unclaimed_and_left_alone<F: StoreUnderTest>() {
    let scene = Scene::<F>::start(false).await;
    let (queue, inbox) = scene.queue();
    let stop = CancellationToken::new();
    let relay = scene.relay(inbox, &stop);
    let mut ids = Vec::new();
    for _ in 0..20 {
        let (event, id) = scene.insert(&queue).await;
        assert_eq!(event.lease, Duration::ZERO);
        queue.publish(event);
        ids.push((id, 1));
    }
    sleep(StdDuration::from_millis(200)).await;
    stop.cancel();
    relay.await.unwrap();
    scene.expect_published(&[]).await;
    let claimed = scene.fixture.store().claim_messages(LEASE, 100).await.unwrap();
    assert_eq!(
        claimed.iter().map(|claim| (claim.message.id, claim.attempt)).collect::<Vec<_>>(),
        ids,
        "the test's claim is the first, so that a relay with a connection gets them at once"
    );
}

pub async fn events_that_do_not_fit_into_the_queue_are_claimed_at_once<F: StoreUnderTest>() {
    let scene = Scene::<F>::start(true).await;
    let (queue, inbox) = scene.queue();
    let new_event = || queue.new_event(seed::opaque_message(EventName::ResetCreate));
    let in_queue: Vec<_> = (0..RelayQueue::CAPACITY).map(|_| new_event()).collect();
    assert!(in_queue.iter().all(|event| event.lease == LEASE));

    let stop = CancellationToken::new();
    let relay = scene.relay(inbox, &stop);
    let (event, id) = scene.insert(&queue).await;
    assert_eq!(event.lease, Duration::ZERO);
    queue.publish(event);
    scene.expect_published(&[(id, 1)]).await;
    // A request that failed gives its place back.
    drop(in_queue);
    assert_eq!(new_event().lease, LEASE);
    stop.cancel();
    relay.await.unwrap();
}

pub async fn a_graceful_stop_gives_the_claims_back<F: StoreUnderTest>() {
    let scene = Scene::<F>::start(true).await;
    let (queue, inbox) = scene.queue();
    let (event, id) = scene.insert(&queue).await;
    queue.publish(event);
    let stop = CancellationToken::new();
    stop.cancel();
    scene.relay(inbox, &stop).await.unwrap();
    scene.expect_published(&[]).await;
    let claimed = scene.fixture.store().claim_messages(LEASE, 10).await.unwrap();
    assert_eq!(claimed.iter().map(|claim| (claim.message.id, claim.attempt)).collect::<Vec<_>>(), [(id, 2)]);
    assert_eq!(queue.new_event(seed::opaque_message(EventName::ResetCreate)).lease, Duration::ZERO);
}

/// The next batch is claimed as soon as a message of the last one is published, and waits for the others.
pub async fn a_batch_is_claimed_ahead_and_not_published_after_its_lease<F: StoreUnderTest>() {
    for (lease, is_published) in [(LEASE, true), (Duration::SECOND, false)] {
        let scene = Scene::<F>::start(false).await;
        let (queue, _) = scene.queue();
        for _ in 0..BATCH + 5 {
            scene.insert(&queue).await;
        }
        scene.bus.is_connected.store(true, Ordering::Relaxed);
        scene.bus.places.forget_permits(usize::MAX);
        let stop = CancellationToken::new();
        let relay = OutboxRelay { lease, ..scene.outbox_relay() };
        let relay = tokio::spawn(relay.run(scene.queue().1, stop.clone()));
        scene.wait_for_events("attempts = 1", BATCH).await;
        scene.bus.places.add_permits(1);
        scene.wait_for_events("attempts = 1", BATCH + 5).await;
        if !is_published {
            sleep(lease.unsigned_abs()).await;
        }
        scene.bus.places.add_permits(100);
        // A message of the second batch was already on its way.
        scene.wait_for_events("published_at IS NOT NULL", BATCH + if is_published { 5 } else { 1 }).await;
        stop.cancel();
        relay.await.unwrap();
        let left = scene.fixture.store().claim_messages(LEASE, 100).await.unwrap();
        let left: Vec<_> = left.iter().map(|claimed| claimed.attempt).collect();
        assert_eq!(left, if is_published { vec![] } else { vec![2; 4] });
    }
}

/// What can't be settled is published again after its lease. The relay goes on.
pub async fn a_settling_that_fails_delays_only_its_own_messages<F: StoreUnderTest>() {
    let scene = Scene::<F>::start(true).await;
    let (queue, inbox) = scene.queue();
    let outbox = FailingOnce { outbox: scene.fixture.store().clone(), has_failed: AtomicBool::new(false) };
    let relay = OutboxRelay { outbox: Arc::new(outbox), ..scene.outbox_relay() };
    let stop = CancellationToken::new();
    let relay = tokio::spawn(relay.run(inbox, stop.clone()));
    let mut ids = Vec::new();
    for _ in 0..2 {
        let (event, id) = scene.insert(&queue).await;
        queue.publish(event);
        ids.push((id, 1));
        scene.expect_published(&ids).await;
    }
    let [(lost, _), (settled, _)] = ids[..] else { unreachable!() };
    scene.wait_for_events(&format!("id = '{settled}' AND published_at IS NOT NULL"), 1).await;
    stop.cancel();
    relay.await.unwrap();
    scene.fixture.backdoor().age("events", "available_at", "true", LEASE).await;
    let claimed = scene.fixture.store().claim_messages(LEASE, 10).await.unwrap();
    assert_eq!(
        claimed.iter().map(|claim| (claim.message.id, claim.attempt)).collect::<Vec<_>>(),
        [(lost, 2)]
    );
}

/// An outbox that can't settle the first time.
struct FailingOnce<S> {
    outbox: S,
    has_failed: AtomicBool,
}

#[async_trait]
impl<S: Outbox> Outbox for FailingOnce<S> {
    async fn claim_messages(&self, lease: Duration, max: u32) -> Result<Vec<ClaimedMessage>, StoreError> {
        self.outbox.claim_messages(lease, max).await
    }

    async fn settle_messages(&self, settlements: &[Settlement]) -> Result<(), StoreError> {
        if !settlements.is_empty() && !self.has_failed.swap(true, Ordering::Relaxed) {
            return Err(StoreError::Unavailable("the test's outage".into()));
        }
        self.outbox.settle_messages(settlements).await
    }
}

/// A store with a customer, and a bus.
struct Scene<F> {
    fixture: F,
    scope: Scope,
    bus: Arc<RecordingBus>,
}

impl<F: StoreUnderTest> Scene<F> {
    async fn start(is_connected: bool) -> Self {
        let fixture = F::start().await;
        let scope = seed::scope(fixture.store(), "shop").await;
        seed::customer(fixture.store(), scope, JOHN, None).await;
        for claimed in fixture.store().claim_messages(LEASE, 10).await.unwrap() {
            fixture.store().settle_messages(&[Settlement::Published(claimed.message.id)]).await.unwrap();
        }
        Self { fixture, scope, bus: Arc::new(RecordingBus::new(is_connected)) }
    }

    fn queue(&self) -> (RelayQueue, RelayInbox) {
        RelayQueue::new(self.bus.clone(), LEASE)
    }

    /// A relay that looks for due messages only when it starts, and when it is notified.
    fn outbox_relay(&self) -> OutboxRelay {
        OutboxRelay {
            outbox: Arc::new(self.fixture.store().clone()),
            bus: self.bus.clone(),
            batch: BATCH,
            lease: LEASE,
            poll: StdDuration::from_hours(1),
        }
    }

    fn relay(&self, inbox: RelayInbox, stop: &CancellationToken) -> JoinHandle<()> {
        tokio::spawn(self.outbox_relay().run(inbox, stop.clone()))
    }

    /// Inserts a reset's event; returns it as it is before it is published, and its id.
    async fn insert(&self, queue: &RelayQueue) -> (NewEvent, EventId) {
        let (reset, _) = seed::new_reset(self.scope, JOHN, ResetOrigin::Integration);
        let event = queue.new_event(seed::reset_created(self.scope, &reset).message);
        let audit = seed::audit(Action::Create);
        let record = ResetRecord { reset: &reset, event: &event, audit: &audit };
        self.fixture.store().create_reset(self.scope, &record).await.unwrap().unwrap();
        let id = event.message.id;
        (event, id)
    }

    /// Waits until these messages, and no others, were published, with their attempts.
    async fn expect_published(&self, expected: &[(EventId, u32)]) {
        eventually(|| self.bus.published.lock().unwrap().len() >= expected.len(), "published messages").await;
        assert_eq!(*self.bus.published.lock().unwrap(), expected);
    }

    async fn wait_for_events(&self, condition: &str, count: u32) {
        let deadline = tokio::time::Instant::now() + StdDuration::from_mins(1);
        while self.fixture.backdoor().count("events", condition).await < count.into() {
            assert!(tokio::time::Instant::now() < deadline, "not {count} events with {condition}");
            sleep(StdDuration::from_millis(5)).await;
        }
    }
}

/// A bus that takes every message for which it has a place.
struct RecordingBus {
    is_connected: AtomicBool,
    places: Semaphore,
    published: Mutex<Vec<(EventId, u32)>>,
}

impl RecordingBus {
    fn new(is_connected: bool) -> Self {
        Self { is_connected: is_connected.into(), places: Semaphore::new(1000), published: Mutex::default() }
    }
}

#[async_trait]
impl Bus for RecordingBus {
    fn is_connected(&self) -> bool {
        self.is_connected.load(Ordering::Relaxed)
    }

    async fn publish(&self, claimed: ClaimedMessage) -> Settlement {
        self.published.lock().unwrap().push((claimed.message.id, claimed.attempt));
        self.places.acquire().await.unwrap().forget();
        Settlement::Published(claimed.message.id)
    }
}
