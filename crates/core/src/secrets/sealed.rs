//! Secrets encrypted for one record: in an event until its mail is sent, and a reset's token in the database for clients that may read it.

use zeroize::Zeroizing;

use super::{KeyRing, Payload, ResetCode, ResetToken, SharedSecret, UndoToken, envelope};
use crate::{
    email::EmailAddress,
    ids::{OrganizationId, RecordId},
    random::RandomSource,
};

/// Decryption failed: the key is no longer in the ring, or the bytes were not encrypted for this purpose and record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("decryption failed: unknown key or wrong context")]
pub struct UnsealError;

/// Declares the encrypted form of a plain type: `key id length (1) · key id · nonce (24) · ciphertext and tag (16 longer than the
/// plain text)`. XChaCha20-Poly1305 with a random nonce. The associated data is purpose, organization and record, so that bytes that
/// were copied to another record, or are used for another purpose, can't be decrypted.
macro_rules! sealed {
    ($($(#[$doc:meta])* $sealed:ident of $plain:ident as $purpose:literal, by $write:expr, $read:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $sealed(Vec<u8>);

        impl $sealed {
            /// Encrypts the secret for one record with the ring's current key.
            #[must_use]
            pub fn seal(
                plain: &$plain,
                organization: OrganizationId,
                record: impl Into<RecordId>,
                keys: &KeyRing,
                random: &dyn RandomSource,
            ) -> Self {
                let plain = Zeroizing::new($write(plain));
                let context = context($purpose, organization, record.into());
                Self(envelope::seal(keys.current(|key| &key.resets), plain.as_bytes(), &context, random))
            }

            /// Decrypts the secret of a record.
            ///
            /// # Errors
            /// [`UnsealError`] when the key is not in the ring, or it was encrypted for another record.
            pub fn unseal(
                &self,
                organization: OrganizationId,
                record: impl Into<RecordId>,
                keys: &KeyRing,
            ) -> Result<$plain, UnsealError> {
                let context = context($purpose, organization, record.into());
                let plain = envelope::open(&self.0, |id| keys.find(|key| &key.resets, id), &context)?;
                str::from_utf8(&plain).ok().and_then($read).ok_or(UnsealError)
            }

            /// Returns the encrypted bytes, as stored and sent.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8] {
                &self.0
            }

            /// Takes encrypted bytes from a store or an event, unchecked.
            #[must_use]
            pub fn from_bytes(bytes: Vec<u8>) -> Self {
                Self(bytes)
            }
        }
    )+};
}

sealed! {
    /// A reset's token, encrypted.
    SealedToken of ResetToken as "rekey reset token v1",
        by |token: &ResetToken| token.expose().to_owned(), ResetToken::parse;
    /// A reset's short code, encrypted in its event until the mail is sent.
    SealedCode of ResetCode as "rekey reset code v1",
        by |code: &ResetCode| code.expose().to_string(), ResetCode::parse;
    /// The token that restores an address, encrypted in its event until the mail is sent.
    SealedUndoToken of UndoToken as "rekey email undo token v1",
        by |token: &UndoToken| token.expose().to_owned(), UndoToken::parse;
    /// An address, encrypted in its event until the mail is sent: that of a self-service request, which may belong to no customer, or the
    /// one that a customer had when the event occurred. Its length shows.
    SealedAddress of EmailAddress as "rekey typed address v1",
        by EmailAddress::to_string, |text: &str| text.parse().ok();
    /// A webhook's secret, encrypted.
    SealedSharedSecret of SharedSecret as "rekey webhook secret v1",
        by |secret: &SharedSecret| secret.expose().to_owned(), SharedSecret::parse;
    /// What a webhook is sent, encrypted. Its length shows.
    SealedPayload of Payload as "rekey webhook payload v1",
        by |payload: &Payload| payload.expose().to_owned(), |text: &str| Some(Payload::new(text.to_owned()));
}

/// Returns the associated data.
fn context(purpose: &str, organization: OrganizationId, record: RecordId) -> Vec<u8> {
    format!("{purpose}/{organization}/{record}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ids::{EventId, ResetId},
        random::OsRandom,
        testing::ring,
    };

    #[test]
    fn opens_only_with_its_key_for_its_reset_and_unaltered() {
        let (keys, organization, reset) =
            (ring([("a", 1)]), OrganizationId::generate(&OsRandom), ResetId::generate(&OsRandom));
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
        assert_eq!(sealed.unseal(organization, reset, &ring([("b", 1)])).unwrap_err(), UnsealError);
        assert_eq!(sealed.unseal(organization, reset, &ring([("a", 64)])).unwrap_err(), UnsealError);
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
    fn what_a_webhook_is_sent_is_read_back() {
        let keys = ring([("a", 1)]);
        let (organization, callback) = (OrganizationId::generate(&OsRandom), EventId::generate(&OsRandom));
        let payload = Payload::new("{}".to_owned());
        let sealed = SealedPayload::seal(&payload, organization, callback, &keys, &OsRandom);
        assert_eq!(sealed.unseal(organization, callback, &keys).unwrap().expose(), "{}");
    }

    #[test]
    fn an_address_opens_only_for_its_reset_and_not_as_a_token() {
        let keys = ring([("a", 1)]);
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
