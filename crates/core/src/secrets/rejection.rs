use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::KeyRing;
use crate::{ids::ResetId, newtypes::redacted_debug};

/// Proof that its holder may reject one reset ("that wasn't me"), and do nothing else: `key id.tag`, where the tag is HMAC-SHA-256
/// over the reset's id, in base64url. It is in the reset's mail and stored nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct RejectionProof {
    key_id: String,
    tag: [u8; 32],
}

impl RejectionProof {
    /// Makes the proof for a reset.
    #[must_use]
    pub fn for_reset(reset: ResetId, keys: &KeyRing) -> Self {
        let (key_id, tag) = keys.sign_for(|key| &key.rejections, reset.as_str().as_bytes());
        Self { key_id: key_id.to_owned(), tag }
    }

    /// Parses a proof from a request; `None` unless it has the form of one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (key_id, tag) = text.split_once('.')?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?.try_into().ok()?;
        (key_id.len() <= 16).then(|| Self { key_id: key_id.to_owned(), tag })
    }

    /// Whether the proof is for that reset.
    #[must_use]
    pub fn is_for(&self, reset: ResetId, keys: &KeyRing) -> bool {
        keys.verify_for(|key| &key.rejections, &self.key_id, reset.as_str().as_bytes(), &self.tag)
    }

    /// Returns the proof itself, for the mail that shows it.
    #[must_use]
    pub fn expose(&self) -> String {
        format!("{}.{}", self.key_id, URL_SAFE_NO_PAD.encode(self.tag))
    }
}

redacted_debug!(RejectionProof);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{random::OsRandom, testing::ring};

    #[test]
    fn a_proof_is_for_its_reset_only_and_outlives_a_rotation() {
        let old = ring([("old", 1)]);
        let rotated = ring([("new", 2), ("old", 1)]);
        let (reset, other) = (ResetId::generate(&OsRandom), ResetId::generate(&OsRandom));
        let text = RejectionProof::for_reset(reset, &old).expose();
        let proof = RejectionProof::parse(&text).unwrap();
        assert!(proof.is_for(reset, &old) && proof.is_for(reset, &rotated));
        assert!(!proof.is_for(other, &old));
        assert!(!proof.is_for(reset, &ring([("old", 3)])));
        assert_eq!(format!("{proof:?}"), "RejectionProof(…)");
        // An event's tag, made with the same key, is none.
        let (id, tag) = old.sign(reset.as_str().as_bytes());
        let forged = RejectionProof::parse(&format!("{id}.{}", URL_SAFE_NO_PAD.encode(tag))).unwrap();
        assert!(!forged.is_for(reset, &old));
        for text in ["", ".", "old", "old.", "old.AAAA", &text[1..], &format!("{text}A"), &format!("{text}=")]
        {
            assert!(!RejectionProof::parse(text).is_some_and(|proof| proof.is_for(reset, &old)), "{text}");
        }
    }
}
