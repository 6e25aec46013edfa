//! `[resets]`: how long a reset can be used, how many there are, and what else it has.

use rekey_core::{
    passwords::PasswordPolicy,
    resets::{CodeRules, ResetQuota, rules::Rules},
};
use serde::Deserialize;
use time::Duration;

use crate::config::fields::Within;

/// The rules for password resets.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Resets {
    #[serde(deserialize_with = "Within::<60, 604_800>::seconds")]
    token_life_seconds: Duration,
    #[serde(deserialize_with = "Within::<0, 3600>::seconds")]
    self_service_cooldown_seconds: Duration,
    #[serde(deserialize_with = "Within::<1, 1000>::integer")]
    self_service_budget: u32,
    #[serde(deserialize_with = "Within::<60, 604_800>::seconds")]
    self_service_window_seconds: Duration,
    #[serde(deserialize_with = "Within::<0, 604_800>::seconds")]
    disavowal_cooldown_seconds: Duration,
    no_account_mail: bool,
    code: bool,
    #[serde(deserialize_with = "Within::<1, 100>::integer")]
    code_guesses: u32,
    #[serde(deserialize_with = "Within::<60, 604_800>::seconds")]
    code_guesses_window_seconds: Duration,
}

impl Resets {
    /// Returns the rules of an organization with this policy for passwords.
    pub(in crate::config) fn rules(&self, policy: PasswordPolicy) -> Rules {
        let code = CodeRules { budget: self.code_guesses, window: self.code_guesses_window_seconds };
        Rules {
            policy,
            token_ttl: self.token_life_seconds,
            quota: ResetQuota {
                cooldown: self.self_service_cooldown_seconds,
                budget: self.self_service_budget,
                window: self.self_service_window_seconds,
            },
            code: self.code.then_some(code),
            rejection_cooldown: self.disavowal_cooldown_seconds,
            no_account_mail: self.no_account_mail,
        }
    }
}
