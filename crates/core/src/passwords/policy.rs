//! What a new password must be: NIST SP 800-63B-4 §3.1.1.2.

pub mod blocklist;
mod folding;
mod hint;
mod pattern;
mod personal;

use std::fmt;

pub use self::hint::{Hint, Hints};
use self::personal::Words;
use super::PlainPassword;
use crate::email::EmailAddress;

/// What a new password must be: long enough, and none that somebody would guess early. There are no composition rules
/// (NIST SP 800-63B-4 §3.1.1.2). Passwords that are already there, imported ones among them, are not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordPolicy {
    /// Code points at least, after normalization.
    pub min_length: usize,
}

/// What stands beside the password when a customer logs in, and so how long it has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Another factor: 8 code points or more.
    MultiFactor,
    /// Nothing: 15 code points or more.
    SingleFactor,
}

/// Whose password it is to be: what is known of the person and the shop, and so guessed first.
#[derive(Debug, Clone, Copy)]
pub struct Person<'a> {
    /// The customer's address.
    pub email: &'a EmailAddress,
    /// The shop's name, as customers read it.
    pub shop: &'a str,
}

/// Why a new password is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PolicyViolation {
    /// Fewer code points than the policy asks for.
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
    /// Many people have it.
    #[error("is too common")]
    TooCommon,
}

/// A password that the policy has refused, and why.
pub struct Refused {
    violation: PolicyViolation,
    password: PlainPassword,
}

/// A refused password: why, and what would be better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{violation}")]
pub struct Refusal {
    /// Why.
    pub violation: PolicyViolation,
    /// What would be better; of a password that is only short nothing is said.
    pub hints: Hints,
}

/// A password that the policy has accepted: the only kind that can be hashed, so the policy can't be skipped.
pub struct CheckedPassword(PlainPassword);

impl Profile {
    /// Code points at least (NIST SP 800-63B-4 §3.1.1.2).
    #[must_use]
    pub fn min_length(self) -> usize {
        match self {
            Self::MultiFactor => 8,
            Self::SingleFactor => 15,
        }
    }
}

impl PasswordPolicy {
    /// What no policy goes below, and no entry of the blocklist.
    pub const LEAST_MIN_LENGTH: usize = 8;
    /// What no policy asks for more than: NIST wants 64 characters to be accepted, so none may be demanded beyond.
    pub const MOST_MIN_LENGTH: usize = 64;

    /// Checks that person's new password.
    ///
    /// # Errors
    /// See [`PolicyViolation`].
    pub fn check(self, password: PlainPassword, person: &Person<'_>) -> Result<CheckedPassword, Refused> {
        match self.violation(password.as_str(), person) {
            None => Ok(CheckedPassword(password)),
            Some(violation) => Err(Refused { violation, password }),
        }
    }

    fn violation(self, password: &str, person: &Person<'_>) -> Option<PolicyViolation> {
        if password.chars().count() < self.min_length {
            return Some(PolicyViolation::TooShort(self.min_length));
        }
        let folded = folding::fold(password);
        if Words::of_email(person.email).make_up(&folded) {
            Some(PolicyViolation::MadeOfEmail)
        } else if Words::of_shop(person.shop).make_up(&folded) {
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

impl Refused {
    /// Why.
    #[must_use]
    pub fn violation(&self) -> PolicyViolation {
        self.violation
    }

    /// With what would be better, which takes zxcvbn as long as a hash takes: not for an async thread.
    #[must_use]
    pub fn advised(self, person: &Person<'_>) -> Refusal {
        let hints = match self.violation {
            PolicyViolation::TooShort(_) => Hints::default(),
            PolicyViolation::MadeOfEmail
            | PolicyViolation::MadeOfShopName
            | PolicyViolation::TooSimple
            | PolicyViolation::TooCommon => Hints::of(self.password.as_str(), person),
        };
        Refusal { violation: self.violation, hints }
    }
}

impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Refused({:?}, …)", self.violation)
    }
}

impl CheckedPassword {
    pub(super) fn into_plain(self) -> PlainPassword {
        self.0
    }
}

impl fmt::Debug for CheckedPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CheckedPassword(…)")
    }
}

#[cfg(test)]
mod tests;
