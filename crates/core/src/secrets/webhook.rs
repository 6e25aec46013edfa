//! What webhooks are signed with, and what they are sent.

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use crate::{newtypes::redacted_debug, random::RandomSource};

/// The secret that a webhook and its receiver share: base64 of 32 random bytes.
#[derive(Clone)]
pub struct SharedSecret(Zeroizing<String>);

redacted_debug!(SharedSecret);

impl SharedSecret {
    /// Generates a secret.
    #[must_use]
    pub fn generate(random: &dyn RandomSource) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        random.fill(key.as_mut_slice());
        Self(Zeroizing::new(STANDARD.encode(key.as_slice())))
    }

    /// Reads a secret; `None` unless it is padded base64 of 24 to 64 bytes (Standard Webhooks, "Signature scheme").
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let key = STANDARD.decode(text).map(Zeroizing::new).ok()?;
        (24..=64).contains(&key.len()).then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// Returns the bytes that the text encodes.
    #[must_use]
    pub fn bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(STANDARD.decode(self.0.as_str()).unwrap_or_default())
    }

    /// Returns the secret in the form that Standard Webhooks' libraries take, for the one answer that shows it.
    #[must_use]
    pub fn to_whsec(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("whsec_{}", self.expose()))
    }

    /// Returns the secret itself, in base64.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// The body that a webhook is sent: a JSON:API document, with personal data.
#[derive(Clone)]
pub struct Payload(Zeroizing<String>);

redacted_debug!(Payload);

impl Payload {
    /// Takes a document.
    #[must_use]
    pub fn new(document: String) -> Self {
        Self(Zeroizing::new(document))
    }

    /// Returns the document.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::OsRandom;

    #[test]
    fn a_secret_is_never_printed_and_has_its_form() {
        let secret = SharedSecret::generate(&OsRandom);
        assert_eq!(format!("{secret:?}"), "SharedSecret(…)");
        assert_eq!(SharedSecret::parse(secret.expose()).unwrap().bytes().len(), 32);
        assert_eq!(*secret.to_whsec(), format!("whsec_{}", secret.expose()));
        for (bytes, is_valid) in [(23, false), (24, true), (64, true), (65, false)] {
            assert_eq!(SharedSecret::parse(&STANDARD.encode(vec![7; bytes])).is_some(), is_valid, "{bytes}");
        }
        let unpadded = secret.expose().replace('=', "");
        for text in [&unpadded, "", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
            assert!(SharedSecret::parse(text).is_none(), "{text}");
        }
    }
}
