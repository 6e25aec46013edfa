//! Secrets. Each is a pair of types: the plain secret, which can be neither printed nor stored, and the form that is stored.

mod addresses;
mod answer;
mod bounce;
mod code;
mod envelope;
mod keyring;
mod rejection;
mod sealed;
mod webhook;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

pub use self::{
    addresses::{AccountDigest, AddressDigest, NetworkDigest},
    answer::{Fingerprint, KeyDigest, SealedAnswer},
    bounce::{bounce_mailbox, find_bounced_delivery},
    code::{CODE_PATTERN, CodeDigest, ResetCode},
    keyring::{KeyRing, KeyRingError},
    rejection::RejectionProof,
    sealed::{
        SealedAddress, SealedCode, SealedPayload, SealedSharedSecret, SealedToken, SealedUndoToken,
        UnsealError,
    },
    webhook::{Payload, SharedSecret},
};
use crate::{
    newtypes::{digest_newtype, redacted_debug},
    random::{RandomSource, fill_alphanumeric},
};

/// The length of a generated secret: 43 letters and digits are 256 bits, and no mail client breaks a link at one.
pub const LENGTH: usize = 43;

/// Declares a plain secret and its digest. The plain form is zeroized on drop and has no `Display`; the digest is
/// SHA-256, which is enough for a value of 256 random bits (only guessable secrets need a slow hash).
macro_rules! secret_pairs {
    ($($(#[$doc:meta])* $plain:ident / $digest:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $plain(Zeroizing<String>);

        impl $plain {
            /// Generates a secret of 43 letters and digits (256 bits).
            #[must_use]
            pub fn generate(random: &dyn RandomSource) -> Self {
                let mut text = Zeroizing::new([0; LENGTH]);
                fill_alphanumeric(random, text.as_mut_slice());
                Self(Zeroizing::new(text.iter().map(|&byte| char::from(byte)).collect()))
            }

            /// Parses a secret from a request; `None` unless it has the form of a generated one.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let is_valid = text.len() == LENGTH && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
                is_valid.then(|| Self(Zeroizing::new(text.to_owned())))
            }

            /// Returns the secret itself, for the one response, mail or file that shows it.
            #[must_use]
            pub fn expose(&self) -> &str {
                &self.0
            }

            /// Returns the digest, which is stored and compared.
            #[must_use]
            pub fn digest(&self) -> $digest {
                $digest(Sha256::digest(self.0.as_bytes()).into())
            }
        }

        redacted_debug!($plain);

        digest_newtype! {
            #[doc = concat!("The SHA-256 digest of a [`", stringify!($plain), "`], which stores keep and compare.")]
            $digest
        }
    )+};
}

secret_pairs! {
    /// The single-use token that allows its holder to set a customer's password.
    ResetToken / TokenDigest;
    /// The single-use token that allows its holder to restore a customer's former address.
    UndoToken / UndoTokenDigest;
    /// An API client's secret.
    ClientSecret / ClientSecretDigest;
    /// The token that refreshes a customer's session.
    RefreshToken / RefreshTokenDigest;
    /// The token of an operator's session in the console.
    OperatorToken / OperatorTokenDigest;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::OsRandom;

    #[test]
    fn a_generated_token_parses_and_digests_alike() {
        let token = ResetToken::generate(&OsRandom);
        let read = ResetToken::parse(token.expose()).unwrap();
        assert_eq!(token.digest(), read.digest());
        assert_ne!(token.digest(), ResetToken::generate(&OsRandom).digest());
    }

    #[test]
    fn token_type_other_shapes_are_no_tokens() {
        let token = ResetToken::generate(&OsRandom);
        let flipped: String = token
            .expose()
            .chars()
            .map(|c| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
            .collect();
        assert_ne!(ResetToken::parse(&flipped).unwrap().digest(), token.digest());
        for text in [
            "",
            "%",
            "' OR 1=1",
            "true",
            &format!("{} ", token.expose()),
            &token.expose()[1..],
            &"é".repeat(21),
        ] {
            assert!(ResetToken::parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let token = ResetToken::generate(&OsRandom);
        assert_eq!(format!("{token:?} {:?}", token.digest()), "ResetToken(…) TokenDigest(…)");
    }
}
