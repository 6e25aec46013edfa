//! Secrets. Each comes as a pair: the plain one, which can be neither printed nor stored, and the form that is kept.

mod answer;
mod code;
mod envelope;
mod keyring;
mod rejection;
mod sealed;

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

pub use self::{
    answer::{Fingerprint, SealedAnswer},
    code::{CODE_PATTERN, CodeDigest, ResetCode},
    keyring::{KeyRing, KeyRingError},
    rejection::DisavowalProof,
    sealed::{SealedAddress, SealedCode, SealedToken, UnsealError},
};
use crate::random::{RandomSource, fill_alphanumeric};

/// Characters of a generated secret: 43 letters and digits are 256 bits, and no mail client breaks a link at one.
pub const LENGTH: usize = 43;

/// Declares a plain secret and its digest. The plain form is zeroized on drop and has no `Display`; the digest is
/// SHA-256, which is enough for a value of 256 random bits (a slow hash defends low-random secrets only).
macro_rules! secret_pairs {
    ($($(#[$doc:meta])* $plain:ident / $digest:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $plain(Zeroizing<String>);

        impl $plain {
            /// A new secret of 43 random letters and digits (256 bits).
            #[must_use]
            pub fn generate(random: &dyn RandomSource) -> Self {
                let mut text = Zeroizing::new([0; LENGTH]);
                fill_alphanumeric(random, text.as_mut_slice());
                Self(Zeroizing::new(text.iter().map(|&byte| char::from(byte)).collect()))
            }

            /// Reads a secret somebody presents; `None` unless it has the shape of a generated one.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let shaped = text.len() == LENGTH && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
                shaped.then(|| Self(Zeroizing::new(text.to_owned())))
            }

            /// The secret itself, for the one answer, mail or file that is meant to show it.
            #[must_use]
            pub fn expose(&self) -> &str {
                &self.0
            }

            /// The form to store and to match on.
            #[must_use]
            pub fn digest(&self) -> $digest {
                $digest(Sha256::digest(self.0.as_bytes()).into())
            }
        }

        impl fmt::Debug for $plain {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($plain), "(…)"))
            }
        }

        #[doc = concat!("The SHA-256 digest of a [`", stringify!($plain), "`]: what stores keep and match on.")]
        #[derive(Clone, Copy)]
        pub struct $digest([u8; 32]);

        impl $digest {
            /// The digest's 32 bytes.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// A digest read back from a store; `None` unless it is 32 bytes.
            #[must_use]
            pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }
        }

        /// Compares in constant time.
        impl PartialEq for $digest {
            fn eq(&self, other: &Self) -> bool {
                self.0.ct_eq(&other.0).into()
            }
        }

        impl Eq for $digest {}

        impl fmt::Debug for $digest {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($digest), "(…)"))
            }
        }
    )+};
}

secret_pairs! {
    /// The single-use token that lets whoever holds it set a customer's password.
    ResetToken / TokenDigest;
    /// An API client's secret.
    ClientSecret / ClientSecretDigest;
    /// The token with which a customer's session is prolonged.
    RefreshToken / RefreshTokenDigest;
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
