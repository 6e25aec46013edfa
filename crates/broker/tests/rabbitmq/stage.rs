//! A private namespace on the tests' RabbitMQ, with a bus and consumers.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration as StdDuration, Instant},
};

use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties, Queue,
    message::Delivery,
    options::{
        BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, ExchangeDeleteOptions,
        QueueDeclareOptions, QueueDeleteOptions,
    },
    types::{AMQPValue, FieldTable},
};
use rekey_broker::rabbitmq::{Consumer, RabbitBus, RabbitConfig, RabbitConsumer, Topology};
use rekey_core::{
    clock::SystemClock,
    events::{
        EventName,
        bus::{Bus, Handler},
        outbox::{ClaimedMessage, OutboxMessage, Settlement},
        retry_ladder::RetryLadder,
    },
    ids::EventId,
    random::OsRandom,
};
use rekey_testkit::conformance::bus::{PATIENCE, eventually};
use time::Duration;
use tokio::{task::JoinHandle, time::sleep};
use tokio_util::sync::CancellationToken;

/// Waits of the ladder: shorter than the suite's 300 ms, a little longer, and longer than any test.
const LADDER: [Duration; 3] = [Duration::milliseconds(50), Duration::milliseconds(350), Duration::minutes(1)];

/// The tests' RabbitMQ.
pub fn url() -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "where the server is, is a matter of whoever runs the tests"
    )]
    let url = std::env::var("AMQP_URL");
    url.expect("these tests need a RabbitMQ: run `make test`, or set AMQP_URL")
}

pub struct Stage {
    pub config: RabbitConfig,
    connection: Connection,
    pub channel: Channel,
    tasks: Vec<(CancellationToken, JoinHandle<()>)>,
}

impl Stage {
    pub async fn new() -> Self {
        Self::connect(&url(), &url()).await
    }

    /// Bus and consumer connect to `url`; the stage itself reads the queues at `direct`.
    pub async fn connect(url: &str, direct: &str) -> Self {
        let namespace = format!("test-{}", EventId::generate(&OsRandom));
        let ladder = RetryLadder::new(LADDER.to_vec()).unwrap();
        let config = RabbitConfig::new([url], &namespace).unwrap().with_ladder(ladder);
        let connection = Connection::connect(direct, ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        Self { config, connection, channel, tasks: Vec::new() }
    }

    pub fn topology(&self) -> &Topology {
        self.config.topology()
    }

    /// Returns a connected bus.
    pub async fn bus(&mut self) -> Arc<RabbitBus> {
        let bus = self.disconnected_bus();
        eventually(|| bus.is_connected(), "the bus's connection").await;
        bus
    }

    pub fn disconnected_bus(&mut self) -> Arc<RabbitBus> {
        let bus = Arc::new(RabbitBus::new(self.config.clone(), Arc::new(SystemClock), Arc::new(OsRandom)));
        let (running, stop) = (bus.clone(), CancellationToken::new());
        let token = stop.clone();
        self.tasks.push((stop, tokio::spawn(async move { running.run(token).await })));
        bus
    }

    /// Returns a connected consumer of the mailer's queue.
    pub async fn consumer(&mut self, handler: Arc<dyn Handler>, concurrency: u16) -> Arc<RabbitConsumer> {
        self.consumer_of(Consumer::Mailer, handler, concurrency).await
    }

    pub async fn consumer_of(
        &mut self,
        consumer: Consumer,
        handler: Arc<dyn Handler>,
        concurrency: u16,
    ) -> Arc<RabbitConsumer> {
        let config = self.config.clone().for_consumer(consumer);
        let consumer = Arc::new(RabbitConsumer::new(config, Arc::new(OsRandom)));
        let (running, stop) = (consumer.clone(), CancellationToken::new());
        let token = stop.clone();
        let task = tokio::spawn(async move { running.run(handler, concurrency, token).await });
        self.tasks.push((stop, task));
        eventually(|| consumer.is_connected(), "the consumer's connection").await;
        consumer
    }

    /// Aborts what was started last, as a crash would: nothing is finished or acknowledged.
    pub async fn crash_last(&mut self) {
        let (_, task) = self.tasks.pop().unwrap();
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
    }

    /// Stops what was started last, and waits for its end.
    pub async fn stop_last(&mut self) {
        let (stop, task) = self.tasks.pop().unwrap();
        stop.cancel();
        task.await.unwrap();
    }

    /// Puts an unchanged message into the mailer's queue.
    pub async fn put(&self, payload: &[u8], properties: BasicProperties) {
        self.put_into(&self.topology().queue(), payload, properties).await;
    }

    /// Puts a message into a queue.
    pub async fn put_into(&self, queue: &str, payload: &[u8], properties: BasicProperties) {
        let (queue, options) = (queue.into(), BasicPublishOptions::default());
        let confirm =
            self.channel.basic_publish("".into(), queue, options, payload, properties).await.unwrap();
        assert!(confirm.await.unwrap().is_ack());
    }

    /// Takes the next message out of a queue.
    pub async fn take(&self, queue: &str) -> Option<Delivery> {
        let got = self.channel.basic_get(queue.into(), BasicGetOptions { no_ack: true }).await.unwrap();
        got.map(|got| got.delivery)
    }

    /// Waits for a message in a queue and takes it out.
    pub async fn next(&self, queue: &str) -> Delivery {
        let started = Instant::now();
        loop {
            if let Some(delivery) = self.take(queue).await {
                return delivery;
            }
            assert!(started.elapsed() < PATIENCE, "no message in {queue}");
            sleep(StdDuration::from_millis(10)).await;
        }
    }

    /// Takes all messages out of a queue, and returns their ids.
    pub async fn drain(&self, queue: &str) -> HashSet<String> {
        let mut ids = HashSet::new();
        while let Some(delivery) = self.take(queue).await {
            ids.insert(delivery.properties.message_id().clone().unwrap().to_string());
        }
        ids
    }

    /// Returns how many messages are ready in a queue.
    pub async fn count(&self, queue: &str) -> u32 {
        self.look(queue).await.message_count()
    }

    /// Returns how many consumers a queue has.
    pub async fn consumers(&self, queue: &str) -> u32 {
        self.look(queue).await.consumer_count()
    }

    async fn look(&self, queue: &str) -> Queue {
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        self.channel.queue_declare(queue.into(), options, FieldTable::default()).await.unwrap()
    }

    /// Stops everything and deletes the namespace.
    pub async fn strike(mut self) {
        while !self.tasks.is_empty() {
            self.stop_last().await;
        }
        let webhooks = self.topology().clone().for_consumer(Consumer::Webhooks);
        for queue in [self.topology().queues(), webhooks.queues()].concat() {
            self.channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.unwrap();
        }
        let exchange = self.topology().exchange().into();
        self.channel.exchange_delete(exchange, ExchangeDeleteOptions::default()).await.unwrap();
        self.channel.close(200, "bye".into()).await.unwrap();
        self.connection.close(200, "bye".into()).await.unwrap();
    }
}

/// Publishes as the relay does, until the broker has confirmed it.
pub async fn relay(bus: &RabbitBus, message: &OutboxMessage) {
    let started = Instant::now();
    let mut attempt = 1;
    while let Settlement::Later(_, pause) = publish(bus, message, attempt).await {
        assert!(started.elapsed() < PATIENCE, "could not be published, {attempt} times");
        attempt += 1;
        sleep(pause.unsigned_abs()).await;
    }
}

pub async fn publish(bus: &RabbitBus, message: &OutboxMessage, attempt: u32) -> Settlement {
    bus.publish(ClaimedMessage { message: message.clone(), attempt }).await
}

pub fn event(payload: &[u8]) -> OutboxMessage {
    rekey_testkit::conformance::bus::message(EventName::ResetCreate, payload)
}

/// Returns a header's text or number.
pub fn header(delivery: &Delivery, name: &str) -> String {
    match delivery.properties.headers().as_ref().unwrap().inner().get(name) {
        Some(AMQPValue::LongString(text)) => text.to_string(),
        Some(AMQPValue::LongLongInt(number)) => number.to_string(),
        other => panic!("{name}: {other:?}"),
    }
}

/// Waits until a condition holds.
pub async fn eventually_async(mut condition: impl AsyncFnMut() -> bool, what: &str) {
    let started = Instant::now();
    while !condition().await {
        assert!(started.elapsed() < PATIENCE, "waited in vain for: {what}");
        sleep(StdDuration::from_millis(10)).await;
    }
}
