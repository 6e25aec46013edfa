use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::KeyRing;
use crate::ids::ResetId;

/// The right to say of one reset that somebody else asked for it, and no other right: `key id.tag`, where the tag is
/// HMAC-SHA-256 over the reset's id, in base64url. It stands in the reset's mail and is stored nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct DisavowalProof {
    key_id: String,
    tag: [u8; 32],
}

impl DisavowalProof {
    /// The proof for a reset.
    #[must_use]
    pub fn of(reset: ResetId, keys: &KeyRing) -> Self {
        let (key_id, tag) = keys.sign_disavowal(reset.as_str().as_bytes());
        Self { key_id: key_id.to_owned(), tag }
    }

    /// Reads what somebody presents; `None` unless it has the shape of a proof.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (key_id, tag) = text.split_once('.')?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?.try_into().ok()?;
        (key_id.len() <= 16).then(|| Self { key_id: key_id.to_owned(), tag })
    }

    /// Whether it is for that reset.
    #[must_use]
    pub fn is_for(&self, reset: ResetId, keys: &KeyRing) -> bool {
        keys.verifies_disavowal(&self.key_id, reset.as_str().as_bytes(), &self.tag)
    }

    /// The proof itself, for the mail that is meant to show it.
    #[must_use]
    pub fn expose(&self) -> String {
        format!("{}.{}", self.key_id, URL_SAFE_NO_PAD.encode(self.tag))
    }
}

impl fmt::Debug for DisavowalProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DisavowalProof(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{random::OsRandom, secrets::keyring::tests::key};

    #[test]
    fn a_proof_is_for_its_reset_only_and_outlives_a_rotation() {
        let old = KeyRing::new([("old", &key(1))]).unwrap();
        let rotated = KeyRing::new([("new", &key(2)), ("old", &key(1))]).unwrap();
        let (reset, other) = (ResetId::generate(&OsRandom), ResetId::generate(&OsRandom));
        let text = DisavowalProof::of(reset, &old).expose();
        let proof = DisavowalProof::parse(&text).unwrap();
        assert!(proof.is_for(reset, &old) && proof.is_for(reset, &rotated));
        assert!(!proof.is_for(other, &old));
        assert!(!proof.is_for(reset, &KeyRing::new([("old", &key(3))]).unwrap()));
        assert_eq!(format!("{proof:?}"), "DisavowalProof(…)");
        // An event's tag, made with the same key, is none.
        let (id, tag) = old.sign(reset.as_str().as_bytes());
        let forged = DisavowalProof::parse(&format!("{id}.{}", URL_SAFE_NO_PAD.encode(tag))).unwrap();
        assert!(!forged.is_for(reset, &old));
        for text in ["", ".", "old", "old.", "old.AAAA", &text[1..], &format!("{text}A"), &format!("{text}=")]
        {
            assert!(!DisavowalProof::parse(text).is_some_and(|proof| proof.is_for(reset, &old)), "{text}");
        }
    }
}
