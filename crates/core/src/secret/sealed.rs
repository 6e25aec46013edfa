use super::{KeyRing, ResetToken, envelope};
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

/// Something sealed that does not open: the key is gone from the ring, or the bytes are not the ones sealed for this place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what is sealed does not open")]
pub struct UnsealError;

impl SealedToken {
    /// Seals `token` for one reset with the ring's current key.
    #[must_use]
    pub fn seal(
        token: &ResetToken,
        organization: OrganizationId,
        reset: ResetId,
        keys: &KeyRing,
        entropy: &dyn Entropy,
    ) -> Self {
        let place = associated_data(organization, reset);
        Self(envelope::seal(keys.sealing(), token.expose().as_bytes(), &place, entropy))
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
        let place = associated_data(organization, reset);
        let plain = envelope::open(&self.0, |id| keys.opening(id), &place)?;
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
