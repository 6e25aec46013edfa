use std::fmt;

use zeroize::Zeroizing;

use super::{KeyRing, UnsealError, envelope};
use crate::{idempotency::KeyDigest, random::RandomSource};

/// An answer that is kept to be given again, under authenticated encryption: it may show a token.
///
/// XChaCha20-Poly1305 with a sub-key and a random nonce of its own; the associated data is the digest of who asked and under
/// which idempotency key, so that an answer copied to another caller's row, or another key's, does not open.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedAnswer(Vec<u8>);

impl SealedAnswer {
    /// Seals an answer for one caller's key.
    #[must_use]
    pub fn seal(answer: &[u8], key: &KeyDigest, keys: &KeyRing, random: &dyn RandomSource) -> Self {
        Self(envelope::seal(keys.sealing_answers(), answer, key.as_bytes(), random))
    }

    /// Opens the answer for the key it was sealed for.
    ///
    /// # Errors
    /// [`UnsealError`] when no key of the ring opens it, or it was sealed for another caller or key.
    pub fn unseal(&self, key: &KeyDigest, keys: &KeyRing) -> Result<Zeroizing<Vec<u8>>, UnsealError> {
        envelope::open(&self.0, |id| keys.opening_answers(id), key.as_bytes())
    }

    /// The sealed bytes, as stored.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Sealed bytes read back from a store.
    #[must_use]
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for SealedAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedAnswer({} bytes)", self.0.len())
    }
}

/// What two requests have in common only when they are the same: HMAC-SHA-256 under a sub-key, since a body may hold a
/// password, which a plain digest would let anybody guess at who has the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprints of a request made of `parts`, under each key of the ring; the current key's first, and the one to
    /// store. The others tell a request that was made before the keys were rotated.
    #[must_use]
    pub fn all(parts: &[&[u8]], keys: &KeyRing) -> Vec<Self> {
        keys.fingerprints(parts).into_iter().map(Self).collect()
    }

    /// The fingerprint's 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A fingerprint of those bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{random::OsRandom, secrets::keyring::tests::key};

    fn ring(keys: &[(&str, u8)]) -> KeyRing {
        let keys: Vec<_> = keys.iter().map(|(id, seed)| (*id, key(*seed))).collect();
        KeyRing::new(keys.iter().map(|(id, key)| (*id, key))).unwrap()
    }

    #[test]
    fn a_sealed_answer_opens_for_its_own_key_only_and_after_a_rotation() {
        let (john, jane) = (KeyDigest::of(&[b"john"]), KeyDigest::of(&[b"jane"]));
        let old = ring(&[("old", 1)]);
        let sealed = SealedAnswer::seal(b"the answer", &john, &old, &OsRandom);
        assert!(!sealed.as_bytes().windows(6).any(|part| part == b"answer"));
        assert_eq!(sealed.unseal(&john, &ring(&[("new", 2), ("old", 1)])).unwrap().as_slice(), b"the answer");
        assert_eq!(sealed.unseal(&jane, &old).unwrap_err(), UnsealError);
        assert_eq!(sealed.unseal(&john, &ring(&[("new", 2)])).unwrap_err(), UnsealError);
        let mut altered = sealed.as_bytes().to_vec();
        *altered.last_mut().unwrap() ^= 1;
        assert_eq!(SealedAnswer::from_bytes(altered).unseal(&john, &old).unwrap_err(), UnsealError);
    }

    #[test]
    fn a_fingerprint_is_of_the_parts_and_of_each_key() {
        let old = ring(&[("old", 1)]);
        let [whole] = Fingerprint::all(&[b"POST", b"/a", b"b"], &old)[..] else {
            panic!("one key, one fingerprint")
        };
        for others in [[&b"POST"[..], b"/ab", b""], [b"POST/", b"a", b"b"], [b"POST", b"/a", b"c"]] {
            assert_ne!(Fingerprint::all(&others, &old), [whole], "{others:?}");
        }
        let rotated = Fingerprint::all(&[b"POST", b"/a", b"b"], &ring(&[("new", 2), ("old", 1)]));
        assert_eq!((rotated.len(), rotated[1]), (2, whole));
        assert_ne!(rotated[0], whole);
    }
}
