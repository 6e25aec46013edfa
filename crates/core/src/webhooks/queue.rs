//! The worker's port to the callbacks that are due.

use async_trait::async_trait;
use time::Duration;

use super::CallbackUrl;
use crate::{
    error::StoreError,
    events::EventName,
    ids::{CallbackId, EventId, WebhookId},
    scope::Scope,
    secrets::{SealedPayload, SealedSharedSecret},
};

/// How many callbacks are claimed.
#[derive(Debug, Clone, Copy)]
pub struct ClaimLimits {
    /// In one call.
    pub total: u32,
    /// Of one webhook at a time, by all workers together.
    pub per_webhook: u32,
    /// Of one organization at a time, by all workers together.
    pub per_organization: u32,
}

/// A callback to make.
#[derive(Debug, Clone)]
pub struct ClaimedCallback {
    /// Its id.
    pub id: CallbackId,
    /// Which attempt at it this is, from 1.
    pub attempt: u32,
    /// The webhook.
    pub webhook: WebhookId,
    /// The webhook's scope.
    pub scope: Scope,
    /// The event.
    pub event: EventId,
    /// The event's topic.
    pub topic: EventName,
    /// Where the webhook receives now.
    pub callback_url: CallbackUrl,
    /// The secrets that sign it, the newest first: one, or two after a change.
    pub secrets: Vec<SealedSharedSecret>,
    /// What it is sent.
    pub payload: SealedPayload,
    /// W3C `traceparent` of the call that caused the event.
    pub traceparent: Option<String>,
    /// How long ago it was added.
    pub age: Duration,
}

/// The outcome of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptResult {
    /// The status of the receiver's answer, if there was one.
    pub response_code: Option<u16>,
    /// The beginning of the answer's body, or why there was none.
    pub response_message: String,
    /// What follows.
    pub next: Next,
}

impl AttemptResult {
    /// Returns what it led to, without the answer's body, which may have personal data.
    #[must_use]
    pub fn cause(&self) -> String {
        self.response_code.map_or_else(|| self.response_message.clone(), |code| format!("status {code}"))
    }
}

/// What follows an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing: the receiver has it.
    Delivered,
    /// Another attempt after this time.
    Retry(Duration),
    /// The same attempt after this time: it was not made, for a reason of the service's own. Neither the attempt nor a failure is counted.
    Postponed(Duration),
    /// Nothing: it was the last attempt.
    GivenUp,
    /// Nothing: the receiver wants no more (410), so the webhook is disabled.
    Disable,
}

impl Next {
    /// Whether the attempt was not made.
    #[must_use]
    pub fn is_postponed(self) -> bool {
        matches!(self, Self::Postponed(_))
    }
}

/// What an attempt did to its webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// False if the claim had been taken over: nothing was recorded.
    pub was_recorded: bool,
    /// Whether the attempt opened the webhook's circuit.
    pub opened_circuit: bool,
}

/// The callbacks that are due.
#[async_trait]
pub trait CallbackQueue: Send + Sync + 'static {
    /// Claims callbacks for `lease`, those that have waited longest first; nobody else gets them until it ends. A callback waits while an earlier one of the same webhook about the
    /// same record is due or claimed; one that waits for another attempt is overtaken. None of webhooks that are disabled or have an open circuit.
    async fn claim_callbacks(
        &self,
        lease: Duration,
        limits: ClaimLimits,
    ) -> Result<Vec<ClaimedCallback>, StoreError>;

    /// Records the outcome of that attempt and counts the webhook's failures: [`MAX_FAILURES`](super::MAX_FAILURES) in a row open its circuit,
    /// and make the mail about that due.
    async fn settle_callback(
        &self,
        id: CallbackId,
        attempt: u32,
        result: &AttemptResult,
    ) -> Result<Settled, StoreError>;
}
