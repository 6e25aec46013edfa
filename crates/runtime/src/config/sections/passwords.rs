//! `[passwords]`: what a password must be, and what hashing one may cost.

use std::{num::NonZeroUsize, thread};

use rekey_core::passwords::{HasherConfig, PasswordPolicy, Profile};

use crate::config::{
    ConfigError,
    reader::{Reader, Section},
};

/// The policy for passwords and the budget for hashing them.
#[derive(Debug, Clone)]
pub struct Passwords {
    pub policy: PasswordPolicy,
    /// Never cheaper than what OWASP recommends.
    pub hasher: HasherConfig,
}

impl Section for Passwords {
    const NAME: &'static str = "passwords";

    fn read(reader: &Reader<'_>) -> Result<Self, ConfigError> {
        let iterations = reader.integer("argon2_iterations", 1..=16)?;
        let threads = reader.integer("hashing_threads", 0..=256)?;
        let hasher = HasherConfig {
            memory_kib: reader.integer("argon2_memory_kib", least_memory_kib(iterations)..=1 << 20)?,
            iterations,
            parallelism: reader.integer("argon2_parallelism", 1..=16)?,
            threads: NonZeroUsize::new(threads).unwrap_or_else(processors),
            queue: reader.integer("hashing_queue", 1..=10_000)?,
        };
        Ok(Self { policy: policy(reader)?, hasher })
    }
}

/// What passwords must be, which an organization may have its own of.
fn policy(reader: &Reader<'_>) -> Result<PasswordPolicy, ConfigError> {
    let profile = reader.required("profile", "\"multi_factor\" or \"single_factor\"", |text| match text {
        "multi_factor" => Some(Profile::MultiFactor),
        "single_factor" => Some(Profile::SingleFactor),
        _ => None,
    })?;
    let (least, most) = (profile.min_length(), PasswordPolicy::MOST_MIN_LENGTH);
    match reader.integer("min_length", 0..=most)? {
        0 => Ok(PasswordPolicy { min_length: least }),
        min_length if min_length < least => {
            Err(reader.invalid("min_length", &format!("0 or an integer from {least} to {most}")))
        }
        min_length => Ok(PasswordPolicy { min_length }),
    }
}

/// The OWASP Password Storage Cheat Sheet's Argon2id settings of equal strength, all of them with one lane.
fn least_memory_kib(iterations: u32) -> u32 {
    match iterations {
        0 | 1 => 47_104,
        2 => 19_456,
        3 => 12_288,
        4 => 9_216,
        _ => 7_168,
    }
}

fn processors() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}
