//! Creating and finding customers.

use std::sync::Arc;

use crate::{
    access::{Caller, Scope},
    audit::Action,
    customer::{Customer, NewCustomer},
    email::EmailAddress,
    event::EventBody,
    ids::CustomerId,
    journal::Journal,
    password::{HashError, Hasher, PasswordPolicy, PlainPassword, PolicyViolation},
    reset::Reference,
    store::{CreateError, Store, StoreError},
};

/// The use cases of customers. Cheap to clone.
#[derive(Clone)]
pub struct Registration {
    /// Where customers are kept.
    pub store: Arc<dyn Store>,
    /// Makes events and audit entries.
    pub journal: Journal,
    /// Hashes passwords.
    pub hasher: Hasher,
    /// What passwords must be.
    pub policy: PasswordPolicy,
}

/// Why a customer is not created.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// Another customer has the address.
    #[error("the address is taken")]
    Taken,
    /// The password is refused.
    #[error("the password {0}")]
    Password(#[from] PolicyViolation),
    /// Hashing is at its limit, or failed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<CreateError> for RegisterError {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::Taken => Self::Taken,
            CreateError::Store(error) => Self::Store(error),
        }
    }
}

impl Registration {
    /// Creates a customer, with or without a password.
    ///
    /// # Errors
    /// See [`RegisterError`].
    pub async fn register(
        &self,
        scope: Scope,
        caller: &Caller,
        email: EmailAddress,
        password: Option<PlainPassword>,
        reference: Reference,
    ) -> Result<Customer, RegisterError> {
        let mut attributes = vec!["email"];
        let password = match password {
            Some(password) => {
                attributes.push("password");
                Some(self.hasher.hash(self.policy.check(password, &email)?).await?)
            }
            None => None,
        };
        let id = caller.record.map_or_else(|| CustomerId::generate(&*self.journal.entropy), CustomerId::from);
        let customer = NewCustomer { id, email, password, reference };
        let event = self.journal.event(scope, caller, EventBody::CustomerCreated { customer: customer.id });
        let audit = self.journal.audit(caller, Action::Create, attributes);
        let created = match self.store.create_customer(scope, &customer, &event, &audit).await {
            Err(CreateError::Taken) => self.created_before(scope, caller, &customer).await?,
            created => created?,
        };
        self.journal.committed();
        Ok(created)
    }

    /// The customer that an earlier try of the same call made before its answer was lost; otherwise the address is taken.
    async fn created_before(
        &self,
        scope: Scope,
        caller: &Caller,
        customer: &NewCustomer,
    ) -> Result<Customer, RegisterError> {
        let found = match caller.record {
            Some(_) => self.store.find_customer(scope, customer.id).await?,
            None => None,
        };
        found.filter(|found| found.email == customer.email).ok_or(RegisterError::Taken)
    }

    /// The customer with that id.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find(&self, scope: Scope, id: CustomerId) -> Result<Option<Customer>, StoreError> {
        self.store.find_customer(scope, id).await
    }
}
