//! `[resets]`: how long a reset can be used, how many there are, and what else it has.

use rekey_core::resets::{CodeRules, ResetQuota};

use crate::config::{
    ConfigError,
    reader::{Reader, Section},
};

/// Password resets, where an organization has no setting of its own.
#[derive(Debug, Clone)]
pub struct Resets {
    pub token_ttl: time::Duration,
    /// How many self-service makes for an account.
    pub quota: ResetQuota,
    /// Whether there is a short code beside the link, and how often it may be guessed.
    pub code: Option<CodeRules>,
    /// How long self-service makes no reset for an account after one was disavowed.
    pub disavowal_cooldown: time::Duration,
    /// Whether an address without an account gets a mail that says so.
    pub no_account_mail: bool,
}

impl Section for Resets {
    const NAME: &'static str = "resets";

    fn read(reader: &Reader<'_>) -> Result<Self, ConfigError> {
        let seconds = |key, bounds| Ok(time::Duration::seconds(reader.integer(key, bounds)?));
        // Checked also where they are of no use.
        let guesses = CodeRules {
            budget: reader.integer("code_guesses", 1..=100)?,
            window: seconds("code_guesses_window_seconds", 60..=604_800)?,
        };
        Ok(Self {
            token_ttl: seconds("token_life_seconds", 60..=604_800)?,
            quota: ResetQuota {
                cooldown: seconds("self_service_cooldown_seconds", 0..=3600)?,
                budget: reader.integer("self_service_budget", 1..=1000)?,
                window: seconds("self_service_window_seconds", 60..=604_800)?,
            },
            code: reader.flag("code")?.then_some(guesses),
            disavowal_cooldown: seconds("disavowal_cooldown_seconds", 0..=604_800)?,
            no_account_mail: reader.flag("no_account_mail")?,
        })
    }
}
