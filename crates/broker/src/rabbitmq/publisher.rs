//! The relay's side: events to the exchange.

use std::{fmt, sync::Arc, time::Duration as StdDuration};

use async_trait::async_trait;
use futures_util::pin_mut;
use lapin::{BasicProperties, Connection, ConnectionStatus, types::FieldTable};
use rekey_core::{
    clock::Clock,
    events::{
        bus::Bus,
        outbox::{ClaimedMessage, OutboxMessage, Settlement},
    },
    random::RandomSource,
};
use time::Duration;
use tokio::{sync::watch, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{
    RabbitConfig,
    confirms::{self, NotConfirmed, Outgoing, Publisher},
    connection::{LinkError, Session, supervise},
    topology::short,
};

/// The first pause before a message is published again; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::milliseconds(250);
/// The longest pause: what an outage delays a message by at most, after its end.
const LONGEST_PAUSE: Duration = Duration::seconds(10);
/// For the confirms of what is in flight when the process stops.
const DRAIN_TIMEOUT: StdDuration = StdDuration::from_secs(5);

/// Publishes events to RabbitMQ. Clones share one connection.
///
/// A message is published when the broker has confirmed it and a queue has it; anything else, and any doubt, is
/// [`Settlement::Later`]. Without a connection that comes at once, so that nobody waits for a broker that is not there.
#[derive(Clone)]
pub struct RabbitBus(Arc<Inner>);

struct Inner {
    config: RabbitConfig,
    clock: Arc<dyn Clock>,
    random: Arc<dyn RandomSource>,
    link: watch::Sender<Option<Link>>,
}

#[derive(Clone)]
struct Link {
    publisher: Publisher,
    status: ConnectionStatus,
}

impl RabbitBus {
    /// A bus that is not connected yet: [`RabbitBus::run`] does that, in the background.
    #[must_use]
    pub fn new(config: RabbitConfig, clock: Arc<dyn Clock>, random: Arc<dyn RandomSource>) -> Self {
        Self(Arc::new(Inner { config, clock, random, link: watch::Sender::new(None) }))
    }

    /// Keeps the bus connected until `stop` is cancelled, then waits for the confirms of what is in flight (for 5 seconds
    /// at most) and closes the connection. Run it once, as a task of its own.
    pub async fn run(&self, stop: CancellationToken) {
        let Inner { config, random, .. } = &*self.0;
        supervise(config, "relay", &**random, &stop, &*self.0).await;
    }

    /// Whether a message that is published now would get to the broker. False also while the broker takes none because it
    /// is short of memory or disk.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.0.link().is_some()
    }
}

#[async_trait]
impl Bus for RabbitBus {
    async fn publish(&self, claimed: ClaimedMessage) -> Settlement {
        let ClaimedMessage { message, attempt } = claimed;
        let id = message.id;
        let published = match self.0.link() {
            Some(link) => link.publisher.publish(self.0.outgoing(message)).await,
            None => Err(NotConfirmed::Lost),
        };
        match published {
            Ok(()) => Settlement::Published(id),
            Err(error) => {
                let pause = pause(attempt);
                tracing::debug!(event = %id, attempt, %error, %pause, "not published, to be tried again");
                Settlement::Later(id, pause)
            }
        }
    }
}

impl Inner {
    fn link(&self) -> Option<Link> {
        let link = self.link.borrow().clone()?;
        (link.status.connected() && !link.status.blocked()).then_some(link)
    }

    fn outgoing(&self, message: OutboxMessage) -> Outgoing {
        let OutboxMessage { id, name, payload } = message;
        let now = u64::try_from(self.clock.now().unix_timestamp()).unwrap_or_default();
        let properties = BasicProperties::default()
            .with_content_type("application/x-protobuf".into())
            .with_message_id(short(id.as_str()))
            .with_type(name.as_str().into())
            .with_timestamp(now);
        Outgoing {
            exchange: short(&self.config.topology().exchange()),
            routing_key: name.as_str().into(),
            properties,
            headers: FieldTable::default(),
            payload,
        }
    }
}

impl Session for Inner {
    async fn run(&self, connection: &Connection, stop: &CancellationToken) -> Result<(), LinkError> {
        let (publisher, jobs) = Publisher::new();
        let _linked = Linked::new(&self.link, Link { publisher, status: connection.status().clone() });
        let publishing = confirms::run(connection, self.config.topology(), jobs);
        pin_mut!(publishing);
        tokio::select! {
            result = &mut publishing => return result,
            () = stop.cancelled() => {}
        }
        // Without a publisher to be had, the channel is done when those in use are.
        self.link.send_replace(None);
        timeout(DRAIN_TIMEOUT, publishing).await.unwrap_or(Ok(()))
    }
}

/// The link is to be had as long as this lives, however the session ends.
struct Linked<'a>(&'a watch::Sender<Option<Link>>);

impl<'a> Linked<'a> {
    fn new(holder: &'a watch::Sender<Option<Link>>, link: Link) -> Self {
        holder.send_replace(Some(link));
        Self(holder)
    }
}

impl Drop for Linked<'_> {
    fn drop(&mut self) {
        self.0.send_replace(None);
    }
}

impl fmt::Debug for RabbitBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RabbitBus")
            .field("config", &self.0.config)
            .field("connected", &self.is_connected())
            .finish_non_exhaustive()
    }
}

fn pause(attempt: u32) -> Duration {
    let doublings = attempt.saturating_sub(1).min(16);
    (FIRST_PAUSE * (1_i32 << doublings)).min(LONGEST_PAUSE)
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
