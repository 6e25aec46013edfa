//! Suppressed addresses: a mail server refused them permanently, so nothing is sent to them until an operator lifts that.

use async_trait::async_trait;
use time::OffsetDateTime;

use crate::{
    email::EmailAddress,
    error::StoreError,
    events::audit::AuditEntry,
    ids::{EventId, OrganizationId},
    organizations::Slug,
    scope::{Mode, Scope},
};

/// An address that no mail is sent to. It is the address that is suppressed: the customer can get mail at another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// The slug of the organization that sends it no mails.
    pub organization: Slug,
    /// Test or live.
    pub mode: Mode,
    /// The address.
    pub email: EmailAddress,
    /// What the mail server said.
    pub reason: String,
    /// Its reply code, if there was one (RFC 5321 §4.2).
    pub smtp_code: Option<u16>,
    /// The delivery that bounced.
    pub delivery: EventId,
    /// When it was suppressed.
    pub created_at: OffsetDateTime,
}

/// Selects suppressions; without conditions, all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SuppressionFilter {
    /// Of this organization.
    pub organization: Option<OrganizationId>,
    /// In this mode.
    pub mode: Option<Mode>,
}

/// The port to the database for suppressed addresses: for the operator's tool only. The ledger suppresses them.
#[async_trait]
pub trait SuppressionStore: Send + Sync + 'static {
    /// The addresses that no mail is sent to, by organization, mode and address.
    async fn suppressions(&self, filter: SuppressionFilter) -> Result<Vec<Suppression>, StoreError>;

    /// Lets mails go to a suppressed address again, with an audit entry about the delivery that bounced; false when it was not
    /// suppressed.
    async fn lift_suppression(
        &self,
        scope: Scope,
        email: &EmailAddress,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError>;
}
