//! The suite of every bus, with or without a broker: [`crate::bus_conformance`] makes it the tests of an adapter.
//!
//! The suite drives the bus as the relay does: it publishes, and publishes again after [`Settlement::Later`]. Retries are due after
//! milliseconds, so an adapter with fixed delays must be set up with short ones.

use std::{
    collections::HashMap,
    panic::resume_unwind,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration as StdDuration, Instant},
};

use async_trait::async_trait;
use futures_util::future::join_all;
use rekey_core::{
    events::{
        EventName,
        bus::{Bus, Capacity, DeadLetter, Delivery, Handler, RejectCause, Verdict},
        outbox::{ClaimedMessage, OutboxMessage, Settlement},
    },
    ids::EventId,
    random::OsRandom,
};
use time::Duration;
use tokio::{
    sync::{Barrier, watch},
    time::{sleep, timeout},
};

/// How long a test waits for something that must happen.
pub const PATIENCE: StdDuration = StdDuration::from_mins(2);
/// The interval between two checks of it.
const LOOK: StdDuration = StdDuration::from_millis(10);

/// An adapter on a bus of its own.
#[async_trait]
pub trait BusUnderTest: Send + Sync {
    /// Starts a new bus that passes messages to the handler, at most `concurrency` at once.
    async fn start(handler: Arc<dyn Handler>, concurrency: u16) -> Self;

    /// The bus to publish on.
    fn bus(&self) -> &dyn Bus;

    /// Removes and returns the messages parked on the bus itself; none if the outbox parks them.
    async fn parked(&self) -> Vec<DeadLetter>;

    /// Stops the bus and removes all its data.
    async fn stop(self);
}

/// Makes the suite the tests of an adapter: `bus_conformance!(TheFixture);` in a test file.
#[macro_export]
macro_rules! bus_conformance {
    ($fixture:ty) => {
        $crate::bus_conformance!(@ $fixture:
            every_message_reaches_the_handler_unaltered,
            a_retry_comes_back_later_as_the_next_attempt,
            poison_is_parked_with_its_reason_and_others_are_handled,
            poison_that_panics_is_parked_and_the_consumer_continues,
            each_of_many_at_once_is_handled_once,
            no_more_are_handled_at_once_than_allowed,
        );
    };
    (@ $fixture:ty: $($test:ident,)+) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            $crate::conformance::bus::$test::<$fixture>().await;
        }
    )+};
}

/// Any bytes under any name arrive unchanged, on the first attempt.
pub async fn every_message_reaches_the_handler_unaltered<B: BusUnderTest>() {
    let all_bytes: Vec<u8> = (0..=255).collect();
    let payloads = [Vec::new(), all_bytes, b"\n\0text".to_vec(), vec![0xA5; 300_000]];
    let scene = Scene::<B>::start(4, |_| Verdict::Done).await;
    let names = [
        EventName::ResetCreate,
        EventName::ResetDestroy,
        EventName::CustomerCreatePassword,
        EventName::CustomerDestroy,
    ];
    for (name, payload) in names.into_iter().zip(&payloads) {
        scene.relay(message(name, payload)).await;
    }
    let mut seen = scene.handled(payloads.len()).await;
    seen.sort_by_key(|delivery| delivery.payload.len());
    let mut expected = payloads.to_vec();
    expected.sort_by_key(Vec::len);
    for (delivery, payload) in seen.iter().zip(&expected) {
        assert!(delivery.payload == *payload, "{} bytes came for {}", delivery.payload.len(), payload.len());
        assert_eq!(delivery.attempt, 1);
    }
    scene.end(&[]).await;
}

/// A message to retry does not come before it is due, and its attempts are counted until it is done.
pub async fn a_retry_comes_back_later_as_the_next_attempt<B: BusUnderTest>() {
    let after = Duration::milliseconds(300);
    let scene = Scene::<B>::start(4, move |delivery| match delivery.attempt {
        1 | 2 => Verdict::Retry { after, reason: "not yet".to_owned() },
        _ => Verdict::Done,
    })
    .await;
    let start = Instant::now();
    scene.relay(message(EventName::ResetCreate, b"patience")).await;
    let seen = scene.handled(3).await;
    assert!(start.elapsed() >= 2 * after.unsigned_abs(), "came back too early: {:?}", start.elapsed());
    assert_eq!(seen.iter().map(|delivery| delivery.attempt).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(seen.iter().all(|delivery| delivery.payload == b"patience"));
    scene.end(&[]).await;
}

/// A rejected message is not retried, is parked under its id with its reason, and does not delay others.
pub async fn poison_is_parked_with_its_reason_and_others_are_handled<B: BusUnderTest>() {
    let scene = Scene::<B>::start(2, |delivery| match delivery.payload.as_slice() {
        b"poison" => Verdict::Reject { cause: RejectCause::Failed, reason: "not ours".to_owned() },
        _ => Verdict::Done,
    })
    .await;
    let poison = message(EventName::ResetCreate, b"poison");
    scene.relay(poison.clone()).await;
    for _ in 0..5 {
        scene.relay(message(EventName::ResetPassword, b"good")).await;
    }
    let seen = scene.handled(6).await;
    assert_eq!(seen.iter().filter(|delivery| delivery.payload == b"poison").count(), 1);
    scene.end(&[(poison.id, "not ours")]).await;
}

/// A handler that panics on a message affects that message only, each time.
pub async fn poison_that_panics_is_parked_and_the_consumer_continues<B: BusUnderTest>() {
    let scene = Scene::<B>::start(2, |delivery| match delivery.payload.as_slice() {
        // Without the panic hook, since an intended panic should not look like a bug.
        b"bomb" => resume_unwind(Box::new("bomb")),
        _ => Verdict::Done,
    })
    .await;
    let bombs = [(); 3].map(|()| message(EventName::ResetCreate, b"bomb"));
    for bomb in &bombs {
        scene.relay(bomb.clone()).await;
        scene.relay(message(EventName::ResetCreate, b"good")).await;
    }
    scene.handled(6).await;
    scene.end(&bombs.map(|bomb| (bomb.id, "panicked"))).await;
}

/// No message is lost or handled twice under load.
pub async fn each_of_many_at_once_is_handled_once<B: BusUnderTest>() {
    const MANY: usize = 1_000;
    let scene = Scene::<B>::start(32, |_| Verdict::Done).await;
    let messages = (0..MANY).map(|number| message(EventName::ResetCreate, number.to_string().as_bytes()));
    join_all(messages.map(|message| scene.relay(message))).await;
    let mut times = HashMap::new();
    for delivery in scene.handled(MANY).await {
        *times.entry(delivery.payload).or_insert(0) += 1;
    }
    assert_eq!(times.len(), MANY);
    assert!(times.values().all(|times| *times == 1), "handled twice");
    scene.end(&[]).await;
}

/// The limit on concurrency is respected and reached.
pub async fn no_more_are_handled_at_once_than_allowed<B: BusUnderTest>() {
    const ALLOWED: u16 = 3;
    let handler = Arc::new(Together::new(ALLOWED.into()));
    let fixture = B::start(handler.clone(), ALLOWED).await;
    let dead = Mutex::default();
    join_all((0..30).map(|_| relay(fixture.bus(), message(EventName::ResetCreate, b"one of three"), &dead)))
        .await;
    eventually(|| handler.done.load(Ordering::SeqCst) == 30, "thirty messages handled, three at a time")
        .await;
    assert_eq!(handler.most.load(Ordering::SeqCst), usize::from(ALLOWED));
    fixture.stop().await;
}

/// A message as from the outbox.
#[must_use]
pub fn message(name: EventName, payload: &[u8]) -> OutboxMessage {
    OutboxMessage { id: EventId::generate(&OsRandom), name, payload: payload.to_vec() }
}

/// Waits until a condition holds.
pub async fn eventually(mut condition: impl FnMut() -> bool, what: &str) {
    let wait = async {
        while !condition() {
            sleep(LOOK).await;
        }
    };
    assert!(timeout(PATIENCE, wait).await.is_ok(), "waited in vain for: {what}");
}

/// A handler that follows a script and records its messages.
pub struct Scripted {
    script: Box<dyn Fn(&Delivery) -> Verdict + Send + Sync>,
    capacity: watch::Sender<Capacity>,
    seen: Mutex<Vec<Delivery>>,
}

impl Scripted {
    /// A handler with this script.
    pub fn new(script: impl Fn(&Delivery) -> Verdict + Send + Sync + 'static) -> Arc<Self> {
        let capacity = watch::Sender::new(Capacity::Full);
        Arc::new(Self { script: Box::new(script), capacity, seen: Mutex::default() })
    }

    /// Sets how many messages it can take.
    pub fn set_capacity(&self, capacity: Capacity) {
        self.capacity.send_replace(capacity);
    }

    /// Returns the messages so far, in order.
    pub fn seen(&self) -> Vec<Delivery> {
        self.seen.lock().unwrap().clone()
    }

    /// Waits until it has received `count` messages.
    pub async fn wait_for(&self, count: usize) -> Vec<Delivery> {
        eventually(|| self.seen.lock().unwrap().len() >= count, &format!("{count} deliveries")).await;
        self.seen()
    }
}

#[async_trait]
impl Handler for Scripted {
    async fn handle(&self, delivery: Delivery) -> Verdict {
        self.seen.lock().unwrap().push(delivery.clone());
        (self.script)(&delivery)
    }

    fn capacity(&self) -> Capacity {
        *self.capacity.borrow()
    }

    async fn capacity_changed(&self, from: Capacity) {
        self.capacity.subscribe().wait_for(|capacity| *capacity != from).await.unwrap();
    }
}

/// A bus with a scripted handler.
struct Scene<B> {
    fixture: B,
    handler: Arc<Scripted>,
    dead: Mutex<Vec<DeadLetter>>,
}

impl<B: BusUnderTest> Scene<B> {
    async fn start(concurrency: u16, script: impl Fn(&Delivery) -> Verdict + Send + Sync + 'static) -> Self {
        let handler = Scripted::new(script);
        let fixture = B::start(handler.clone(), concurrency).await;
        Self { fixture, handler, dead: Mutex::default() }
    }

    async fn relay(&self, message: OutboxMessage) {
        relay(self.fixture.bus(), message, &self.dead).await;
    }

    async fn handled(&self, count: usize) -> Vec<Delivery> {
        self.handler.wait_for(count).await
    }

    /// Asserts that exactly these are parked, and that nothing was handled except what the test has waited for.
    async fn end(self, parked: &[(EventId, &str)]) {
        let count = self.handler.seen().len();
        let mut found = self.dead.lock().unwrap().clone();
        let wait = async {
            while found.len() < parked.len() {
                found.extend(self.fixture.parked().await);
                sleep(LOOK).await;
            }
        };
        assert!(timeout(PATIENCE, wait).await.is_ok(), "parked are only {found:?}");
        found.extend(self.fixture.parked().await);
        let mut found: Vec<_> = found.into_iter().map(|dead| (dead.id.unwrap(), dead.reason)).collect();
        let mut expected: Vec<_> =
            parked.iter().map(|(id, reason)| (id.to_string(), (*reason).to_owned())).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected);
        self.fixture.stop().await;
        assert_eq!(self.handler.seen().len(), count, "handled once more");
    }
}

/// Publishes a message as the relay does, until its settlement is final.
async fn relay(bus: &dyn Bus, message: OutboxMessage, dead: &Mutex<Vec<DeadLetter>>) {
    let start = Instant::now();
    for attempt in 1.. {
        assert!(start.elapsed() < PATIENCE, "not published, {attempt} times");
        match bus.publish(ClaimedMessage { message: message.clone(), attempt }).await {
            Settlement::Published(id) => return assert_eq!(id, message.id),
            Settlement::Later(id, pause) => {
                assert_eq!(id, message.id);
                sleep(pause.unsigned_abs()).await;
            }
            Settlement::Dead(id, reason) => {
                let letter = DeadLetter { id: Some(id.to_string()), reason };
                return dead.lock().unwrap().push(letter);
            }
        }
    }
}

/// A handler that finishes only when `concurrency` calls run at once, and counts them.
struct Together {
    all: Barrier,
    now: AtomicUsize,
    most: AtomicUsize,
    done: AtomicUsize,
}

impl Together {
    fn new(count: usize) -> Self {
        let none = || AtomicUsize::new(0);
        Self { all: Barrier::new(count), now: none(), most: none(), done: none() }
    }
}

#[async_trait]
impl Handler for Together {
    async fn handle(&self, _: Delivery) -> Verdict {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        self.all.wait().await;
        // One more than the limit would come now.
        sleep(LOOK).await;
        self.now.fetch_sub(1, Ordering::SeqCst);
        self.done.fetch_add(1, Ordering::SeqCst);
        Verdict::Done
    }
}
