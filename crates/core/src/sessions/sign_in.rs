//! The use cases of customers' sessions: log in, refresh, end.

use std::{net::IpAddr, sync::Arc};

use time::Duration;
use tokio::time::Instant;

use crate::{
    clients::RegisteredClient,
    customers::Credentials,
    email::EmailAddress,
    error::StoreError,
    events::audit::{Action, AuditEntry},
    ids::SessionId,
    metrics::{self, SignInResult, Throttle},
    passwords::{Claim, HashError, Hasher, PlainPassword, SchemeName, Verification},
    random::RandomSource,
    secrets::{AddressDigest, RefreshToken},
    sessions::{
        EndSessionOutcome, LiveSession, NewSession, Refresh, RefreshOutcome, Sessions, SignInRecord,
        TokenScope,
        failure_floor::FailureFloors,
        guesses::{GuessCharge, PasswordThrottle},
        log_ins::LogIns,
    },
};

/// The use cases of sessions. Cheap to clone.
#[derive(Clone)]
pub struct SignIn {
    sessions: Arc<dyn Sessions>,
    throttle: PasswordThrottle,
    hasher: Hasher,
    floors: Arc<FailureFloors>,
    log_ins: LogIns,
    random: Arc<dyn RandomSource>,
    ttls: SessionTtls,
}

/// How long sessions last.
#[derive(Debug, Clone, Copy)]
pub struct SessionTtls {
    /// How long a session lasts unless it is refreshed.
    pub session: Duration,
    /// How long after its sign-in a session ends, whatever refreshes follow.
    pub max_age: Duration,
    /// How long a used refresh token may be sent again without ending its session.
    pub refresh_leeway: Duration,
}

/// A try at logging in.
struct Attempt<'a> {
    client: &'a RegisteredClient,
    email: &'a EmailAddress,
    /// The address's digest.
    account: AddressDigest,
    /// The client's network address, if known.
    address: Option<IpAddr>,
    arrived_at: Instant,
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
    /// Unknown, expired, of another client, of a session that is too old or from before the password changed, which callers can't tell
    /// apart.
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
    /// Takes where credentials and sessions are kept, what limits guesses and verifies passwords, and what makes ids and refresh tokens.
    #[must_use]
    pub fn new(
        sessions: Arc<dyn Sessions>,
        throttle: PasswordThrottle,
        hasher: Hasher,
        random: Arc<dyn RandomSource>,
        ttls: SessionTtls,
    ) -> Self {
        let floors = Arc::new(FailureFloors::new(sessions.clone(), hasher.clone()));
        Self { sessions, throttle, hasher, floors, log_ins: LogIns::default(), random, ttls }
    }

    /// Logs a customer in by address and password. A failure takes as long for an unknown customer as for a known one: where an
    /// organization has hashes that take longer than a decoy, all its failures are answered at one time. `address` is that of the client,
    /// if known.
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
        let outcome = self.try_password(client, email, address, password, token_scope).await;
        match &outcome {
            Ok(_) => metrics::SIGN_INS.add(SignInResult::Succeeded, 1),
            Err(SignInError::Credentials) => metrics::SIGN_INS.add(SignInResult::Failed, 1),
            Err(SignInError::Throttled { .. }) => {
                metrics::SIGN_INS.add(SignInResult::Throttled, 1);
                metrics::THROTTLES.add(Throttle::Password, 1);
            }
            Err(SignInError::Hash(_) | SignInError::Store(_)) => {}
        }
        outcome
    }

    async fn try_password(
        &self,
        client: &RegisteredClient,
        email: &EmailAddress,
        address: Option<IpAddr>,
        password: PlainPassword,
        token_scope: TokenScope,
    ) -> Result<SignedIn, SignInError> {
        let arrived_at = Instant::now();
        let (source, charge) = self.throttle.charge(client.scope, email, address).await?;
        let attempt = Attempt { client, email, account: source.address, address, arrived_at };
        let charged = match charge {
            GuessCharge::Charged(counter) => counter,
            GuessCharge::TooEarly(wait) => return Err(self.throttled(&attempt, Some(wait)).await),
            GuessCharge::Locked => return Err(self.throttled(&attempt, None).await),
        };
        let mut was_compared = false;
        let outcome = self.compare(&attempt, password, token_scope, &mut was_compared).await;
        if outcome.is_ok() {
            self.throttle.guesses.accept_guess(&source, charged).await?;
        } else if !was_compared || matches!(outcome, Err(SignInError::Store(_))) {
            // The right password may not have been compared in a flood, or not recorded: the customer must not wait for that.
            self.throttle.guesses.return_guess(&source, charged).await?;
        }
        outcome
    }

    /// Answers a failure at the organization's floor. Sets `was_compared` once the password was.
    async fn compare(
        &self,
        attempt: &Attempt<'_>,
        password: PlainPassword,
        token_scope: TokenScope,
        was_compared: &mut bool,
    ) -> Result<SignedIn, SignInError> {
        let Attempt { client, email, arrived_at, .. } = *attempt;
        let organization = client.scope.organization;
        let credentials = self.sessions.find_credentials(client.scope, email).await?;
        let scheme = credentials.as_ref().and_then(|credentials| credentials.scheme.as_ref());
        let floor = self.floors.get(organization, scheme).await?;
        let _place = floor.is_some().then(|| self.log_ins.enter(organization)).transpose()?;
        let form_count = password.form_count();
        let claim = Claim {
            organization,
            password,
            stored: credentials.as_ref().and_then(|credentials| credentials.password.clone()),
            is_imported: scheme.is_some_and(SchemeName::is_imported),
            waits_for_both_queues: floor.is_some_and(|floor| floor.has_large),
        };
        let verifying = Instant::now();
        let verified = self.hasher.verify(claim).await;
        let hashing = verifying.elapsed().saturating_sub(verified.waited);
        *was_compared = verified.was_compared;
        let outcome = match verified.outcome {
            Ok((verification, password)) => {
                let opened =
                    self.open_session(client, credentials, verification, password, token_scope).await;
                // Before the wait, which so covers the time that it takes.
                self.record(attempt, &opened).await.map_err(SignInError::from).and(opened)
            }
            Err(error) => Err(error.into()),
        };
        if let (Some(floor), Err(_)) = (floor, &outcome) {
            // The store's time is a wait, too: of all that was done, only the hash depends on the account.
            let waited = arrived_at.elapsed().saturating_sub(hashing);
            floor.wait(arrived_at, waited, form_count, &*self.random).await;
        }
        outcome
    }

    /// Records a log-in that was refused without a comparison, and returns its error.
    async fn throttled(&self, attempt: &Attempt<'_>, wait: Option<Duration>) -> SignInError {
        let throttled = Err(SignInError::Throttled { wait });
        match self.record(attempt, &throttled).await {
            Ok(()) => SignInError::Throttled { wait },
            Err(error) => error.into(),
        }
    }

    /// Records the outcome for the audit log, if it says something about the password.
    async fn record(
        &self,
        attempt: &Attempt<'_>,
        outcome: &Result<SignedIn, SignInError>,
    ) -> Result<(), StoreError> {
        let action = match outcome {
            Ok(_) => Action::SignIn,
            Err(SignInError::Credentials) => Action::SignInFailed,
            Err(SignInError::Throttled { .. }) => Action::SignInThrottled,
            Err(SignInError::Hash(_) | SignInError::Store(_)) => return Ok(()),
        };
        let Attempt { client, email, ref account, address, .. } = *attempt;
        let audit = AuditEntry::by_client(client.id, address, action, &*self.random);
        self.sessions.record_sign_in(client.scope, &SignInRecord { email, account, audit: &audit }).await
    }

    async fn open_session(
        &self,
        client: &RegisteredClient,
        credentials: Option<Credentials>,
        verification: Verification,
        password: PlainPassword,
        token_scope: TokenScope,
    ) -> Result<SignedIn, SignInError> {
        let Some(Credentials { customer, password: Some(mut hash), .. }) = credentials else {
            return Err(SignInError::Credentials);
        };
        match verification {
            Verification::Wrong => return Err(SignInError::Credentials),
            Verification::Right => {}
            Verification::RightButOutdated => {
                let new = self.hasher.rehash(client.scope.organization, password).await?;
                self.sessions.rehash_password(client.scope, customer, &hash, &new).await?;
                hash = new;
            }
        }
        let (id, refresh_token) = (SessionId::generate(&*self.random), RefreshToken::generate(&*self.random));
        let ttl = self.ttls.session.min(self.ttls.max_age);
        let opened = NewSession {
            id,
            customer,
            application: client.id,
            token_scope: &token_scope,
            refresh_token: &refresh_token.digest(),
            password: &hash,
            ttl,
        };
        if self.sessions.open_session(client.scope, &opened).await? {
            Ok(SignedIn { session: LiveSession { id, customer, token_scope, ttl }, refresh_token })
        } else {
            Err(SignInError::Credentials)
        }
    }

    /// Refreshes a session. Its refresh token is used up, and the result has the next one. `address` is that of the client, if known.
    ///
    /// # Errors
    /// See [`RefreshError`].
    pub async fn with_refresh_token(
        &self,
        client: &RegisteredClient,
        address: Option<IpAddr>,
        token: &RefreshToken,
    ) -> Result<SignedIn, RefreshError> {
        let refresh_token = RefreshToken::generate(&*self.random);
        let reuse = AuditEntry::by_client(client.id, address, Action::RefreshTokenReused, &*self.random);
        let refresh = Refresh {
            application: client.id,
            presented: &token.digest(),
            next: &refresh_token.digest(),
            ttl: self.ttls.session,
            max_age: self.ttls.max_age,
            leeway: self.ttls.refresh_leeway,
            reuse: &reuse,
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
        self.sessions.session_is_live(client.scope, session, self.ttls.max_age).await
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
