//! The ports to the database for password resets. One method is one whole business fact, in one transaction.
//!
//! A method takes the scope of what it touches, unless its argument is a capability (a token's or code's digest, a proof that was
//! checked before) that names the scope. The store's clock decides what is expired.

use async_trait::async_trait;
use time::Duration;

use crate::{
    attributes::CommonAttributes,
    error::{CreateError, StoreError},
    events::{audit::AuditEntry, outbox::NewEvent},
    ids::ResetId,
    passwords::PasswordHash,
    resets::{CreatedReset, NewReset, Redeemed, RejectableReset, TokenHolder},
    resources::catalog::Catalog,
    scope::Scope,
    secrets::{AddressDigest, CodeDigest, TokenDigest},
};

/// A reset to create, with the event and the audit entry that belong to it.
#[derive(Debug)]
pub struct ResetRecord<'a> {
    /// The reset.
    pub reset: &'a NewReset,
    /// `customer_password_resets.create`.
    pub event: &'a NewEvent,
    /// The audit entry.
    pub audit: &'a AuditEntry,
}

/// A use of a token: what is written when it can still be used.
#[derive(Debug)]
pub struct Completion<'a> {
    /// The customer of the token.
    pub holder: &'a TokenHolder,
    /// The digest of the customer's address: its counts of wrong passwords end, and its quota counts the notice.
    pub address_digest: AddressDigest,
    /// The token's digest, matched again.
    pub token: &'a TokenDigest,
    /// The new password's hash.
    pub password: &'a PasswordHash,
    /// The attributes that the same call changes, if any.
    pub changes: &'a CommonAttributes,
    /// `customer_password_resets.reset_password`.
    pub event: &'a NewEvent,
    /// The audit entry.
    pub audit: &'a AuditEntry,
}

/// A reset that its customer did not ask for.
#[derive(Debug)]
pub struct ResetRejection<'a> {
    /// The reset, as it was found.
    pub reset: &'a RejectableReset,
    /// The digest of the customer's address.
    pub address_digest: AddressDigest,
    /// How long self-service makes no other reset for that address, less the ordinary cooldown.
    pub delay: Duration,
    /// `customer_password_resets.disavow`.
    pub event: &'a NewEvent,
    /// The audit entry.
    pub audit: &'a AuditEntry,
}

/// Creates, changes and deletes resets.
#[async_trait]
pub trait ResetStore: Send + Sync + 'static {
    /// Creates a reset, its event and its audit entry in **one statement** with the look-up of the customer.
    ///
    /// `None`: an integration client named an unknown address, or the cooldown of the address lasts; nothing is written. While the
    /// account is sent no more mails, a self-service reset is superseded from the start; otherwise it supersedes that address's older
    /// self-service tokens. It is created as a decoy when the address is unknown. The short code is not kept when the account's guesses
    /// are used up. `Taken`: its id.
    async fn create_reset(
        &self,
        scope: Scope,
        record: &ResetRecord<'_>,
    ) -> Result<Option<CreatedReset>, CreateError>;

    /// Changes a reset's attributes; false when there is no such reset. A change of nothing leaves no audit entry.
    async fn update_reset(
        &self,
        scope: Scope,
        id: ResetId,
        changes: &CommonAttributes,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError>;

    /// Deletes a reset, with its event and audit entry; false when there is no such reset.
    async fn delete_reset(
        &self,
        scope: Scope,
        id: ResetId,
        event: &NewEvent,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError>;
}

/// Finds and uses what a mail's links carry.
#[async_trait]
pub trait TokenStore: Send + Sync + 'static {
    /// Returns the customer that the token is for; `None` when it is wrong, used, superseded or expired, all alike. The
    /// digest is the capability: the hosted page has no scope.
    async fn find_token_holder(
        &self,
        reset: ResetId,
        token: &TokenDigest,
    ) -> Result<Option<TokenHolder>, StoreError>;

    /// Uses a token, if it still can be; the customer's address counts as confirmed from then on: consumes the reset, sets the password, ends that customer's other pending tokens
    /// and sessions, zeroes the account's counts of wrong passwords, writes event and audit entry, in one transaction. Of any number of simultaneous calls exactly one
    /// returns true.
    async fn complete_reset(&self, completion: &Completion<'_>) -> Result<bool, StoreError>;

    /// A customer's reset and the state of its token; `None` for decoys. The proof that was checked before, or the id of
    /// the event of its use, is the capability.
    async fn find_rejectable(&self, reset: ResetId) -> Result<Option<RejectableReset>, StoreError>;

    /// Ends a pending reset's token and delays the account's next self-service reset, with event and audit entry, in one
    /// transaction. False when the token can't be used any more; then nothing is written.
    async fn reject_reset(&self, rejection: &ResetRejection<'_>) -> Result<bool, StoreError>;
}

/// Checks short codes.
#[async_trait]
pub trait CodeStore: Send + Sync + 'static {
    /// Guesses a short code at all of these resets (`code` is its digest for each of them, under any of the keys): what the right one
    /// leads to; `None` when it is wrong for all, or theirs can't be used or have none, or their accounts' guesses are used up, all
    /// alike. `scope`, where there is one, must be the resets'.
    ///
    /// It is one guess for each account of these resets, however many resets an account has. The guess is charged before it is
    /// compared, in one statement, so that simultaneous guesses can't be more than the budget. The last one of the budget
    /// removes the codes of all the account's resets, and leaves one of `audits`, which are as many as the resets; a decoy's is a decoy, too.
    async fn redeem_code(
        &self,
        scope: Option<Scope>,
        resets: &[ResetId],
        code: &[CodeDigest],
        audits: &[AuditEntry],
    ) -> Result<Option<Redeemed>, StoreError>;
}

/// All that the use cases of resets need of a database.
pub trait Resets: Catalog + ResetStore + TokenStore + CodeStore {}

impl<T: Catalog + ResetStore + TokenStore + CodeStore> Resets for T {}
