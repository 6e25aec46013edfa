//! Creating, changing and deleting customers.

use std::sync::Arc;

use crate::{
    caller::Caller,
    clients::RegisteredClient,
    customers::{CustomerChange, NewCustomer},
    email::EmailAddress,
    error::{CreateError, StoreError},
    events::{EventBody, audit::Action, recorder::EventRecorder},
    ids::CustomerId,
    organizations::{Organization, PerOrganization},
    passwords::{HashError, Hasher, PasswordHash, PasswordRejected, Person, PlainPassword},
    resets::rules::Rules,
    resources::{
        CUSTOMERS,
        record::{Changes, Record},
    },
    scope::Scope,
    store::Store,
};

/// The use cases of customers. Cheap to clone.
#[derive(Clone)]
pub struct CustomerService {
    /// Where customers are kept.
    pub store: Arc<dyn Store>,
    /// Makes events and audit entries.
    pub recorder: EventRecorder,
    /// Hashes passwords.
    pub hasher: Hasher,
    /// Each organization's rules.
    pub rules: Arc<PerOrganization<Rules>>,
}

/// Why a customer is not created or changed.
#[derive(Debug, thiserror::Error)]
pub enum CustomerError {
    /// Another customer has the address.
    #[error("the address is taken")]
    Taken,
    /// The password is refused.
    #[error("the password {0}")]
    Password(#[from] PasswordRejected),
    /// Hashing is at its limit, or failed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<CreateError> for CustomerError {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::Taken => Self::Taken,
            CreateError::Store(error) => Self::Store(error),
        }
    }
}

/// What is asked to change of a customer.
#[derive(Debug, Default)]
pub struct CustomerUpdate {
    /// The new address.
    pub email: Option<EmailAddress>,
    /// The new password.
    pub password: Option<PlainPassword>,
    /// Plain attributes.
    pub attributes: Changes,
}

impl CustomerService {
    /// Creates a customer, with or without a password.
    ///
    /// # Errors
    /// See [`CustomerError`].
    pub async fn create(
        &self,
        client: &RegisteredClient,
        caller: &Caller,
        email: EmailAddress,
        password: Option<PlainPassword>,
        attributes: Changes,
    ) -> Result<Record, CustomerError> {
        let written = written(Some(&email), password.as_ref(), &attributes);
        let scope = client.client.scope;
        let password = self.hash(&client.organization, password, &email).await?;
        let id = caller.record.map_or_else(|| CustomerId::generate(&*self.recorder.random), CustomerId::from);
        let customer = NewCustomer { id, email, password, attributes };
        let event = self.recorder.event(scope, caller, EventBody::CustomerCreated { customer: id });
        let audit = self.recorder.audit(caller, Action::Create, written);
        let created = match self.store.create_customer(scope, &customer, &event, &audit).await {
            Err(CreateError::Taken) => self.created_before(scope, caller, &customer).await?,
            created => created?,
        };
        self.recorder.notify_relay();
        Ok(created)
    }

    /// Changes a customer; `None` when there is no such customer, which costs no hash.
    ///
    /// # Errors
    /// See [`CustomerError`].
    pub async fn update(
        &self,
        client: &RegisteredClient,
        caller: &Caller,
        id: CustomerId,
        update: CustomerUpdate,
    ) -> Result<Option<Record>, CustomerError> {
        let scope = client.client.scope;
        let CustomerUpdate { email, password, attributes } = update;
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
            .then(|| self.recorder.event(scope, caller, EventBody::CustomerPasswordCreated { customer: id }));
        let audit = self.recorder.audit(caller, Action::Update, written);
        let changed = self.store.update_customer(scope, id, &change, event.as_ref(), &audit).await?;
        self.recorder.notify_relay();
        Ok(changed)
    }

    /// Deletes a customer with all that is theirs; false when there is no such customer.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete(&self, scope: Scope, caller: &Caller, id: CustomerId) -> Result<bool, StoreError> {
        let event = self.recorder.event(scope, caller, EventBody::CustomerDestroyed { customer: id });
        let audit = self.recorder.audit(caller, Action::Destroy, Vec::new());
        let deleted = self.store.delete_customer(scope, id, &event, &audit).await?;
        self.recorder.notify_relay();
        Ok(deleted)
    }

    /// The customer that an earlier try of the same call made before its answer was lost; otherwise the address is taken.
    async fn created_before(
        &self,
        scope: Scope,
        caller: &Caller,
        customer: &NewCustomer,
    ) -> Result<Record, CustomerError> {
        let found = match caller.record {
            Some(_) => self.store.find(scope, &CUSTOMERS, customer.id.into()).await?,
            None => None,
        };
        let same = found.filter(|found| found.get("email").as_text() == Some(customer.email.as_str()));
        same.ok_or(CustomerError::Taken)
    }

    async fn hash(
        &self,
        organization: &Organization,
        password: Option<PlainPassword>,
        email: &EmailAddress,
    ) -> Result<Option<PasswordHash>, CustomerError> {
        let Some(password) = password else { return Ok(None) };
        let policy = self.rules.get(&organization.slug).policy;
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
