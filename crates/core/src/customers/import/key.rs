use std::sync::atomic::{AtomicU64, Ordering};

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{
    email::EmailAddress,
    ids::{AuditId, CustomerId},
    newtypes::{digest_newtype, redacted_debug},
    random::RandomSource,
};

/// An import's key: 256 random bits. The ids of everything that the import writes are derived from it, so that nobody else can
/// derive them.
#[derive(Clone)]
pub struct ImportKey(Zeroizing<[u8; 32]>);

impl ImportKey {
    /// Generates a key.
    #[must_use]
    pub fn generate(random: &dyn RandomSource) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        random.fill(key.as_mut_slice());
        Self(key)
    }

    /// Returns the key's bytes, for the store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads a key from a store; `None` unless it is 32 bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(|key| Self(Zeroizing::new(key)))
    }

    pub(super) fn customer_id(&self, email: &EmailAddress) -> CustomerId {
        CustomerId::generate(&self.derived(b'c', email.as_str().as_bytes()))
    }

    pub(super) fn audit_id(&self, line: u64) -> AuditId {
        AuditId::generate(&self.derived(b'a', &line.to_be_bytes()))
    }

    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    fn derived(&self, kind: u8, name: &[u8]) -> Derived {
        let mac = Hmac::<Sha256>::new_from_slice(self.0.as_slice()).expect("HMAC takes any key");
        Derived { mac: mac.chain_update([kind]).chain_update(name), blocks: AtomicU64::new(0) }
    }
}

redacted_debug!(ImportKey);

digest_newtype! {
    /// The SHA-256 digest of what an import reads: the same content is the same import.
    SourceDigest
}

impl SourceDigest {
    /// Returns the digest of everything that `hasher` has read.
    #[must_use]
    pub fn new(hasher: Sha256) -> Self {
        Self(hasher.finalize().into())
    }
}

/// A source of bytes that look random and are the same for the same name: HMAC-SHA-256 of the name and a counter.
struct Derived {
    mac: Hmac<Sha256>,
    blocks: AtomicU64,
}

impl RandomSource for Derived {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(32) {
            let block = self.blocks.fetch_add(1, Ordering::Relaxed);
            let bytes = self.mac.clone().chain_update(block.to_be_bytes()).finalize().into_bytes();
            for (byte, derived) in chunk.iter_mut().zip(bytes) {
                *byte = derived;
            }
        }
    }
}
