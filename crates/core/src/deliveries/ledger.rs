//! The mailer's port to its delivery ledger, which makes the consumer idempotent: one event, one mail.

use async_trait::async_trait;
use time::Duration;

use crate::{
    deliveries::{ClaimedDelivery, Discarded, MailJob, Outcome},
    error::StoreError,
    ids::EventId,
};

/// The delivery ledger. It has one row for each event that leads to a mail: its claim and its outcome.
#[async_trait]
pub trait Ledger: Send + Sync + 'static {
    /// Claims a mail for `lease`, and checks in the same transaction whether it is still wanted.
    ///
    /// At most one caller is granted the claim until the lease ends or the claim is settled as deferred. The row was written with the
    /// event; the first claim creates a missing one. A mail that is not wanted any more, or that would go
    /// to a suppressed address, is recorded as such. A mail of an account
    /// that was sent as many as its quota allows, those on their way included, is suppressed; one that was not sent after all is not
    /// counted.
    ///
    /// A claim that ended without being settled is recorded as an attempt in doubt.
    ///
    /// The quota of notices is that of their address at the time of the event: see [`NOTICE_BUDGET`](crate::deliveries::NOTICE_BUDGET).
    async fn claim(&self, job: &MailJob, lease: Duration) -> Result<Claim, StoreError>;

    /// Records the outcome of the claim with this number, and in the same transaction its [`Attempt`](crate::deliveries::Attempt), of which
    /// [`MAX_ATTEMPTS`](crate::deliveries::MAX_ATTEMPTS) are kept, and the address to suppress, if any. A claim that was
    /// taken over meanwhile is left unchanged, except that `Sent` always counts, unless a bounce of the mail was reported since.
    /// Returns whether the outcome was recorded. A final outcome erases the event's payload, except that a failed mail
    /// keeps it: an operator may have it sent again.
    async fn settle(&self, event: EventId, claim: u32, outcome: &Outcome) -> Result<bool, StoreError>;

    /// Fails the mail of an event whose message was rejected, if that mail waits and `payload` is the event's, byte for byte: so nobody fails
    /// another's mail by a message with its id. A claim that is not settled is ended, in doubt. The event's payload is kept, for an
    /// operator to have the mail sent again. Returns whether a mail was failed.
    async fn reject(&self, event: EventId, payload: &[u8], reason: &str) -> Result<bool, StoreError>;

    /// Makes the events of overdue mails due again in the outbox, at most `max`, the oldest first; returns how many. A mail is overdue when
    /// its next attempt should have started [`REPUBLISH_AFTER`](crate::events::outbox::REPUBLISH_AFTER) ago, and its event was not published
    /// for as long, or twice, four times, … as long after repetitions.
    async fn republish_overdue(&self, max: u32) -> Result<u64, StoreError>;
}

/// The result of [`Ledger::claim`].
#[derive(Debug, Clone)]
pub enum Claim {
    /// Send it.
    Granted(Box<ClaimedDelivery>),
    /// It is settled finally: sent, bounced, suppressed, expired or failed earlier.
    Settled,
    /// Another mailer has it; ask again after this time.
    Busy(Duration),
    /// It is not to be sent; that is now recorded.
    Discarded(Discarded),
}
