//! Creating, changing and deleting customers.

use std::sync::Arc;

use crate::{
    access::{self, Caller, Scope},
    audit::Action,
    customer::{CustomerChange, NewCustomer},
    email::EmailAddress,
    event::EventBody,
    ids::CustomerId,
    journal::Journal,
    organization::{Organization, PerOrganization},
    password::{HashError, Hasher, PasswordHash, Person, PlainPassword, Refusal},
    record::{Changes, Record},
    resource::CUSTOMERS,
    rules::Rules,
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
    /// Each organization's rules.
    pub rules: Arc<PerOrganization<Rules>>,
}

/// Why a customer is not created or changed.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// Another customer has the address.
    #[error("the address is taken")]
    Taken,
    /// The password is refused.
    #[error("the password {0}")]
    Password(#[from] Refusal),
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

/// What is asked to change of a customer.
#[derive(Debug, Default)]
pub struct Amendment {
    /// The new address.
    pub email: Option<EmailAddress>,
    /// The new password.
    pub password: Option<PlainPassword>,
    /// Plain attributes.
    pub attributes: Changes,
}

impl Registration {
    /// Creates a customer, with or without a password.
    ///
    /// # Errors
    /// See [`RegisterError`].
    pub async fn register(
        &self,
        client: &access::Registration,
        caller: &Caller,
        email: EmailAddress,
        password: Option<PlainPassword>,
        attributes: Changes,
    ) -> Result<Record, RegisterError> {
        let written = written(Some(&email), password.as_ref(), &attributes);
        let scope = client.client.scope;
        let password = self.hash(&client.organization, password, &email).await?;
        let id = caller.record.map_or_else(|| CustomerId::generate(&*self.journal.entropy), CustomerId::from);
        let customer = NewCustomer { id, email, password, attributes };
        let event = self.journal.event(scope, caller, EventBody::CustomerCreated { customer: id });
        let audit = self.journal.audit(caller, Action::Create, written);
        let created = match self.store.create_customer(scope, &customer, &event, &audit).await {
            Err(CreateError::Taken) => self.created_before(scope, caller, &customer).await?,
            created => created?,
        };
        self.journal.committed();
        Ok(created)
    }

    /// Changes a customer; `None` when there is no such customer, which costs no hash.
    ///
    /// # Errors
    /// See [`RegisterError`].
    pub async fn amend(
        &self,
        client: &access::Registration,
        caller: &Caller,
        id: CustomerId,
        amendment: Amendment,
    ) -> Result<Option<Record>, RegisterError> {
        let scope = client.client.scope;
        let Amendment { email, password, attributes } = amendment;
        let written = written(email.as_ref(), password.as_ref(), &attributes);
        let mut change = CustomerChange { email, password: None, attributes };
        if password.is_some() {
            let Some(current) = self.store.find(scope, &CUSTOMERS, id.into()).await? else { return Ok(None) };
            let current = current.get("email").as_text().and_then(|email| email.parse().ok());
            if let Some(email) = change.email.clone().or(current) {
                change.password = self.hash(&client.organization, password, &email).await?;
            }
        }
        let event = change
            .password
            .is_some()
            .then(|| self.journal.event(scope, caller, EventBody::CustomerPasswordCreated { customer: id }));
        let audit = self.journal.audit(caller, Action::Update, written);
        let changed = self.store.update_customer(scope, id, &change, event.as_ref(), &audit).await?;
        self.journal.committed();
        Ok(changed)
    }

    /// Deletes a customer with all that is theirs; false when there is no such customer.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete(&self, scope: Scope, caller: &Caller, id: CustomerId) -> Result<bool, StoreError> {
        let event = self.journal.event(scope, caller, EventBody::CustomerDestroyed { customer: id });
        let audit = self.journal.audit(caller, Action::Destroy, Vec::new());
        let deleted = self.store.delete_customer(scope, id, &event, &audit).await?;
        self.journal.committed();
        Ok(deleted)
    }

    /// The customer that an earlier try of the same call made before its answer was lost; otherwise the address is taken.
    async fn created_before(
        &self,
        scope: Scope,
        caller: &Caller,
        customer: &NewCustomer,
    ) -> Result<Record, RegisterError> {
        let found = match caller.record {
            Some(_) => self.store.find(scope, &CUSTOMERS, customer.id.into()).await?,
            None => None,
        };
        let same = found.filter(|found| found.get("email").as_text() == Some(customer.email.as_str()));
        same.ok_or(RegisterError::Taken)
    }

    async fn hash(
        &self,
        organization: &Organization,
        password: Option<PlainPassword>,
        email: &EmailAddress,
    ) -> Result<Option<PasswordHash>, RegisterError> {
        let Some(password) = password else { return Ok(None) };
        let policy = self.rules.of(&organization.slug).policy;
        let person = Person { email, shop: &organization.name };
        let password = self.hasher.check(policy, password, &person).await?;
        Ok(Some(self.hasher.hash(password).await?))
    }
}

/// The names of the attributes that a call writes.
fn written(
    email: Option<&EmailAddress>,
    password: Option<&PlainPassword>,
    attributes: &Changes,
) -> Vec<&'static str> {
    let own = [email.map(|_| "email"), password.map(|_| "password")];
    own.into_iter().flatten().chain(attributes.names()).collect()
}
