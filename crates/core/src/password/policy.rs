use std::fmt;

use super::PlainPassword;
use crate::email::EmailAddress;

/// What a new password must be (NIST SP 800-63B-4 §3.1.1.2: length, no composition rules).
#[derive(Debug, Clone, Copy)]
pub struct PasswordPolicy {
    /// Code points at least, after normalization.
    pub min_length: usize,
}

/// Why a new password is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PolicyViolation {
    /// Fewer code points than the policy asks for.
    #[error("is too short (minimum is {0} characters)")]
    TooShort(usize),
    /// It is the customer's own e-mail address.
    #[error("is the e-mail address")]
    OwnEmail,
}

/// A password that the policy has accepted: the only kind that can be hashed, so the policy can't be skipped.
pub struct CheckedPassword(PlainPassword);

impl PasswordPolicy {
    /// What no policy goes below (NIST SP 800-63B-4 §3.1.1.2, for a password beside a second factor).
    pub const LEAST_MIN_LENGTH: usize = 8;

    /// Checks a new password for the customer with that address.
    ///
    /// # Errors
    /// See [`PolicyViolation`].
    pub fn check(
        &self,
        password: PlainPassword,
        email: &EmailAddress,
    ) -> Result<CheckedPassword, PolicyViolation> {
        if password.as_str().chars().count() < self.min_length {
            return Err(PolicyViolation::TooShort(self.min_length));
        }
        if password.as_str().eq_ignore_ascii_case(email.as_str()) {
            return Err(PolicyViolation::OwnEmail);
        }
        Ok(CheckedPassword(password))
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
mod tests {
    use super::*;

    fn check(password: &str) -> Result<CheckedPassword, PolicyViolation> {
        let email = "john@example.com".parse().unwrap();
        PasswordPolicy { min_length: 8 }.check(PlainPassword::parse(password.to_owned()).unwrap(), &email)
    }

    #[test]
    fn password_policy_counts_code_points_after_normalization() {
        assert!(check("1234567é").is_ok());
        assert_eq!(check("123456e\u{301}").unwrap_err(), PolicyViolation::TooShort(8));
        assert!(check("   🦀 🦀  ").is_ok());
    }

    #[test]
    fn password_policy_refuses_the_own_address_and_nul() {
        assert_eq!(check("John@Example.com").unwrap_err(), PolicyViolation::OwnEmail);
        assert!(PlainPassword::parse("long enough\0".to_owned()).is_err());
        assert!(PlainPassword::parse("a".repeat(1025)).is_err());
        assert!(PlainPassword::parse("a".repeat(1024)).is_ok());
    }
}
