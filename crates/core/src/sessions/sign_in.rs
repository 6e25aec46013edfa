//! Log-ins of customers: how they begin, go on and end.

use std::sync::Arc;

use time::Duration;

use crate::{
    clients::ApiClient,
    email::EmailAddress,
    error::StoreError,
    ids::SessionId,
    passwords::{HashError, Hasher, PlainPassword, Verification},
    random::RandomSource,
    secrets::RefreshToken,
    sessions::{Ending, LiveSession, NewSession, Refresh, Refreshed, Sessions, TokenScope},
};

/// The use cases of log-ins. Cheap to clone.
#[derive(Clone)]
pub struct SignIn {
    /// Where credentials and sessions are kept.
    pub sessions: Arc<dyn Sessions>,
    /// Verifies passwords.
    pub hasher: Hasher,
    /// Makes session ids and refresh tokens.
    pub random: Arc<dyn RandomSource>,
    /// How long a session lives unless it is refreshed.
    pub session_life: Duration,
    /// For how long a used refresh token may come again without ending its session.
    pub refresh_leeway: Duration,
}

/// A customer who has just logged in, or whose session was prolonged.
#[derive(Debug)]
pub struct SignedIn {
    /// The session, and whose it is.
    pub session: LiveSession,
    /// What prolongs it.
    pub refresh_token: RefreshToken,
}

/// Why nobody is logged in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Unknown customer, no password set, or the wrong password: nobody learns which.
    #[error("wrong address or password")]
    Credentials,
    /// Hashing is at its limit, or failed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a session is not prolonged.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// Unknown, expired, of another client, or from before the password changed: nobody learns which.
    #[error("the refresh token is not good")]
    Token,
    /// The token had been used before; its session is now ended.
    #[error("a refresh token was used again: its session is ended")]
    Reused(SessionId),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SignIn {
    /// Logs a customer in by address and password. An unknown customer costs the same work as a known one.
    ///
    /// # Errors
    /// See [`SignInError`].
    pub async fn with_password(
        &self,
        client: &ApiClient,
        email: &EmailAddress,
        password: PlainPassword,
        token_scope: TokenScope,
    ) -> Result<SignedIn, SignInError> {
        let (customer, stored) = match self.sessions.find_credentials(client.scope, email).await? {
            Some(credentials) => (Some(credentials.customer), credentials.password),
            None => (None, None),
        };
        let (verification, password) = self.hasher.verify(password, stored.clone()).await?;
        let (Some(customer), Some(mut hash)) = (customer, stored) else {
            return Err(SignInError::Credentials);
        };
        match verification {
            Verification::Wrong => return Err(SignInError::Credentials),
            Verification::Right => {}
            Verification::RightButOld => {
                let new = self.hasher.rehash(password).await?;
                self.sessions.rehash_password(client.scope, customer, &hash, &new).await?;
                hash = new;
            }
        }
        let (id, refresh_token) = (SessionId::generate(&*self.random), RefreshToken::generate(&*self.random));
        let opened = NewSession {
            id,
            customer,
            application: client.id,
            token_scope: &token_scope,
            refresh_token: &refresh_token.digest(),
            password: &hash,
            life: self.session_life,
        };
        if self.sessions.open_session(client.scope, &opened).await? {
            Ok(SignedIn { session: LiveSession { id, customer, token_scope }, refresh_token })
        } else {
            Err(SignInError::Credentials)
        }
    }

    /// Prolongs a session. Its refresh token is used up and the answer has the next one.
    ///
    /// # Errors
    /// See [`RefreshError`].
    pub async fn with_refresh_token(
        &self,
        client: &ApiClient,
        token: &RefreshToken,
    ) -> Result<SignedIn, RefreshError> {
        let refresh_token = RefreshToken::generate(&*self.random);
        let refresh = Refresh {
            application: client.id,
            presented: &token.digest(),
            next: &refresh_token.digest(),
            life: self.session_life,
            leeway: self.refresh_leeway,
        };
        match self.sessions.refresh_session(client.scope, &refresh).await? {
            Refreshed::Rotated(session) => Ok(SignedIn { session, refresh_token }),
            Refreshed::Reused(session) => Err(RefreshError::Reused(session)),
            Refreshed::Refused => Err(RefreshError::Token),
        }
    }

    /// Whether the access tokens of that session are still good.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn is_live(&self, client: &ApiClient, session: SessionId) -> Result<bool, StoreError> {
        self.sessions.session_is_live(client.scope, session).await
    }
    /// Ends a session: none of its access and refresh tokens is good any more.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end(&self, client: &ApiClient, session: SessionId) -> Result<(), StoreError> {
        self.sessions.end_session(client.scope, session).await
    }

    /// The same for whoever has one of its refresh tokens, used or not.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end_by_refresh_token(
        &self,
        client: &ApiClient,
        token: &RefreshToken,
    ) -> Result<Ending, StoreError> {
        self.sessions.end_session_of_token(client.scope, client.id, &token.digest()).await
    }
}
