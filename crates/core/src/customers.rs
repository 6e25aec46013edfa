//! Customers: people with an account at a shop.

pub mod import;
pub mod service;

use crate::{email::EmailAddress, ids::CustomerId, passwords::PasswordHash, resources::record::Changes};

/// A customer to create.
#[derive(Debug, Clone)]
pub struct NewCustomer {
    /// Its id.
    pub id: CustomerId,
    /// Its address.
    pub email: EmailAddress,
    /// Its password's hash, if it has one.
    pub password: Option<PasswordHash>,
    /// Plain attributes that are set; the others have their defaults.
    pub attributes: Changes,
}

/// What changes of a customer. Another address or password makes the customer's pending tokens die, another password
/// ends the customer's sessions, too.
#[derive(Debug, Clone, Default)]
pub struct CustomerChange {
    /// The new address.
    pub email: Option<EmailAddress>,
    /// The new password's hash.
    pub password: Option<PasswordHash>,
    /// Plain attributes.
    pub attributes: Changes,
}

/// What a log-in is checked against.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// Whose they are.
    pub customer: CustomerId,
    /// The stored hash; a customer without a password has none.
    pub password: Option<PasswordHash>,
}

impl CustomerChange {
    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.email.is_none() && self.password.is_none() && self.attributes.is_empty()
    }
}
