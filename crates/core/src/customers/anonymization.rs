//! The anonymization of customers: an integration requests it, and a background task carries it out some time later.

use std::{convert::Infallible, sync::Arc};

use async_trait::async_trait;
use strum::{IntoStaticStr, VariantNames};
use time::Duration;

use crate::{
    caller::Actor,
    email::EmailAddress,
    error::StoreError,
    events::{
        Event, EventBody, EventName,
        audit::{Action, AuditEntry},
        outbox::OutboxMessage,
        recorder::EventRecorder,
    },
    ids::{ApplicationId, AuditId, CustomerId, EventId},
    resources::{
        METADATA, REFERENCE, REFERENCE_ORIGIN,
        customers::{CANCEL_ANONYMIZATION, EMAIL, LOCALE, PASSWORD, REQUEST_ANONYMIZATION},
    },
    scope::Scope,
};

/// What an integration asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnonymizationRequest {
    /// The customer's anonymization. It has no effect while an earlier request waits.
    Request,
    /// That a waiting request is not carried out.
    Cancel,
}

/// The state of a customer's last request, by its name in the stores and on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum AnonymizationStatus {
    /// It waits.
    Requested,
    /// The customer is anonymized.
    Completed,
    /// It was cancelled.
    Cancelled,
}

/// A request that is old enough to be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueAnonymization {
    /// The customer's organization and mode.
    pub scope: Scope,
    /// The customer.
    pub customer: CustomerId,
    /// The API client that requested it.
    pub requester: ApplicationId,
}

/// What a customer becomes, and the record of it.
#[derive(Debug)]
pub struct Anonymization {
    /// The customer's organization and mode.
    pub scope: Scope,
    /// The customer.
    pub customer: CustomerId,
    /// Its new address, which nobody can have.
    pub email: EmailAddress,
    /// The events of it.
    pub events: [OutboxMessage; 2],
    /// The audit entry, in the name of the client that requested it.
    pub audit: AuditEntry,
}

/// Carries out requests for anonymization.
#[async_trait]
pub trait AnonymizationStore: Send + Sync + 'static {
    /// Returns requests that were made at least `age` ago and wait, at most `max` of them, the oldest first.
    async fn due_anonymizations(&self, age: Duration, max: u32) -> Result<Vec<DueAnonymization>, StoreError>;

    /// Carries out those of the requests that still wait and were made at least `age` ago: replaces the customers' personal data, ends
    /// their passwords and sessions, deletes their resets and suppressions, queues them for [`Cleanup::erase`](crate::cleanup::Cleanup::erase),
    /// and writes their events and audit entries. All or nothing; returns how many.
    async fn anonymize(&self, age: Duration, customers: &[Anonymization]) -> Result<u64, StoreError>;
}

/// Carries out requests for anonymization periodically.
#[derive(Clone)]
pub struct AnonymizationTask {
    /// Where customers are kept.
    pub store: Arc<dyn AnonymizationStore>,
    /// Makes the events and audit entries.
    pub recorder: EventRecorder,
    /// How long after its request a customer is anonymized.
    pub delay: Duration,
}

/// How often to look for requests that are due.
const INTERVAL: std::time::Duration = std::time::Duration::from_mins(10);
/// How many customers are anonymized in one transaction: each has many records.
const BATCH: u32 = 50;

impl AnonymizationTask {
    /// Runs until it is dropped.
    pub async fn run(&self) -> Infallible {
        loop {
            if let Err(error) = self.carry_out().await {
                tracing::warn!(%error, "anonymizing customers failed");
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    /// Carries out all requests that are due. None may be left of a batch: they were cancelled, or another process was faster.
    async fn carry_out(&self) -> Result<(), StoreError> {
        loop {
            let due = self.store.due_anonymizations(self.delay, BATCH).await?;
            if due.is_empty() {
                return Ok(());
            }
            let customers: Vec<_> = due.iter().map(|due| due.prepare(&self.recorder)).collect();
            let count = self.store.anonymize(self.delay, &customers).await?;
            tracing::info!(count, "anonymized customers");
        }
    }
}

/// The events about a customer that are kept until [retention](crate::cleanup::Retention) deletes them: they say that its data is gone.
pub const KEPT_EVENTS: [EventName; 4] = [
    EventName::CustomerDestroy,
    EventName::CustomerAnonymizationStart,
    EventName::CustomerAnonymizationComplete,
    EventName::CustomerAnonymizationCancel,
];

impl AnonymizationRequest {
    /// Returns the name of the attribute on the wire.
    #[must_use]
    pub fn attribute(self) -> &'static str {
        match self {
            Self::Request => REQUEST_ANONYMIZATION.name,
            Self::Cancel => CANCEL_ANONYMIZATION.name,
        }
    }

    /// Returns the status that it leads to.
    #[must_use]
    pub fn status(self) -> AnonymizationStatus {
        match self {
            Self::Request => AnonymizationStatus::Requested,
            Self::Cancel => AnonymizationStatus::Cancelled,
        }
    }

    /// Whether it can be made of a customer with that status.
    #[must_use]
    pub fn is_possible(self, status: Option<&str>) -> bool {
        match self {
            Self::Request => status != Some(AnonymizationStatus::Completed.as_str()),
            Self::Cancel => status == Some(AnonymizationStatus::Requested.as_str()),
        }
    }
}

impl AnonymizationStatus {
    /// Returns its name in the stores and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Anonymization {
    /// Iterates over the events of several, each with its customer.
    pub fn events(all: &[Self]) -> impl Iterator<Item = (CustomerId, &OutboxMessage)> {
        all.iter().flat_map(|one| one.events.iter().map(|event| (one.customer, event)))
    }
}

impl DueAnonymization {
    /// Decides what the customer becomes.
    #[must_use]
    pub fn prepare(&self, recorder: &EventRecorder) -> Anonymization {
        let Self { scope, customer, requester } = *self;
        let event = |body| {
            let (id, occurred_at) = (EventId::generate(&*recorder.random), recorder.clock.now());
            Event { id, scope, occurred_at, traceparent: None, locales: Vec::new(), body }
                .sign(&recorder.keys)
        };
        let erased = [EMAIL, PASSWORD, LOCALE, REFERENCE, REFERENCE_ORIGIN, METADATA];
        Anonymization {
            scope,
            customer,
            email: EmailAddress::anonymized(&*recorder.random),
            events: [
                event(EventBody::CustomerAnonymizationStarted { customer }),
                event(EventBody::CustomerAnonymizationCompleted { customer }),
            ],
            audit: AuditEntry {
                id: AuditId::generate(&*recorder.random),
                actor: Actor::Client(requester),
                session: None,
                address: None,
                action: Action::Anonymize,
                attributes: erased.map(|attribute| attribute.name).to_vec(),
            },
        }
    }
}
