//! Creating, changing and deleting customers.

use std::sync::Arc;

use crate::{
    attributes::set_names,
    caller::Caller,
    clients::RegisteredClient,
    customers::{CustomerAttributes, CustomerChange, NewCustomer, store::CustomerStore},
    email::EmailAddress,
    error::{CreateError, StoreError},
    events::{EventBody, audit::Action, recorder::EventRecorder},
    ids::CustomerId,
    organizations::{Organization, PerOrganization},
    passwords::{HashError, Hasher, PasswordHash, PasswordRejected, Person, PlainPassword},
    resets::rules::Rules,
    resources::{
        CUSTOMERS,
        customers::{EMAIL, PASSWORD},
    },
    scope::Scope,
};

/// The use cases of customers. Cheap to clone.
#[derive(Clone)]
pub struct CustomerService {
    /// Where customers are kept.
    pub store: Arc<dyn CustomerStore>,
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

/// A change of a customer that a caller asks for.
#[derive(Debug, Default)]
pub struct CustomerUpdate {
    /// The new address.
    pub email: Option<EmailAddress>,
    /// The new password.
    pub password: Option<PlainPassword>,
    /// The other attributes that change.
    pub attributes: CustomerAttributes,
}

impl CustomerService {
    /// Creates a customer, with or without a password; returns its id.
    ///
    /// # Errors
    /// See [`CustomerError`].
    pub async fn create(
        &self,
        client: &RegisteredClient,
        caller: &Caller,
        email: EmailAddress,
        password: Option<PlainPassword>,
        attributes: CustomerAttributes,
    ) -> Result<CustomerId, CustomerError> {
        let written = written(Some(&email), password.as_ref(), &attributes);
        let scope = client.scope;
        let password = self.hash(&client.organization, password, &email).await?;
        let id = caller.record.map_or_else(|| CustomerId::generate(&*self.recorder.random), CustomerId::from);
        let customer = NewCustomer { id, email, password, attributes };
        let event = self.recorder.new_event(scope, caller, EventBody::CustomerCreated { customer: id });
        let audit = self.recorder.new_audit_entry(caller, Action::Create, written);
        match self.store.create_customer(scope, &customer, &event, &audit).await {
            Err(CreateError::Taken) if self.was_created_before(scope, caller, &customer).await? => {}
            created => {
                created?;
                self.recorder.publish(event);
            }
        }
        Ok(id)
    }

    /// Changes a customer; false when there is no such customer, which costs no hash.
    ///
    /// # Errors
    /// See [`CustomerError`].
    pub async fn update(
        &self,
        client: &RegisteredClient,
        caller: &Caller,
        id: CustomerId,
        update: CustomerUpdate,
    ) -> Result<bool, CustomerError> {
        let scope = client.scope;
        let CustomerUpdate { email, password, attributes } = update;
        let written = written(email.as_ref(), password.as_ref(), &attributes);
        let mut change = CustomerChange { email, password: None, attributes };
        if password.is_some() {
            let Some(current) = self.store.find(scope, &CUSTOMERS, id.into()).await? else {
                return Ok(false);
            };
            let current = current.get(EMAIL.name).as_text().and_then(|email| email.parse().ok());
            if let Some(email) = change.email.clone().or(current) {
                change.password = self.hash(&client.organization, password, &email).await?;
            }
        }
        let event = change.password.is_some().then(|| {
            self.recorder.new_event(scope, caller, EventBody::CustomerPasswordCreated { customer: id })
        });
        let audit = self.recorder.new_audit_entry(caller, Action::Update, written);
        let changed = self.store.update_customer(scope, id, &change, event.as_ref(), &audit).await?;
        if let Some(event) = event.filter(|_| changed) {
            self.recorder.publish(event);
        }
        Ok(changed)
    }

    /// Deletes a customer with all that is theirs; false when there is no such customer.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete(&self, scope: Scope, caller: &Caller, id: CustomerId) -> Result<bool, StoreError> {
        let event = self.recorder.new_event(scope, caller, EventBody::CustomerDestroyed { customer: id });
        let audit = self.recorder.new_audit_entry(caller, Action::Destroy, Vec::new());
        let deleted = self.store.delete_customer(scope, id, &event, &audit).await?;
        if deleted {
            self.recorder.publish(event);
        }
        Ok(deleted)
    }

    /// Whether an earlier try of the same call created the customer before its answer was lost.
    async fn was_created_before(
        &self,
        scope: Scope,
        caller: &Caller,
        customer: &NewCustomer,
    ) -> Result<bool, StoreError> {
        if caller.record.is_none() {
            return Ok(false);
        }
        let found = self.store.find(scope, &CUSTOMERS, customer.id.into()).await?;
        Ok(found.is_some_and(|found| found.get(EMAIL.name).as_text() == Some(customer.email.as_str())))
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
        let password = self.hasher.check(organization.id, policy, password, &person).await?;
        Ok(Some(self.hasher.hash(organization.id, password).await?))
    }
}

/// The names of the attributes that a call writes.
fn written(
    email: Option<&EmailAddress>,
    password: Option<&PlainPassword>,
    attributes: &CustomerAttributes,
) -> Vec<&'static str> {
    let own = set_names([(EMAIL.name, email.is_some()), (PASSWORD.name, password.is_some())]);
    own.chain(attributes.names()).collect()
}
