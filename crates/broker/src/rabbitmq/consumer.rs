//! The mailer's side: from the queue to the handler.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::StreamExt;
use lapin::{
    Channel, Connection,
    message::Delivery,
    options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions},
    types::{FieldTable, ShortString},
};
use rekey_core::{
    events::bus::{self, Handler, Verdict},
    random::RandomSource,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument;

use super::{
    RabbitConfig, Topology,
    confirms::{self, NotConfirmed, Outgoing, Publisher},
    connection::{LinkError, Session, close_channel, supervise},
    copies,
    topology::short,
};
use crate::handling::handle;

/// Bytes of a message that a handler gets to see at most: a thousand times what an event of ours takes.
const MAX_PAYLOAD: usize = 1 << 20;
/// For telling the broker that a message is handled, or given back after the pause for that.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(5);
/// Before a message is given back to the queue that could be put nowhere else.
const REQUEUE_PAUSE: Duration = Duration::from_secs(1);

/// Consumes the mailer's queue.
///
/// A message is acknowledged after its fate is sealed: handled, or its copy confirmed in a retry queue or among the dead
/// letters. Until then it is the broker's, and comes again when this process dies.
pub struct RabbitConsumer {
    config: RabbitConfig,
    random: Arc<dyn RandomSource>,
    consuming: AtomicBool,
}

impl RabbitConsumer {
    /// A consumer that is not connected yet: [`RabbitConsumer::run`] does that.
    #[must_use]
    pub fn new(config: RabbitConfig, random: Arc<dyn RandomSource>) -> Self {
        Self { config, random, consuming: AtomicBool::new(false) }
    }

    /// Whether messages come in.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.consuming.load(Ordering::Relaxed)
    }

    /// Handles messages, at most `concurrency` at once (at least one), until `stop` is cancelled; then takes no more, and
    /// returns when those in work are handled. The time for that is the caller's to limit: what is cut off comes again.
    /// Connects, and connects again whenever the connection is lost.
    pub async fn run(&self, handler: Arc<dyn Handler>, concurrency: u16, stop: CancellationToken) {
        let concurrency = concurrency.max(1);
        let session = Consuming {
            consumer: self,
            handler,
            concurrency,
            permits: Arc::new(Semaphore::new(concurrency.into())),
            working: TaskTracker::new(),
        };
        supervise(&self.config, "mailer", &*self.random, &stop, &session).await;
        // Also those whose connection was lost while they were at work: their effect is worth finishing.
        session.finished().await;
    }
}

struct Consuming<'a> {
    consumer: &'a RabbitConsumer,
    handler: Arc<dyn Handler>,
    concurrency: u16,
    /// Across connections, so that a reconnect doesn't double what is in work.
    permits: Arc<Semaphore>,
    working: TaskTracker,
}

impl Session for Consuming<'_> {
    async fn run(&self, connection: &Connection, stop: &CancellationToken) -> Result<(), LinkError> {
        let (publisher, jobs) = Publisher::new();
        let channel = connection.create_channel().await?;
        channel.basic_qos(self.concurrency, BasicQosOptions::default()).await?;
        let topology = &self.consumer.config.topology;
        let consuming = async {
            let result = self.consume(&channel, publisher, stop).await;
            close_channel(&channel).await;
            result
        };
        // At a stop, the publishing ends by itself when the last message in work is settled. An error of one ends both.
        tokio::try_join!(consuming, confirms::run(connection, topology, jobs)).map(drop)
    }
}

impl Consuming<'_> {
    async fn consume(
        &self,
        channel: &Channel,
        publisher: Publisher,
        stop: &CancellationToken,
    ) -> Result<(), LinkError> {
        let queue = short(&self.consumer.config.topology.mailer());
        let (tag, options) = (ShortString::default(), BasicConsumeOptions::default());
        let mut deliveries = channel.basic_consume(queue, tag, options, FieldTable::default()).await?;
        let _connected = Raised::new(&self.consumer.consuming);
        loop {
            let next = async {
                let permit = Arc::clone(&self.permits).acquire_owned().await;
                (permit, deliveries.next().await)
            };
            tokio::select! {
                () = stop.cancelled() => break,
                (permit, delivery) = next => {
                    let delivery = delivery.ok_or(LinkError::ConsumerCancelled)??;
                    self.spawn(delivery, publisher.clone(), permit.ok());
                }
            }
        }
        channel.basic_cancel(deliveries.tag(), BasicCancelOptions::default()).await?;
        drop(publisher);
        self.finished().await;
        Ok(())
    }

    fn spawn(&self, delivery: Delivery, publisher: Publisher, permit: Option<OwnedSemaphorePermit>) {
        let work = Work {
            handler: Arc::clone(&self.handler),
            topology: self.consumer.config.topology.clone(),
            publisher,
        };
        self.working.spawn(
            async move {
                work.settle(delivery).await;
                drop(permit);
            }
            .in_current_span(),
        );
    }

    async fn finished(&self) {
        self.working.close();
        self.working.wait().await;
    }
}

/// One message's work.
struct Work {
    handler: Arc<dyn Handler>,
    topology: Topology,
    publisher: Publisher,
}

impl Work {
    async fn settle(&self, delivery: Delivery) {
        let attempt = copies::attempt(&delivery);
        let id = delivery.properties.message_id().clone().map(String::from).unwrap_or_default();
        let verdict = self.verdict(&delivery, attempt).await;
        let moved = match self.moved(&delivery, attempt, &id, &verdict) {
            None => Ok(()),
            Some(copy) => self.publisher.publish(copy).await,
        };
        let settled = async {
            match moved {
                Ok(()) => delivery.ack(BasicAckOptions::default()).await,
                Err(error) => requeue(&delivery, &id, error).await,
            }
        };
        // An acknowledgement that is under way when the connection is lost may never end.
        let settled = timeout(SETTLE_TIMEOUT, settled).await;
        // Either way it comes again, which handlers are made for.
        if !matches!(settled, Ok(Ok(true))) {
            tracing::debug!(
                message = id,
                ?settled,
                "handled, but the connection was lost before it could be settled"
            );
        }
    }

    async fn verdict(&self, delivery: &Delivery, attempt: u32) -> Verdict {
        if delivery.data.len() > MAX_PAYLOAD {
            let reason = format!("larger than {MAX_PAYLOAD} bytes: {}", delivery.data.len());
            return Verdict::Reject { reason };
        }
        handle(&*self.handler, bus::Delivery { payload: delivery.data.clone(), attempt }).await
    }

    /// The copy that has to be safe before the original is forgotten.
    fn moved(&self, delivery: &Delivery, attempt: u32, id: &str, verdict: &Verdict) -> Option<Outgoing> {
        match verdict {
            Verdict::Done => None,
            Verdict::Retry { after, reason } => {
                tracing::info!(message = id, attempt, reason, %after, "to be tried again");
                let next = attempt.saturating_add(1);
                Some(copies::copy(delivery, &self.topology.retry(*after), next, reason))
            }
            Verdict::Reject { reason } => {
                tracing::warn!(message = id, attempt, reason, "parked");
                Some(copies::copy(delivery, &self.topology.dead(), attempt, reason))
            }
        }
    }
}

async fn requeue(delivery: &Delivery, id: &str, error: NotConfirmed) -> lapin::Result<bool> {
    tracing::warn!(message = id, %error, "could not be moved to another queue, given back");
    sleep(REQUEUE_PAUSE).await;
    delivery.nack(BasicNackOptions { requeue: true, ..BasicNackOptions::default() }).await
}

/// True as long as this lives.
struct Raised<'a>(&'a AtomicBool);

impl<'a> Raised<'a> {
    fn new(flag: &'a AtomicBool) -> Self {
        flag.store(true, Ordering::Relaxed);
        Self(flag)
    }
}

impl Drop for Raised<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

impl fmt::Debug for RabbitConsumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RabbitConsumer")
            .field("config", &self.config)
            .field("connected", &self.is_connected())
            .finish_non_exhaustive()
    }
}
