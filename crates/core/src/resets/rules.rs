//! The rules that an organization may set for itself.

use std::sync::Arc;

use arc_swap::ArcSwap;
use time::Duration;

use crate::{
    organizations::PerOrganization,
    passwords::PasswordPolicy,
    resets::{CodeRules, ResetQuota},
};

/// The rules of all organizations. They can be replaced while the program runs.
pub type SharedRules = Arc<ArcSwap<PerOrganization<Rules>>>;

/// An organization's rules.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// What new passwords must be.
    pub policy: PasswordPolicy,
    /// How long a token can be used.
    pub token_ttl: Duration,
    /// How often self-service resets are created and mailed.
    pub quota: ResetQuota,
    /// Whether a reset has a short code with its link, and how often it may be guessed.
    pub code: Option<CodeRules>,
    /// How long after a rejected reset self-service creates no other for its address.
    pub rejection_cooldown: Duration,
    /// Whether a self-service request for an address without an account is answered by a mail that says so.
    pub no_account_mail: bool,
}
