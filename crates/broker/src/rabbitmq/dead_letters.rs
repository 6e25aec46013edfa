//! The dead letters, for operators: they look at them, give them back to their consumer, or drop them.

use std::time::Duration;

use lapin::{
    Channel, Confirmation, Connection, ConnectionProperties,
    message::Delivery,
    options::{
        BasicAckOptions, BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions,
    },
    types::{AMQPValue, FieldTable},
};
use time::OffsetDateTime;
use tokio::time::timeout;

use super::{
    Consumer, RabbitConfig, Topology,
    connection::{ConnectionError, close_channel},
    copies::{self, REASON},
    topology::short_string,
};

/// The time for one call of the broker. During an alarm it confirms nothing.
const CALL_TIMEOUT: Duration = Duration::from_secs(15);
/// How often a dead letter is looked at before it is replaced by a copy: RabbitMQ 4 drops a message that was given back 20 times, and a queue
/// without dead letters of its own has nowhere to move it.
const MAX_LOOKS: i64 = 10;
/// How often the broker says that the message was given back.
const DELIVERY_COUNT: &str = "x-delivery-count";
/// Why the broker moved a message by itself: `delivery_limit`, when its consumers died.
const FIRST_DEATH_REASON: &str = "x-first-death-reason";

/// A consumer's queue of dead letters. Those that were looked at, and neither given back to the consumer nor dropped, return to their places when
/// this is closed or its process dies.
pub struct DeadLetters {
    connection: Connection,
    channel: Channel,
    topology: Topology,
    /// How many of those that were there at the beginning are left; `None` before the first one.
    left: Option<u32>,
}

/// A dead letter that was looked at. Nothing in it is trusted: whoever may publish can write it.
pub struct DeadMessage {
    delivery: Delivery,
}

/// Why dead letters can't be used.
#[derive(Debug, thiserror::Error)]
pub enum DeadLetterError {
    /// The broker can't be used, or refused a call.
    #[error("the broker can't be used: {0}")]
    Broker(String),
    /// It did not reply.
    #[error(
        "the broker did not reply within {} seconds: look for an alarm with rabbitmq-diagnostics alarms",
        CALL_TIMEOUT.as_secs()
    )]
    TimedOut,
    /// It did not take the message.
    #[error("the broker did not take the message: nothing was removed")]
    NotConfirmed,
}

impl DeadLetters {
    /// Connects to the first node of the broker that can be used. The dead letters are those of the configuration's consumer.
    ///
    /// # Errors
    /// When none can: that of the last one.
    pub async fn connect(config: &RabbitConfig) -> Result<Self, DeadLetterError> {
        let name = format!("{}.tool", config.topology.namespace());
        let mut connected = Err(DeadLetterError::TimedOut);
        for uri in &config.nodes {
            let properties = ConnectionProperties::default().with_connection_name(name.clone().into());
            connected = in_time(Connection::connect_uri(uri.clone(), properties)).await;
            if connected.is_ok() {
                break;
            }
        }
        let connection = connected?;
        let channel = in_time(connection.create_channel()).await?;
        in_time(channel.confirm_select(ConfirmSelectOptions::default())).await?;
        Ok(Self { connection, channel, topology: config.topology.clone(), left: None })
    }

    /// Returns which program could not handle them.
    #[must_use]
    pub fn consumer(&self) -> Consumer {
        self.topology.consumer()
    }

    /// Returns how many there are, without looking at them.
    ///
    /// # Errors
    /// When the broker can't be used.
    pub async fn count(&self) -> Result<u32, DeadLetterError> {
        let queue = short_string(&self.topology.dead());
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let declared = self.channel.queue_declare(queue, options, FieldTable::default());
        Ok(in_time(declared).await?.message_count())
    }

    /// Returns the next dead letter, from the oldest on, of those that were there at the beginning.
    ///
    /// # Errors
    /// When the broker can't be used.
    pub async fn next(&mut self) -> Result<Option<DeadMessage>, DeadLetterError> {
        if self.left == Some(0) {
            return Ok(None);
        }
        let queue = short_string(&self.topology.dead());
        let got = in_time(self.channel.basic_get(queue, BasicGetOptions::default())).await?;
        let Some(got) = got else { return Ok(None) };
        self.left = Some(self.left.map_or(got.message_count, |left| left - 1));
        Ok(Some(DeadMessage { delivery: got.delivery }))
    }

    /// Leaves a dead letter where it is. After many looks it is replaced by a copy at the end of the queue, which starts to count from zero.
    ///
    /// # Errors
    /// When the broker can't be used: then it stays.
    pub async fn keep(&self, message: &DeadMessage) -> Result<(), DeadLetterError> {
        if message.number(DELIVERY_COUNT) < MAX_LOOKS {
            return Ok(());
        }
        self.publish(message, &self.topology.dead(), message.attempt()).await?;
        self.remove(message).await
    }

    /// Gives a dead letter back to its consumer, as its first attempt, and removes it here once the broker has confirmed that. If this dies in
    /// between, the message is in both queues, and the consumer handles the second one as a repetition.
    ///
    /// # Errors
    /// When the broker can't be used or does not take it: then it stays.
    pub async fn replay(&self, message: &DeadMessage) -> Result<(), DeadLetterError> {
        self.publish(message, &self.topology.queue(), 1).await?;
        self.remove(message).await
    }

    /// Removes a dead letter.
    ///
    /// # Errors
    /// When the broker can't be used: then it stays.
    pub async fn remove(&self, message: &DeadMessage) -> Result<(), DeadLetterError> {
        in_time(message.delivery.ack(BasicAckOptions::default())).await.map(drop)
    }

    /// Gives those that were only looked at back to the queue.
    pub async fn close(self) {
        close_channel(&self.channel).await;
        // The connection ends with the process anyway.
        let _ = timeout(CALL_TIMEOUT, self.connection.close(200, "bye".into())).await;
    }

    /// Publishes a copy, and waits for its confirm. One is on its way at a time, so a returned message is this one.
    async fn publish(&self, message: &DeadMessage, queue: &str, attempt: u32) -> Result<(), DeadLetterError> {
        let copy = copies::copy(&message.delivery, queue, attempt, &message.reason());
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        // 2 is "persistent" in AMQP 0-9-1.
        let properties = copy.properties.with_delivery_mode(2);
        let publishing =
            self.channel.basic_publish(copy.exchange, copy.routing_key, options, &copy.payload, properties);
        match in_time(async { publishing.await?.await }).await? {
            Confirmation::Ack(None) => Ok(()),
            Confirmation::Ack(Some(_)) | Confirmation::Nack(_) | Confirmation::NotRequested => {
                Err(DeadLetterError::NotConfirmed)
            }
        }
    }
}

impl DeadMessage {
    /// Returns the message's id, which is its event's.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.delivery.properties.message_id().as_ref().map(lapin::types::ShortString::as_str)
    }

    /// Returns the event's name, as its publisher gave it.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.delivery.properties.kind().as_ref().map(lapin::types::ShortString::as_str)
    }

    /// Returns when it was published, if its publisher said so.
    #[must_use]
    pub fn published_at(&self) -> Option<OffsetDateTime> {
        let seconds = i64::try_from((*self.delivery.properties.timestamp())?).ok()?;
        OffsetDateTime::from_unix_timestamp(seconds).ok()
    }

    /// Returns why it is here.
    #[must_use]
    pub fn reason(&self) -> String {
        match (copies::header(&self.delivery, REASON), copies::header(&self.delivery, FIRST_DEATH_REASON)) {
            (Some(AMQPValue::LongString(reason)), _) => reason.to_string(),
            (_, Some(AMQPValue::LongString(reason))) => {
                format!("moved by the broker ({reason}): its consumers ended while they handled it")
            }
            _ => "unknown".to_owned(),
        }
    }

    /// Returns which attempt at handling it was the last one, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        copies::attempt(&self.delivery)
    }

    /// Returns the message: what should be a serialized `SignedEvent`.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.delivery.data
    }

    fn number(&self, header: &str) -> i64 {
        match copies::header(&self.delivery, header) {
            Some(AMQPValue::LongLongInt(number)) => *number,
            Some(AMQPValue::LongInt(number)) => i64::from(*number),
            _ => 0,
        }
    }
}

async fn in_time<T>(call: impl Future<Output = lapin::Result<T>>) -> Result<T, DeadLetterError> {
    let called = timeout(CALL_TIMEOUT, call).await.map_err(|_| DeadLetterError::TimedOut)?;
    called.map_err(|error| DeadLetterError::Broker(ConnectionError::from(error).to_string()))
}
