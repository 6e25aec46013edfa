//! Requests that a client may repeat (draft-ietf-httpapi-idempotency-key-header): the first response is stored under the client's
//! key and returned again.
//!
//! The key's row is written before the request runs, and has the id of the record to create. So the request makes at most one record,
//! one event and one mail, even when it runs again because its process died or the reply to its commit was lost.

mod answer;
mod key;

use std::sync::Arc;

use async_trait::async_trait;
use time::Duration;

pub use self::{
    answer::Answer,
    key::{IdempotencyKey, InvalidKey, Owner},
};
use crate::{
    error::StoreError,
    ids::RecordId,
    random::RandomSource,
    scope::Scope,
    secrets::{Fingerprint, KeyDigest, KeyRing, SealedAnswer, UnsealError},
};

/// How long a request holds its key, and so how long the key of a process that died is blocked. Calls of the store take
/// milliseconds, and in an outage up to 6 s each after the wait for a connection. A request that takes longer may run a second time, and
/// both create the same record.
pub const LEASE: Duration = Duration::seconds(15);

/// Gives all requests with one key the same response.
#[derive(Clone)]
pub struct Idempotency {
    /// Stores the responses.
    pub answers: Arc<dyn AnswerStore>,
    /// Encrypts them.
    pub keys: KeyRing,
    /// Makes ids and nonces.
    pub random: Arc<dyn RandomSource>,
    /// How long an answer is kept, from the first call on; at least [`LEASE`].
    pub ttl: Duration,
}

/// The result of [`Idempotency::begin`].
#[derive(Debug)]
pub enum BeginOutcome {
    /// The request must run, and be settled.
    Run(Ticket),
    /// It has run; this was the response.
    Answered(Answer),
    /// The key was used for another request.
    OtherRequest,
    /// The same request is running, or its process died less than [`LEASE`] ago.
    Running,
}

/// The right to run a request.
#[derive(Debug)]
pub struct Ticket {
    /// The id of the record to create.
    pub record: RecordId,
    scope: Scope,
    key: KeyDigest,
    attempt: u32,
}

/// Why [`Idempotency::begin`] failed.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// The stored response can't be decrypted any more.
    #[error(transparent)]
    Unseal(#[from] UnsealError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Idempotency {
    /// Begins a request: exactly one of several simultaneous requests runs. Two requests are the same when their `request` is equal.
    ///
    /// # Errors
    /// See [`BeginError`].
    pub async fn begin(
        &self,
        owner: Owner,
        key: &IdempotencyKey,
        request: &[&[u8]],
    ) -> Result<BeginOutcome, BeginError> {
        let (scope, key) = (owner.scope, owner.digest(key));
        let claim = KeyClaim {
            key: &key,
            fingerprints: &Fingerprint::all(request, &self.keys),
            record: RecordId::generate(&*self.random),
            lease: LEASE,
            ttl: self.ttl,
        };
        Ok(match self.answers.claim_key(scope, &claim).await? {
            Claimed::Granted { record, attempt } => BeginOutcome::Run(Ticket { record, scope, key, attempt }),
            Claimed::Answered(sealed) => {
                let plain = sealed.unseal(&key, &self.keys)?;
                BeginOutcome::Answered(Answer::decode(&plain).ok_or(UnsealError)?)
            }
            Claimed::OtherRequest => BeginOutcome::OtherRequest,
            Claimed::Running => BeginOutcome::Running,
        })
    }

    /// Stores the response. Without one the key is freed, and a repeated request runs. Does nothing if the lease ended and was taken
    /// over.
    ///
    /// # Errors
    /// When the store fails: a repeated request then runs once the lease has ended.
    pub async fn settle(&self, ticket: Ticket, answer: Option<&Answer>) -> Result<(), StoreError> {
        let Ticket { scope, key, attempt, .. } = ticket;
        let sealed =
            answer.map(|answer| SealedAnswer::seal(&answer.encode(), &key, &self.keys, &*self.random));
        self.answers.settle_key(scope, &key, attempt, sealed.as_ref()).await?;
        Ok(())
    }
}

/// A request that wants to run under a key.
#[derive(Debug, Clone, Copy)]
pub struct KeyClaim<'a> {
    /// The key with its owner.
    pub key: &'a KeyDigest,
    /// The request's fingerprints: the first is stored, and any of them identifies the same request.
    pub fingerprints: &'a [Fingerprint],
    /// The id of the record to create, if this is the first claim.
    pub record: RecordId,
    /// How long no other process may run it.
    pub lease: Duration,
    /// How long the key is remembered, from its first call on; longer than the lease.
    pub ttl: Duration,
}

/// The result of [`AnswerStore::claim_key`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// The request may run.
    Granted {
        /// The id of the record to create: that of the first claim, as long as the key is stored for this request.
        record: RecordId,
        /// Which claim of the key this is, from 1.
        attempt: u32,
    },
    /// The request has run.
    Answered(SealedAnswer),
    /// The key was used for another request.
    OtherRequest,
    /// Another process is running it.
    Running,
}

/// The port to the stored responses: one row for each key of a client.
#[async_trait]
pub trait AnswerStore: Send + Sync + 'static {
    /// Claims a key, by the store's clock. The claim is granted when the key is unused, expired or freed, and, to the same request only,
    /// when a lease ended without being settled. One of several simultaneous claims is granted.
    async fn claim_key(&self, scope: Scope, claim: &KeyClaim<'_>) -> Result<Claimed, StoreError>;

    /// Stores the response of the claim `attempt`, or frees the key. Returns false and does nothing when the claim was taken over.
    /// Removes a few expired keys: more than one, so that they don't pile up.
    async fn settle_key(
        &self,
        scope: Scope,
        key: &KeyDigest,
        attempt: u32,
        answer: Option<&SealedAnswer>,
    ) -> Result<bool, StoreError>;
}
