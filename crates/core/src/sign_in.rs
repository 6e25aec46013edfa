//! Log-ins of customers.

use std::sync::Arc;

use time::Duration;

use crate::{
    access::ApiClient,
    ambient::Entropy,
    email::EmailAddress,
    ids::{CustomerId, SessionId},
    password::{HashError, Hasher, PlainPassword, Verification},
    secret::RefreshToken,
    store::{NewSession, Store, StoreError},
};

/// The use cases of log-ins. Cheap to clone.
#[derive(Clone)]
pub struct SignIn {
    /// Where credentials and sessions are kept.
    pub store: Arc<dyn Store>,
    /// Verifies passwords.
    pub hasher: Hasher,
    /// Makes session ids and refresh tokens.
    pub entropy: Arc<dyn Entropy>,
    /// How long a session lives unless it is refreshed.
    pub session_life: Duration,
}

/// A customer who has just logged in.
#[derive(Debug)]
pub struct SignedIn {
    /// Who.
    pub customer: CustomerId,
    /// The session, to be named in its access tokens.
    pub session: SessionId,
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
    ) -> Result<SignedIn, SignInError> {
        let (customer, stored) = match self.store.find_credentials(client.scope, email).await? {
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
                self.store.rehash_password(client.scope, customer, &hash, &new).await?;
                hash = new;
            }
        }
        let (session, refresh_token) =
            (SessionId::generate(&*self.entropy), RefreshToken::generate(&*self.entropy));
        let opened = NewSession {
            id: session,
            customer,
            application: client.id,
            refresh_token: &refresh_token.digest(),
            password: &hash,
            life: self.session_life,
        };
        if self.store.open_session(client.scope, &opened).await? {
            Ok(SignedIn { customer, session, refresh_token })
        } else {
            Err(SignInError::Credentials)
        }
    }

    /// Whether the access tokens of that session are still good.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn is_live(&self, client: &ApiClient, session: SessionId) -> Result<bool, StoreError> {
        self.store.session_is_live(client.scope, session).await
    }
}
