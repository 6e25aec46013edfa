//! Deliveries: what became of the mail that an event leads to.

pub mod ledger;
mod outcome;
pub mod suppression;

use time::OffsetDateTime;

pub use self::outcome::{Discarded, Outcome, Reply, Settled, Status};
use crate::{
    email::EmailAddress,
    events::EventName,
    ids::{CustomerId, EventId, ResetId},
    locale::Locale,
    organizations::Organization,
    scope::Scope,
};

/// A mail that is due. Its id is its event's: one event, one mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailJob {
    /// The event that asks for it.
    pub event: EventId,
    /// Whose data it is about.
    pub scope: Scope,
    /// Which mail.
    pub kind: MailKind,
    /// Whether the organization answers who asked for a reset for an address that no customer has. If not, such a mail
    /// is discarded.
    pub answer_unknown: bool,
}

/// The mails that events ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailKind {
    /// The link to set a new password. Sent only while the reset can be used.
    ResetRequested(ResetId),
    /// Word that the password was changed. Sent whatever became of the reset.
    PasswordChanged {
        /// Whose it is.
        customer: CustomerId,
        /// The reset by which it was changed, if it was one.
        reset: Option<ResetId>,
    },
}

/// The mails there are, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum MailName {
    /// The link to set a new password.
    ResetRequested,
    /// Word that the password was changed.
    PasswordChanged,
    /// Word that no customer has the address that a reset was asked for.
    NoAccount,
}

/// A mail that its claimer, and nobody else until the lease ends, is to send now.
#[derive(Debug, Clone)]
pub struct ClaimedDelivery {
    /// To whom.
    pub recipient: Recipient,
    /// For which shop.
    pub organization: Organization,
    /// When the link in it stops working; none for mails without a link.
    pub expires_at: Option<OffsetDateTime>,
    /// Whether the reset's short code, if it was made with one, works.
    pub has_code: bool,
    /// Which attempt this is, from 1. It names the claim when it is settled.
    pub attempt: u32,
    /// Whether an earlier attempt ended without a word, so that the mail may have been handed over before: the one window
    /// that SMTP leaves open. Such attempts are counted.
    pub in_doubt: bool,
}

/// Whom a mail goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// A customer.
    Customer {
        /// The stored address, never a typed one.
        email: EmailAddress,
        /// The language that the customer reads, if known.
        locale: Option<Locale>,
    },
    /// Nobody's address was typed, and the job said to answer it ([`MailName::NoAccount`]): only the event knows it.
    Unknown,
}

impl MailKind {
    /// Which mail it is, as long as its customer is known.
    #[must_use]
    pub fn name(&self) -> MailName {
        match self {
            Self::ResetRequested(_) => MailName::ResetRequested,
            Self::PasswordChanged { .. } => MailName::PasswordChanged,
        }
    }
}

impl MailName {
    /// The mail that such an event leads to, if any. Its delivery is written with the event.
    #[must_use]
    pub fn of(event: EventName) -> Option<Self> {
        match event {
            EventName::ResetCreate => Some(Self::ResetRequested),
            EventName::ResetPassword | EventName::CustomerCreatePassword => Some(Self::PasswordChanged),
            EventName::ResetDestroy
            | EventName::ResetDisavow
            | EventName::CustomerCreate
            | EventName::CustomerDestroy => None,
        }
    }

    /// The name in the stores and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Recipient {
    /// The customer's address.
    #[must_use]
    pub fn email(&self) -> Option<&EmailAddress> {
        match self {
            Self::Customer { email, .. } => Some(email),
            Self::Unknown => None,
        }
    }

    /// The language that the customer reads, if known.
    #[must_use]
    pub fn locale(&self) -> Option<&Locale> {
        match self {
            Self::Customer { locale, .. } => locale.as_ref(),
            Self::Unknown => None,
        }
    }
}
