//! The throttle of guesses at a customer's password.

use std::{net::IpAddr, sync::Arc};

use async_trait::async_trait;
use time::Duration;

use crate::{
    email::EmailAddress,
    error::StoreError,
    scope::Scope,
    secrets::{AddressDigest, KeyRing, NetworkDigest},
};

/// How many wrong passwords in a row cost no time. People who try the two or three passwords that they use need as many.
pub const FREE_GUESSES: u32 = 5;
/// The longest delay. Beyond [`FREE_GUESSES`] it is a second, and doubles with each guess up to this.
pub const MAX_DELAY: Duration = Duration::minutes(15);
/// How many networks are remembered for an account, those used last.
pub const MAX_KNOWN_NETWORKS: u32 = 10;
/// How many accounts a network may have at most to be known to any of them. All log-ins through the server of a storefront share one.
pub const MAX_ACCOUNTS_OF_A_NETWORK: u32 = 5;
/// How long counts and known networks are kept after their last use.
pub const KEEP_GUESSES: Duration = Duration::days(60);

/// Whose password is guessed, and from where. An account is counted whether it exists or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuessSource {
    /// The account's address. A `+` suffix makes another one: who has that account must not zero the counter of this one.
    pub address: AddressDigest,
    /// The network that the guess comes from, if known.
    pub network: Option<NetworkDigest>,
}

impl GuessSource {
    /// Digests both with the ring's current key.
    #[must_use]
    pub fn new(scope: Scope, email: &EmailAddress, client: Option<IpAddr>, keys: &KeyRing) -> Self {
        Self {
            address: AddressDigest::new(scope, email, keys),
            network: client.map(|client| NetworkDigest::new(scope, client, keys)),
        }
    }

    /// Returns the digest of the network whose counter was charged; `None` is the counter of all others.
    #[must_use]
    pub fn charged_network(&self, charged: GuessCounter) -> Option<&[u8]> {
        let network = self.network.as_ref().filter(|_| charged == GuessCounter::KnownNetwork);
        network.map(|network| network.as_bytes().as_slice())
    }
}

/// Limits how often the password of an account is guessed.
#[derive(Clone)]
pub struct PasswordThrottle {
    /// Where guesses are counted.
    pub guesses: Arc<dyn PasswordGuesses>,
    /// How many wrong passwords in a row lock an account.
    pub budget: u32,
    /// Digests accounts and networks.
    pub keys: KeyRing,
}

impl PasswordThrottle {
    /// Charges a guess at the password of that address's account. `client` is the client's address, if known.
    pub(super) async fn charge(
        &self,
        scope: Scope,
        email: &EmailAddress,
        client: Option<IpAddr>,
    ) -> Result<(GuessSource, GuessCharge), StoreError> {
        let source = GuessSource::new(scope, email, client, &self.keys);
        Ok((source, self.guesses.charge_guess(&source, self.budget).await?))
    }
}

/// The result of [`PasswordGuesses::charge_guess`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuessCharge {
    /// The guess may be compared.
    Charged(GuessCounter),
    /// It comes too early, and was not charged; wait that long.
    TooEarly(Duration),
    /// All guesses of the budget were wrong.
    Locked,
}

/// Which counter was charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuessCounter {
    /// That of a network from which the account has signed in.
    KnownNetwork,
    /// That of all other networks together.
    Others,
}

/// The port to the counters of guesses at passwords. A guess from a network where the account has signed in before is counted by itself, so
/// that strangers' guesses do not hold up the owner. All replicas share the counters.
#[async_trait]
pub trait PasswordGuesses: Send + Sync + 'static {
    /// Charges a guess before it is compared, in one statement, so that simultaneous guesses can't be more than `budget` in a row. Known
    /// and unknown accounts cost the same.
    async fn charge_guess(&self, source: &GuessSource, budget: u32) -> Result<GuessCharge, StoreError>;

    /// Takes back the charge of a guess that was not compared.
    async fn return_guess(&self, source: &GuessSource, charged: GuessCounter) -> Result<(), StoreError>;

    /// Records that the guess was right: zeroes the counter that was charged, and remembers the network for the account, unless
    /// [`MAX_ACCOUNTS_OF_A_NETWORK`] others have it.
    async fn accept_guess(&self, source: &GuessSource, charged: GuessCounter) -> Result<(), StoreError>;
}
