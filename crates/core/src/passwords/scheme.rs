//! The kinds of password hashes that can be verified: our own argon2id, and those of other systems.

mod argon2;
mod bcrypt;
mod digest;
mod pbkdf2;
mod recognise;
mod scrypt;

use std::fmt;

use super::{HashError, PlainPassword, memory::Memory};
use crate::newtypes::redacted_debug;

pub(super) use self::argon2::Argon2Hash;
use self::{bcrypt::BcryptHash, pbkdf2::Pbkdf2Hash, scrypt::ScryptHash};

/// A parsed password hash. [`fmt::Display`] writes the form in which it is stored.
pub(super) enum Scheme {
    Argon2(Argon2Hash),
    Bcrypt(BcryptHash),
    Pbkdf2(Pbkdf2Hash),
    Scrypt(ScryptHash),
}

/// The memory that an imported hash may need, in bytes: 256 MiB, libsodium's `MEMLIMIT_MODERATE`; no framework's default needs more.
const MAX_MEMORY: u64 = 256 << 20;
/// The memory times passes over it, in bytes: a gibibyte takes about a second.
const MAX_WORK: u64 = 1 << 30;

/// Why an imported hash is rejected. The texts continue "the hash …"; none contains a part of the hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HashImportError {
    /// No known format.
    #[error("has no known format")]
    Unknown,
    /// It begins like a hash of that kind, but can't be parsed as one.
    #[error("is a malformed {0} hash")]
    Malformed(&'static str),
    /// A kind that can't be verified here.
    #[error("is {0}, which is not supported")]
    Unsupported(&'static str),
    /// Verifying it would take more than 256 MiB of memory.
    #[error("claims more than 256 MiB of memory")]
    Memory,
    /// Verifying it would take a second or more: bcrypt with a cost over 14, PBKDF2 with more than 1,500,000
    /// rounds, argon2 or scrypt with more than 1 GiB of memory times passes.
    #[error(
        "claims too many rounds (at most: bcrypt cost 14, PBKDF2 1500000, argon2 and scrypt 1 GiB of memory times passes)"
    )]
    Rounds,
}

impl Scheme {
    /// Parses a hash in the form in which it is stored, or in a form that other systems write.
    pub fn parse(text: &str) -> Result<Self, HashImportError> {
        recognise::recognise(text)
    }

    /// Returns the hash if verifying it costs no more than an imported hash may.
    pub fn within_bounds(self) -> Result<Self, HashImportError> {
        match &self {
            Self::Argon2(hash) => check_cost(hash.memory(), hash.work())?,
            Self::Scrypt(hash) => check_cost(hash.memory(), hash.work())?,
            Self::Bcrypt(hash) if hash.is_affordable() => {}
            Self::Pbkdf2(hash) if hash.is_affordable() => {}
            Self::Bcrypt(_) | Self::Pbkdf2(_) => return Err(HashImportError::Rounds),
        }
        Ok(self)
    }

    /// Whether it is this password's hash; compared in constant time. Our own hashes are of the password's Form C. Other systems
    /// hash what the keyboard sends, so the password as typed is tried next, then Form D, where they differ.
    pub fn matches(
        &self,
        password: &PlainPassword,
        in_any_form: bool,
        memory: &mut Memory,
    ) -> Result<bool, HashError> {
        let forms = if in_any_form { PlainPassword::MAX_FORMS } else { 1 };
        for form in password.forms().take(forms) {
            if self.matches_bytes(form.as_bytes(), memory)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn matches_bytes(&self, password: &[u8], memory: &mut Memory) -> Result<bool, HashError> {
        match self {
            Self::Argon2(hash) => hash.matches(password, memory),
            Self::Bcrypt(hash) => hash.matches(password),
            Self::Pbkdf2(hash) => Ok(hash.matches(password)),
            Self::Scrypt(hash) => hash.matches(password),
        }
    }

    /// Returns the bytes of memory that verifying it needs; nothing for those that need a few KiB.
    pub fn memory(&self) -> u64 {
        match self {
            Self::Argon2(hash) => hash.memory(),
            Self::Scrypt(hash) => hash.memory(),
            Self::Bcrypt(_) | Self::Pbkdf2(_) => 0,
        }
    }
}

fn check_cost(memory: u64, work: u64) -> Result<(), HashImportError> {
    if memory > MAX_MEMORY {
        return Err(HashImportError::Memory);
    }
    if work > MAX_WORK { Err(HashImportError::Rounds) } else { Ok(()) }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argon2(hash) => hash.fmt(f),
            Self::Bcrypt(hash) => hash.fmt(f),
            Self::Pbkdf2(hash) => hash.fmt(f),
            Self::Scrypt(hash) => hash.fmt(f),
        }
    }
}

redacted_debug!(Scheme);

#[cfg(test)]
mod tests;
