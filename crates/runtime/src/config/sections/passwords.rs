//! `[passwords]`: what a password must be, and what hashing one may cost.

use std::{num::NonZeroUsize, thread};

use rekey_core::password::{HasherConfig, PasswordPolicy};

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
        let min_length = reader.integer("min_length", PasswordPolicy::LEAST_MIN_LENGTH..=64)?;
        Ok(Self { policy: PasswordPolicy { min_length }, hasher })
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
