//! The ports to the database for webhooks and the events that they are sent.

use async_trait::async_trait;
use time::Duration;

use super::{CallbackUrl, NewWebhook, WebhookChange};
use crate::{
    error::{CreateError, StoreError},
    events::{Event, EventName, audit::AuditEntry},
    ids::{AuditId, CallbackId, CustomerId, EventId, RecordId, WebhookId},
    scope::Scope,
    secrets::SealedPayload,
};

/// How long a former secret signs along, so that receivers can change theirs.
pub const FORMER_SECRET_TTL: Duration = Duration::DAY;

/// Why a webhook is not created or changed.
#[derive(Debug, thiserror::Error)]
pub enum WriteWebhookError {
    /// Another webhook has the name; of a new one, or its id.
    #[error("already taken")]
    Taken,
    /// There are [`MAX_WEBHOOKS`](super::MAX_WEBHOOKS) already.
    #[error("too many webhooks")]
    TooMany,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<CreateError> for WriteWebhookError {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::Taken => Self::Taken,
            CreateError::Store(error) => Self::Store(error),
        }
    }
}

/// Writes webhooks.
#[async_trait]
pub trait WebhookStore: Send + Sync + 'static {
    /// Creates a webhook with its audit entry.
    async fn create_webhook(
        &self,
        scope: Scope,
        webhook: &NewWebhook,
        audit: &AuditEntry,
    ) -> Result<(), WriteWebhookError>;

    /// Changes a webhook, with an audit entry; false when there is no such webhook. A change of nothing leaves no entry.
    async fn update_webhook(
        &self,
        scope: Scope,
        id: WebhookId,
        change: &WebhookChange,
        audit: &AuditEntry,
    ) -> Result<bool, WriteWebhookError>;

    /// Deletes a webhook, with an audit entry; false when there is no such webhook. Its callbacks stay, and no attempt follows.
    async fn delete_webhook(
        &self,
        scope: Scope,
        id: WebhookId,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError>;
}

/// A webhook that is sent an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// The webhook.
    pub webhook: WebhookId,
    /// Where it receives.
    pub callback_url: CallbackUrl,
    /// The relationships that are included.
    pub include_resources: Vec<String>,
}

/// An event that was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedEvent {
    /// Its id.
    pub id: EventId,
    /// Its topic.
    pub name: EventName,
    /// The record that it is about.
    pub record: RecordId,
}

impl From<&Event> for RecordedEvent {
    fn from(event: &Event) -> Self {
        Self { id: event.id, name: event.name(), record: event.body.record() }
    }
}

/// Callbacks to add: one for each webhook that is sent an event.
#[derive(Debug)]
pub struct NewCallbacks<'a> {
    /// The event.
    pub event: RecordedEvent,
    /// The entry of the audit log about the trigger; `None` is the event's own occurrence.
    pub trigger: Option<&'a AuditEntry>,
    /// The customer that the personal data in them belong to.
    pub customer: Option<CustomerId>,
    /// W3C `traceparent` of the call that caused the event.
    pub traceparent: Option<&'a str>,
    /// The callbacks.
    pub callbacks: Vec<NewCallback>,
}

/// A callback to add.
#[derive(Debug, Clone)]
pub struct NewCallback {
    /// Its id.
    pub id: CallbackId,
    /// The webhook, and where it receives now.
    pub subscription: Subscription,
    /// What it is sent.
    pub payload: SealedPayload,
}

impl NewCallbacks<'_> {
    /// Returns what tells the triggers of an event apart.
    #[must_use]
    pub fn trigger_id(&self) -> Option<AuditId> {
        self.trigger.map(|audit| audit.id)
    }
}

/// Finds who is sent an event, and records what they are sent.
#[async_trait]
pub trait CallbackStore: Send + Sync + 'static {
    /// Returns the event with that id; `None` also for those of decoys.
    async fn find_event(&self, scope: Scope, id: EventId) -> Result<Option<RecordedEvent>, StoreError>;

    /// Returns the webhooks that are sent events of that topic and are not disabled.
    async fn subscriptions(&self, scope: Scope, topic: EventName) -> Result<Vec<Subscription>, StoreError>;

    /// Adds callbacks, in one statement, with the audit entry of their trigger. Those that were added before are left as they are, so that a
    /// message can be handled again. Those of webhooks with an open circuit wait until it is closed. Returns how many were added.
    async fn add_callbacks(&self, scope: Scope, callbacks: &NewCallbacks<'_>) -> Result<u64, StoreError>;
}
