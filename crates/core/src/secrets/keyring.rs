use std::{fmt, sync::Arc};

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// The service's symmetric keys. The first seals and signs; all of them open and verify, so that a key can be replaced
/// without a pause: put the new one first, keep the old one for as long as anything sealed by it may live.
///
/// Each 256-bit key is only ever used through HKDF-SHA-256 (RFC 5869), one sub-key for each purpose.
#[derive(Clone)]
pub struct KeyRing(Arc<[Key]>);

struct Key {
    id: String,
    sealing: Zeroizing<[u8; 32]>,
    answers: Zeroizing<[u8; 32]>,
    fingerprints: Zeroizing<[u8; 32]>,
    signing: Zeroizing<[u8; 32]>,
    codes: Zeroizing<[u8; 32]>,
    disavowals: Zeroizing<[u8; 32]>,
}

/// Why a list of keys is no key ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyRingError {
    /// There is no key at all.
    #[error("at least one key is needed")]
    Empty,
    /// A key's id is not 1 to 16 of `a-z 0-9 -`, or stands twice.
    #[error("a key's id is 1 to 16 of a-z, 0-9 and -, and stands only once")]
    Id,
    /// A key that did not come from a random generator: fewer than 16 distinct bytes in 32.
    #[error("a key is 32 random bytes")]
    Weak,
}

impl KeyRing {
    /// Derives the sub-keys of each `(id, key)`.
    ///
    /// # Errors
    /// See [`KeyRingError`].
    pub fn new<'a>(keys: impl IntoIterator<Item = (&'a str, &'a [u8; 32])>) -> Result<Self, KeyRingError> {
        let mut ring: Vec<Key> = Vec::new();
        for (id, key) in keys {
            if !is_id(id) || ring.iter().any(|known| known.id == id) {
                return Err(KeyRingError::Id);
            }
            if is_weak(key) {
                return Err(KeyRingError::Weak);
            }
            ring.push(Key {
                id: id.to_owned(),
                sealing: derive(key, b"rekey seal v1"),
                answers: derive(key, b"rekey kept answer v1"),
                fingerprints: derive(key, b"rekey request fingerprint v1"),
                signing: derive(key, b"rekey event v1"),
                codes: derive(key, b"rekey reset code v1"),
                disavowals: derive(key, b"rekey disavowal v1"),
            });
        }
        if ring.is_empty() { Err(KeyRingError::Empty) } else { Ok(Self(ring.into())) }
    }

    /// The current key's id and its sealing sub-key.
    pub(super) fn sealing(&self) -> Option<(&str, &[u8; 32])> {
        self.0.first().map(|key| (key.id.as_str(), &*key.sealing))
    }

    /// The sealing sub-key with that id.
    pub(super) fn opening(&self, id: &str) -> Option<&[u8; 32]> {
        self.find(id).map(|key| &*key.sealing)
    }

    /// The current key's id and its sub-key for kept answers.
    pub(super) fn sealing_answers(&self) -> Option<(&str, &[u8; 32])> {
        self.0.first().map(|key| (key.id.as_str(), &*key.answers))
    }

    /// The sub-key for kept answers with that id.
    pub(super) fn opening_answers(&self, id: &str) -> Option<&[u8; 32]> {
        self.find(id).map(|key| &*key.answers)
    }

    /// HMAC-SHA-256 over the parts, each with its length before it, under each key of the ring: the current one's first.
    pub(super) fn fingerprints(&self, parts: &[&[u8]]) -> Vec<[u8; 32]> {
        self.0.iter().map(|key| mac_of(&key.fingerprints, parts)).collect()
    }

    /// The same under each key's sub-key for short codes.
    pub(super) fn codes(&self, parts: &[&[u8]]) -> Vec<[u8; 32]> {
        self.0.iter().map(|key| mac_of(&key.codes, parts)).collect()
    }

    /// Signs `message` with the current key: the key's id, and HMAC-SHA-256 over the message.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> (String, [u8; 32]) {
        let Some(key) = self.0.first() else { return (String::new(), [0; 32]) };
        (key.id.clone(), mac(&key.signing, message).finalize().into_bytes().into())
    }

    /// Whether `tag` is the named key's over `message`; compared in constant time.
    #[must_use]
    pub fn verify(&self, key_id: &str, message: &[u8], tag: &[u8]) -> bool {
        self.find(key_id).is_some_and(|key| mac(&key.signing, message).verify_slice(tag).is_ok())
    }

    /// The current key's id, and HMAC-SHA-256 over `message` under its sub-key for disavowals.
    pub(super) fn sign_disavowal(&self, message: &[u8]) -> (&str, [u8; 32]) {
        let Some(key) = self.0.first() else { return ("", [0; 32]) };
        (&key.id, mac(&key.disavowals, message).finalize().into_bytes().into())
    }

    /// Whether `tag` is the named key's for that disavowal; compared in constant time.
    pub(super) fn verifies_disavowal(&self, key_id: &str, message: &[u8], tag: &[u8]) -> bool {
        self.find(key_id).is_some_and(|key| mac(&key.disavowals, message).verify_slice(tag).is_ok())
    }

    fn find(&self, id: &str) -> Option<&Key> {
        self.0.iter().find(|key| key.id == id)
    }
}

fn is_id(id: &str) -> bool {
    (1..=16).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// 32 random bytes hold fewer than 16 distinct values with a probability under 10⁻¹⁶; typed-in keys often do.
fn is_weak(key: &[u8; 32]) -> bool {
    let mut seen = Zeroizing::new(*key);
    seen.sort_unstable();
    seen.chunk_by(PartialEq::eq).count() < 16
}

#[expect(clippy::expect_used, reason = "32 bytes are far below HKDF-SHA-256's limit of 8,160")]
fn derive(key: &[u8; 32], purpose: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut derived = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(None, key).expand(purpose, derived.as_mut_slice()).expect("32 bytes can be derived");
    derived
}

/// HMAC-SHA-256 over the parts, each with its length before it.
fn mac_of(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = mac(key, &[]);
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
fn mac(key: &[u8; 32], message: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes any key");
    mac.update(message);
    mac
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| &key.id)).finish()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::secrets) fn key(seed: u8) -> [u8; 32] {
        std::array::from_fn(|i| seed.wrapping_mul(31).wrapping_add(u8::try_from(i).unwrap()))
    }

    #[test]
    fn weak_or_unnamed_keys_make_no_ring() {
        assert_eq!(KeyRing::new([]).unwrap_err(), KeyRingError::Empty);
        assert_eq!(KeyRing::new([("a", &[7; 32])]).unwrap_err(), KeyRingError::Weak);
        assert_eq!(KeyRing::new([("A", &key(1))]).unwrap_err(), KeyRingError::Id);
        assert_eq!(KeyRing::new([("a", &key(1)), ("a", &key(2))]).unwrap_err(), KeyRingError::Id);
    }

    #[test]
    fn old_keys_still_verify_and_strangers_do_not() {
        let old = KeyRing::new([("old", &key(1))]).unwrap();
        let rotated = KeyRing::new([("new", &key(2)), ("old", &key(1))]).unwrap();
        let (id, tag) = old.sign(b"message");
        assert!(rotated.verify(&id, b"message", &tag));
        assert!(!rotated.verify(&id, b"massage", &tag));
        assert!(!rotated.verify("new", b"message", &tag));
        assert_eq!(rotated.sign(b"message").0, "new");
    }
}
