//! Creating, changing and deleting customers.

mod anonymization;
mod undo;

use std::sync::Arc;

use time::Duration;

use crate::{
    attributes::set_names,
    caller::Caller,
    clients::RegisteredClient,
    customers::{
        CustomerAttributes, CustomerChange, NewCustomer,
        anonymization::AnonymizationRequest,
        email_change::{EMAIL_UNDO_TTL, EmailChange, EmailTries},
        store::{ChangeEvents, CustomerStore},
    },
    email::EmailAddress,
    error::{CreateError, StoreError},
    events::{EmailChanged, EventBody, audit::Action, outbox::NewEvent, recorder::EventRecorder},
    ids::{CustomerId, EmailChangeId},
    metrics::{self, Throttle},
    organizations::Organization,
    passwords::{HashError, Hasher, PasswordHash, PasswordRejected, Person, PlainPassword},
    resets::rules::SharedRules,
    resources::{
        CUSTOMERS,
        customers::{EMAIL, PASSWORD},
    },
    scope::Scope,
    secrets::{AccountDigest, SealedAddress, SealedUndoToken, UndoToken},
    sessions::Sessions,
};

/// The use cases of customers. Cheap to clone.
#[derive(Clone)]
pub struct CustomerService {
    /// Where customers are kept.
    pub store: Arc<dyn CustomerStore>,
    /// Where their sessions are kept.
    pub sessions: Arc<dyn Sessions>,
    /// How long after its sign-in a customer may change its own address and password, and delete itself; zero is always.
    pub fresh_time: Duration,
    /// Makes events and audit entries.
    pub recorder: EventRecorder,
    /// Hashes passwords.
    pub hasher: Hasher,
    /// Each organization's rules.
    pub rules: SharedRules,
}

/// Why a customer is not created, changed or deleted.
#[derive(Debug, thiserror::Error)]
pub enum CustomerError {
    /// Another customer has the address.
    #[error("the address is taken")]
    Taken,
    /// The customer must sign in again before it changes its own address or password, or deletes itself.
    #[error("the sign-in is too long ago")]
    StaleSignIn,
    /// The customer has tried to change its address too often; again after this time.
    #[error("the address was changed too often")]
    TooManyEmailTries(Duration),
    /// The address, or the state of the anonymization, was changed by another call at the same time.
    #[error("the customer was changed at the same time")]
    Conflict,
    /// An anonymized customer can't be anonymized again, and only a request that waits can be cancelled.
    #[error("the anonymization can't be requested or cancelled")]
    Anonymization(AnonymizationRequest),
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

/// How often a customer may try to change its own address: few typing mistakes, and far fewer addresses than a list has.
const EMAIL_TRIES: EmailTries = EmailTries { budget: 5, window: Duration::DAY };

/// A change of a customer that a caller asks for.
#[derive(Debug, Default)]
pub struct CustomerUpdate {
    /// The new address.
    pub email: Option<EmailAddress>,
    /// The new password.
    pub password: Option<PlainPassword>,
    /// Whether its anonymization is requested or cancelled; only for integrations.
    pub anonymization: Option<AnonymizationRequest>,
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

    /// Changes a customer; false when there is no such customer, which costs no hash. The old address gets a mail by which the change of an
    /// address can be undone. A customer that changes its own address or password must have signed in a short time ago.
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
        let CustomerUpdate { email, password, anonymization, attributes } = update;
        let mut written = written(email.as_ref(), password.as_ref(), &attributes);
        written.extend(anonymization.map(AnonymizationRequest::attribute));
        if !self.check_anonymization(scope, id, anonymization).await? {
            return Ok(false);
        }
        let mut change = CustomerChange { email: None, password: None, anonymization, attributes };
        let anonymization_event = self.anonymization_event(scope, caller, id, anonymization);
        let (mut password_event, mut email_event, mut account) = (None, None, None);
        if email.is_some() || password.is_some() {
            let Some(current) = self.address(scope, id).await? else { return Ok(false) };
            // A form that sends its customer's address back changes nothing.
            let email = email.filter(|email| *email != current);
            // The notice of another address is what undoes a theft: the owners of other addresses of the mailbox must not use it up.
            let digest = if email.is_some() { AccountDigest::of_address } else { AccountDigest::new };
            account = Some(digest(scope, &current, &self.recorder.keys));
            if caller.actor.session().is_some() {
                self.check_own_change(scope, caller, id, email.is_some(), password.is_some()).await?;
            }
            change.password =
                self.hash(&client.organization, password, email.as_ref().unwrap_or(&current)).await?;
            password_event =
                change.password.is_some().then(|| self.password_event(scope, caller, id, &current));
            if let Some(new) = email {
                let (email, event) = self.email_change(scope, caller, id, current, new);
                (change.email, email_event) = (Some(email), Some(event));
            }
        }
        let audit = self.recorder.new_audit_entry(caller, Action::Update, written);
        let events = ChangeEvents {
            password: password_event.as_ref(),
            email: email_event.as_ref(),
            anonymization: anonymization_event.as_ref(),
            account: account.as_ref(),
        };
        if !self.store.update_customer(scope, id, &change, events, &audit).await? {
            let is_there = self.address(scope, id).await?.is_some();
            return if is_there { Err(CustomerError::Conflict) } else { Ok(false) };
        }
        for event in [password_event, email_event, anonymization_event].into_iter().flatten() {
            self.recorder.publish(event);
        }
        Ok(true)
    }

    /// Refuses a customer's change of its own address or password when its sign-in is too long ago, or it has tried too many addresses.
    async fn check_own_change(
        &self,
        scope: Scope,
        caller: &Caller,
        id: CustomerId,
        changes_email: bool,
        changes_password: bool,
    ) -> Result<(), CustomerError> {
        if changes_email || changes_password {
            self.require_fresh_sign_in(scope, caller).await?;
        }
        if !changes_email {
            return Ok(());
        }
        let audit = self.recorder.new_audit_entry(caller, Action::EmailChangeThrottled, Vec::new());
        let wait = self.store.count_email_try(scope, id, EMAIL_TRIES, &audit).await?;
        let Some(wait) = wait else { return Ok(()) };
        metrics::THROTTLES.add(Throttle::EmailChange, 1);
        Err(CustomerError::TooManyEmailTries(wait))
    }

    /// Refuses a customer whose sign-in is too long ago; other callers have none.
    async fn require_fresh_sign_in(&self, scope: Scope, caller: &Caller) -> Result<(), CustomerError> {
        let Some((_, session)) = caller.actor.session() else { return Ok(()) };
        if self.fresh_time.is_positive()
            && !self.sessions.session_is_live(scope, session, self.fresh_time).await?
        {
            return Err(CustomerError::StaleSignIn);
        }
        Ok(())
    }

    /// Returns the event of a new password, whose mail goes to the address that the customer has now.
    fn password_event(
        &self,
        scope: Scope,
        caller: &Caller,
        customer: CustomerId,
        current: &EmailAddress,
    ) -> NewEvent {
        let EventRecorder { keys, random, .. } = &self.recorder;
        let address = SealedAddress::seal(current, scope.organization, customer, keys, &**random);
        let body = EventBody::CustomerPasswordCreated { customer, address: Some(address) };
        self.recorder.new_event(scope, caller, body)
    }

    /// Returns a change of the address, and its event, whose mail goes to the old one.
    fn email_change(
        &self,
        scope: Scope,
        caller: &Caller,
        customer: CustomerId,
        old: EmailAddress,
        new: EmailAddress,
    ) -> (EmailChange, NewEvent) {
        let EventRecorder { keys, random, .. } = &self.recorder;
        let (id, token) = (EmailChangeId::generate(&**random), UndoToken::generate(&**random));
        let body = EventBody::CustomerEmailChanged(EmailChanged {
            customer,
            change: id,
            token: SealedUndoToken::seal(&token, scope.organization, id, keys, &**random),
            address: SealedAddress::seal(&old, scope.organization, id, keys, &**random),
        });
        let event = self.recorder.new_event(scope, caller, body);
        (EmailChange { id, old, new, undo_token: token.digest(), undo_ttl: EMAIL_UNDO_TTL }, event)
    }

    /// Deletes a customer with all that is theirs, also the changes of its address that could be undone; false when there is no such
    /// customer. A customer that deletes itself must have signed in a short time ago.
    ///
    /// # Errors
    /// See [`CustomerError`].
    pub async fn delete(&self, scope: Scope, caller: &Caller, id: CustomerId) -> Result<bool, CustomerError> {
        self.require_fresh_sign_in(scope, caller).await?;
        let event = self.recorder.new_event(scope, caller, EventBody::CustomerDestroyed { customer: id });
        let mut audit = self.recorder.new_audit_entry(caller, Action::Destroy, Vec::new());
        if caller.actor.session().is_some() {
            audit.remove_person();
        }
        let deleted = self.store.delete_customer(scope, id, &event, &audit).await?;
        if deleted {
            self.recorder.publish(event);
        }
        Ok(deleted)
    }

    /// Returns the customer's address.
    async fn address(&self, scope: Scope, id: CustomerId) -> Result<Option<EmailAddress>, StoreError> {
        let Some(customer) = self.store.find(scope, &CUSTOMERS, id.into()).await? else { return Ok(None) };
        let address = customer.get(EMAIL.name).as_text().and_then(|email| email.parse().ok());
        address.map(Some).ok_or_else(|| StoreError::Internal("a customer's address is malformed".into()))
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
        let policy = self.rules.load().get(&organization.slug).policy;
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
