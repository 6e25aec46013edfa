//! `[limits]`: how much anybody may do in a minute.

use std::num::NonZeroU32;

use rekey_core::scope::Mode;

use crate::config::{
    ConfigError,
    reader::{Reader, Section},
};

/// Calls a minute; `None` is no limit.
pub type PerMinute = Option<NonZeroU32>;

/// How much anybody may do in a minute, and who is counted.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Requests for tokens and revocations, by client address.
    pub token: PerMinute,
    /// Reads, and as many writes, of live data.
    pub live: PerMinute,
    /// The same of test data.
    pub test: PerMinute,
    /// Everything that one sales channel is used for, by whomever.
    pub sales_channel: PerMinute,
    /// Forms sent from the hosted page, by client address.
    pub page: PerMinute,
}

impl Section for Limits {
    const NAME: &'static str = "limits";

    fn read(reader: &Reader<'_>) -> Result<Self, ConfigError> {
        let per_minute = |key| reader.integer(key, 0..=1_000_000).map(NonZeroU32::new);
        Ok(Self {
            token: per_minute("token_per_minute")?,
            live: per_minute("live_per_minute")?,
            test: per_minute("test_per_minute")?,
            sales_channel: per_minute("sales_channel_per_minute")?,
            page: per_minute("page_per_minute")?,
        })
    }
}

impl Limits {
    /// Reads, or writes, of data of that mode.
    #[must_use]
    pub fn of(&self, mode: Mode) -> PerMinute {
        match mode {
            Mode::Live => self.live,
            Mode::Test => self.test,
        }
    }
}
