//! Suppressed addresses: a mail server refused one for good, so that nothing is sent to it until an operator lifts that.

use time::OffsetDateTime;

use crate::{
    email::EmailAddress,
    ids::{EventId, OrganizationId},
    organizations::Slug,
    scope::Mode,
};

/// An address that no mail is sent to. It is suppressed, not its customer: another address of the customer's is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// Whose mails: an organization's slug.
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
    /// Since when.
    pub created_at: OffsetDateTime,
}

/// Which suppressions are asked for: all of them, unless it says otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SuppressionFilter {
    /// Of this organization.
    pub organization: Option<OrganizationId>,
    /// In this mode.
    pub mode: Option<Mode>,
}
