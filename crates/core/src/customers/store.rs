//! The port to the database for customers. One method is one whole business fact, in one transaction.

use async_trait::async_trait;
use time::Duration;

use crate::{
    customers::{CustomerChange, EmailTries, NewCustomer},
    error::{CreateError, StoreError},
    events::{audit::AuditEntry, outbox::NewEvent},
    ids::CustomerId,
    resources::catalog::Catalog,
    scope::Scope,
};

/// Creates, changes and deletes customers.
#[async_trait]
pub trait CustomerStore: Catalog {
    /// Creates a customer, its event and its audit entry. `Taken`: the address, in this scope, or its id.
    async fn create_customer(
        &self,
        scope: Scope,
        customer: &NewCustomer,
        event: &NewEvent,
        audit: &AuditEntry,
    ) -> Result<(), CreateError>;

    /// Changes a customer, with its audit entry and its event if any; false when there is no such customer. A change of nothing
    /// leaves no audit entry. Another address or password ends its pending tokens, another password its sessions, too.
    /// `Taken`: the address, in this scope.
    async fn update_customer(
        &self,
        scope: Scope,
        id: CustomerId,
        change: &CustomerChange,
        event: Option<&NewEvent>,
        audit: &AuditEntry,
    ) -> Result<bool, CreateError>;

    /// Counts a try of the customer to change its own address, whatever becomes of it. Returns how long it has to wait when its tries are
    /// used up; of simultaneous calls, each counts. Counts nothing when there is no such customer.
    async fn count_email_try(
        &self,
        scope: Scope,
        id: CustomerId,
        limit: EmailTries,
    ) -> Result<Option<Duration>, StoreError>;

    /// Deletes a customer with its password, sessions and resets, and the suppressions of its addresses, leaving an event and an
    /// audit entry; false when there is no such customer.
    async fn delete_customer(
        &self,
        scope: Scope,
        id: CustomerId,
        event: &NewEvent,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError>;
}
