use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};

use super::digest::{Digest, parameters};
use crate::passwords::{HashError, memory::Memory};

/// An argon2 hash: `$argon2id$v=19$m=19456,t=2,p=1$salt$output`, or one of argon2i or argon2d, or of version 16.
pub(in crate::passwords) struct Argon2Hash {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    digest: Digest,
}

impl Argon2Hash {
    /// Hashes a password by argon2id, version 19, with `output_size` bytes.
    pub fn compute(
        params: &Params,
        password: &[u8],
        salt: &[u8],
        output_size: usize,
        memory: &mut Memory,
    ) -> Result<Self, HashError> {
        let (algorithm, version, params) = (Algorithm::Argon2id, Version::V0x13, params.clone());
        let digest = Digest { salt: salt.to_vec(), output: vec![0; output_size] };
        let mut hash = Self { algorithm, version, params, digest };
        hash.digest.output = hash.fill(password, memory)?;
        Ok(hash)
    }

    /// Parses a hash in PHC string format. Keys and associated data are not supported.
    pub fn parse(text: &str) -> Option<Self> {
        let mut fields = text.strip_prefix('$')?.split('$').peekable();
        let algorithm = match fields.next()? {
            "argon2id" => Algorithm::Argon2id,
            "argon2i" => Algorithm::Argon2i,
            "argon2d" => Algorithm::Argon2d,
            _ => return None,
        };
        // Argon2 1.0, from before 2016, wrote no version.
        let version = match fields.next_if(|field| field.starts_with("v=")) {
            None | Some("v=16") => Version::V0x10,
            Some("v=19") => Version::V0x13,
            Some(_) => return None,
        };
        let [m, t, p] = parameters(fields.next()?, ["m", "t", "p"])?;
        let digest = Digest::parse(fields.next()?, fields.next()?)?;
        let params = Params::new(m, t, p, Some(digest.output.len())).ok()?;
        fields.next().is_none().then_some(Self { algorithm, version, params, digest })
    }

    /// Whether it was made with `params`, by argon2id, version 19.
    pub fn uses_params(&self, params: &Params) -> bool {
        let costs = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
        (self.algorithm, self.version) == (Algorithm::Argon2id, Version::V0x13)
            && costs(&self.params) == costs(params)
            && params.output_len().is_none_or(|length| length == self.digest.output.len())
    }

    /// Returns the bytes of memory that it needs.
    pub fn memory(&self) -> u64 {
        u64::from(self.params.m_cost()) * 1024
    }

    /// Returns the bytes of memory times passes over it.
    pub fn work(&self) -> u64 {
        self.memory().saturating_mul(self.params.t_cost().into())
    }

    pub fn matches(&self, password: &[u8], memory: &mut Memory) -> Result<bool, HashError> {
        Ok(self.digest.matches(&self.fill(password, memory)?))
    }

    fn fill(&self, password: &[u8], memory: &mut Memory) -> Result<Vec<u8>, HashError> {
        let argon2 = Argon2::new(self.algorithm, self.version, self.params.clone());
        let mut output = vec![0; self.digest.output.len()];
        memory
            .with_blocks(self.params.block_count(), |blocks| {
                argon2.hash_password_into_with_memory(password, &self.digest.salt, &mut output, blocks)
            })
            .map_err(|_| HashError::Unusable)?;
        Ok(output)
    }
}

impl fmt::Display for Argon2Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, version) = (self.algorithm.as_str(), u32::from(self.version));
        let (m, t, p) = (self.params.m_cost(), self.params.t_cost(), self.params.p_cost());
        write!(f, "${name}$v={version}$m={m},t={t},p={p}${}", self.digest)
    }
}
