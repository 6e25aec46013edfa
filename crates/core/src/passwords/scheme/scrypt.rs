use std::fmt;

use scrypt::{Params, scrypt};

use super::digest::Digest;
use crate::passwords::HashError;

/// An scrypt hash: `$scrypt$ln=15,r=8,p=1$salt$output`.
pub(in crate::passwords) struct ScryptHash {
    log_n: u8,
    r: u32,
    p: u32,
    digest: Digest,
}

impl ScryptHash {
    /// `None` when the parameters are out of scrypt's range (RFC 7914 §2), or far beyond any that are used.
    pub(super) fn new(log_n: u32, r: u32, p: u32, digest: Digest) -> Option<Self> {
        let in_range = (1..=63).contains(&log_n) && (1..=1 << 15).contains(&r) && (1..=1 << 14).contains(&p);
        in_range.then_some(Self { log_n: u8::try_from(log_n).ok()?, r, p, digest })
    }

    /// Returns the bytes of memory that it needs.
    pub fn memory(&self) -> u64 {
        let block = 128 * u64::from(self.r);
        let lanes = block * u64::from(self.p);
        block.saturating_mul(1 << self.log_n).saturating_add(lanes)
    }

    /// Returns the bytes of memory times passes over it.
    pub fn work(&self) -> u64 {
        self.memory().saturating_mul(self.p.into())
    }

    pub fn matches(&self, password: &[u8]) -> Result<bool, HashError> {
        let params = Params::new(self.log_n, self.r, self.p).map_err(|_| HashError::Unusable)?;
        let mut output = vec![0; self.digest.output.len()];
        scrypt(password, &self.digest.salt, &params, &mut output).map_err(|_| HashError::Unusable)?;
        Ok(self.digest.matches(&output))
    }
}

impl fmt::Display for ScryptHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "$scrypt$ln={},r={},p={}${}", self.log_n, self.r, self.p, self.digest)
    }
}
