//! `[passwords]`: the policy for passwords, and the cost of hashing them.

use std::{num::NonZeroUsize, thread};

use rekey_core::passwords::{HasherConfig, PasswordPolicy, Profile};
use serde::Deserialize;

use crate::config::fields::{Within, parse, text_fields};

/// The policy for passwords and the budget for hashing them.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Section")]
pub struct Passwords {
    pub policy: PasswordPolicy,
    /// Never cheaper than what OWASP recommends.
    pub hasher: HasherConfig,
}

/// The section as it is in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    #[serde(deserialize_with = "profile")]
    profile: Profile,
    min_length: i64,
    argon2_memory_kib: i64,
    #[serde(deserialize_with = "Within::<1, 16>::integer")]
    argon2_iterations: u32,
    #[serde(deserialize_with = "Within::<1, 16>::integer")]
    argon2_parallelism: u32,
    #[serde(deserialize_with = "Within::<0, 256>::integer")]
    hashing_threads: usize,
    #[serde(deserialize_with = "Within::<1, 10_000>::integer")]
    hashing_queue: usize,
}

impl TryFrom<Section> for Passwords {
    /// The key that is wrong, and what is expected of it.
    type Error = String;

    fn try_from(section: Section) -> Result<Self, String> {
        let (least, most) = (section.profile.min_length(), PasswordPolicy::MOST_MIN_LENGTH);
        let min_length = match usize::try_from(section.min_length) {
            Ok(0) => least,
            Ok(length) if (least..=most).contains(&length) => length,
            _ => return Err(format!("min_length: 0 or an integer from {least} to {most}")),
        };
        let (least, most) = (min_memory_kib(section.argon2_iterations), 1 << 20);
        let memory_kib = u32::try_from(section.argon2_memory_kib).ok();
        let Some(memory_kib) = memory_kib.filter(|kib| (least..=most).contains(kib)) else {
            return Err(format!("argon2_memory_kib: an integer from {least} to {most}"));
        };
        let hasher = HasherConfig {
            memory_kib,
            iterations: section.argon2_iterations,
            parallelism: section.argon2_parallelism,
            threads: NonZeroUsize::new(section.hashing_threads).unwrap_or_else(processor_count),
            queue: section.hashing_queue,
        };
        Ok(Self { policy: PasswordPolicy { min_length }, hasher })
    }
}

text_fields! {
    profile: Profile = "\"multi_factor\" or \"single_factor\"", parse;
}

/// The OWASP Password Storage Cheat Sheet's Argon2id settings of equal strength, all of them with one lane.
fn min_memory_kib(iterations: u32) -> u32 {
    match iterations {
        0 | 1 => 47_104,
        2 => 19_456,
        3 => 12_288,
        4 => 9_216,
        _ => 7_168,
    }
}

fn processor_count() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}
