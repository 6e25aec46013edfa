//! The API's port to its database. One method is one whole business fact, in one transaction.
//!
//! Every method that touches an organization's data takes its scope; there is no unscoped read but by a capability (a
//! token's digest, a client id) that names the scope itself. Times are the store's: its clock decides what is expired.

use async_trait::async_trait;
use time::{Duration, OffsetDateTime};

use crate::{
    clients::{ApiClient, RegisteredClient},
    customers::{Credentials, CustomerChange, NewCustomer},
    deliveries::suppression::{Suppression, SuppressionFilter},
    email::EmailAddress,
    error::{CreateError, StoreError},
    events::{audit::AuditEntry, outbox::OutboxMessage},
    ids::{CustomerId, ResetId},
    organizations::{NewOrganization, Organization},
    passwords::PasswordHash,
    resets::{CreatedReset, NewReset, Redeemed, RejectableReset, ResetQuota, TokenHolder},
    resources::{
        catalog::Catalog,
        record::{Changes, Record},
    },
    scope::Scope,
    secrets::{CodeDigest, TokenDigest},
};

/// A reset to create, with the event and the audit entry that belong to it.
#[derive(Debug)]
pub struct ResetRecord<'a> {
    /// The reset.
    pub reset: &'a NewReset,
    /// `customer_password_resets.create`.
    pub event: &'a OutboxMessage,
    /// The audit entry.
    pub audit: &'a AuditEntry,
}

/// A use of a token: what is written when it is still good.
#[derive(Debug)]
pub struct Completion<'a> {
    /// Whom the token speaks for.
    pub holder: &'a TokenHolder,
    /// The token's digest, matched again.
    pub token: &'a TokenDigest,
    /// The new password's hash.
    pub password: &'a PasswordHash,
    /// The plain attributes that the same call changes, if any.
    pub changes: &'a Changes,
    /// `customer_password_resets.reset_password`.
    pub event: &'a OutboxMessage,
    /// The audit entry.
    pub audit: &'a AuditEntry,
}

/// A reset that its customer says somebody else asked for.
#[derive(Debug)]
pub struct ResetRejection<'a> {
    /// The reset, as it was found.
    pub of: &'a RejectableReset,
    /// How long self-service makes no other for its account.
    pub cooldown: Duration,
    /// The account's allowance, whose cooldown this one replaces.
    pub quota: ResetQuota,
    /// `customer_password_resets.disavow`.
    pub event: &'a OutboxMessage,
    /// The audit entry.
    pub audit: &'a AuditEntry,
}

/// The API's store. What it only reads is the [`Catalog`]'s.
#[async_trait]
pub trait Store: Catalog {
    /// Whether the store answers, for the readiness check.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Creates an organization. `Taken`: the slug.
    async fn create_organization(&self, organization: &NewOrganization) -> Result<Organization, CreateError>;

    /// All organizations, by slug: for the operator's tool only.
    async fn organizations(&self) -> Result<Vec<Organization>, StoreError>;

    /// Registers an API client; `created_at` and `revoked_at` of the argument are ignored. `Taken`: its id or client id.
    async fn create_api_client(&self, client: &ApiClient) -> Result<ApiClient, CreateError>;

    /// All API clients with their organizations, oldest first: for the operator's tool only.
    async fn api_clients(&self) -> Result<Vec<RegisteredClient>, StoreError>;

    /// The client with that OAuth `client_id`, revoked or not.
    async fn find_api_client(&self, client_id: &str) -> Result<Option<RegisteredClient>, StoreError>;

    /// Revokes a client; false when there is none, true also when it was revoked before.
    async fn revoke_api_client(&self, client_id: &str) -> Result<bool, StoreError>;

    /// The addresses that no mail is sent to, by organization, mode and address: for the operator's tool only.
    async fn suppressions(&self, filter: SuppressionFilter) -> Result<Vec<Suppression>, StoreError>;

    /// Lets mails go to a suppressed address again, with an audit entry about the delivery that bounced; false when it was not
    /// suppressed.
    async fn lift_suppression(
        &self,
        scope: Scope,
        email: &EmailAddress,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError>;

    /// Creates a customer, its event and its audit entry. `Taken`: the address, in this scope, or its id.
    async fn create_customer(
        &self,
        scope: Scope,
        customer: &NewCustomer,
        event: &OutboxMessage,
        audit: &AuditEntry,
    ) -> Result<Record, CreateError>;

    /// Changes a customer, with its audit entry and its event if any; `None` when there is no such customer. An empty change
    /// returns it as it is. Another address or password makes its pending tokens die, another password ends its sessions.
    /// `Taken`: the address, in this scope.
    async fn update_customer(
        &self,
        scope: Scope,
        id: CustomerId,
        change: &CustomerChange,
        event: Option<&OutboxMessage>,
        audit: &AuditEntry,
    ) -> Result<Option<Record>, CreateError>;

    /// Deletes a customer with its password, sessions and resets, and what suppresses its address, leaving an event and an audit
    /// entry; false when there is no such customer.
    async fn delete_customer(
        &self,
        scope: Scope,
        id: CustomerId,
        event: &OutboxMessage,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError>;

    /// What a log-in with that address is checked against.
    async fn find_credentials(
        &self,
        scope: Scope,
        email: &EmailAddress,
    ) -> Result<Option<Credentials>, StoreError>;

    /// Replaces a password's hash by another of the same password; does nothing when `old` is not the current one.
    async fn rehash_password(
        &self,
        scope: Scope,
        customer: CustomerId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<(), StoreError>;

    /// Creates a reset, its event and its audit entry in **one statement** with the look-up of the customer.
    ///
    /// `None`: an integration client named an unknown address, or the account's self-service allowance is used up; nothing is
    /// written. Its short code is not kept when the account's guesses are used up. A self-service reset is created as a decoy when the address is unknown, and makes that customer's older
    /// self-service tokens die. `Taken`: its id.
    async fn create_reset(
        &self,
        scope: Scope,
        record: &ResetRecord<'_>,
    ) -> Result<Option<CreatedReset>, CreateError>;

    /// Changes a reset's plain attributes; `None` when there is no such reset. An empty change returns it as it is.
    async fn update_reset(
        &self,
        scope: Scope,
        id: ResetId,
        changes: &Changes,
        audit: &AuditEntry,
    ) -> Result<Option<Record>, StoreError>;

    /// Deletes a reset, with its event and audit entry; false when there is no such reset.
    async fn delete_reset(
        &self,
        scope: Scope,
        id: ResetId,
        event: &OutboxMessage,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError>;

    /// Whom that token of that reset speaks for; `None` when it is wrong, used, superseded or expired by the store's clock,
    /// all alike. The digest is the capability, so no scope is needed: the hosted page has none.
    async fn find_token_holder(
        &self,
        reset: ResetId,
        token: &TokenDigest,
    ) -> Result<Option<TokenHolder>, StoreError>;

    /// Guesses a short code at all of these resets (`code` is its digest for each of them, under any of the keys): what the right one
    /// leads to; `None` when it is wrong for all, or theirs can't be used or have none, or their accounts' guesses are used up, all
    /// alike. `scope`, where there is one, must be the resets'.
    ///
    /// It is one guess of each account that the resets are of, however many of them are one account's, charged before it is
    /// compared, in one statement, so that simultaneous guesses can't be more than the budget. The last one of the budget kills the
    /// codes of all the account's resets.
    async fn redeem_code(
        &self,
        scope: Option<Scope>,
        resets: &[ResetId],
        code: &[CodeDigest],
    ) -> Result<Option<Redeemed>, StoreError>;

    /// Uses a token, if it still can be: consumes the reset, sets the password, kills that customer's other pending tokens
    /// and sessions, writes event and audit entry, in one transaction. Of any number of simultaneous calls exactly one
    /// gets the reset; the others get `None`.
    async fn complete_reset(&self, completion: &Completion<'_>) -> Result<Option<Record>, StoreError>;

    /// A customer's reset and what has become of it, for who proves to have its mail; `None` for decoys. The proof, checked
    /// before, is the capability, so no scope is needed.
    async fn find_rejectable(&self, reset: ResetId) -> Result<Option<RejectableReset>, StoreError>;

    /// Kills a pending reset's token and holds up the account's next self-service reset, with event and audit entry, in one
    /// transaction. False when the token can't be used any more; then nothing is written.
    async fn reject_reset(&self, disavowal: &ResetRejection<'_>) -> Result<bool, StoreError>;

    /// The store's present, by which it decides what is expired.
    async fn now(&self) -> Result<OffsetDateTime, StoreError>;
}
