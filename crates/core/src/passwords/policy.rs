//! The rules for new passwords (NIST SP 800-63B-4 §3.1.1.2).

pub mod blocklist;
mod folding;
mod hint;
mod pattern;
mod personal;

use std::fmt;

pub use self::hint::{Hint, Hints};
use self::personal::KnownWords;
use super::PlainPassword;
use crate::{email::EmailAddress, newtypes::redacted_debug};

/// The rules for new passwords: long enough, and not one of those that are guessed first. There are no composition rules (NIST SP
/// 800-63B-4 §3.1.1.2). Existing passwords, also imported ones, are not checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordPolicy {
    /// The minimum number of code points, after normalization.
    pub min_length: usize,
}

/// What is asked for in addition to the password when a customer logs in, which decides its minimum length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum Profile {
    /// A second factor: at least 8 code points.
    MultiFactor,
    /// Nothing: at least 15 code points.
    SingleFactor,
}

/// What attackers know of the person and the shop, and therefore guess first.
#[derive(Debug, Clone, Copy)]
pub struct Person<'a> {
    /// The customer's address.
    pub email: &'a EmailAddress,
    /// The shop's name, as customers read it.
    pub shop: &'a str,
}

/// Why a new password is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PolicyViolation {
    /// It has fewer code points than the policy requires.
    #[error("is too short (minimum is {0} characters)")]
    TooShort(usize),
    /// It is the customer's address, or little more.
    #[error("is the e-mail address, or little more")]
    MadeOfEmail,
    /// It is the shop's name, or little more.
    #[error("is the shop's name, or little more")]
    MadeOfShopName,
    /// It is a short repetition, or a plain sequence.
    #[error("is a repetition or a sequence")]
    TooSimple,
    /// It is on the blocklist.
    #[error("is too common")]
    TooCommon,
}

/// A password that the policy rejected, and why.
pub struct RejectedPassword {
    violation: PolicyViolation,
    password: PlainPassword,
}

/// The error for a rejected password: why, and what would be better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{violation}")]
pub struct PasswordRejected {
    /// The rule that it breaks.
    pub violation: PolicyViolation,
    /// What would be better; empty for a password that is only too short.
    pub hints: Hints,
}

/// A password that the policy accepted. Only such a password can be hashed, so that the policy can't be skipped.
pub struct CheckedPassword(PlainPassword);

impl Profile {
    /// The minimum number of code points (NIST SP 800-63B-4 §3.1.1.2).
    #[must_use]
    pub fn min_length(self) -> usize {
        match self {
            Self::MultiFactor => 8,
            Self::SingleFactor => 15,
        }
    }
}

impl PasswordPolicy {
    /// The smallest `min_length` of any policy. No entry of the blocklist is shorter.
    pub const LEAST_MIN_LENGTH: usize = 8;
    /// The largest `min_length` of any policy: NIST requires that 64 characters are accepted.
    pub const MOST_MIN_LENGTH: usize = 64;

    /// Checks a person's new password.
    ///
    /// # Errors
    /// See [`PolicyViolation`].
    pub fn check(
        self,
        password: PlainPassword,
        person: &Person<'_>,
    ) -> Result<CheckedPassword, RejectedPassword> {
        match self.violation(password.as_str(), person) {
            None => Ok(CheckedPassword(password)),
            Some(violation) => Err(RejectedPassword { violation, password }),
        }
    }

    fn violation(self, password: &str, person: &Person<'_>) -> Option<PolicyViolation> {
        if password.chars().count() < self.min_length {
            return Some(PolicyViolation::TooShort(self.min_length));
        }
        let folded = folding::fold(password);
        if KnownWords::from_email(person.email).match_password(&folded) {
            Some(PolicyViolation::MadeOfEmail)
        } else if KnownWords::from_shop(person.shop).match_password(&folded) {
            Some(PolicyViolation::MadeOfShopName)
        } else if pattern::is_simple(&folded) {
            Some(PolicyViolation::TooSimple)
        } else if blocklist::contains(&folded) {
            Some(PolicyViolation::TooCommon)
        } else {
            None
        }
    }
}

impl RejectedPassword {
    /// The rule that it breaks.
    #[must_use]
    pub fn violation(&self) -> PolicyViolation {
        self.violation
    }

    /// Adds hints. zxcvbn takes as long as a hash for them: don't call it on an async thread.
    #[must_use]
    pub fn with_hints(self, person: &Person<'_>) -> PasswordRejected {
        let hints = match self.violation {
            PolicyViolation::TooShort(_) => Hints::default(),
            PolicyViolation::MadeOfEmail
            | PolicyViolation::MadeOfShopName
            | PolicyViolation::TooSimple
            | PolicyViolation::TooCommon => Hints::for_password(self.password.as_str(), person),
        };
        PasswordRejected { violation: self.violation, hints }
    }
}

impl fmt::Debug for RejectedPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RejectedPassword({:?}, …)", self.violation)
    }
}

impl CheckedPassword {
    pub(super) fn into_plain(self) -> PlainPassword {
        self.0
    }
}

redacted_debug!(CheckedPassword);

#[cfg(test)]
mod tests;
