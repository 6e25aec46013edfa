use std::{fmt, iter, sync::Arc};

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// The service's symmetric keys. The first one encrypts and signs; all of them decrypt and verify. So a key is replaced without
/// downtime: put the new one first, and keep the old one for as long as anything encrypted under it may be needed.
///
/// Each 256-bit key is only used through HKDF-SHA-256 (RFC 5869), with one sub-key for each purpose.
#[derive(Clone)]
pub struct KeyRing(Arc<Keys>);

struct Keys {
    current: Key,
    older: Vec<Key>,
}

/// The sub-keys of one key.
pub(super) struct Key {
    id: String,
    /// Encrypts the tokens, codes and addresses of events.
    pub resets: SubKey,
    /// Encrypts the stored responses of idempotent requests.
    pub answers: SubKey,
    /// Makes the fingerprints of requests.
    pub fingerprints: SubKey,
    /// Signs events.
    events: SubKey,
    /// Makes the digests of short codes.
    pub codes: SubKey,
    /// Signs the proofs with which a customer rejects a reset.
    pub rejections: SubKey,
    /// Makes the digests of e-mail and network addresses.
    pub addresses: SubKey,
    /// Signs the links of the audit log's chain.
    audit: SubKey,
    /// Signs the addresses to which bounces go.
    pub bounces: SubKey,
}

pub(super) type SubKey = Zeroizing<[u8; 32]>;

/// Selects the sub-key for a purpose.
pub(super) type Purpose = fn(&Key) -> &SubKey;

/// Why a list of keys is not a key ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyRingError {
    /// There is no key.
    #[error("at least one key is needed")]
    Empty,
    /// A key's id is not 1 to 16 of `a-z 0-9 -`, or is used twice.
    #[error("a key's id is 1 to 16 of a-z, 0-9 and -, and unique")]
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
            // Different labels would make everything unreadable that was encrypted before.
            ring.push(Key {
                id: id.to_owned(),
                resets: derive(key, b"rekey seal v1"),
                answers: derive(key, b"rekey kept answer v1"),
                fingerprints: derive(key, b"rekey request fingerprint v1"),
                events: derive(key, b"rekey event v1"),
                codes: derive(key, b"rekey reset code v1"),
                rejections: derive(key, b"rekey disavowal v1"),
                addresses: derive(key, b"rekey address v1"),
                audit: derive(key, b"rekey audit chain v1"),
                bounces: derive(key, b"rekey bounce v1"),
            });
        }
        let mut ring = ring.into_iter();
        let current = ring.next().ok_or(KeyRingError::Empty)?;
        Ok(Self(Arc::new(Keys { current, older: ring.collect() })))
    }

    /// Returns the ids of the keys, the current one's first.
    #[must_use]
    pub fn ids(&self) -> Vec<String> {
        self.iter().map(|key| key.id.clone()).collect()
    }

    /// Signs an event with the current key. Returns the key's id and HMAC-SHA-256 over the event.
    #[must_use]
    pub fn sign(&self, event: &[u8]) -> (String, [u8; 32]) {
        let (key_id, tag) = self.sign_for(|key| &key.events, event);
        (key_id.to_owned(), tag)
    }

    /// Whether `tag` is the signature of the event by the named key; compared in constant time.
    #[must_use]
    pub fn verify(&self, key_id: &str, event: &[u8], tag: &[u8]) -> bool {
        self.verify_for(|key| &key.events, key_id, event, tag)
    }

    /// Returns the current key's id.
    #[must_use]
    pub fn current_id(&self) -> &str {
        &self.0.current.id
    }

    /// Signs the parts of a link of the audit log's chain: HMAC-SHA-256 under the current key.
    #[must_use]
    pub fn sign_link(&self, parts: &[&[u8]]) -> [u8; 32] {
        mac_of_parts(&self.0.current.audit, parts).finalize().into_bytes().into()
    }

    /// Whether `tag` is the signature of the link's parts by the named key, compared in constant time; `None` if the ring has no such key.
    #[must_use]
    pub fn verify_link(&self, key_id: &str, parts: &[&[u8]], tag: &[u8]) -> Option<bool> {
        let key = self.find(|key| &key.audit, key_id)?;
        Some(mac_of_parts(key, parts).verify_slice(tag).is_ok())
    }

    /// Returns the current key's id and its sub-key.
    pub(super) fn current(&self, purpose: Purpose) -> (&str, &[u8; 32]) {
        (&self.0.current.id, purpose(&self.0.current))
    }

    /// Returns the sub-key of the named key.
    pub(super) fn find(&self, purpose: Purpose, key_id: &str) -> Option<&[u8; 32]> {
        self.iter().find(|key| key.id == key_id).map(|key| &**purpose(key))
    }

    /// HMAC-SHA-256 over the parts, each with its length before it, under the current key.
    pub(super) fn mac(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; 32] {
        mac_of_parts(purpose(&self.0.current), parts).finalize().into_bytes().into()
    }

    /// The same under each key of the ring, the current one first.
    pub(super) fn macs(&self, purpose: Purpose, parts: &[&[u8]]) -> Vec<[u8; 32]> {
        let mac = |key| mac_of_parts(purpose(key), parts).finalize().into_bytes().into();
        self.iter().map(mac).collect()
    }

    /// Returns the current key's id and HMAC-SHA-256 over the message.
    pub(super) fn sign_for(&self, purpose: Purpose, message: &[u8]) -> (&str, [u8; 32]) {
        let (key_id, key) = self.current(purpose);
        (key_id, mac(key, message).finalize().into_bytes().into())
    }

    /// Whether `tag` is the named key's over the message; compared in constant time.
    pub(super) fn verify_for(&self, purpose: Purpose, key_id: &str, message: &[u8], tag: &[u8]) -> bool {
        self.find(purpose, key_id).is_some_and(|key| mac(key, message).verify_slice(tag).is_ok())
    }

    fn iter(&self) -> impl Iterator<Item = &Key> {
        iter::once(&self.0.current).chain(&self.0.older)
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
fn derive(key: &[u8; 32], label: &[u8]) -> SubKey {
    let mut derived = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(None, key).expand(label, derived.as_mut_slice()).expect("32 bytes can be derived");
    derived
}

fn mac_of_parts(key: &[u8; 32], parts: &[impl AsRef<[u8]>]) -> Hmac<Sha256> {
    let mut mac = mac(key, &[]);
    for part in parts.iter().map(AsRef::as_ref) {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
fn mac(key: &[u8; 32], message: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes any key");
    mac.update(message);
    mac
}

/// Shows the ids only.
impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|key| &key.id)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{key, ring};

    #[test]
    fn weak_or_unnamed_keys_make_no_ring() {
        assert_eq!(KeyRing::new([]).unwrap_err(), KeyRingError::Empty);
        assert_eq!(KeyRing::new([("a", &[7; 32])]).unwrap_err(), KeyRingError::Weak);
        let distinct = |count| std::array::from_fn(|i| u8::try_from(i % count).unwrap());
        assert_eq!(KeyRing::new([("a", &distinct(15))]).unwrap_err(), KeyRingError::Weak);
        assert!(KeyRing::new([("a", &distinct(16))]).is_ok());
        assert_eq!(KeyRing::new([("A", &key(1))]).unwrap_err(), KeyRingError::Id);
        assert_eq!(KeyRing::new([("a", &key(1)), ("a", &key(2))]).unwrap_err(), KeyRingError::Id);
    }

    #[test]
    fn old_keys_still_verify_and_strangers_do_not() {
        let old = ring([("old", 1)]);
        let rotated = ring([("new", 2), ("old", 1)]);
        let (id, tag) = old.sign(b"message");
        assert!(rotated.verify(&id, b"message", &tag));
        assert!(!rotated.verify(&id, b"massage", &tag));
        assert!(!rotated.verify("new", b"message", &tag));
        assert_eq!(rotated.sign(b"message").0, "new");
        assert_eq!(rotated.ids(), ["new", "old"]);
    }
}
