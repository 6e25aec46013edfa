//! The port to the database for customers. One method is one whole business fact, in one transaction.

use async_trait::async_trait;

use crate::{
    customers::{CustomerChange, NewCustomer, email_change::EmailChangeStore},
    error::{CreateError, StoreError},
    events::{audit::AuditEntry, outbox::NewEvent},
    ids::CustomerId,
    resources::catalog::Catalog,
    scope::Scope,
    secrets::AccountDigest,
};

/// The events of a customer's change.
#[derive(Debug, Clone, Copy, Default)]
pub struct ChangeEvents<'a> {
    /// `customers.create_password`, if the password changes.
    pub password: Option<&'a NewEvent>,
    /// `customers.change_email`, if the address changes.
    pub email: Option<&'a NewEvent>,
    /// `customers.anonymization_cancelled`, if that is what changes.
    pub anonymization: Option<&'a NewEvent>,
    /// The account of the address before the change. Its quota counts their mails; without one they have no quota.
    pub account: Option<&'a AccountDigest>,
}

/// Creates, changes and deletes customers.
#[async_trait]
pub trait CustomerStore: Catalog + EmailChangeStore {
    /// Creates a customer, its event and its audit entry. `Taken`: the address, in this scope, or its id. The former address of another
    /// customer is taken for as long as that one can have it back.
    async fn create_customer(
        &self,
        scope: Scope,
        customer: &NewCustomer,
        event: &NewEvent,
        audit: &AuditEntry,
    ) -> Result<(), CreateError>;

    /// Changes a customer, with its audit entry and its events if any. A change of nothing leaves no audit entry. Another address or
    /// password ends its pending tokens, another password its sessions, too. `Taken`: the address, as in
    /// [`CustomerStore::create_customer`].
    ///
    /// False when there is no such customer, its address is not the one that the change is from, or its anonymization
    /// [can't be requested or cancelled](crate::customers::anonymization::AnonymizationRequest::is_possible).
    async fn update_customer(
        &self,
        scope: Scope,
        id: CustomerId,
        change: &CustomerChange,
        events: ChangeEvents<'_>,
        audit: &AuditEntry,
    ) -> Result<bool, CreateError>;

    /// Deletes a customer with its password, sessions and resets, and the suppressions of its addresses, leaving an event and an
    /// audit entry, and queues the customer for [`erase`](crate::cleanup::Cleanup::erase); false when there is no such customer.
    async fn delete_customer(
        &self,
        scope: Scope,
        id: CustomerId,
        event: &NewEvent,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError>;
}
