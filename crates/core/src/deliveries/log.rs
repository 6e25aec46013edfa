//! What operators see of deliveries: lists, the life of one mail, mails that wait; and sending a mail again.

mod advice;
mod resend;
mod timeline;

use async_trait::async_trait;
use time::{Duration, OffsetDateTime};

use super::{Attempt, MailName, Reply, Status, reports::LoggedReport};
use crate::{
    email::EmailAddress,
    error::StoreError,
    events::audit::AuditEntry,
    ids::{CustomerId, EventId, OrganizationId, ResetId},
    organizations::Slug,
    scope::{Mode, Scope},
};

pub use self::{
    advice::Advice,
    resend::{NotResendable, ResendError},
    timeline::{Step, StepName},
};

/// Selects deliveries; without conditions, all of them.
#[derive(Debug, Clone, Default)]
pub struct DeliveryFilter {
    /// Of this organization.
    pub organization: Option<OrganizationId>,
    /// In this mode.
    pub mode: Option<Mode>,
    /// Of the customer who has this address now.
    pub address: Option<EmailAddress>,
    /// Of this reset.
    pub reset: Option<ResetId>,
    /// In this status.
    pub status: Option<Status>,
    /// Made at least this long ago.
    pub min_age: Option<Duration>,
    /// Made at most this long ago.
    pub max_age: Option<Duration>,
}

/// A delivery and the state of its event, as operators see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedDelivery {
    /// Its id, and its event's.
    pub id: EventId,
    /// The scope of the data.
    pub scope: Scope,
    /// The organization's slug.
    pub organization: Slug,
    /// Which mail.
    pub mail: MailName,
    /// The customer; unknown for an address without one.
    pub customer: Option<CustomerId>,
    /// The reset that it is about, if any.
    pub reset: Option<ResetId>,
    /// Whether the reset's link can be used, for a mail that has it.
    pub link: Option<LinkState>,
    /// Its status.
    pub status: Status,
    /// How many attempts there were.
    pub attempts: u32,
    /// How many of them may have sent the mail all the same.
    pub in_doubt: u32,
    /// The mail server's last reply.
    pub reply: Option<Reply>,
    /// The text of that reply, or the reason.
    pub detail: Option<String>,
    /// The relay that accepted it.
    pub relay: Option<String>,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// When its status was last changed.
    pub updated_at: OffsetDateTime,
    /// When a relay accepted it.
    pub sent_at: Option<OffsetDateTime>,
    /// When the next attempt is due.
    pub next_attempt_at: Option<OffsetDateTime>,
    /// When the last claim was made.
    pub claimed_at: Option<OffsetDateTime>,
    /// Until when that claim holds, if it has not been settled.
    pub leased_until: Option<OffsetDateTime>,
    /// Its event, unless it was deleted.
    pub event: Option<EventState>,
    /// The database's time.
    pub read_at: OffsetDateTime,
}

/// Whether a reset's link can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum LinkState {
    /// It can.
    Pending,
    /// It was used.
    Used,
    /// Another one replaced it.
    Superseded,
    /// It has expired.
    Expired,
    /// Its reset was deleted.
    Deleted,
}

/// The state of an event in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventState {
    /// When the broker last confirmed it. `None`: it waits to be published, for the first time or again.
    pub published_at: Option<OffsetDateTime>,
    /// Whether it was published before.
    pub is_repeated: bool,
    /// Why it was moved to the dead letters, in the embedded mode.
    pub dead_reason: Option<String>,
    /// Whether it can be published again: its payload is still kept.
    pub has_payload: bool,
}

/// The whole life of one mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryLife {
    /// The delivery.
    pub delivery: LoggedDelivery,
    /// The attempts that have ended, in their order.
    pub attempts: Vec<Attempt>,
    /// The reports on it that came later.
    pub reports: Vec<LoggedReport>,
    /// What operators did with it, and when: the actions of the audit log, with the names of those who have one.
    pub actions: Vec<(OffsetDateTime, String)>,
}

/// The port to the database for the operator's look at deliveries.
#[async_trait]
pub trait DeliveryLog: Send + Sync + 'static {
    /// The deliveries that a filter selects, newest first, at most `limit`.
    async fn deliveries(
        &self,
        filter: &DeliveryFilter,
        limit: u32,
    ) -> Result<Vec<LoggedDelivery>, StoreError>;

    /// The life of one mail.
    async fn delivery_life(&self, id: EventId) -> Result<Option<DeliveryLife>, StoreError>;

    /// The mails that have waited for at least `age`, the oldest first, at most `limit`.
    async fn waiting_deliveries(&self, age: Duration, limit: u32) -> Result<Vec<LoggedDelivery>, StoreError>;

    /// Makes a mail that is queued, deferred or failed, and that no mailer has, due again, with an audit entry about its delivery. With
    /// `publish` its event is published again, for which its payload must still be there. False when there is no such mail in that scope.
    async fn revive_delivery(
        &self,
        scope: Scope,
        id: EventId,
        publish: bool,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError>;

    /// Returns whether these bytes are the event with that id; `None` when the event is unknown, or no longer kept.
    async fn is_event(&self, id: EventId, payload: &[u8]) -> Result<Option<bool>, StoreError>;

    /// Writes an audit entry about an event whose dead letter an operator handles. False when the event is unknown. Decoys have none.
    async fn record_dead_letter(&self, id: EventId, audit: &AuditEntry) -> Result<bool, StoreError>;
}

#[cfg(test)]
mod tests;
