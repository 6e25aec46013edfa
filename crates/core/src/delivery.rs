//! Deliveries: what became of the mail that an event leads to.

use time::OffsetDateTime;

use crate::{
    access::Scope,
    email::EmailAddress,
    ids::{CustomerId, EventId, ResetId},
    organization::Organization,
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
}

/// The mails that are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailKind {
    /// The link to set a new password. Sent only while the reset can be used.
    ResetRequested(ResetId),
    /// Word that the password was changed. Sent whatever became of the reset.
    PasswordChanged(CustomerId),
}

impl MailKind {
    /// The kind's name in the stores.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::ResetRequested(_) => "reset_requested",
            Self::PasswordChanged(_) => "password_changed",
        }
    }
}

/// A mail that its claimer, and nobody else until the lease ends, is to send now.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// To whom: the stored address, never a typed one.
    pub recipient: EmailAddress,
    /// For which shop.
    pub organization: Organization,
    /// When the link in it stops working; none for mails without a link.
    pub expires_at: Option<OffsetDateTime>,
    /// Whether the reset's short code, if it was made with one, works.
    pub has_code: bool,
    /// Which attempt this is, from 1. It names the claim when it is settled.
    pub attempt: u32,
    /// Whether an earlier claim ran out unsettled, so that the mail may have been handed over before: the one window
    /// that SMTP leaves open. Such deliveries are counted.
    pub in_doubt: bool,
}

/// What became of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The next server took it (SMTP 250), with its reply.
    Sent {
        /// The server's reply, cut to 512 characters.
        response: String,
    },
    /// It was not taken now; a later attempt may succeed.
    Deferred {
        /// Why.
        reason: String,
    },
    /// It was refused for good (SMTP 5xx to this recipient or message).
    Bounced {
        /// Why.
        reason: String,
    },
    /// It will not be sent, for a reason of ours.
    Failed {
        /// Why.
        reason: String,
    },
}

/// Why a mail that was asked for is not sent at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Discarded {
    /// Nobody has the address that was typed.
    Decoy,
    /// The reset is used, superseded, expired or deleted.
    Stale,
    /// The customer is gone.
    NoCustomer,
}

impl Discarded {
    /// The reason's name in the stores.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Decoy => "decoy",
            Self::Stale => "stale",
            Self::NoCustomer => "no_customer",
        }
    }

    /// Reads [`Discarded::as_str`]'s form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Decoy, Self::Stale, Self::NoCustomer].into_iter().find(|reason| reason.as_str() == text)
    }
}
