//! A consumer's side: from the queue to the handler.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt, pin_mut};
use lapin::{
    Channel, Connection,
    message::Delivery,
    options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions},
    types::{FieldTable, ShortString},
};
use rekey_core::{
    events::bus::{self, Capacity, DEAD_LETTERS, Handler, RejectCause, Verdict},
    metrics::LastValue,
    random::RandomSource,
};
use scopeguard::defer;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument;

use super::{
    RabbitConfig, Topology,
    confirms::{NotConfirmed, OutgoingMessage},
    connection::{ConnectionError, Outage, Session, close_channel, supervise},
    copies,
    link::PublishingLink,
    metrics,
    topology::short_string,
};
use crate::run_handler::run_handler;

/// The largest message that is handed to a handler, in bytes: a thousand times the size of one of our events.
const MAX_PAYLOAD: usize = 1 << 20;
/// The time to acknowledge a message, or to give it back after [`REQUEUE_PAUSE`].
const SETTLE_TIMEOUT: Duration = Duration::from_secs(5);
/// The pause before a message that could not be moved to another queue is given back.
const REQUEUE_PAUSE: Duration = Duration::from_secs(1);

/// Consumes the queue of the configuration's consumer.
///
/// A message is acknowledged once it is handled, or once its copy is confirmed in a retry queue or among the dead letters.
/// Until then the broker keeps it, and delivers it again when this process dies. While the handler can take none, the queue is
/// not consumed.
pub struct RabbitConsumer {
    config: RabbitConfig,
    random: Arc<dyn RandomSource>,
    is_connected: AtomicBool,
    /// Why the queue can't be consumed, while it can't.
    outage: Outage,
    /// For the copies in the retry queues and among the dead letters.
    copies: Arc<PublishingLink>,
}

impl RabbitConsumer {
    /// Makes a consumer that is not connected yet: [`RabbitConsumer::run`] connects it.
    #[must_use]
    pub fn new(config: RabbitConfig, random: Arc<dyn RandomSource>) -> Self {
        let copies = Arc::new(PublishingLink::new(config.topology().clone()));
        Self { config, random, is_connected: AtomicBool::new(false), outage: Outage::default(), copies }
    }

    /// Returns whether the queue can be consumed: also while the handler can take no message.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.is_connected.load(Ordering::Relaxed)
    }

    /// Returns why the queue can't be consumed at the moment, in words for an operator, if it can't.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        (!self.is_connected()).then(|| self.outage.cause())
    }

    /// Returns why messages that can't be handled now can't be moved to the retry queues, if they can't. They stay with this process, and so
    /// its work comes to a stop when there are as many as it handles at once.
    #[must_use]
    pub fn retry_problem(&self) -> Option<String> {
        self.copies.problem()
    }

    /// Handles messages, at most `concurrency` at once and at least one, until `stop` is cancelled. Then it takes no more, and
    /// returns when those in progress are handled; the caller limits the time for that, and what is cut off is delivered again.
    /// Connects, and connects again whenever the connection is lost.
    pub async fn run(&self, handler: Arc<dyn Handler>, concurrency: u16, stop: CancellationToken) {
        let concurrency = concurrency.max(1);
        let session = Consuming {
            consumer: self,
            handler,
            concurrency,
            permits: Arc::new(Semaphore::new(concurrency.into())),
            tasks: TaskTracker::new(),
            dead_letters: metrics::dead_letters_gauge(),
        };
        let name = self.config.topology().consumer().as_str();
        let copies_stop = CancellationToken::new();
        let consuming = async {
            let _stop_copies = copies_stop.clone().drop_guard();
            supervise(&self.config, name, &*self.random, &stop, &session, &self.outage).await;
            // Messages in progress are finished, also if their connection was lost.
            session.finish().await;
        };
        let (copies, copies_name) = (&*self.copies, format!("{name}-copies"));
        let publishing =
            supervise(&self.config, &copies_name, &*self.random, &copies_stop, copies, &copies.outage);
        tokio::join!(consuming, publishing);
    }
}

struct Consuming<'a> {
    consumer: &'a RabbitConsumer,
    handler: Arc<dyn Handler>,
    concurrency: u16,
    /// Shared by all connections, so that a reconnect doesn't double the number of messages in progress.
    permits: Arc<Semaphore>,
    tasks: TaskTracker,
    /// How many dead letters wait for an operator.
    dead_letters: LastValue<u32>,
}

impl Session for Consuming<'_> {
    async fn run(&self, connection: &Connection, stop: &CancellationToken) -> Result<(), ConnectionError> {
        let channel = connection.create_channel().await?;
        let dead = self.consumer.config.topology.dead();
        let counting = metrics::count_dead_letters(connection, &dead, &self.dead_letters);
        let result = tokio::select! {
            result = self.consume(&channel, stop) => result,
            never = counting => match never {},
        };
        // Nobody knows while there is no connection.
        self.dead_letters.set(None);
        close_channel(&channel).await;
        result
    }
}

impl Consuming<'_> {
    async fn consume(&self, channel: &Channel, stop: &CancellationToken) -> Result<(), ConnectionError> {
        defer! { self.consumer.is_connected.store(false, Ordering::Relaxed); }
        let worker = Worker {
            handler: Arc::clone(&self.handler),
            topology: self.consumer.config.topology.clone(),
            copies: Arc::clone(&self.consumer.copies),
            stop: stop.clone(),
        };
        while !stop.is_cancelled() {
            let capacity = self.handler.capacity();
            let changed = stop.run_until_cancelled(self.handler.capacity_changed(capacity));
            let prefetch = match capacity {
                Capacity::None => {
                    self.consumer.is_connected.store(true, Ordering::Relaxed);
                    changed.await;
                    continue;
                }
                Capacity::One => 1,
                Capacity::Full => self.concurrency,
            };
            self.consume_while(channel, &worker, prefetch, changed).await?;
        }
        self.finish().await;
        Ok(())
    }

    /// Consumes the queue, with at most `prefetch` messages unacknowledged, until `end` is ready. `None` is a stop: messages that are
    /// not started yet go back to the queue.
    async fn consume_while(
        &self,
        channel: &Channel,
        worker: &Worker,
        prefetch: u16,
        end: impl Future<Output = Option<()>>,
    ) -> Result<(), ConnectionError> {
        let queue = short_string(&self.consumer.config.topology.queue());
        channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
        let (tag, options) = (ShortString::default(), BasicConsumeOptions::default());
        let mut deliveries = channel.basic_consume(queue, tag, options, FieldTable::default()).await?;
        self.consumer.is_connected.store(true, Ordering::Relaxed);
        pin_mut!(end);
        loop {
            tokio::select! {
                is_stopped = &mut end => {
                    channel.basic_cancel(deliveries.tag(), BasicCancelOptions::default()).await?;
                    if is_stopped.is_none() {
                        return Ok(());
                    }
                    break;
                }
                next = self.next(&mut deliveries) => {
                    let (permit, delivery) = next?.ok_or(ConnectionError::ConsumerCancelled)?;
                    self.start(worker, delivery, permit);
                }
            }
        }
        // Those that were on their way. The handler decides: giving one back would count towards the delivery limit.
        while let Some((permit, delivery)) = self.next(&mut deliveries).await? {
            self.start(worker, delivery, permit);
        }
        Ok(())
    }

    /// Returns the next message as soon as one more may be in progress; `None` once the consumer is cancelled.
    async fn next(
        &self,
        deliveries: &mut lapin::Consumer,
    ) -> lapin::Result<Option<(Option<OwnedSemaphorePermit>, Delivery)>> {
        // The semaphore is never closed.
        let permit = Arc::clone(&self.permits).acquire_owned().await.ok();
        Ok(deliveries.next().await.transpose()?.map(|delivery| (permit, delivery)))
    }

    fn start(&self, worker: &Worker, delivery: Delivery, permit: Option<OwnedSemaphorePermit>) {
        let worker = worker.clone();
        let handling = async move {
            worker.handle(delivery).await;
            drop(permit);
        };
        self.tasks.spawn(handling.in_current_span());
    }

    async fn finish(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// Handles messages and settles them.
#[derive(Clone)]
struct Worker {
    handler: Arc<dyn Handler>,
    topology: Topology,
    copies: Arc<PublishingLink>,
    stop: CancellationToken,
}

impl Worker {
    async fn handle(&self, delivery: Delivery) {
        let attempt = copies::attempt(&delivery);
        let id = delivery.properties.message_id().clone().map(String::from).unwrap_or_default();
        let started_at = Instant::now();
        let verdict = self.verdict(&delivery, attempt).await;
        metrics::record_process(&self.topology.queue(), started_at.elapsed(), &verdict);
        let moved = match self.copy(&delivery, attempt, &id, &verdict) {
            None => Ok(()),
            Some(copy) => {
                // Until then the message stays here: giving it back would count towards the delivery limit.
                self.stop.run_until_cancelled(self.copies.usable()).await;
                self.copies.publish(copy).await
            }
        };
        let settled = async {
            match moved {
                Ok(()) => delivery.ack(BasicAckOptions::default()).await,
                Err(error) => requeue(&delivery, &id, error).await,
            }
        };
        // An acknowledgement under way when the connection is lost may never end.
        let settled = timeout(SETTLE_TIMEOUT, settled).await;
        // The message is then delivered again, which handlers are made for.
        if !matches!(settled, Ok(Ok(true))) {
            tracing::debug!(
                message_id = id,
                ?settled,
                "handled, but not acknowledged: the connection was lost"
            );
        }
    }

    async fn verdict(&self, delivery: &Delivery, attempt: u32) -> Verdict {
        let id = delivery.properties.message_id().as_ref().and_then(|id| id.as_str().parse().ok());
        let message = bus::Delivery { id, payload: delivery.data.clone(), attempt };
        if delivery.data.len() > MAX_PAYLOAD {
            let reason = format!("larger than {MAX_PAYLOAD} bytes: {}", delivery.data.len());
            return self.handler.reject(&message, RejectCause::Malformed, reason).await;
        }
        run_handler(&*self.handler, message).await
    }

    /// Returns the copy that must be confirmed before the original is acknowledged.
    fn copy(
        &self,
        delivery: &Delivery,
        attempt: u32,
        id: &str,
        verdict: &Verdict,
    ) -> Option<OutgoingMessage> {
        match verdict {
            Verdict::Done => None,
            Verdict::Retry { after, reason } => {
                tracing::info!(message_id = id, attempt, reason, %after, "will be tried again");
                let next = attempt.saturating_add(1);
                Some(copies::copy(delivery, &self.topology.retry(*after), next, reason))
            }
            Verdict::Reject { cause, reason } => {
                DEAD_LETTERS.add(*cause, 1);
                tracing::warn!(message_id = id, attempt, reason, "moved to the dead letters");
                Some(copies::copy(delivery, &self.topology.dead(), attempt, reason))
            }
        }
    }
}

async fn requeue(delivery: &Delivery, id: &str, error: NotConfirmed) -> lapin::Result<bool> {
    tracing::warn!(message_id = id, %error, "could not be moved to another queue, given back");
    sleep(REQUEUE_PAUSE).await;
    delivery.nack(BasicNackOptions { requeue: true, ..BasicNackOptions::default() }).await
}
