//! Signing in to the console.

use std::{sync::Arc, time::Duration};

use super::{Operator, OperatorName, OperatorSessions, throttle::Throttle};
use crate::{
    error::StoreError,
    ids::OrganizationId,
    passwords::{Claim, HashError, Hasher, PlainPassword, Verification},
    random::RandomSource,
    secrets::OperatorToken,
};

/// The use cases of operators' sessions.
pub struct OperatorSignIn {
    sessions: Arc<dyn OperatorSessions>,
    hasher: Hasher,
    throttle: Throttle,
    /// Whose share of the hashing queue is used: nobody else is in it.
    share: OrganizationId,
    random: Arc<dyn RandomSource>,
}

/// Why an operator is not signed in.
#[derive(Debug, thiserror::Error)]
pub enum OperatorSignInError {
    /// There is no such operator, or the password is wrong, which callers can't tell apart.
    #[error("wrong name or password")]
    Credentials,
    /// The name had too many wrong passwords. Nothing was compared.
    #[error("too many wrong passwords")]
    Throttled(Duration),
    /// Hashing is at its limit, or failed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl OperatorSignIn {
    /// Takes where sessions are kept, what verifies passwords, and what makes tokens. The hasher's queue limits all guesses together.
    #[must_use]
    pub fn new(sessions: Arc<dyn OperatorSessions>, hasher: Hasher, random: Arc<dyn RandomSource>) -> Self {
        let share = OrganizationId::generate(&*random);
        Self { sessions, hasher, throttle: Throttle::new(), share, random }
    }

    /// Opens a session. A name without an operator costs the same hash as a wrong password.
    ///
    /// # Errors
    /// See [`OperatorSignInError`].
    pub async fn with_password(
        &self,
        name: OperatorName,
        password: PlainPassword,
    ) -> Result<OperatorToken, OperatorSignInError> {
        if let Some(wait) = self.throttle.wait(name) {
            return Err(OperatorSignInError::Throttled(wait));
        }
        let stored = self.sessions.operator_password(name).await?;
        let claim = Claim {
            organization: self.share,
            password,
            stored: stored.clone(),
            is_imported: false,
            waits_for_both_queues: false,
        };
        let (verification, _) = self.hasher.verify(claim).await.outcome?;
        if let (Some(hash), Verification::Right | Verification::RightButOutdated) = (stored, verification) {
            let token = OperatorToken::generate(&*self.random);
            if self.sessions.open_operator_session(name, &hash, &token.digest()).await? {
                self.throttle.record_right(name);
                return Ok(token);
            }
        }
        self.throttle.record_wrong(name);
        Err(OperatorSignInError::Credentials)
    }

    /// Returns the operator of a session, unless it has expired.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn operator(&self, token: &OperatorToken) -> Result<Option<Operator>, StoreError> {
        self.sessions.use_operator_session(&token.digest()).await
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sign_out(&self, token: &OperatorToken) -> Result<(), StoreError> {
        self.sessions.end_operator_session(&token.digest()).await
    }
}
