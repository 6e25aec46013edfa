use std::fmt;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{KeyRing, UnsealError, envelope};
use crate::{newtypes::digest_newtype, random::RandomSource};

/// A stored response, under authenticated encryption, since it may contain a token.
///
/// XChaCha20-Poly1305 with a sub-key and a random nonce of its own. The associated data is the digest of the caller and the
/// idempotency key, so that a response copied to the row of another caller or key can't be decrypted.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedAnswer(Vec<u8>);

impl SealedAnswer {
    /// Encrypts a response for one caller's key.
    #[must_use]
    pub fn seal(answer: &[u8], key: &KeyDigest, keys: &KeyRing, random: &dyn RandomSource) -> Self {
        Self(envelope::seal(keys.current(|key| &key.answers), answer, key.as_bytes(), random))
    }

    /// Decrypts the response.
    ///
    /// # Errors
    /// [`UnsealError`] when the encryption key is not in the ring, or it was encrypted for another caller or key.
    pub fn unseal(&self, key: &KeyDigest, keys: &KeyRing) -> Result<Zeroizing<Vec<u8>>, UnsealError> {
        envelope::open(&self.0, |id| keys.find(|key| &key.answers, id), key.as_bytes())
    }

    /// Returns the encrypted bytes, as stored.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Takes encrypted bytes from a store.
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

digest_newtype! {
    /// SHA-256 of an idempotency key and its owner. A key is not a secret, but it may be anything, even an address, so it is not stored in clear.
    KeyDigest
}

impl KeyDigest {
    /// Digests the parts, each with its length before it.
    pub(crate) fn from_parts(parts: &[&[u8]]) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        Self(digest.finalize().into())
    }
}

digest_newtype! {
    /// The fingerprint of a request, by which a repeated request is recognised: HMAC-SHA-256 under a sub-key. The body may contain a
    /// password, which anybody with a copy of the database could guess from a plain digest.
    Fingerprint
}

impl Fingerprint {
    /// Returns the fingerprints of a request made of `parts`, under each key of the ring. The first is the current key's, and is
    /// stored; the others recognise a request from before a rotation of the keys.
    #[must_use]
    pub fn all(parts: &[&[u8]], keys: &KeyRing) -> Vec<Self> {
        keys.macs(|key| &key.fingerprints, parts).into_iter().map(Self).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{random::OsRandom, testing::ring};

    #[test]
    fn a_sealed_answer_opens_for_its_own_key_only_and_after_a_rotation() {
        let (john, jane) = (KeyDigest::from_parts(&[b"john"]), KeyDigest::from_parts(&[b"jane"]));
        let old = ring([("old", 1)]);
        let sealed = SealedAnswer::seal(b"the answer", &john, &old, &OsRandom);
        assert!(!sealed.as_bytes().windows(6).any(|part| part == b"answer"));
        assert_eq!(sealed.unseal(&john, &ring([("new", 2), ("old", 1)])).unwrap().as_slice(), b"the answer");
        assert_eq!(sealed.unseal(&jane, &old).unwrap_err(), UnsealError);
        assert_eq!(sealed.unseal(&john, &ring([("new", 2)])).unwrap_err(), UnsealError);
        let mut altered = sealed.as_bytes().to_vec();
        *altered.last_mut().unwrap() ^= 1;
        assert_eq!(SealedAnswer::from_bytes(altered).unseal(&john, &old).unwrap_err(), UnsealError);
    }

    #[test]
    fn a_fingerprint_is_of_the_parts_and_of_each_key() {
        let old = ring([("old", 1)]);
        let [whole] = Fingerprint::all(&[b"POST", b"/a", b"b"], &old)[..] else {
            panic!("one key, one fingerprint")
        };
        for others in [[&b"POST"[..], b"/ab", b""], [b"POST/", b"a", b"b"], [b"POST", b"/a", b"c"]] {
            assert_ne!(Fingerprint::all(&others, &old), [whole], "{others:?}");
        }
        let rotated = Fingerprint::all(&[b"POST", b"/a", b"b"], &ring([("new", 2), ("old", 1)]));
        assert_eq!((rotated.len(), rotated[1]), (2, whole));
        assert_ne!(rotated[0], whole);
    }
}
