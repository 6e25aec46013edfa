//! Deliveries: what became of the mail that an event leads to.

pub mod ledger;
mod mail;
mod outcome;
pub mod suppression;

use time::OffsetDateTime;

pub use self::{
    mail::{MailJob, MailName},
    outcome::{Discarded, Outcome, Reply, Settled, Status},
};
use crate::{email::EmailAddress, locale::Locale, organizations::Organization};

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
    /// An address without a customer, which is to be answered by [`MailName::NoAccount`]: only the event knows it.
    Unknown,
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
