//! The mailer's port to its delivery ledger, which makes the consumer idempotent: one event, one mail.

use async_trait::async_trait;
use time::Duration;

use crate::{
    deliveries::{ClaimedDelivery, Discarded, MailJob, Outcome},
    error::StoreError,
    ids::EventId,
};

/// The delivery ledger. One row an event: who may send it now, and what became of it.
#[async_trait]
pub trait Ledger: Send + Sync + 'static {
    /// Claims a mail for `lease`, in one transaction with the look at whether it is still wanted.
    ///
    /// Of any number of callers at most one is granted it until the lease ends or the claim is settled as deferred.
    /// The row was written with the event; the first claim makes one that is missing. A mail that is not wanted (any more), or
    /// whose recipient's address is suppressed, is recorded as such.
    async fn claim(&self, job: &MailJob, lease: Duration) -> Result<Claim, StoreError>;

    /// Records what became of the claim `attempt`. A claim that was taken over meanwhile is left alone, except that
    /// `Sent` always counts. After `Held` the next claim has the same number again. Returns whether it was recorded. An address to
    /// suppress is written in the same transaction.
    async fn settle(&self, event: EventId, attempt: u32, outcome: &Outcome) -> Result<bool, StoreError>;
}

/// The answer to [`Ledger::claim`].
#[derive(Debug, Clone)]
pub enum Claim {
    /// Send it.
    Granted(Box<ClaimedDelivery>),
    /// It is settled for good: sent, bounced, suppressed, expired or failed earlier.
    Settled,
    /// Another mailer has it; ask again after this time.
    Busy(Duration),
    /// It is not to be sent; that is now recorded.
    Discarded(Discarded),
}
