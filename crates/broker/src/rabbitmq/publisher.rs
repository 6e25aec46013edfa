//! The bus: publishes events to the exchange.

use std::sync::Arc;

use async_trait::async_trait;
use lapin::BasicProperties;
use rekey_core::{
    clock::Clock,
    events::{
        bus::Bus,
        outbox::{ClaimedMessage, OutboxMessage, Settlement},
    },
    random::RandomSource,
};
use time::Duration;
use tokio_util::sync::CancellationToken;

use super::{
    RabbitConfig, confirms::OutgoingMessage, connection::supervise, link::PublishingLink,
    topology::short_string,
};

/// The first pause before a message is published again; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::milliseconds(250);
/// The longest pause, and so the longest delay of a message after the end of an outage.
const LONGEST_PAUSE: Duration = Duration::seconds(10);

/// Publishes events to RabbitMQ, over one connection.
///
/// A message is published when the broker has confirmed it and a queue has it. Any other outcome, known or not, is
/// [`Settlement::Later`]. Without a connection that comes at once, so that nobody waits for a broker that is down.
pub struct RabbitBus {
    config: RabbitConfig,
    clock: Arc<dyn Clock>,
    random: Arc<dyn RandomSource>,
    link: PublishingLink,
}

impl RabbitBus {
    /// Makes a bus that is not connected yet: [`RabbitBus::run`] connects it, in the background.
    #[must_use]
    pub fn new(config: RabbitConfig, clock: Arc<dyn Clock>, random: Arc<dyn RandomSource>) -> Self {
        let link = PublishingLink::new(config.topology().clone());
        Self { config, clock, random, link }
    }

    /// Keeps the bus connected until `stop` is cancelled, then waits at most 5 seconds for the confirms of messages in flight
    /// and closes the connection. Run it once, as a task of its own.
    pub async fn run(&self, stop: CancellationToken) {
        supervise(&self.config, "relay", &*self.random, &stop, &self.link, &self.link.outage).await;
    }

    /// Returns why messages can't be published at the moment, in words for an operator, if they can't.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        self.link.problem()
    }

    fn outgoing(&self, message: OutboxMessage) -> OutgoingMessage {
        let OutboxMessage { id, name, payload } = message;
        let now = u64::try_from(self.clock.now().unix_timestamp()).unwrap_or_default();
        let properties = BasicProperties::default()
            .with_content_type("application/x-protobuf".into())
            .with_message_id(short_string(id.as_str()))
            .with_type(name.as_str().into())
            .with_timestamp(now);
        OutgoingMessage {
            exchange: short_string(&self.config.topology().exchange()),
            routing_key: name.as_str().into(),
            properties,
            payload,
        }
    }
}

#[async_trait]
impl Bus for RabbitBus {
    /// False also while the broker blocks publishers because it is short of memory or disk space.
    fn is_connected(&self) -> bool {
        self.link.is_usable()
    }

    async fn publish(&self, claimed: ClaimedMessage) -> Settlement {
        let ClaimedMessage { message, attempt } = claimed;
        let id = message.id;
        let published = self.link.publish(self.outgoing(message)).await;
        match published {
            Ok(()) => Settlement::Published(id),
            Err(error) => {
                let pause = pause(attempt);
                tracing::debug!(event = %id, attempt, %error, %pause, "not published, will be tried again");
                Settlement::Later(id, pause)
            }
        }
    }
}

/// Returns the pause before the attempt after this one.
fn pause(attempt: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(2_i32.saturating_pow(attempt.saturating_sub(1))).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit() {
        assert_eq!(pause(1), FIRST_PAUSE);
        assert_eq!(pause(2), FIRST_PAUSE * 2);
        assert_eq!(pause(7), LONGEST_PAUSE);
        assert_eq!(pause(u32::MAX), LONGEST_PAUSE);
    }
}
