//! Secrets sealed for one reset: on their way to its mail, and at rest for who may read them.

use zeroize::Zeroizing;

use super::{KeyRing, ResetCode, ResetToken, envelope};
use crate::{
    email::EmailAddress,
    ids::{OrganizationId, ResetId},
    random::RandomSource,
};

/// Something sealed that does not open: the key is gone from the ring, or the bytes are not the ones sealed for this place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what is sealed does not open")]
pub struct UnsealError;

/// Declares the sealed form of a plain type: `key id length (1) · key id · nonce (24) · ciphertext and tag (16 longer than the
/// plain text)`. XChaCha20-Poly1305 with a random nonce; the associated data is purpose, organization and reset, so that what was
/// copied to another reset, or taken for something else, does not open.
macro_rules! sealed {
    ($($(#[$doc:meta])* $sealed:ident of $plain:ident as $purpose:literal, by $write:expr, $read:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $sealed(Vec<u8>);

        impl $sealed {
            /// Seals it for one reset with the ring's current key.
            #[must_use]
            pub fn seal(
                plain: &$plain,
                organization: OrganizationId,
                reset: ResetId,
                keys: &KeyRing,
                random: &dyn RandomSource,
            ) -> Self {
                let plain = Zeroizing::new($write(plain));
                let place = place($purpose, organization, reset);
                Self(envelope::seal(keys.sealing(), plain.as_bytes(), &place, random))
            }

            /// Opens it for the reset it was sealed for.
            ///
            /// # Errors
            /// [`UnsealError`] when no key of the ring opens it, or it was sealed for another reset.
            pub fn unseal(
                &self,
                organization: OrganizationId,
                reset: ResetId,
                keys: &KeyRing,
            ) -> Result<$plain, UnsealError> {
                let place = place($purpose, organization, reset);
                let plain = envelope::open(&self.0, |id| keys.opening(id), &place)?;
                str::from_utf8(&plain).ok().and_then($read).ok_or(UnsealError)
            }

            /// The sealed bytes, as stored and sent.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8] {
                &self.0
            }

            /// Sealed bytes read back from a store or an event; whether they open shows when they are unsealed.
            #[must_use]
            pub fn from_bytes(bytes: Vec<u8>) -> Self {
                Self(bytes)
            }
        }
    )+};
}

sealed! {
    /// A reset's token under authenticated encryption.
    SealedToken of ResetToken as "rekey reset token v1",
        by |token: &ResetToken| token.expose().to_owned(), ResetToken::parse;
    /// A reset's short code, on its way to the mail.
    SealedCode of ResetCode as "rekey reset code v1",
        by |code: &ResetCode| code.expose().to_string(), ResetCode::parse;
    /// An address that somebody typed, who may be nobody we know: on the broker until its mail is sent. A longer one is longer
    /// sealed, too.
    SealedAddress of EmailAddress as "rekey typed address v1",
        by EmailAddress::to_string, |text: &str| text.parse().ok();
}

/// The associated data.
fn place(purpose: &str, organization: OrganizationId, reset: ResetId) -> Vec<u8> {
    format!("{purpose}/{organization}/{reset}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::OsRandom;

    fn ring(id: &str, first: u8) -> KeyRing {
        KeyRing::new([(id, &std::array::from_fn(|i| first ^ u8::try_from(i).unwrap()))]).unwrap()
    }

    #[test]
    fn opens_only_with_its_key_for_its_reset_and_unaltered() {
        let (keys, organization, reset) =
            (ring("a", 1), OrganizationId::generate(&OsRandom), ResetId::generate(&OsRandom));
        let token = ResetToken::generate(&OsRandom);
        let sealed = SealedToken::seal(&token, organization, reset, &keys, &OsRandom);
        assert_eq!(sealed.unseal(organization, reset, &keys).unwrap().expose(), token.expose());
        assert!(
            !sealed.as_bytes().windows(8).any(|part| token
                .expose()
                .as_bytes()
                .windows(8)
                .any(|plain| plain == part))
        );

        assert_eq!(
            sealed.unseal(organization, ResetId::generate(&OsRandom), &keys).unwrap_err(),
            UnsealError
        );
        assert_eq!(
            sealed.unseal(OrganizationId::generate(&OsRandom), reset, &keys).unwrap_err(),
            UnsealError
        );
        assert_eq!(sealed.unseal(organization, reset, &ring("b", 1)).unwrap_err(), UnsealError);
        assert_eq!(sealed.unseal(organization, reset, &ring("a", 64)).unwrap_err(), UnsealError);
        for at in 0..sealed.as_bytes().len() {
            let mut altered = sealed.as_bytes().to_vec();
            altered[at] ^= 1;
            assert!(
                SealedToken::from_bytes(altered).unseal(organization, reset, &keys).is_err(),
                "byte {at}"
            );
        }
        assert!(SealedToken::from_bytes(vec![]).unseal(organization, reset, &keys).is_err());
    }

    #[test]
    fn an_address_opens_only_for_its_reset_and_not_as_a_token() {
        let keys = ring("a", 1);
        let (organization, reset) = (OrganizationId::generate(&OsRandom), ResetId::generate(&OsRandom));
        let address = "john@example.com".parse().unwrap();
        let sealed = SealedAddress::seal(&address, organization, reset, &keys, &OsRandom);
        assert_eq!(sealed.unseal(organization, reset, &keys), Ok(address));
        let other = ResetId::generate(&OsRandom);
        assert_eq!(sealed.unseal(organization, other, &keys), Err(UnsealError));
        let as_token = SealedToken::from_bytes(sealed.as_bytes().to_vec());
        assert!(as_token.unseal(organization, reset, &keys).is_err());
    }
}
