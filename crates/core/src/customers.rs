//! Customers: people with an account at a shop.

pub mod anonymization;
pub mod email_change;
pub mod import;
pub mod service;
pub mod store;

use crate::{
    attributes::{CommonAttributes, Patch, set_names},
    customers::{anonymization::AnonymizationRequest, email_change::EmailChange},
    email::EmailAddress,
    ids::CustomerId,
    locale::Locale,
    passwords::{PasswordHash, SchemeName},
    resources::customers::LOCALE,
};

/// A customer to create.
#[derive(Debug, Clone)]
pub struct NewCustomer {
    /// Its id.
    pub id: CustomerId,
    /// Its address.
    pub email: EmailAddress,
    /// Its password's hash, if it has one.
    pub password: Option<PasswordHash>,
    /// The other attributes that are set.
    pub attributes: CustomerAttributes,
}

/// A change of a customer. Another address or password ends the customer's pending tokens, another password the
/// customer's sessions, too.
#[derive(Debug, Clone, Default)]
pub struct CustomerChange {
    /// The new address.
    pub email: Option<EmailChange>,
    /// The new password's hash.
    pub password: Option<PasswordHash>,
    /// Whether its anonymization is requested or cancelled.
    pub anonymization: Option<AnonymizationRequest>,
    /// The other attributes that change.
    pub attributes: CustomerAttributes,
}

/// The attributes of a customer that this service only stores.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CustomerAttributes {
    /// The language that the customer reads.
    pub locale: Patch<Locale>,
    /// The shop's own attributes.
    pub common: CommonAttributes,
}

/// What a log-in is checked against.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The customer.
    pub customer: CustomerId,
    /// The stored hash; a customer without a password has none.
    pub password: Option<PasswordHash>,
    /// The name of its scheme.
    pub scheme: Option<SchemeName>,
}

impl CustomerChange {
    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.email.is_none()
            && self.password.is_none()
            && self.anonymization.is_none()
            && self.attributes == CustomerAttributes::default()
    }
}

impl CustomerAttributes {
    /// The names on the wire of the attributes that are set.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        set_names([(LOCALE.name, !self.locale.is_keep())]).chain(self.common.names())
    }
}
