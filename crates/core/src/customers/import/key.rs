use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{
    email::EmailAddress,
    ids::{AuditId, CustomerId},
    random::RandomSource,
};

/// An import's key: 256 random bits, from which the ids of what it writes follow, and which nobody else can follow.
#[derive(Clone)]
pub struct ImportKey(Zeroizing<[u8; 32]>);

/// The SHA-256 digest of what an import reads: the same content is the same import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceDigest([u8; 32]);

impl ImportKey {
    /// A new key.
    #[must_use]
    pub fn generate(random: &dyn RandomSource) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        random.fill(key.as_mut_slice());
        Self(key)
    }

    /// The key's bytes, for the store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A key read back from a store; `None` unless it is 32 bytes.
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

impl fmt::Debug for ImportKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ImportKey(…)")
    }
}

impl SourceDigest {
    /// The digest of all that `hasher` has read.
    #[must_use]
    pub fn new(hasher: Sha256) -> Self {
        Self(hasher.finalize().into())
    }

    /// The digest's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Bytes that look random, the same ones for the same name: HMAC-SHA-256 of the name and a counter.
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
