//! Every kind of password hash that can be verified: today's argon2id, and what other systems left behind.

mod argon2;
mod bcrypt;
mod digest;
mod pbkdf2;
mod recognise;
mod scrypt;

use std::fmt;

use super::{HashError, memory::Memory};

pub(super) use self::argon2::Argon2Hash;
use self::{bcrypt::BcryptHash, pbkdf2::Pbkdf2Hash, scrypt::ScryptHash};

/// A password's hash, taken apart. [`fmt::Display`] writes the one form in which it is stored.
pub(super) enum Scheme {
    Argon2(Argon2Hash),
    Bcrypt(BcryptHash),
    Pbkdf2(Pbkdf2Hash),
    Scrypt(ScryptHash),
}

/// Memory of a foreign hash at most, in octets: 256 MiB, libsodium's `MEMLIMIT_MODERATE`; no framework's default asks for more.
const MAX_MEMORY: u64 = 256 << 20;
/// Memory times passes over it, in octets: a gibibyte is filled in about a second.
const MAX_WORK: u64 = 1 << 30;

/// Why a foreign hash can't be taken over. The texts go on after "the hash"; none has a part of the hash in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HashRefusal {
    /// Nothing we know of looks like it.
    #[error("is of no known form")]
    Unknown,
    /// It begins like one of that kind, and does not go on like one.
    #[error("is a damaged one of {0}")]
    Damaged(&'static str),
    /// It is of a kind that is not verified here.
    #[error("is {0}: not supported, let these customers reset their passwords")]
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
    /// Reads a hash in the form in which it is stored, or in a form that other systems write.
    pub fn parse(text: &str) -> Result<Self, HashRefusal> {
        recognise::recognise(text)
    }

    /// This, if verifying it costs no more than a foreign hash may.
    pub fn within_bounds(self) -> Result<Self, HashRefusal> {
        match &self {
            Self::Argon2(hash) => affordable(hash.memory(), hash.work())?,
            Self::Scrypt(hash) => affordable(hash.memory(), hash.work())?,
            Self::Bcrypt(hash) if hash.is_affordable() => {}
            Self::Pbkdf2(hash) if hash.is_affordable() => {}
            Self::Bcrypt(_) | Self::Pbkdf2(_) => return Err(HashRefusal::Rounds),
        }
        Ok(self)
    }

    /// Whether it is this password's. Takes constant time for the comparison.
    pub fn matches(&self, password: &[u8], memory: &mut Memory) -> Result<bool, HashError> {
        match self {
            Self::Argon2(hash) => hash.matches(password, memory),
            Self::Bcrypt(hash) => hash.matches(password),
            Self::Pbkdf2(hash) => Ok(hash.matches(password)),
            Self::Scrypt(hash) => hash.matches(password, memory),
        }
    }
}

/// Whether a function that fills memory may fill so much of it, that often.
fn affordable(memory: u64, work: u64) -> Result<(), HashRefusal> {
    if memory > MAX_MEMORY {
        return Err(HashRefusal::Memory);
    }
    if work > MAX_WORK { Err(HashRefusal::Rounds) } else { Ok(()) }
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

/// Redacted: hashes do not belong in logs.
impl fmt::Debug for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scheme(…)")
    }
}

#[cfg(test)]
mod tests;
