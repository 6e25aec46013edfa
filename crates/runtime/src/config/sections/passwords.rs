//! `[passwords]`: what a password must be, and what hashing one may cost.

use std::{num::NonZeroUsize, thread};

use crate::config::{
    ConfigError,
    reader::{Reader, Section},
};

/// The policy for passwords and the budget for hashing them.
#[derive(Debug, Clone)]
pub struct Passwords {
    /// Code points, at least.
    pub min_length: usize,
    pub argon2: Argon2Cost,
    /// Hashes computed at once.
    pub hashing_threads: NonZeroUsize,
    /// Hashes waiting, at most.
    pub hashing_queue: usize,
}

/// The cost of one Argon2id hash, never below what OWASP recommends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2Cost {
    pub memory_kib: u32,
    pub iterations: u32,
    pub parallelism: u32,
}

impl Section for Passwords {
    const NAME: &'static str = "passwords";

    fn read(reader: &Reader<'_>) -> Result<Self, ConfigError> {
        let threads = reader.integer("hashing_threads", 0_usize..=256)?;
        Ok(Self {
            min_length: reader.integer("min_length", 8..=64)?,
            argon2: read_cost(reader)?,
            hashing_threads: NonZeroUsize::new(threads).unwrap_or_else(processors),
            hashing_queue: reader.integer("hashing_queue", 1..=10_000)?,
        })
    }
}

fn read_cost(reader: &Reader<'_>) -> Result<Argon2Cost, ConfigError> {
    let iterations = reader.integer("argon2_iterations", 1..=16)?;
    Ok(Argon2Cost {
        memory_kib: reader.integer("argon2_memory_kib", least_memory_kib(iterations)..=1 << 20)?,
        iterations,
        parallelism: reader.integer("argon2_parallelism", 1..=16)?,
    })
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
