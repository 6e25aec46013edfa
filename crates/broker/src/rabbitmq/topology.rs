//! The exchange and the queues, and how they are declared.

use lapin::{
    Channel, Connection, ErrorKind, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable, ShortString},
};
use rekey_core::events::retry_ladder::RetryLadder;
use time::Duration;

use super::{ConfigError, connection::LinkError};

/// How often a message may come back unacknowledged (its consumer died) before the broker parks it: RabbitMQ 4's own
/// default, set because 3.10 has none.
const DELIVERY_LIMIT: i64 = 20;
/// Short enough that every name made of it stays under AMQP's 255 bytes.
const MAX_NAMESPACE: usize = 64;

/// What is ours on the broker, in one namespace N:
///
/// - the topic exchange `N.events`: every event, by its name;
/// - the queue `N.mailer`: bound to all of them, so that an event nobody waits for is no unroutable message;
/// - a queue `N.mailer.retry.…` for each wait of the retry ladder, whose messages go back to `N.mailer` after it;
/// - the queue `N.mailer.dead`: what nobody could handle.
///
/// All are durable, the queues are quorum queues, and dead lettering is at-least-once, so that no step of a message's way
/// loses it with a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    namespace: String,
    ladder: RetryLadder,
}

impl Topology {
    pub(super) fn new(namespace: &str) -> Result<Self, ConfigError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if namespace.is_empty() || namespace.len() > MAX_NAMESPACE || !namespace.bytes().all(allowed) {
            return Err(ConfigError::Namespace);
        }
        Ok(Self { namespace: namespace.to_owned(), ladder: RetryLadder::default() })
    }

    pub(super) fn with_ladder(self, ladder: RetryLadder) -> Self {
        Self { ladder, ..self }
    }

    /// What all names begin with.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The exchange that events are published to.
    #[must_use]
    pub fn exchange(&self) -> String {
        format!("{}.events", self.namespace)
    }

    /// The queue the mailer consumes.
    #[must_use]
    pub fn mailer(&self) -> String {
        format!("{}.mailer", self.namespace)
    }

    /// The queue of parked messages.
    #[must_use]
    pub fn dead(&self) -> String {
        format!("{}.mailer.dead", self.namespace)
    }

    /// The queue in which a message waits for at least `after`, or for the ladder's longest wait.
    #[must_use]
    pub fn retry(&self, after: Duration) -> String {
        self.retry_queue(self.ladder.at_least(after))
    }

    /// Every queue.
    #[must_use]
    pub fn queues(&self) -> Vec<String> {
        let retries = self.ladder.waits().iter().map(|wait| self.retry_queue(*wait));
        [self.dead(), self.mailer()].into_iter().chain(retries).collect()
    }

    fn retry_queue(&self, wait: Duration) -> String {
        format!("{}.mailer.retry.{}", self.namespace, label(wait))
    }

    /// Declares everything, in an order in which nothing points to what isn't there yet. What exists already as it should
    /// be stays as it is.
    pub(super) async fn declare(&self, connection: &Connection) -> Result<(), LinkError> {
        // On a channel of its own: a mismatch closes the channel.
        let channel = connection.create_channel().await?;
        self.queue(&channel, self.dead(), FieldTable::default()).await?;
        let mut parked = dead_lettering(&self.dead());
        parked.insert("x-delivery-limit".into(), AMQPValue::LongLongInt(DELIVERY_LIMIT));
        self.queue(&channel, self.mailer(), parked).await?;
        for wait in self.ladder.waits() {
            let millis = i64::try_from(wait.whole_milliseconds()).unwrap_or(i64::MAX);
            let mut back = dead_lettering(&self.mailer());
            back.insert("x-message-ttl".into(), AMQPValue::LongLongInt(millis));
            self.queue(&channel, self.retry_queue(*wait), back).await?;
        }
        self.exchange_and_binding(&channel).await?;
        super::connection::close_channel(&channel).await;
        Ok(())
    }

    async fn queue(
        &self,
        channel: &Channel,
        name: String,
        mut arguments: FieldTable,
    ) -> Result<(), LinkError> {
        arguments.insert("x-queue-type".into(), text("quorum"));
        let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        let declared = channel.queue_declare(short(&name), options, arguments).await;
        declared.map(drop).map_err(|error| mismatch(name, error))
    }

    async fn exchange_and_binding(&self, channel: &Channel) -> Result<(), LinkError> {
        let (exchange, mailer) = (self.exchange(), self.mailer());
        let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        let declared =
            channel.exchange_declare(short(&exchange), ExchangeKind::Topic, options, FieldTable::default());
        declared.await.map_err(|error| mismatch(exchange.clone(), error))?;
        let (all, none) = (ShortString::from("#"), FieldTable::default());
        channel.queue_bind(short(&mailer), short(&exchange), all, QueueBindOptions::default(), none).await?;
        Ok(())
    }
}

/// The arguments that send what a queue gives up on to another one, through the default exchange. At-least-once needs the
/// overflow policy beside it, though no length limit is set.
fn dead_lettering(target: &str) -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-dead-letter-exchange".into(), text(""));
    arguments.insert("x-dead-letter-routing-key".into(), text(target));
    arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
    arguments.insert("x-overflow".into(), text("reject-publish"));
    arguments
}

/// The one mistake an operator can make here gets a line of its own.
fn mismatch(name: String, error: lapin::Error) -> LinkError {
    match error.kind() {
        ErrorKind::ProtocolError(reply) if error.is_amqp_soft_error() => {
            LinkError::Declaration { name, reply: reply.to_string() }
        }
        _ => LinkError::Amqp(error),
    }
}

/// A time as people write it: `10s`, `1m`, `1h`, or milliseconds for what is not whole.
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

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

/// Every name here is far shorter than the 255 bytes where this would panic: see [`MAX_NAMESPACE`].
pub(super) fn short(name: &str) -> ShortString {
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

    #[test]
    fn a_namespace_fits_a_name() {
        for namespace in ["", "a b", "a#", &"a".repeat(65)] {
            assert_eq!(Topology::new(namespace), Err(ConfigError::Namespace));
        }
    }
}
