//! Calls that a caller may repeat (draft-ietf-httpapi-idempotency-key-header): the first answer is kept under the caller's
//! key, and given again.
//!
//! The row of a key is written before the call runs, and holds the id of what the call is to create. So however often it
//! runs (its process died, the answer to its commit was lost), at most one record, one event and one mail come of it.

mod answer;
mod key;

use std::sync::Arc;

use async_trait::async_trait;
use time::Duration;

pub use self::{
    answer::Answer,
    key::{IdempotencyKey, InvalidKey, KeyDigest, Owner},
};
use crate::{
    error::StoreError,
    ids::RecordId,
    random::RandomSource,
    scope::Scope,
    secrets::{Fingerprint, KeyRing, SealedAnswer, UnsealError},
};

/// How long a call has its key to itself. No call takes that long: a statement ends after 15 s, a wait for a connection
/// after a few. It bounds how long the key of a process that died is out of use.
pub const LEASE: Duration = Duration::MINUTE;

/// Gives each call of a caller's key one answer.
#[derive(Clone)]
pub struct Idempotency {
    /// Where answers are kept.
    pub answers: Arc<dyn AnswerStore>,
    /// Seals them.
    pub keys: KeyRing,
    /// Makes ids and nonces.
    pub random: Arc<dyn RandomSource>,
    /// How long an answer is kept, from the first call on; at least [`LEASE`].
    pub life: Duration,
}

/// What becomes of a call.
#[derive(Debug)]
pub enum Begun {
    /// It is to run, and to be settled.
    First(Ticket),
    /// It ran: this was the answer.
    Answered(Answer),
    /// The key was used for another request.
    OtherRequest,
    /// The same call is running, or its process died less than [`LEASE`] ago.
    Running,
}

/// The right to run a call.
#[derive(Debug)]
pub struct Ticket {
    /// The id of what the call creates.
    pub record: RecordId,
    scope: Scope,
    key: KeyDigest,
    attempt: u32,
}

/// Why a call can't be begun.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// The answer that was kept does not open any more.
    #[error(transparent)]
    Unseal(#[from] UnsealError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Idempotency {
    /// Begins a call: of any number of simultaneous ones exactly one is the first. `request` is all that makes it the same
    /// call when it is repeated.
    ///
    /// # Errors
    /// See [`BeginError`].
    pub async fn begin(
        &self,
        owner: Owner,
        key: &IdempotencyKey,
        request: &[&[u8]],
    ) -> Result<Begun, BeginError> {
        let (scope, key) = (owner.scope, owner.digest(key));
        let claim = KeyClaim {
            key: &key,
            fingerprints: &Fingerprint::all(request, &self.keys),
            record: RecordId::generate(&*self.random),
            lease: LEASE,
            life: self.life,
        };
        Ok(match self.answers.claim_key(scope, &claim).await? {
            Claimed::Granted { record, attempt } => Begun::First(Ticket { record, scope, key, attempt }),
            Claimed::Answered(sealed) => {
                let plain = sealed.unseal(&key, &self.keys)?;
                Begun::Answered(Answer::decode(&plain).ok_or(UnsealError)?)
            }
            Claimed::OtherRequest => Begun::OtherRequest,
            Claimed::Running => Begun::Running,
        })
    }

    /// Keeps the call's answer; without one, the key is free again, and a repeated call runs. A call whose lease ended and
    /// was taken over is left alone.
    ///
    /// # Errors
    /// When the store fails: a repeated call then runs once the lease has ended.
    pub async fn settle(&self, ticket: Ticket, answer: Option<&Answer>) -> Result<(), StoreError> {
        let Ticket { scope, key, attempt, .. } = ticket;
        let sealed =
            answer.map(|answer| SealedAnswer::seal(&answer.encode(), &key, &self.keys, &*self.random));
        self.answers.settle_key(scope, &key, attempt, sealed.as_ref()).await?;
        Ok(())
    }
}

/// A call that is about to run under a key.
#[derive(Debug, Clone, Copy)]
pub struct KeyClaim<'a> {
    /// Whose key, and which.
    pub key: &'a KeyDigest,
    /// The request's fingerprints: the first is stored, any of them is the same request's.
    pub fingerprints: &'a [Fingerprint],
    /// The id of what the call creates, if it is the first.
    pub record: RecordId,
    /// How long nobody else may run it.
    pub lease: Duration,
    /// How long the key is remembered, from its first call on; longer than the lease.
    pub life: Duration,
}

/// The answer to [`AnswerStore::claim_key`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// The call may run.
    Granted {
        /// The id of what it creates: the first claim's, as long as the key is remembered for this request.
        record: RecordId,
        /// Which claim of the key this is, from 1.
        attempt: u32,
    },
    /// The call has run.
    Answered(SealedAnswer),
    /// The key is another request's.
    OtherRequest,
    /// Somebody else is running it.
    Running,
}

/// The port to where answers are kept. One row a key of a caller's.
#[async_trait]
pub trait AnswerStore: Send + Sync + 'static {
    /// Claims a key, by the store's clock. It is granted when nobody has used it, when it is forgotten or was freed, and, to
    /// the same request only, when a claim's lease has ended unsettled. Of any number of callers one is granted it.
    async fn claim_key(&self, scope: Scope, claim: &KeyClaim<'_>) -> Result<Claimed, StoreError>;

    /// Keeps the answer of the claim `attempt`, or frees the key; returns false, and does nothing, when the claim was taken
    /// over. Removes a few keys that are forgotten: more than one, so that they don't pile up.
    async fn settle_key(
        &self,
        scope: Scope,
        key: &KeyDigest,
        attempt: u32,
        answer: Option<&SealedAnswer>,
    ) -> Result<bool, StoreError>;
}
