//! The relay: publishes committed events at least once, whatever crashes.

use std::{iter, sync::Arc, time::Duration as StdDuration};

use futures_util::{Stream, StreamExt, stream};
use time::Duration;
use tokio::{
    sync::{Notify, mpsc},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

use crate::{
    error::{StoreError, chain},
    events::{
        bus::Bus,
        outbox::{ClaimedMessage, Outbox, QueuedMessage, Settlement},
        relay_queue::RelayInbox,
    },
};

/// The shortest time from one batch of new events to the next. A lone event is published at once; many share a confirm and a settling.
/// At 3,000 resets a second 5 ms gave about 10 % more of them than 1 ms, and 15 ms no more than 5.
const BATCH_INTERVAL: StdDuration = StdDuration::from_millis(5);

/// Moves messages from an outbox to a bus. Any number of relays may run on one outbox.
pub struct OutboxRelay {
    /// The outbox to claim messages from.
    pub outbox: Arc<dyn Outbox>,
    /// The bus to publish them to.
    pub bus: Arc<dyn Bus>,
    /// Messages claimed at once, and in flight at once, at most.
    pub batch: u32,
    /// How long a claim holds. If publishing takes longer, another relay publishes the message, too.
    pub lease: Duration,
    /// How often to look for unclaimed messages without a notification: those of other processes, of a crash, and those that became due.
    pub poll: StdDuration,
}

impl OutboxRelay {
    /// Publishes the messages of its own process from `inbox`, and those that it claims from the outbox, until `stop` is cancelled.
    /// Then it settles the messages in flight, and gives back the claims of those that are still in the inbox.
    pub async fn run(self, inbox: RelayInbox, stop: CancellationToken) {
        let RelayInbox { messages, unclaimed } = inbox;
        tokio::join!(self.publish_new(messages, &stop), self.publish_due(&unclaimed, &stop));
    }

    async fn publish_new(&self, mut messages: mpsc::Receiver<QueuedMessage>, stop: &CancellationToken) {
        let (mut batch, limit) = (Vec::new(), usize::try_from(self.batch).unwrap_or(usize::MAX));
        while let Some(1..) = stop.run_until_cancelled(messages.recv_many(&mut batch, limit)).await {
            let claimed = batch.drain(..).filter(QueuedMessage::is_claimed).map(QueuedMessage::into_claimed);
            tokio::join!(self.publish(stream::iter(claimed)), sleep(BATCH_INTERVAL));
        }
        messages.close();
        let left = iter::from_fn(|| messages.try_recv().ok()).filter(QueuedMessage::is_claimed);
        let returned: Vec<_> = left.map(|left| Settlement::Later(left.message.id, Duration::ZERO)).collect();
        self.settle(&returned).await;
    }

    async fn publish_due(&self, unclaimed: &Notify, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            // Without a connection each message would be claimed and settled in vain, and taken from relays that have one.
            let passed = if self.bus.is_connected() { self.pass().await } else { Ok(0) };
            match passed {
                // A full batch means there may be more.
                Ok(claimed) if claimed == self.batch => continue,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(
                        error = chain(&error),
                        "can't claim messages from the outbox, will try again"
                    );
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = unclaimed.notified() => {}
                () = sleep(self.poll) => {}
            }
        }
    }

    /// Claims, publishes and settles one batch; returns the number of messages claimed.
    ///
    /// # Errors
    /// When the outbox can't be reached.
    pub async fn pass(&self) -> Result<u32, StoreError> {
        let claimed = self.outbox.claim_messages(self.lease, self.batch).await?;
        let count = u32::try_from(claimed.len()).unwrap_or(u32::MAX);
        self.publish(stream::iter(claimed)).await;
        Ok(count)
    }

    /// Publishes messages. Settles each as soon as its outcome is known, together with others that are known by then.
    async fn publish(&self, messages: impl Stream<Item = ClaimedMessage>) {
        let in_flight = usize::try_from(self.batch).unwrap_or(usize::MAX);
        let settlements = messages
            .map(|message| self.bus.publish(message))
            .buffer_unordered(in_flight)
            .ready_chunks(in_flight);
        settlements.for_each(async |settlements| self.settle(&settlements).await).await;
    }

    /// Settles messages. Those that can't be settled become due when their leases end, and may be published again.
    async fn settle(&self, settlements: &[Settlement]) {
        if let Err(error) = self.outbox.settle_messages(settlements).await {
            tracing::warn!(
                error = chain(&error),
                count = settlements.len(),
                "can't settle messages in the outbox"
            );
        }
    }
}
