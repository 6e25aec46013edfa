//! The API's port to its database. One method is one whole business fact, in one transaction.
//!
//! Every method that touches an organization's data takes its scope; there is no unscoped read but by a capability (a
//! token's digest, a client id) that names the scope itself. Times are the store's: its clock decides what is expired.

use async_trait::async_trait;
use time::OffsetDateTime;

use crate::{
    access::{ApiClient, Registration, Scope},
    audit::AuditEntry,
    customer::{Credentials, Customer, NewCustomer},
    email::EmailAddress,
    ids::{ApplicationId, CustomerId, ResetId, SessionId},
    listing::{Listed, Listing},
    organization::{NewOrganization, Organization},
    outbox::OutboxMessage,
    password::PasswordHash,
    reset::{CreatedReset, NewReset, PasswordReset, ReferenceChange, TokenHolder},
    secret::{RefreshTokenDigest, TokenDigest},
};

/// A boxed cause.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A store that could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It can't be reached, or has no connection free in time: try again later (HTTP 503).
    #[error("the store is unavailable")]
    Unavailable(#[source] Cause),
    /// It answered with something that should not happen.
    #[error("the store failed")]
    Internal(#[source] Cause),
}

/// A record that can't be made because another has its unique value.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The unique value (a slug, an address) is taken.
    #[error("already taken")]
    Taken,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

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
    /// The references that the same call changes, if any.
    pub change: &'a ReferenceChange,
    /// `customer_password_resets.reset_password`.
    pub event: &'a OutboxMessage,
    /// The audit entry.
    pub audit: &'a AuditEntry,
}

/// A log-in to record.
#[derive(Debug)]
pub struct NewSession<'a> {
    /// Its id, carried in its access tokens.
    pub id: SessionId,
    /// Whose it is.
    pub customer: CustomerId,
    /// The client through which it was opened.
    pub application: ApplicationId,
    /// The refresh token's digest.
    pub refresh_token: &'a RefreshTokenDigest,
    /// The hash that was verified: the session is opened only while it is still the customer's.
    pub password: &'a PasswordHash,
    /// How long it lives unrefreshed, from the store's present on.
    pub life: time::Duration,
}

/// The API's store.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Whether the store answers, for the readiness check.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Creates an organization. `Taken`: the slug.
    async fn create_organization(&self, organization: &NewOrganization) -> Result<Organization, CreateError>;

    /// All organizations, by slug: for the operator's tool only.
    async fn organizations(&self) -> Result<Vec<Organization>, StoreError>;

    /// Registers an API client; `created_at` and `revoked_at` of the argument are ignored. `Taken`: its id or client id.
    async fn create_api_client(&self, client: &ApiClient) -> Result<ApiClient, CreateError>;

    /// All API clients with their organizations, oldest first: for the operator's tool only.
    async fn api_clients(&self) -> Result<Vec<Registration>, StoreError>;

    /// The client with that OAuth `client_id`, revoked or not.
    async fn find_api_client(&self, client_id: &str) -> Result<Option<Registration>, StoreError>;

    /// Revokes a client; false when there is none, true also when it was revoked before.
    async fn revoke_api_client(&self, client_id: &str) -> Result<bool, StoreError>;

    /// Creates a customer, its event and its audit entry. `Taken`: the address, in this scope, or its id.
    async fn create_customer(
        &self,
        scope: Scope,
        customer: &NewCustomer,
        event: &OutboxMessage,
        audit: &AuditEntry,
    ) -> Result<Customer, CreateError>;

    /// The customer with that id.
    async fn find_customer(&self, scope: Scope, id: CustomerId) -> Result<Option<Customer>, StoreError>;

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

    /// Records a log-in; false when the password changed since it was verified.
    async fn open_session(&self, scope: Scope, session: &NewSession<'_>) -> Result<bool, StoreError>;

    /// Whether that session is neither ended nor expired.
    async fn session_is_live(&self, scope: Scope, session: SessionId) -> Result<bool, StoreError>;

    /// Creates a reset, its event and its audit entry in **one statement** with the look-up of the customer.
    ///
    /// `None`: an integration client named an unknown address; nothing is written. A self-service reset is always
    /// created, as a decoy when the address is unknown, and makes that customer's older self-service tokens die.
    /// `Taken`: its id.
    async fn create_reset(
        &self,
        scope: Scope,
        record: &ResetRecord<'_>,
    ) -> Result<Option<CreatedReset>, CreateError>;

    /// The reset with that id; decoys are nobody's.
    async fn find_reset(&self, scope: Scope, id: ResetId) -> Result<Option<PasswordReset>, StoreError>;

    /// A page of the resets, newest first (then by id, so that the order is total); no decoys.
    async fn list_resets(&self, scope: Scope, listing: &Listing)
    -> Result<Listed<PasswordReset>, StoreError>;

    /// Changes a reset's references; `None` when there is no such reset. An empty change returns it as it is.
    async fn update_reset(
        &self,
        scope: Scope,
        id: ResetId,
        change: &ReferenceChange,
        audit: &AuditEntry,
    ) -> Result<Option<PasswordReset>, StoreError>;

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

    /// Uses a token, if it still can be: consumes the reset, sets the password, kills that customer's other pending tokens
    /// and sessions, writes event and audit entry, in one transaction. Of any number of simultaneous calls exactly one
    /// gets the reset; the others get `None`.
    async fn complete_reset(&self, completion: &Completion<'_>) -> Result<Option<PasswordReset>, StoreError>;

    /// The store's present, by which it decides what is expired.
    async fn now(&self) -> Result<OffsetDateTime, StoreError>;
}
