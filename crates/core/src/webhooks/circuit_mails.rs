//! The mailer's port to the circuits that opened: each opening leads to one mail to the organization.

use async_trait::async_trait;
use time::{Duration, OffsetDateTime};

use super::CallbackUrl;
use crate::{error::StoreError, events::EventName, ids::WebhookId, organizations::Slug, scope::Scope};

/// A webhook with an open circuit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCircuit {
    /// The webhook.
    pub webhook: WebhookId,
    /// Its scope.
    pub scope: Scope,
    /// Its organization's slug.
    pub slug: Slug,
    /// Its name, which a caller chose.
    pub name: String,
    /// The events that it is sent.
    pub topic: EventName,
    /// Where it receives.
    pub callback_url: CallbackUrl,
    /// How many attempts failed in a row.
    pub failure_count: u32,
    /// When the circuit opened.
    pub opened_at: OffsetDateTime,
    /// What the attempt that opened it led to: the answer's status, or why there was no answer.
    pub cause: String,
}

/// The mails about circuits that opened. The statement that opens a circuit makes its mail due; one that was reset before leads to none.
#[async_trait]
pub trait CircuitMails: Send + Sync + 'static {
    /// Claims the mail that has been due longest, for `lease`; nobody else gets it until that ends. None about a webhook that is disabled: nobody
    /// misses its events.
    async fn claim_circuit_mail(&self, lease: Duration) -> Result<Option<OpenCircuit>, StoreError>;

    /// Records what follows a claim: another attempt after this time, or nothing. The wait is longer the longer ago the circuit opened, at least
    /// half of that time. What was settled stays so, and a circuit that was reset and opened again meanwhile keeps the mail of its new opening.
    async fn settle_circuit_mail(
        &self,
        webhook: WebhookId,
        opened_at: OffsetDateTime,
        retry_after: Option<Duration>,
    ) -> Result<(), StoreError>;
}
