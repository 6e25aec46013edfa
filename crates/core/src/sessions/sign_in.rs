//! The use cases of customers' sessions: log in, refresh, end.

use std::{net::IpAddr, sync::Arc};

use time::Duration;

use crate::{
    clients::RegisteredClient,
    email::EmailAddress,
    error::StoreError,
    ids::SessionId,
    passwords::{HashError, Hasher, PlainPassword, Verification},
    random::RandomSource,
    secrets::{KeyRing, RefreshToken},
    sessions::{
        EndSessionOutcome, LiveSession, NewSession, Refresh, RefreshOutcome, Sessions, TokenScope,
        guesses::{GuessCharge, GuessSource, PasswordGuesses},
    },
};

/// The use cases of sessions. Cheap to clone.
#[derive(Clone)]
pub struct SignIn {
    /// Where credentials and sessions are kept.
    pub sessions: Arc<dyn Sessions>,
    /// Counts guesses at passwords.
    pub guesses: Arc<dyn PasswordGuesses>,
    /// How many wrong passwords in a row lock an account.
    pub guess_budget: u32,
    /// Digests accounts and networks.
    pub keys: KeyRing,
    /// Verifies passwords.
    pub hasher: Hasher,
    /// Makes session ids and refresh tokens.
    pub random: Arc<dyn RandomSource>,
    /// How long a session lasts unless it is refreshed.
    pub session_ttl: Duration,
    /// How long a used refresh token may be sent again without ending its session.
    pub refresh_leeway: Duration,
}

/// A customer who has just logged in, or whose session was refreshed.
#[derive(Debug)]
pub struct SignedIn {
    /// The session.
    pub session: LiveSession,
    /// The token that refreshes it.
    pub refresh_token: RefreshToken,
}

/// Why the log-in failed.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Unknown customer, no password set, or the wrong password, which callers can't tell apart.
    #[error("wrong address or password")]
    Credentials,
    /// The account, existing or not, had too many wrong passwords. Nothing was compared.
    #[error("too many wrong passwords")]
    Throttled {
        /// How long to wait; `None` if only a reset by mail ends the lock.
        wait: Option<Duration>,
    },
    /// Hashing is at its limit, or failed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a session is not refreshed.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// Unknown, expired, of another client, or from before the password changed, which callers can't tell apart.
    #[error("the refresh token is invalid")]
    Token,
    /// The token was used before; its session is now ended.
    #[error("a refresh token was used again: its session is ended")]
    Reused(SessionId),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SignIn {
    /// Logs a customer in by address and password. An unknown customer costs the same work as a known one. `address` is that of the client's
    /// network, if known.
    ///
    /// # Errors
    /// See [`SignInError`].
    pub async fn with_password(
        &self,
        client: &RegisteredClient,
        email: &EmailAddress,
        address: Option<IpAddr>,
        password: PlainPassword,
        token_scope: TokenScope,
    ) -> Result<SignedIn, SignInError> {
        let source = GuessSource::new(client.scope, email, address, &self.keys);
        let charged = match self.guesses.charge_guess(&source, self.guess_budget).await? {
            GuessCharge::Charged(counter) => counter,
            GuessCharge::TooEarly(wait) => return Err(SignInError::Throttled { wait: Some(wait) }),
            GuessCharge::Locked => return Err(SignInError::Throttled { wait: None }),
        };
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
            Verification::RightButOutdated => {
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
            ttl: self.session_ttl,
        };
        if self.sessions.open_session(client.scope, &opened).await? {
            self.guesses.accept_guess(&source, charged).await?;
            Ok(SignedIn { session: LiveSession { id, customer, token_scope }, refresh_token })
        } else {
            Err(SignInError::Credentials)
        }
    }

    /// Refreshes a session. Its refresh token is used up, and the result has the next one.
    ///
    /// # Errors
    /// See [`RefreshError`].
    pub async fn with_refresh_token(
        &self,
        client: &RegisteredClient,
        token: &RefreshToken,
    ) -> Result<SignedIn, RefreshError> {
        let refresh_token = RefreshToken::generate(&*self.random);
        let refresh = Refresh {
            application: client.id,
            presented: &token.digest(),
            next: &refresh_token.digest(),
            ttl: self.session_ttl,
            leeway: self.refresh_leeway,
        };
        match self.sessions.refresh_session(client.scope, &refresh).await? {
            RefreshOutcome::Rotated(session) => Ok(SignedIn { session, refresh_token }),
            RefreshOutcome::Reused(session) => Err(RefreshError::Reused(session)),
            RefreshOutcome::Refused => Err(RefreshError::Token),
        }
    }

    /// Whether the session's access tokens are still valid.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn is_live(&self, client: &RegisteredClient, session: SessionId) -> Result<bool, StoreError> {
        self.sessions.session_is_live(client.scope, session).await
    }

    /// Ends a session, which makes its access and refresh tokens invalid.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end(&self, client: &RegisteredClient, session: SessionId) -> Result<(), StoreError> {
        self.sessions.end_session(client.scope, session).await
    }

    /// Ends the session of a refresh token, used or not.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end_by_refresh_token(
        &self,
        client: &RegisteredClient,
        token: &RefreshToken,
    ) -> Result<EndSessionOutcome, StoreError> {
        self.sessions.end_session_of_token(client.scope, client.id, &token.digest()).await
    }
}
