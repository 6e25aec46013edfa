//! Changes of customers' addresses: how they are limited, undone, and refused to others meanwhile.
//!
//! Whoever has stolen a session could move the account to an address of its own. So the old address gets a mail with a token that undoes
//! the change, and nobody else gets that address while the token can be used. A second change leaves the first token as it is; a
//! restored address ends the tokens of later changes.

use async_trait::async_trait;
use time::Duration;

use crate::{
    email::EmailAddress,
    error::StoreError,
    events::{audit::AuditEntry, outbox::NewEvent},
    ids::{CustomerId, EmailChangeId},
    organizations::Organization,
    resets::store::ResetRecord,
    scope::Scope,
    secrets::UndoTokenDigest,
};

/// How long a change can be undone: as long as people are away from their mail for a holiday, at least in part.
pub const EMAIL_UNDO_TTL: Duration = Duration::days(7);

/// Another address for a customer.
#[derive(Debug, Clone)]
pub struct EmailChange {
    /// The id under which it can be undone.
    pub id: EmailChangeId,
    /// The address before. Nothing is changed when the customer has another by now.
    pub old: EmailAddress,
    /// The new address.
    pub new: EmailAddress,
    /// The digest of the token that restores the old address.
    pub undo_token: UndoTokenDigest,
    /// How long the token can be used, by the store's clock.
    pub undo_ttl: Duration,
}

/// How often a customer may try to change its own address. The answer shows whether another customer has an address.
#[derive(Debug, Clone, Copy)]
pub struct EmailTries {
    /// Tries in a window, whether or not the address is taken.
    pub budget: u32,
    /// How long a window lasts, from its first try on.
    pub window: Duration,
}

/// A change that was made, as the holder of its token finds it.
#[derive(Debug, Clone)]
pub struct RecordedEmailChange {
    /// The change.
    pub id: EmailChangeId,
    /// The customer's scope.
    pub scope: Scope,
    /// Its organization.
    pub organization: Organization,
    /// The customer.
    pub customer: CustomerId,
    /// The address before the change.
    pub old: EmailAddress,
    /// The address that the customer has now, which need not be the one of this change.
    pub current: EmailAddress,
    /// Whether the change can be undone.
    pub state: UndoState,
}

/// The state of a change's token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UndoState {
    /// It can be used.
    Pending,
    /// It has restored the address.
    Undone,
    /// It is expired, or the address of an earlier change was restored.
    Dead,
}

/// A use of a change's token. The old address becomes the customer's again, the password and all sessions end, and so do the pending
/// resets; the old address gets a new one.
#[derive(Debug)]
pub struct EmailUndo<'a> {
    /// The change, as it was found.
    pub change: &'a RecordedEmailChange,
    /// The token's digest, matched again.
    pub token: &'a UndoTokenDigest,
    /// `customers.restore_email`.
    pub event: &'a NewEvent,
    /// The customer's audit entry.
    pub audit: &'a AuditEntry,
    /// The reset for the old address; it has no quota.
    pub reset: ResetRecord<'a>,
}

/// The port to the database for changes of addresses. Each method is one business fact in one transaction.
#[async_trait]
pub trait EmailChangeStore: Send + Sync + 'static {
    /// Counts a try of the customer to change its own address, whatever becomes of it. Returns how long it has to wait when its tries are
    /// used up; of simultaneous calls, each counts. The first one that has to wait leaves the audit entry. Counts nothing when there is no
    /// such customer.
    async fn count_email_try(
        &self,
        scope: Scope,
        id: CustomerId,
        limit: EmailTries,
        audit: &AuditEntry,
    ) -> Result<Option<Duration>, StoreError>;

    /// Returns the change that the token is for, with its state; `None` for a wrong token. The digest is the capability: the hosted page
    /// has no scope.
    async fn find_email_change(
        &self,
        id: EmailChangeId,
        token: &UndoTokenDigest,
    ) -> Result<Option<RecordedEmailChange>, StoreError>;

    /// Undoes a change. False when the token can't be used any more, or the customer's address is another than the one found with it;
    /// then nothing is written. Of any number of simultaneous calls exactly one returns true.
    async fn undo_email_change(&self, undo: &EmailUndo<'_>) -> Result<bool, StoreError>;
}
