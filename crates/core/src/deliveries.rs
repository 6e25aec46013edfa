//! Deliveries: the mails that events lead to, and their outcomes.

mod attempt;
pub mod ledger;
pub mod log;
mod mail;
mod outcome;
pub mod reports;
pub mod suppression;

use time::{Duration, OffsetDateTime};

pub use self::{
    attempt::{Attempt, AttemptOutcome, CLAIM_RAN_OUT, MAX_ATTEMPTS},
    mail::{MailJob, MailName},
    outcome::{Discarded, Outcome, Reply, Settled, Status},
};
use crate::{email::EmailAddress, locale::Locale, organizations::Organization};

/// How many notices of a kind (a changed password, a changed address) an account is sent in [`NOTICE_WINDOW`]; then one an hour.
pub const NOTICE_BUDGET: u32 = 5;
/// How long the budget of notices lasts, from its first mail on.
pub const NOTICE_WINDOW: Duration = Duration::DAY;
/// How many notices of a kind go to an address whose owner has never used a link that was mailed to it, in
/// [`UNCONFIRMED_NOTICE_WINDOW`], and none beyond: anybody may have signed up with it.
pub const UNCONFIRMED_NOTICE_BUDGET: u32 = 1;
/// How long that is: as long as the counts are kept.
pub const UNCONFIRMED_NOTICE_WINDOW: Duration = Duration::days(7);

/// A claimed mail. Until the lease ends, only its claimer sends it.
#[derive(Debug, Clone)]
pub struct ClaimedDelivery {
    /// The recipient.
    pub recipient: Recipient,
    /// The shop.
    pub organization: Organization,
    /// The expiry of the link in it; none for mails without a link.
    pub expiry: Option<Expiry>,
    /// How old the mail's event is.
    pub age: Duration,
    /// Whether the reset's short code, if it was made with one, works.
    pub has_code: bool,
    /// Which claim this is, from 1. It names the claim when it is settled: each has another number.
    pub claim: u32,
    /// Which attempt this is, from 1. Claims that were held are none.
    pub attempt: u32,
    /// Whether an earlier attempt ended without a result, so that the mail may have been handed over before: SMTP can't rule that
    /// out. Such attempts are counted.
    pub in_doubt: bool,
}

/// The expiry of a link. Both values come from the database: a mailer's clock may differ from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiry {
    /// When the link stops working.
    pub at: OffsetDateTime,
    /// How long that is from the claim.
    pub remaining: Duration,
}

/// The recipient of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// A customer.
    Customer {
        /// The stored address, never a typed one: the one that the event names, if it names one.
        email: EmailAddress,
        /// The language that the customer reads, if known.
        locale: Option<Locale>,
    },
    /// An address without a customer, which gets [`MailName::NoAccount`]. It is only in the event.
    Unknown,
}

impl Recipient {
    /// Returns the customer's address.
    #[must_use]
    pub fn email(&self) -> Option<&EmailAddress> {
        match self {
            Self::Customer { email, .. } => Some(email),
            Self::Unknown => None,
        }
    }

    /// Returns the language that the customer reads, if known.
    #[must_use]
    pub fn locale(&self) -> Option<&Locale> {
        match self {
            Self::Customer { locale, .. } => locale.as_ref(),
            Self::Unknown => None,
        }
    }
}
