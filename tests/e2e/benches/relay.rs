//! Measures how fast the relay publishes events from the outbox, next to confirmed publishes alone: `make bench`.
//!
//! They run in turn, in this process, to one broker and the same queue, with as many messages in flight. The relay also claims and settles the
//! events in the database: *new* ones come from the memory of the process that has inserted them and are only settled, *waiting* ones are claimed
//! first, as after an outage of the broker. *Without a broker*, waiting ones are claimed and settled only.
#![expect(clippy::unwrap_used, reason = "a measurement that fails is to stop")]

use std::{sync::Arc, time::Duration as StdDuration, time::Instant};

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties,
    options::{BasicPublishOptions, ConfirmSelectOptions},
};
use rekey_broker::rabbitmq::{RabbitBus, RabbitConfig};
use rekey_core::{
    clock::SystemClock,
    events::{
        audit::Action,
        bus::Bus,
        outbox::{ClaimedMessage, NewEvent, OutboxMessage, Settlement},
        relay::OutboxRelay,
        relay_queue::{RelayInbox, RelayQueue},
    },
    random::OsRandom,
    resets::{
        ResetOrigin,
        store::{ResetRecord, ResetStore},
    },
    scope::{Mode, Scope},
};
use rekey_e2e::{
    bench::{Figure, Report, add_customers, all_published, ratios},
    broker::purge,
    stack::{Stack, amqp_url},
};
use rekey_store_postgres::PostgresStore;
use rekey_testkit::seed;
use time::Duration;
use tokio_util::sync::CancellationToken;

const ROUNDS: usize = 9;
/// How many new events are published in a run: as many as have a place in the memory of a process.
const NEW: usize = RelayQueue::CAPACITY;
/// How many waiting ones, and messages alone.
const WAITING: usize = 4_000;
/// The defaults of `relay.batch` and `relay.lease_seconds`.
const BATCH: u32 = 256;
const LEASE: Duration = Duration::seconds(10);

struct Scene {
    stack: Stack,
    store: PostgresStore,
    scope: Scope,
    bus: Arc<RabbitBus>,
    channel: Channel,
}

/// Confirms each message at once: what remains is the relay's work in the database.
struct NoBroker;

#[async_trait]
impl Bus for NoBroker {
    fn is_connected(&self) -> bool {
        true
    }

    async fn publish(&self, claimed: ClaimedMessage) -> Settlement {
        Settlement::Published(claimed.message.id)
    }
}

#[tokio::main]
async fn main() {
    let scene = Scene::prepare().await;
    let (mut alone, mut new, mut waiting, mut unpublished) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        alone.push(scene.publish_alone().await);
        new.push(scene.relay_new().await);
        waiting.push(scene.relay_waiting(scene.bus.clone()).await);
        unpublished.push(scene.relay_waiting(Arc::new(NoBroker)).await);
        purge(&amqp_url(), &scene.stack.topology().queue()).await;
    }
    let mut report = Report::new("relay", "Events published by the relay, next to confirmed publishes alone");
    for (what, rates) in [("new", &new), ("waiting", &waiting)] {
        let what = format!("{what} events a second, next to confirmed publishes alone");
        report.add(Figure::new(what, "times", ratios(rates, &alone)).goal("0.8"));
    }
    for (what, rates) in [
        ("new events", new),
        ("waiting events", waiting),
        ("waiting events, without a broker", unpublished),
        ("confirmed publishes alone", alone),
    ] {
        report.add(Figure::new(what, "per second", rates));
    }
    report.save();
}

impl Scene {
    async fn prepare() -> Self {
        let stack = Stack::prepare().await;
        let store = PostgresStore::connect(&stack.database.url(), 16, StdDuration::from_secs(30)).unwrap();
        let scope = Scope { organization: seed::organization(&store, "shop").await.id, mode: Mode::Live };
        add_customers(&stack.database.url(), u32::try_from(WAITING).unwrap()).await;
        let config = RabbitConfig::new([amqp_url().as_str()], &stack.namespace).unwrap();
        let bus = Arc::new(RabbitBus::new(config, Arc::new(SystemClock), Arc::new(OsRandom)));
        let running = Arc::clone(&bus);
        tokio::spawn(async move { running.run(CancellationToken::new()).await });
        while !bus.is_connected() {
            tokio::time::sleep(StdDuration::from_millis(10)).await;
        }
        let connection = Connection::connect(&amqp_url(), ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        Self { stack, store, scope, bus, channel }
    }

    /// Publishes the same messages without the relay, and returns how many a second.
    async fn publish_alone(&self) -> f64 {
        let (reset, _) = seed::new_reset(self.scope, "customer1@example.com", ResetOrigin::Integration);
        let OutboxMessage { name, payload, .. } = seed::reset_created(self.scope, &reset).message;
        let exchange = self.stack.topology().exchange();
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let start = Instant::now();
        let confirms = stream::iter(0..WAITING).map(async |n| {
            let properties = BasicProperties::default()
                .with_delivery_mode(2)
                .with_content_type("application/x-protobuf".into())
                .with_message_id(format!("message{n:05}").into())
                .with_type(name.as_str().into());
            let (exchange, key) = (exchange.as_str().into(), name.as_str().into());
            let confirm =
                self.channel.basic_publish(exchange, key, options, &payload, properties).await.unwrap();
            assert!(confirm.await.unwrap().is_ack());
        });
        confirms.buffer_unordered(BATCH.try_into().unwrap()).collect::<()>().await;
        rate(WAITING, start.elapsed().as_secs_f64())
    }

    async fn relay_new(&self) -> f64 {
        let (queue, inbox) = RelayQueue::new(self.bus.clone(), LEASE);
        for event in self.insert(NEW, |message| queue.new_event(message)).await {
            assert_eq!(event.lease, LEASE, "it has a place in memory");
            queue.publish(event);
        }
        self.relay(NEW, self.bus.clone(), inbox).await
    }

    async fn relay_waiting(&self, bus: Arc<dyn Bus>) -> f64 {
        self.insert(WAITING, NewEvent::unclaimed).await;
        let (_queue, inbox) = RelayQueue::new(bus.clone(), LEASE);
        self.relay(WAITING, bus, inbox).await
    }

    /// Creates resets of different customers, with their events.
    async fn insert(&self, count: usize, new_event: impl Fn(OutboxMessage) -> NewEvent) -> Vec<NewEvent> {
        let created = stream::iter(1..=count).map(async |n| {
            let address = format!("customer{n}@example.com");
            let (reset, _) = seed::new_reset(self.scope, &address, ResetOrigin::Integration);
            let event = new_event(seed::reset_created(self.scope, &reset).message);
            let audit = seed::audit(Action::Create);
            let record = ResetRecord { reset: &reset, event: &event, audit: &audit };
            self.store.create_reset(self.scope, &record).await.unwrap();
            event
        });
        created.buffer_unordered(16).collect().await
    }

    /// Runs a relay, as that of `rekey-api`, until all events are published, and returns how many a second.
    async fn relay(&self, count: usize, bus: Arc<dyn Bus>, inbox: RelayInbox) -> f64 {
        let start = self.stack.texts("SELECT clock_timestamp()::text").await.remove(0);
        let stop = CancellationToken::new();
        let relay = OutboxRelay {
            outbox: Arc::new(self.store.clone()),
            bus,
            batch: BATCH,
            lease: LEASE,
            poll: StdDuration::from_secs(1),
        };
        let running = tokio::spawn(relay.run(inbox, stop.clone()));
        all_published(&self.stack).await;
        stop.cancel();
        running.await.unwrap();
        let seconds = format!("SELECT extract(epoch FROM max(published_at) - '{start}')::text FROM events");
        rate(count, self.stack.texts(&seconds).await.remove(0).parse().unwrap())
    }
}

fn rate(count: usize, seconds: f64) -> f64 {
    f64::from(u32::try_from(count).unwrap()) / seconds
}
