//! `[limits]`: how many requests are allowed per minute.

use std::num::NonZeroU32;

use rekey_core::scope::Mode;
use serde::{Deserialize, Deserializer};

use crate::config::fields::Within;

/// Requests per minute; `None` is no limit.
pub type PerMinute = Option<NonZeroU32>;

/// How many requests are allowed per minute, and how they are counted.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Requests for tokens and revocations, by client address.
    #[serde(rename = "token_per_minute", deserialize_with = "per_minute")]
    pub token: PerMinute,
    /// Reads, and as many writes, of live data.
    #[serde(rename = "live_per_minute", deserialize_with = "per_minute")]
    pub live: PerMinute,
    /// The same for test data.
    #[serde(rename = "test_per_minute", deserialize_with = "per_minute")]
    pub test: PerMinute,
    /// All requests of one sales channel, by all its visitors together.
    #[serde(rename = "sales_channel_per_minute", deserialize_with = "per_minute")]
    pub sales_channel: PerMinute,
    /// Forms sent from the hosted pages, by client address.
    #[serde(rename = "page_per_minute", deserialize_with = "per_minute")]
    pub page: PerMinute,
}

impl Limits {
    /// Returns how many reads, or writes, of data of that mode are allowed.
    #[must_use]
    pub fn for_mode(&self, mode: Mode) -> PerMinute {
        match mode {
            Mode::Live => self.live,
            Mode::Test => self.test,
        }
    }
}

fn per_minute<'de, D: Deserializer<'de>>(value: D) -> Result<PerMinute, D::Error> {
    Within::<0, 1_000_000>::integer(value).map(NonZeroU32::new)
}
