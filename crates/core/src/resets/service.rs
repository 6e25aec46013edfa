//! Requesting and completing password resets.

mod rejection;

use std::sync::Arc;

use time::OffsetDateTime;

use crate::{
    attributes::CommonAttributes,
    caller::Caller,
    clients::RegisteredClient,
    email::EmailAddress,
    error::{CreateError, StoreError},
    events::{EventBody, audit::Action, recorder::EventRecorder},
    ids::{RecordId, ResetId},
    metrics::{self, CodeGuess, ResetEvent, Throttle},
    organizations::Organization,
    passwords::{HashError, Hasher, PasswordRejected, PlainPassword},
    resets::{
        CreatedReset, NewReset, Proof, Redeemed, ResetOrigin, TokenHolder,
        rules::SharedRules,
        store::{Completion, ResetRecord, Resets},
    },
    resources::{
        CUSTOMER_PASSWORD_RESETS, EVENTS,
        customer_password_resets::{CUSTOMER_EMAIL, CUSTOMER_PASSWORD},
        record::Record,
    },
    scope::Scope,
    secrets::{AddressDigest, ResetCode, ResetToken, SealedAddress, UnsealError},
};

/// The use cases of password resets. Cheap to clone.
#[derive(Clone)]
pub struct ResetService {
    /// Where resets are kept.
    pub store: Arc<dyn Resets>,
    /// Makes events and audit entries.
    pub recorder: EventRecorder,
    /// Hashes new passwords.
    pub hasher: Hasher,
    /// Each organization's rules.
    pub rules: SharedRules,
}

/// The response to a self-service request: the same for known and unknown addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The reset's id.
    pub id: ResetId,
    /// When it was created.
    pub created_at: OffsetDateTime,
}

/// Why an integration client's reset is not created.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// No customer has that address.
    #[error("no customer has that address")]
    UnknownCustomer,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a token did not set a password.
#[derive(Debug, thiserror::Error)]
pub enum CompleteError {
    /// It is wrong, used, superseded, expired, or another reset's: nobody learns which.
    #[error("the token is not valid")]
    Token,
    /// The new password is refused; the token stays good.
    #[error("the password {0}")]
    Password(#[from] PasswordRejected),
    /// Hashing is at its limit, or failed; the token stays good.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The code is right, but the key that sealed its token is gone.
    #[error(transparent)]
    Sealed(#[from] UnsealError),
    /// The store failed; the token stays good unless the commit's answer was lost.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ResetService {
    /// Creates a reset for a customer whom an integration client knows.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn request(
        &self,
        client: &RegisteredClient,
        caller: &Caller,
        email: EmailAddress,
        attributes: CommonAttributes,
    ) -> Result<Record, RequestError> {
        let scope = client.scope;
        let reset = self.new_reset(client, caller, email, ResetOrigin::Integration, attributes);
        let created = match self.create(client, caller, &reset).await {
            Err(CreateError::Taken) => return self.created_before(scope, caller, &reset).await,
            created => created.map_err(unexpected)?,
        };
        created.and_then(|created| created.record).ok_or(RequestError::UnknownCustomer)
    }

    /// Creates a reset that a customer's browser asks for, known or not: the same work, the same receipt.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn request_self_service(
        &self,
        client: &RegisteredClient,
        caller: &Caller,
        email: EmailAddress,
    ) -> Result<Receipt, StoreError> {
        let reset =
            self.new_reset(client, caller, email, ResetOrigin::SelfService, CommonAttributes::default());
        let created = match self.create(client, caller, &reset).await {
            // An earlier try of this call made it; nobody can read, and so nobody compares, when that was.
            Err(CreateError::Taken) if caller.record.is_some() => None,
            created => created.map_err(unexpected)?,
        };
        let created_at = created.map_or_else(|| self.recorder.clock.now(), |created| created.created_at);
        Ok(Receipt { id: reset.id, created_at })
    }

    /// Changes a reset's attributes; false when there is no such reset.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn update(
        &self,
        scope: Scope,
        caller: &Caller,
        id: ResetId,
        changes: &CommonAttributes,
    ) -> Result<bool, StoreError> {
        let audit = self.recorder.new_audit_entry(caller, Action::Update, changes.names().collect());
        self.store.update_reset(scope, id, changes, &audit).await
    }

    /// Deletes a reset, and with it its token; false when there is no such reset.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete(&self, scope: Scope, caller: &Caller, id: ResetId) -> Result<bool, StoreError> {
        let event = self.recorder.new_event(scope, caller, EventBody::ResetDestroyed { reset: id });
        let audit = self.recorder.new_audit_entry(caller, Action::Destroy, Vec::new());
        let deleted = self.store.delete_reset(scope, id, &event, &audit).await?;
        if deleted {
            self.recorder.publish(event);
        }
        Ok(deleted)
    }

    /// Returns the customer that a token of that reset is for, while it can be used. Does not use the token.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn holder(
        &self,
        reset: ResetId,
        token: &ResetToken,
    ) -> Result<Option<TokenHolder>, StoreError> {
        self.store.find_token_holder(reset, &token.digest()).await
    }

    /// Returns the token of a proof: a token as it is, right or wrong; a code's by one guess (see [`Self::redeem_code`]).
    ///
    /// # Errors
    /// [`CompleteError::Token`] when the code is wrong, dead, or guessed too often: nobody learns which.
    pub async fn redeem(
        &self,
        scope: Option<Scope>,
        caller: &Caller,
        reset: ResetId,
        proof: Proof,
    ) -> Result<ResetToken, CompleteError> {
        match proof {
            Proof::Token(token) => Ok(token),
            Proof::Code(code) => {
                self.redeem_code(scope, caller, &[reset], &code).await.map(|(_, token)| token)
            }
        }
    }

    /// Finds the reset that a code belongs to, and returns its token. However many resets there are, it is one guess for each of their
    /// accounts; right guesses count, too, and none costs a hash. `scope`, where the caller has one, must be the reset's.
    ///
    /// # Errors
    /// [`CompleteError::Token`] when the code is wrong, dead, or guessed too often: nobody learns which.
    pub async fn redeem_code(
        &self,
        scope: Option<Scope>,
        caller: &Caller,
        resets: &[ResetId],
        code: &ResetCode,
    ) -> Result<(ResetId, ResetToken), CompleteError> {
        let digests: Vec<_> =
            resets.iter().flat_map(|&reset| code.digests(reset, &self.recorder.keys)).collect();
        let audit = |_: &ResetId| self.recorder.new_audit_entry(caller, Action::CodeThrottled, Vec::new());
        let audits: Vec<_> = resets.iter().map(audit).collect();
        let found = self.store.redeem_code(scope, resets, &digests, &audits).await?;
        metrics::CODE_GUESSES.add(if found.is_some() { CodeGuess::Right } else { CodeGuess::Wrong }, 1);
        let Redeemed { reset, scope, sealed_token } = found.ok_or(CompleteError::Token)?;
        Ok((reset, sealed_token.unseal(scope.organization, reset, &self.recorder.keys)?))
    }

    /// Sets a new password by a token: the token is checked first, so that a wrong one costs no hash; then the policy,
    /// then the hash; then the store checks the token again as it consumes it. `scope`, where the caller has one, must
    /// be the token's. Returns the organization of the reset, also when an earlier try of the same call has used the token.
    ///
    /// # Errors
    /// See [`CompleteError`].
    pub async fn complete(
        &self,
        scope: Option<Scope>,
        caller: &Caller,
        attempt: Attempt<'_>,
    ) -> Result<Organization, CompleteError> {
        let reset = attempt.reset;
        match (self.use_token(scope, caller, attempt).await, caller.record) {
            (Err(CompleteError::Token), Some(record)) => {
                self.completed_before(reset, record).await?.ok_or(CompleteError::Token)
            }
            (result, _) => result,
        }
    }

    /// Returns the organization of a reset whose token was used by a call with that id for its event. The id is the capability: only
    /// that call knows it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn completed_before(
        &self,
        reset: ResetId,
        record: RecordId,
    ) -> Result<Option<Organization>, StoreError> {
        let Some(found) = self.store.find_rejectable(reset).await? else { return Ok(None) };
        let event = self.store.find(found.scope, &EVENTS, record).await?;
        Ok(event.map(|_| found.organization))
    }

    async fn use_token(
        &self,
        scope: Option<Scope>,
        caller: &Caller,
        attempt: Attempt<'_>,
    ) -> Result<Organization, CompleteError> {
        let Attempt { reset, token, password, changes } = attempt;
        let token = token.digest();
        let holder = self.store.find_token_holder(reset, &token).await?.ok_or(CompleteError::Token)?;
        if scope.is_some_and(|scope| scope != holder.scope) {
            return Err(CompleteError::Token);
        }
        let policy = self.rules.load().get(&holder.organization.slug).policy;
        let organization = holder.scope.organization;
        let password = self.hasher.check(organization, policy, password, &holder.person()).await?;
        let password = self.hasher.hash(organization, password).await?;

        let EventRecorder { keys, random, .. } = &self.recorder;
        let address = SealedAddress::seal(&holder.email, holder.scope.organization, reset, keys, &**random);
        let body = EventBody::ResetUsed { reset, customer: holder.customer, address: Some(address) };
        let event = match caller.record {
            Some(record) => self.recorder.new_event_under(record.into(), holder.scope, caller, body),
            None => self.recorder.new_event(holder.scope, caller, body),
        };
        let attributes = changes.names().chain([CUSTOMER_PASSWORD.name]).collect();
        let audit = self.recorder.new_audit_entry(caller, Action::ResetPassword, attributes);
        let completion = Completion {
            holder: &holder,
            address_digest: AddressDigest::new(holder.scope, &holder.email, &self.recorder.keys),
            token: &token,
            password: &password,
            changes,
            event: &event,
            audit: &audit,
        };
        if !self.store.complete_reset(&completion).await? {
            return Err(CompleteError::Token);
        }
        self.recorder.publish(event);
        metrics::RESETS.add(ResetEvent::Completed, 1);
        Ok(holder.organization)
    }

    /// The reset that an earlier try of the same call made before its answer was lost.
    async fn created_before(
        &self,
        scope: Scope,
        caller: &Caller,
        reset: &NewReset,
    ) -> Result<Record, RequestError> {
        let found = match caller.record {
            Some(_) => self.store.find(scope, &CUSTOMER_PASSWORD_RESETS, reset.id.into()).await?,
            None => None,
        };
        let of_address =
            |found: &Record| found.get(CUSTOMER_EMAIL.name).as_text() == Some(reset.customer_email.as_str());
        let same = found.filter(of_address);
        same.ok_or_else(|| unexpected(CreateError::Taken).into())
    }

    fn new_reset(
        &self,
        client: &RegisteredClient,
        caller: &Caller,
        customer_email: EmailAddress,
        origin: ResetOrigin,
        attributes: CommonAttributes,
    ) -> NewReset {
        let random = &self.recorder.random;
        let id = caller.record.map_or_else(|| ResetId::generate(&**random), ResetId::from);
        let rules = *self.rules.load().get(&client.organization.slug);
        NewReset::generate(&self.recorder, &rules, client.scope, id, customer_email, origin, attributes)
    }

    async fn create(
        &self,
        client: &RegisteredClient,
        caller: &Caller,
        reset: &NewReset,
    ) -> Result<Option<CreatedReset>, CreateError> {
        let scope = client.scope;
        let EventRecorder { keys, random, .. } = &self.recorder;
        // For known and unknown addresses alike.
        let answers_all = reset.origin == ResetOrigin::SelfService
            && self.rules.load().get(&client.organization.slug).no_account_mail;
        let address = answers_all.then(|| {
            SealedAddress::seal(&reset.customer_email, scope.organization, reset.id, keys, &**random)
        });
        let body = reset.created(Some(client.client_id.clone()), address);
        let event = self.recorder.new_event(scope, caller, body);
        let attributes = [CUSTOMER_EMAIL.name].into_iter().chain(reset.attributes.names()).collect();
        let audit = self.recorder.new_audit_entry(caller, Action::Create, attributes);
        let created =
            self.store.create_reset(scope, &ResetRecord { reset, event: &event, audit: &audit }).await?;
        if created.is_some() {
            self.recorder.publish(event);
            metrics::RESETS.add(ResetEvent::Requested, 1);
        } else if reset.origin == ResetOrigin::SelfService {
            metrics::THROTTLES.add(Throttle::SelfService, 1);
        }
        Ok(created)
    }
}

/// Turns a collision of random ids into an internal error.
fn unexpected(error: CreateError) -> StoreError {
    match error {
        CreateError::Taken => StoreError::Internal("the new record's id is taken".into()),
        CreateError::Store(error) => error,
    }
}

/// A try at setting a password by a token.
#[derive(Debug)]
pub struct Attempt<'a> {
    /// The reset.
    pub reset: ResetId,
    /// What is presented as its token.
    pub token: &'a ResetToken,
    /// The new password.
    pub password: PlainPassword,
    /// The attributes to change with it.
    pub changes: &'a CommonAttributes,
}
