use time::OffsetDateTime;

use super::{DeliveryLog, LinkState, LoggedDelivery};
use crate::{
    deliveries::Status,
    error::StoreError,
    events::audit::{Action, AuditEntry},
    ids::EventId,
    operators::OperatorName,
    random::RandomSource,
};

/// Why a mail was not made due again.
#[derive(Debug, thiserror::Error)]
pub enum ResendError {
    /// There is no such delivery.
    #[error("no delivery has the id {0}")]
    Unknown(EventId),
    /// It can't be sent again.
    #[error("the mail {0} is not sent again: {1}")]
    NotResendable(EventId, NotResendable),
    /// Its state has changed since it was read.
    #[error("the mail {0} has changed meanwhile: look at it again")]
    Changed(EventId),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a mail is not sent again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotResendable {
    /// A relay has accepted it.
    #[error("a relay has accepted it: if it did not arrive, look for it in the relay's log")]
    Sent,
    /// The address does not exist.
    #[error("the mail server knows no such address ({0}): correct the address, then request a new reset")]
    Bounced(String),
    /// It was held back.
    #[error("it was held back ({0}): remove the cause, then request a new reset")]
    Suppressed(String),
    /// It is of no use any more.
    #[error("it is of no use any more ({0}): request a new reset")]
    Expired(String),
    /// Its reset can't be used.
    #[error("its link can't be used any more (reset {0}): request a new reset")]
    Link(&'static str),
    /// It is too old.
    #[error("it is older than {0} hours, when its news is of no use")]
    TooOld(i64),
    /// It is for an address without a customer, and was discarded.
    #[error("no customer has its address")]
    Discarded,
    /// It is for an address without a customer.
    #[error("no customer has its address")]
    NoCustomer,
    /// A mailer works on it.
    #[error("a mailer has it until {0}: wait for the result")]
    Claimed(OffsetDateTime),
    /// Its event can't be published again.
    #[error("its event is no longer kept: request a new reset")]
    NoEvent,
}

impl dyn DeliveryLog {
    /// Makes a mail due again: its event is published, and a mailer attempts it.
    ///
    /// # Errors
    /// See [`ResendError`].
    pub async fn resend(
        &self,
        id: EventId,
        operator: Option<OperatorName>,
        random: &dyn RandomSource,
    ) -> Result<(), ResendError> {
        let life = self.delivery_life(id).await?.ok_or(ResendError::Unknown(id))?;
        if let Some(reason) = life.delivery.not_resendable() {
            return Err(ResendError::NotResendable(id, reason));
        }
        let audit = AuditEntry::by_named_operator(operator, Action::Resend, random);
        let is_revived = self.revive_delivery(life.delivery.scope, id, true, &audit).await?;
        if is_revived { Ok(()) } else { Err(ResendError::Changed(id)) }
    }
}

impl LoggedDelivery {
    /// Returns why the mail can't be sent again, if it can't.
    #[must_use]
    pub fn not_resendable(&self) -> Option<NotResendable> {
        let detail = || self.detail.clone().unwrap_or_default();
        let by_status = match self.status {
            Status::Sent => Some(NotResendable::Sent),
            Status::Bounced => Some(NotResendable::Bounced(detail())),
            Status::Suppressed => Some(NotResendable::Suppressed(detail())),
            Status::Expired => Some(NotResendable::Expired(detail())),
            Status::Discarded => Some(NotResendable::Discarded),
            Status::Queued | Status::Deferred | Status::Failed => None,
        };
        by_status.or_else(|| self.not_due())
    }

    /// Returns why a dead letter of the mail can't be given back to the mailer, if it can't. The message is all that is needed, and mails to
    /// addresses without a customer have theirs.
    #[must_use]
    pub fn not_replayable(&self) -> Option<NotResendable> {
        let is_needless =
            |reason: &NotResendable| matches!(reason, NotResendable::NoCustomer | NotResendable::NoEvent);
        self.not_resendable().filter(|reason| !is_needless(reason))
    }

    /// Returns why a mail whose status does not rule it out can't be sent again.
    fn not_due(&self) -> Option<NotResendable> {
        let age = self.read_at - self.created_at;
        let too_old = self.mail.max_age().filter(|max_age| age > *max_age);
        let claimed = self.leased_until.filter(|until| *until > self.read_at);
        if let Some(link) = self.link.filter(|link| *link != LinkState::Pending) {
            Some(NotResendable::Link(link.into()))
        } else if let Some(max_age) = too_old {
            Some(NotResendable::TooOld(max_age.whole_hours()))
        } else if let Some(until) = claimed {
            Some(NotResendable::Claimed(until))
        } else if self.customer.is_none() {
            Some(NotResendable::NoCustomer)
        } else if self.event.as_ref().is_none_or(|event| !event.has_payload) {
            Some(NotResendable::NoEvent)
        } else {
            None
        }
    }
}
