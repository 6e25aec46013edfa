//! The bus without a broker: the outbox is the durable queue, and publishing a message means handling it.

use std::sync::Arc;

use async_trait::async_trait;
use rekey_core::events::{
    bus::{Bus, Capacity, DEAD_LETTERS, Delivery, Handler, Verdict},
    outbox::{ClaimedMessage, Settlement},
};
use time::Duration;
use tokio::sync::Semaphore;
use tracing::Instrument;

use crate::run_handler::run_handler;

/// Hands each message to a handler in the same process. It stores nothing: messages that are not handled yet stay in the
/// outbox, and so do dead letters.
#[derive(Clone)]
pub struct LocalBus {
    handler: Arc<dyn Handler>,
    permits: Arc<Semaphore>,
}

impl LocalBus {
    /// Makes a bus that handles at most `concurrency` messages at once, and at least one.
    #[must_use]
    pub fn new(handler: Arc<dyn Handler>, concurrency: usize) -> Self {
        let permits = concurrency.clamp(1, Semaphore::MAX_PERMITS);
        Self { handler, permits: Arc::new(Semaphore::new(permits)) }
    }
}

#[async_trait]
impl Bus for LocalBus {
    /// False while the handler can take no message: they stay in the outbox.
    fn is_connected(&self) -> bool {
        self.handler.capacity() != Capacity::None
    }

    async fn publish(&self, claimed: ClaimedMessage) -> Settlement {
        let ClaimedMessage { message, attempt } = claimed;
        let (handler, permits) = (Arc::clone(&self.handler), Arc::clone(&self.permits));
        let handling = async move {
            // The semaphore is never closed. The task holds the permit, because the caller may be dropped.
            let _permit = permits.acquire_owned().await;
            run_handler(&*handler, Delivery { id: Some(message.id), payload: message.payload, attempt }).await
        };
        // In a task of its own, so that a handler in the middle of a mail finishes it even when the caller is dropped.
        match tokio::spawn(handling.in_current_span()).await {
            Ok(Verdict::Done) => Settlement::Published(message.id),
            Ok(Verdict::Retry { after, reason }) => {
                tracing::info!(event = %message.id, attempt, reason, "will be tried again");
                Settlement::Later(message.id, after)
            }
            Ok(Verdict::Reject { cause, reason }) => {
                DEAD_LETTERS.add(cause, 1);
                tracing::warn!(event = %message.id, attempt, reason, "moved to the dead letters");
                Settlement::Dead(message.id, reason)
            }
            // The runtime is shutting down: the next start handles the message.
            Err(_) => Settlement::Later(message.id, Duration::SECOND),
        }
    }
}

/// Two handlers of each message in the one process that sends mails and webhooks: a bus has one handler.
///
/// The fan-out comes first, so that one acknowledgement is for both: the mail's verdict is the message's. It only writes to the database in which the mail is claimed, so a mail waits for it when it could not be sent either, and never for
/// a receiver. Repeating a fan-out because of its mail is harmless.
pub struct Both {
    /// Records which webhooks the event leads to.
    pub fan_out: Arc<dyn Handler>,
    /// The mailer.
    pub mails: Arc<dyn Handler>,
}

#[async_trait]
impl Handler for Both {
    /// The handler that rejects records it. The mail of an event that the fan-out rejects is sent all the same.
    async fn handle(&self, delivery: Delivery) -> Verdict {
        let fan_out = run_handler(&*self.fan_out, delivery.clone()).await;
        if matches!(fan_out, Verdict::Retry { .. }) {
            return fan_out;
        }
        match run_handler(&*self.mails, delivery).await {
            Verdict::Done => fan_out,
            mail => mail,
        }
    }

    /// That of the mails: while none can be sent, the messages stay where they are.
    fn capacity(&self) -> Capacity {
        self.mails.capacity()
    }

    async fn capacity_changed(&self, from: Capacity) {
        self.mails.capacity_changed(from).await;
    }
}
