//! The exchange and the queues, and how they are declared.

use lapin::{
    Channel, Connection, ErrorKind, ExchangeKind, Queue,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable, ShortString},
};
use rekey_core::events::retry_ladder::RetryLadder;
use time::Duration;

use super::{
    cause::{is_mismatch, is_missing_right, is_not_found},
    connection::{ConnectionError, close_channel},
};

/// How often a message may come back unacknowledged, because its consumer died, before the broker makes it a dead letter:
/// RabbitMQ 4's own default, set because 3.10 has none.
const DELIVERY_LIMIT: i64 = 20;
/// The longest namespace in bytes, so that every name that begins with it stays under AMQP's 255.
const MAX_NAMESPACE: usize = 64;

/// A program that consumes events. Each has queues of its own, and gets each event once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consumer {
    /// `rekey-mailer`. Publishers declare its queue as well, so that no event is unroutable.
    Mailer,
    /// `rekey-webhooks`. It alone declares its queue: one that nobody consumes would grow for ever.
    Webhooks,
}

impl Consumer {
    /// Returns the last part of its queue's name, which is that of its connection, too.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mailer => "mailer",
            Self::Webhooks => "webhooks",
        }
    }
}

/// The exchange and one consumer's queues. With the namespace N and the mailer, they are:
///
/// - the topic exchange `N.events`: every event, by its name;
/// - the queue `N.mailer`: bound to all events;
/// - a queue `N.mailer.retry.…` for each wait of the retry ladder, whose messages go back to `N.mailer` after it;
/// - the queue `N.mailer.dead`: messages that could not be handled.
///
/// All are durable, the queues are quorum queues, and dead-lettering is at-least-once, so that no message is lost with a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    namespace: String,
    ladder: RetryLadder,
    consumer: Consumer,
}

/// The namespace can't be part of the queues' names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a namespace is 1 to 64 letters, digits, '-', '_' or '.'")]
pub struct InvalidNamespace;

impl Topology {
    pub(super) fn new(namespace: &str) -> Result<Self, InvalidNamespace> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if !(1..=MAX_NAMESPACE).contains(&namespace.len()) || !namespace.bytes().all(is_allowed) {
            return Err(InvalidNamespace);
        }
        Ok(Self {
            namespace: namespace.to_owned(),
            ladder: RetryLadder::default(),
            consumer: Consumer::Mailer,
        })
    }

    pub(super) fn with_ladder(self, ladder: RetryLadder) -> Self {
        Self { ladder, ..self }
    }

    /// Returns the same namespace with the queues of this consumer. Without it they are the mailer's.
    #[must_use]
    pub fn for_consumer(self, consumer: Consumer) -> Self {
        Self { consumer, ..self }
    }

    /// The program that the queues are for.
    #[must_use]
    pub fn consumer(&self) -> Consumer {
        self.consumer
    }

    /// The beginning of all names.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The exchange that events are published to.
    #[must_use]
    pub fn exchange(&self) -> String {
        format!("{}.events", self.namespace)
    }

    /// The queue that is consumed.
    #[must_use]
    pub fn queue(&self) -> String {
        format!("{}.{}", self.namespace, self.consumer.as_str())
    }

    /// The queue of dead letters.
    #[must_use]
    pub fn dead(&self) -> String {
        format!("{}.dead", self.queue())
    }

    /// The queue in which a message waits for at least `after`, or for the ladder's longest wait.
    #[must_use]
    pub fn retry(&self, after: Duration) -> String {
        self.retry_queue(self.ladder.at_least(after))
    }

    /// The names of all queues.
    #[must_use]
    pub fn queues(&self) -> Vec<String> {
        let retries = self.ladder.waits().iter().map(|wait| self.retry_queue(*wait));
        [self.dead(), self.queue()].into_iter().chain(retries).collect()
    }

    fn retry_queue(&self, wait: Duration) -> String {
        format!("{}.retry.{}", self.queue(), label(wait))
    }

    /// Declares everything and binds the queue. What exists with the same arguments stays as it is. A user without the right to do so uses what
    /// exists.
    pub(super) async fn declare(&self, connection: &Connection) -> Result<(), ConnectionError> {
        let refusal = match self.create(connection).await {
            Err(ConnectionError::Amqp(error)) if is_missing_right(&error) => error.to_string(),
            declared => return declared,
        };
        let channel = connection.create_channel().await?;
        let missing = |name: &str, error: lapin::Error| {
            if is_not_found(&error) {
                ConnectionError::Missing { name: name.to_owned(), refusal: refusal.clone() }
            } else {
                error.into()
            }
        };
        for name in self.queues() {
            find_queue(&channel, &name).await.map_err(|error| missing(&name, error))?;
        }
        let name = self.exchange();
        find_exchange(&channel, &name).await.map_err(|error| missing(&name, error))?;
        close_channel(&channel).await;
        tracing::debug!(refusal, "exchange and queues are used as they are");
        Ok(())
    }

    /// Declares everything, in an order in which nothing refers to what isn't there yet.
    async fn create(&self, connection: &Connection) -> Result<(), ConnectionError> {
        // On a channel of its own: a mismatch closes the channel.
        let channel = connection.create_channel().await?;
        for (name, arguments) in self.arguments() {
            declare_queue(&channel, name, arguments).await?;
        }
        match self.declare_exchange(&channel).await {
            Ok(()) => self.bind(&channel).await?,
            // The user may declare its own queues only. They are bound if the exchange is there.
            Err(ConnectionError::Amqp(refusal)) if is_missing_right(&refusal) => {
                let channel = connection.create_channel().await?;
                self.bind(&channel).await.map_err(|_| refusal)?;
                close_channel(&channel).await;
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        close_channel(&channel).await;
        Ok(())
    }

    /// Binds the queue to all events.
    async fn bind(&self, channel: &Channel) -> lapin::Result<()> {
        let (queue, exchange) = (short_string(&self.queue()), short_string(&self.exchange()));
        let (options, none) = (QueueBindOptions::default(), FieldTable::default());
        channel.queue_bind(queue, exchange, "#".into(), options, none).await
    }

    /// Returns the queues and their arguments, in an order in which none refers to a later one.
    pub(super) fn arguments(&self) -> Vec<(String, FieldTable)> {
        let mut consumed = dead_lettering(&self.dead());
        consumed.insert("x-delivery-limit".into(), AMQPValue::LongLongInt(DELIVERY_LIMIT));
        let mut queues = vec![(self.dead(), FieldTable::default()), (self.queue(), consumed)];
        for wait in self.ladder.waits() {
            let millis = i64::try_from(wait.whole_milliseconds()).unwrap_or(i64::MAX);
            let mut arguments = dead_lettering(&self.queue());
            arguments.insert("x-message-ttl".into(), AMQPValue::LongLongInt(millis));
            queues.push((self.retry_queue(*wait), arguments));
        }
        queues
    }

    pub(super) async fn declare_exchange(&self, channel: &Channel) -> Result<(), ConnectionError> {
        let exchange = self.exchange();
        let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        let none = FieldTable::default();
        let declared = channel.exchange_declare(short_string(&exchange), ExchangeKind::Topic, options, none);
        declared.await.map_err(|error| mismatch(exchange, error))
    }
}

pub(super) async fn declare_queue(
    channel: &Channel,
    name: String,
    mut arguments: FieldTable,
) -> Result<(), ConnectionError> {
    arguments.insert("x-queue-type".into(), long_string("quorum"));
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    let declared = channel.queue_declare(short_string(&name), options, arguments).await;
    declared.map(drop).map_err(|error| mismatch(name, error))
}

/// Looks a queue up, which needs no right.
pub(super) async fn find_queue(channel: &Channel, name: &str) -> lapin::Result<Queue> {
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(short_string(name), options, FieldTable::default()).await
}

/// Looks an exchange up, which needs no right.
pub(super) async fn find_exchange(channel: &Channel, name: &str) -> lapin::Result<()> {
    let options = ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(short_string(name), ExchangeKind::Topic, options, FieldTable::default()).await
}

/// Returns the arguments that send a queue's dead letters to another one, through the default exchange. At-least-once needs
/// the overflow policy with it, though no length limit is set.
fn dead_lettering(target: &str) -> FieldTable {
    let mut arguments = FieldTable::default();
    for (name, value) in [
        ("x-dead-letter-exchange", ""),
        ("x-dead-letter-routing-key", target),
        ("x-dead-letter-strategy", "at-least-once"),
        ("x-overflow", "reject-publish"),
    ] {
        arguments.insert(name.into(), long_string(value));
    }
    arguments
}

/// Names what exists otherwise than it is declared.
fn mismatch(name: String, error: lapin::Error) -> ConnectionError {
    match error.kind() {
        ErrorKind::ProtocolError(reply) if is_mismatch(&error) => {
            ConnectionError::Declaration { name, reply: reply.get_message().to_string() }
        }
        _ => ConnectionError::Amqp(error),
    }
}

/// Writes a wait as people do: `10s`, `1m`, `1h`, or milliseconds where it isn't whole seconds.
fn label(wait: Duration) -> String {
    let (millis, seconds) = (wait.whole_milliseconds(), wait.whole_seconds());
    if millis % 1_000 != 0 {
        format!("{millis}ms")
    } else if seconds % 3_600 == 0 {
        format!("{}h", seconds / 3_600)
    } else if seconds % 60 == 0 {
        format!("{}m", seconds / 60)
    } else {
        format!("{seconds}s")
    }
}

pub(super) fn long_string(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

/// Converts a name. It would panic over 255 bytes, which no name here has: see [`MAX_NAMESPACE`].
pub(super) fn short_string(name: &str) -> ShortString {
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_are_named_after_their_times() {
        let topology = Topology::new("shop").unwrap();
        assert_eq!(topology.retry(Duration::ZERO), "shop.mailer.retry.10s");
        assert_eq!(topology.retry(Duration::minutes(1)), "shop.mailer.retry.1m");
        assert_eq!(topology.retry(Duration::minutes(2)), "shop.mailer.retry.10m");
        assert_eq!(topology.retry(Duration::days(2)), "shop.mailer.retry.1h");
        assert_eq!(label(Duration::milliseconds(1_500)), "1500ms");
    }

    /// Those of the mailer are in running deployments.
    #[test]
    fn the_names_of_a_consumers_queues_begin_with_its_own() {
        for (consumer, name) in [(Consumer::Mailer, "shop.mailer"), (Consumer::Webhooks, "shop.webhooks")] {
            let topology = Topology::new("shop").unwrap().for_consumer(consumer);
            let own = ["dead", "", "retry.10s", "retry.1m", "retry.10m", "retry.1h"];
            let names = own.map(|own| format!("{name}.{own}").trim_end_matches('.').to_owned());
            assert_eq!(topology.queues(), names);
            assert_eq!(topology.arguments().into_iter().map(|(name, _)| name).collect::<Vec<_>>(), names);
            assert_eq!(topology.exchange(), "shop.events");
        }
    }

    #[test]
    fn a_namespace_fits_a_name() {
        for namespace in ["", "a b", "a#", &"a".repeat(65)] {
            assert_eq!(Topology::new(namespace), Err(InvalidNamespace));
        }
    }
}
