use super::{KeyRing, UnsealError, envelope};
use crate::{
    ambient::Entropy,
    email::EmailAddress,
    ids::{OrganizationId, ResetId},
};

/// An address that somebody typed, under authenticated encryption like a token: it is nobody's we know, and is on the broker for
/// no longer than until its mail is sent. Longer addresses make longer ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedAddress(Vec<u8>);

impl SealedAddress {
    /// Seals the address that one reset was asked for with.
    #[must_use]
    pub fn seal(
        address: &EmailAddress,
        organization: OrganizationId,
        reset: ResetId,
        keys: &KeyRing,
        entropy: &dyn Entropy,
    ) -> Self {
        let place = associated_data(organization, reset);
        Self(envelope::seal(keys.sealing(), address.as_str().as_bytes(), &place, entropy))
    }

    /// Opens the address for the reset it was sealed for.
    ///
    /// # Errors
    /// [`UnsealError`] when no key of the ring opens it, or it was sealed for another reset.
    pub fn unseal(
        &self,
        organization: OrganizationId,
        reset: ResetId,
        keys: &KeyRing,
    ) -> Result<EmailAddress, UnsealError> {
        let place = associated_data(organization, reset);
        let plain = envelope::open(&self.0, |id| keys.opening(id), &place)?;
        str::from_utf8(&plain).ok().and_then(|text| text.parse().ok()).ok_or(UnsealError)
    }

    /// The sealed bytes, as sent.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Sealed bytes read back from an event.
    #[must_use]
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

fn associated_data(organization: OrganizationId, reset: ResetId) -> Vec<u8> {
    format!("rekey typed address v1/{organization}/{reset}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ambient::OsEntropy, secret::keyring::tests::key};

    #[test]
    fn opens_only_for_its_reset_and_not_as_a_token() {
        let keys = KeyRing::new([("a", &key(1))]).unwrap();
        let (organization, reset) = (OrganizationId::generate(&OsEntropy), ResetId::generate(&OsEntropy));
        let address = "john@example.com".parse().unwrap();
        let sealed = SealedAddress::seal(&address, organization, reset, &keys, &OsEntropy);
        assert_eq!(sealed.unseal(organization, reset, &keys), Ok(address));
        let other = ResetId::generate(&OsEntropy);
        assert_eq!(sealed.unseal(organization, other, &keys), Err(UnsealError));
        let as_token = super::super::SealedToken::from_bytes(sealed.as_bytes().to_vec());
        assert!(as_token.unseal(organization, reset, &keys).is_err());
    }
}
