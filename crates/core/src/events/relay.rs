//! The relay: publishes committed events at least once, whatever crashes.

use std::{future::ready, iter, sync::Arc, time::Duration as StdDuration};

use futures_util::{Stream, StreamExt, stream};
use time::Duration;
use tokio::{
    sync::{Notify, mpsc},
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use crate::{
    error::chain,
    events::{
        bus::Bus,
        outbox::{ClaimedMessage, Outbox, QueuedMessage, Settlement},
        relay_queue::RelayInbox,
    },
};

/// The shortest time from one settling to the next. A lone event is settled at once; many share a statement.
const SETTLE_INTERVAL: StdDuration = StdDuration::from_millis(5);

/// Moves messages from an outbox to a bus. Any number of relays may run on one outbox.
pub struct OutboxRelay {
    /// The outbox to claim messages from.
    pub outbox: Arc<dyn Outbox>,
    /// The bus to publish them to.
    pub bus: Arc<dyn Bus>,
    /// Messages claimed at once, at most. Of the messages from memory and of those that were claimed, at most as many each are in flight.
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
        let (outcomes, published) = mpsc::channel(self.batch_size());
        let publish = async {
            let RelayInbox { messages, unclaimed } = inbox;
            tokio::join!(
                self.publish_new(messages, &outcomes, &stop),
                self.publish_due(&unclaimed, &outcomes, &stop)
            );
            drop(outcomes);
        };
        tokio::join!(publish, self.settle_all(published));
    }

    async fn publish_new(
        &self,
        mut messages: mpsc::Receiver<QueuedMessage>,
        outcomes: &mpsc::Sender<Settlement>,
        stop: &CancellationToken,
    ) {
        let claimed = stream::poll_fn(|context| messages.poll_recv(context))
            .take_until(stop.cancelled())
            .filter_map(async |queued| queued.is_claimed().then(|| queued.into_claimed()));
        self.publish(claimed, outcomes).await;
        messages.close();
        let left = iter::from_fn(|| messages.try_recv().ok()).filter(QueuedMessage::is_claimed);
        let returned: Vec<_> = left.map(|left| Settlement::Later(left.message.id, Duration::ZERO)).collect();
        self.settle(&returned).await;
    }

    async fn publish_due(
        &self,
        unclaimed: &Notify,
        outcomes: &mpsc::Sender<Settlement>,
        stop: &CancellationToken,
    ) {
        while !stop.is_cancelled() {
            self.publish(self.claim_due(stop), outcomes).await;
            tokio::select! {
                () = stop.cancelled() => {}
                () = unclaimed.notified() => {}
                () = sleep(self.poll) => {}
            }
        }
    }

    /// Claims messages until no more are due. The next batch is claimed while the last one is published.
    fn claim_due(&self, stop: &CancellationToken) -> impl Stream<Item = ClaimedMessage> {
        let batches = stream::unfold(true, async |is_full| {
            // Without a connection each message would be claimed and settled in vain, and taken from relays that have one.
            if !is_full || stop.is_cancelled() || !self.bus.is_connected() {
                return None;
            }
            let leased_until = Instant::now() + self.lease.unsigned_abs();
            match self.outbox.claim_messages(self.lease, self.batch).await {
                Ok(claimed) => {
                    let is_full = claimed.len() == self.batch_size();
                    // While the last batch takes long, the leases of this one can end. Then another relay publishes it.
                    let leased = stream::iter(claimed).filter(move |_| ready(Instant::now() < leased_until));
                    Some((leased, is_full))
                }
                Err(error) => {
                    let error = chain(&error);
                    tracing::warn!(error, "can't claim messages from the outbox, will try again");
                    None
                }
            }
        });
        batches.flatten()
    }

    async fn publish(
        &self,
        messages: impl Stream<Item = ClaimedMessage>,
        outcomes: &mpsc::Sender<Settlement>,
    ) {
        let published = messages.map(|message| self.bus.publish(message)).buffer_unordered(self.batch_size());
        // Sending fails only when nobody settles any more, which is after this.
        published.for_each(async |outcome| drop(outcomes.send(outcome).await)).await;
    }

    /// Settles messages together, as many as have an outcome by then.
    async fn settle_all(&self, mut published: mpsc::Receiver<Settlement>) {
        let mut outcomes = Vec::new();
        while published.recv_many(&mut outcomes, self.batch_size()).await > 0 {
            tokio::join!(self.settle(&outcomes), sleep(SETTLE_INTERVAL));
            outcomes.clear();
        }
    }

    fn batch_size(&self) -> usize {
        usize::try_from(self.batch).unwrap_or(usize::MAX)
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
