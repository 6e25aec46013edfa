//! The bus without a broker: the outbox is the durable queue, and publishing is handling.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use rekey_core::events::{
    bus::{Bus, Delivery, Handler, Verdict},
    outbox::{ClaimedMessage, Settlement},
};
use time::Duration;
use tokio::sync::Semaphore;
use tracing::Instrument;

use crate::handling::handle;

/// Hands each message to a handler in the same process. Nothing is stored here: what is not handled yet stays in the
/// outbox, and so do the dead letters.
#[derive(Clone)]
pub struct LocalBus {
    handler: Arc<dyn Handler>,
    permits: Arc<Semaphore>,
}

impl LocalBus {
    /// A bus that handles at most `concurrency` messages at once (at least one).
    #[must_use]
    pub fn new(handler: Arc<dyn Handler>, concurrency: usize) -> Self {
        let permits = concurrency.clamp(1, Semaphore::MAX_PERMITS);
        Self { handler, permits: Arc::new(Semaphore::new(permits)) }
    }
}

#[async_trait]
impl Bus for LocalBus {
    async fn publish(&self, claimed: ClaimedMessage) -> Settlement {
        let ClaimedMessage { message, attempt } = claimed;
        let (handler, permits) = (Arc::clone(&self.handler), Arc::clone(&self.permits));
        let handling = async move {
            // The semaphore is never closed. The permit is held here and not by the caller, who may lose interest.
            let _permit = permits.acquire_owned().await;
            handle(&*handler, Delivery { payload: message.payload, attempt }).await
        };
        // In a task of its own, so that a handler in the middle of a mail ends it even when the caller is dropped.
        let verdict = tokio::spawn(handling.in_current_span()).await;
        match verdict {
            Ok(Verdict::Done) => Settlement::Published(message.id),
            Ok(Verdict::Retry { after, reason }) => {
                tracing::info!(event = %message.id, attempt, reason, "to be tried again");
                Settlement::Later(message.id, after)
            }
            Ok(Verdict::Reject { reason }) => {
                tracing::warn!(event = %message.id, attempt, reason, "parked");
                Settlement::Dead(message.id, reason)
            }
            // The runtime is being shut down: the next start brings it again.
            Err(_) => Settlement::Later(message.id, Duration::SECOND),
        }
    }
}

impl fmt::Debug for LocalBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalBus").field("free", &self.permits.available_permits()).finish_non_exhaustive()
    }
}
