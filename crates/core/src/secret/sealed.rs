use chacha20poly1305::{
    Key, XChaCha20Poly1305, XNonce,
    aead::{Aead, KeyInit, Payload},
};
use zeroize::Zeroizing;

use super::{KeyRing, ResetToken};
use crate::{
    ambient::Entropy,
    ids::{OrganizationId, ResetId},
};

/// A reset token under authenticated encryption: `key id length (1) · key id · nonce (24) · ciphertext and tag (59)`.
///
/// XChaCha20-Poly1305 with a random nonce; the associated data is purpose, organization and reset, so that a sealed
/// token copied to another reset does not open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedToken(Vec<u8>);

/// A sealed token that does not open: the key is gone from the ring, or the bytes are not the ones sealed for this reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sealed token does not open")]
pub struct UnsealError;

/// Octets of an `XChaCha20` nonce (draft-irtf-cfrg-xchacha-03): long enough to be random.
const NONCE: usize = 24;

impl SealedToken {
    /// Seals `token` for one reset with the ring's current key.
    ///
    /// # Panics
    /// Never: a ring has a key, and a token is far below the cipher's limit of 256 GiB.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a ring has a key, and 43 bytes are below the cipher's limit")]
    pub fn seal(
        token: &ResetToken,
        organization: OrganizationId,
        reset: ResetId,
        keys: &KeyRing,
        entropy: &dyn Entropy,
    ) -> Self {
        let (id, key) = keys.sealing().expect("a key ring is never empty");
        let mut nonce = [0; NONCE];
        entropy.fill(&mut nonce);
        let payload = Payload { msg: token.expose().as_bytes(), aad: &associated_data(organization, reset) };
        let ciphertext = cipher(key).encrypt(&XNonce::from(nonce), payload).expect("a token is short");
        let id_length = u8::try_from(id.len()).expect("an id has at most 16 characters");
        Self([&[id_length], id.as_bytes(), &nonce, &ciphertext].concat())
    }

    /// Opens the token for the reset it was sealed for.
    ///
    /// # Errors
    /// [`UnsealError`] when no key of the ring opens it, or it was sealed for another reset.
    pub fn unseal(
        &self,
        organization: OrganizationId,
        reset: ResetId,
        keys: &KeyRing,
    ) -> Result<ResetToken, UnsealError> {
        let (&id_length, after) = self.0.split_first().ok_or(UnsealError)?;
        let (id, after) = after.split_at_checked(usize::from(id_length)).ok_or(UnsealError)?;
        let (nonce, ciphertext) = after.split_first_chunk::<NONCE>().ok_or(UnsealError)?;
        let key = str::from_utf8(id).ok().and_then(|id| keys.opening(id)).ok_or(UnsealError)?;
        let payload = Payload { msg: ciphertext, aad: &associated_data(organization, reset) };
        let plain =
            Zeroizing::new(cipher(key).decrypt(&XNonce::from(*nonce), payload).map_err(|_| UnsealError)?);
        str::from_utf8(&plain).ok().and_then(ResetToken::parse).ok_or(UnsealError)
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

fn cipher(key: &[u8; 32]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&Key::from(*key))
}

fn associated_data(organization: OrganizationId, reset: ResetId) -> Vec<u8> {
    format!("rekey reset token v1/{organization}/{reset}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::OsEntropy;

    fn ring(id: &str, first: u8) -> KeyRing {
        KeyRing::new([(id, &std::array::from_fn(|i| first ^ u8::try_from(i).unwrap()))]).unwrap()
    }

    #[test]
    fn opens_only_with_its_key_for_its_reset_and_unaltered() {
        let (keys, organization, reset) =
            (ring("a", 1), OrganizationId::generate(&OsEntropy), ResetId::generate(&OsEntropy));
        let token = ResetToken::generate(&OsEntropy);
        let sealed = SealedToken::seal(&token, organization, reset, &keys, &OsEntropy);
        assert_eq!(sealed.unseal(organization, reset, &keys).unwrap().expose(), token.expose());
        assert!(
            !sealed.as_bytes().windows(8).any(|part| token
                .expose()
                .as_bytes()
                .windows(8)
                .any(|plain| plain == part))
        );

        assert_eq!(
            sealed.unseal(organization, ResetId::generate(&OsEntropy), &keys).unwrap_err(),
            UnsealError
        );
        assert_eq!(
            sealed.unseal(OrganizationId::generate(&OsEntropy), reset, &keys).unwrap_err(),
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
}
