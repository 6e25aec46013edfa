//! Handles events: records what the webhooks of their topics are sent.

use std::sync::Arc;

use async_trait::async_trait;
use rekey_core::{
    error::{StoreError, chain},
    events::{
        Event,
        bus::{Delivery, Handler, RejectCause, Verdict},
    },
    webhooks::{
        fan_out::{FanOut, Occasion},
        store::RecordedEvent,
    },
};
use time::Duration;
use tokio::sync::Notify;

/// The pause after the database did not answer: the ladder's shortest wait.
const SHORT_PAUSE: Duration = Duration::seconds(10);

/// Fans events out.
pub struct FanOutHandler {
    /// Records callbacks.
    pub fan_out: FanOut,
    /// Notified when callbacks were added, so that they are made at once.
    pub added: Arc<Notify>,
}

#[async_trait]
impl Handler for FanOutHandler {
    async fn handle(&self, delivery: Delivery) -> Verdict {
        let event = match Event::receive(&delivery, &self.fan_out.documents.keys, &*self.fan_out.random) {
            Ok(event) => event,
            Err(verdict) => return verdict,
        };
        let occasion = Occasion { traceparent: event.traceparent.as_deref(), trigger: None };
        match self.fan_out.fan_out(event.scope, RecordedEvent::from(&event), occasion).await {
            Ok(0) => Verdict::Done,
            Ok(count) => {
                tracing::debug!(event = %event.id, count, "recorded for webhooks");
                self.added.notify_one();
                Verdict::Done
            }
            Err(error @ StoreError::Unavailable(_)) => {
                tracing::warn!(event = %event.id, cause = chain(&error), "the database did not answer");
                Verdict::Retry { after: SHORT_PAUSE, reason: error.to_string() }
            }
            Err(error) => {
                tracing::error!(event = %event.id, cause = chain(&error), "can't be recorded for webhooks");
                Verdict::Reject { cause: RejectCause::Failed, reason: error.to_string() }
            }
        }
    }
}
