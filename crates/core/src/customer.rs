//! Customers: people with an account at a shop.

use time::OffsetDateTime;

use crate::{email::EmailAddress, ids::CustomerId, password::PasswordHash, reset::Reference};

/// A customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Customer {
    /// Its id.
    pub id: CustomerId,
    /// Its address, unique in its scope.
    pub email: EmailAddress,
    /// Whether it has a password to log in with.
    pub has_password: bool,
    /// The shop's own identifiers and data.
    pub reference: Reference,
    /// When it was created.
    pub created_at: OffsetDateTime,
    /// When it was last changed.
    pub updated_at: OffsetDateTime,
}

/// A customer to create.
#[derive(Debug, Clone)]
pub struct NewCustomer {
    /// Its id.
    pub id: CustomerId,
    /// Its address.
    pub email: EmailAddress,
    /// Its password's hash, if it has one.
    pub password: Option<PasswordHash>,
    /// The shop's own identifiers and data.
    pub reference: Reference,
}

/// What a log-in is checked against.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// Whose they are.
    pub customer: CustomerId,
    /// The stored hash; a customer without a password has none.
    pub password: Option<PasswordHash>,
}
