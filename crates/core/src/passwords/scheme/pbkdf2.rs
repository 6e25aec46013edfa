use std::fmt;

use pbkdf2::pbkdf2_hmac;
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use super::digest::Digest;

/// A PBKDF2 hash: `$pbkdf2-sha256$i=600000$salt$output`.
pub(in crate::passwords) struct Pbkdf2Hash {
    function: Function,
    rounds: u32,
    digest: Digest,
}

/// The hash function under PBKDF2's HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display, strum::EnumString)]
#[strum(serialize_all = "lowercase")]
pub(super) enum Function {
    Sha1,
    Sha256,
    Sha512,
}

/// The maximum number of rounds, for all blocks of the output: Django 6.0 uses 1,200,000, the most of any framework's default.
const MAX_ROUNDS: u64 = 1_500_000;

impl Pbkdf2Hash {
    /// Makes a hash; `None` without rounds.
    pub(super) fn new(function: Function, rounds: u32, digest: Digest) -> Option<Self> {
        (rounds > 0).then_some(Self { function, rounds, digest })
    }

    pub fn is_affordable(&self) -> bool {
        let blocks = self.digest.output.len().div_ceil(self.function.output_size()) as u64;
        u64::from(self.rounds) * blocks <= MAX_ROUNDS
    }

    pub fn matches(&self, password: &[u8]) -> bool {
        let mut output = vec![0; self.digest.output.len()];
        let (salt, rounds) = (&self.digest.salt, self.rounds);
        match self.function {
            Function::Sha1 => pbkdf2_hmac::<Sha1>(password, salt, rounds, &mut output),
            Function::Sha256 => pbkdf2_hmac::<Sha256>(password, salt, rounds, &mut output),
            Function::Sha512 => pbkdf2_hmac::<Sha512>(password, salt, rounds, &mut output),
        }
        self.digest.matches(&output)
    }
}

impl Function {
    fn output_size(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

impl fmt::Display for Pbkdf2Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "$pbkdf2-{}$i={}${}", self.function, self.rounds, self.digest)
    }
}
