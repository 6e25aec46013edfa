//! Operators: people who sign in to the console, what they may do there, and the ports to them and their sessions.

pub mod sign_in;
mod throttle;

use std::{fmt, str::FromStr};

use async_trait::async_trait;
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

use crate::{
    error::{CreateError, StoreError},
    passwords::PasswordHash,
    random::{RandomSource, fill_alphanumeric},
    secrets::OperatorTokenDigest,
};

/// How long a session lasts without a request (NIST SP 800-63B, 2017, §4.2.3: 30 minutes at level 2).
pub const SESSION_IDLE_TIME: Duration = Duration::minutes(30);
/// How long a session lasts in any case (the same: 12 hours).
pub const SESSION_MAX_AGE: Duration = Duration::hours(12);
/// The characters of a generated password: 142 bits, which nobody guesses.
const PASSWORD_LENGTH: usize = 24;
/// The most characters of a name.
const MAX_NAME: usize = 32;
/// The audit log's names for actors without one.
const RESERVED: [&str; 4] = ["client", "customer", "operator", "token_holder"];

/// Somebody who can sign in to the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operator {
    /// The unique name.
    pub name: OperatorName,
    /// What they may do.
    pub role: OperatorRole,
    /// When they were created.
    pub created_at: OffsetDateTime,
}

/// What an operator may do in the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum OperatorRole {
    /// Look at everything.
    Read,
    /// Also resend mails, replay dead letters and lift suppressions.
    Act,
}

impl OperatorRole {
    /// Returns `read` or `act`, as in the stores.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Parses [`OperatorRole::as_str`]'s form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// An operator's name: 1 to 32 of a-z, 0-9, `.`, `_` and `-`, of which the first is a letter or digit. It is in audit entries.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct OperatorName([u8; MAX_NAME]);

/// A text that is not an [`OperatorName`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a name is 1 to {MAX_NAME} of a-z, 0-9, \".\", \"_\" and \"-\", begins with a letter or digit, and is none of {}",
    RESERVED.join(", ")
)]
pub struct InvalidOperatorName;

impl OperatorName {
    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default().trim_end_matches('\0')
    }
}

impl FromStr for OperatorName {
    type Err = InvalidOperatorName;

    fn from_str(text: &str) -> Result<Self, InvalidOperatorName> {
        let is_fit =
            |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9') || matches!(byte, b'.' | b'_' | b'-');
        let begins_well = text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric());
        let mut name = [0; MAX_NAME];
        match name.get_mut(..text.len()) {
            Some(start) if begins_well && text.bytes().all(is_fit) && !RESERVED.contains(&text) => {
                start.copy_from_slice(text.as_bytes());
            }
            _ => return Err(InvalidOperatorName),
        }
        Ok(Self(name))
    }
}

impl fmt::Display for OperatorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for OperatorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OperatorName({self})")
    }
}

/// Generates an operator's password.
#[must_use]
pub fn generate_password(random: &dyn RandomSource) -> Zeroizing<String> {
    let mut password = Zeroizing::new([0; PASSWORD_LENGTH]);
    fill_alphanumeric(random, password.as_mut_slice());
    Zeroizing::new(password.iter().map(|&byte| char::from(byte)).collect())
}

/// The port to operators, for the command-line tool. A new role or password ends the operator's sessions.
#[async_trait]
pub trait OperatorStore: Send + Sync + 'static {
    /// Creates an operator.
    async fn create_operator(
        &self,
        name: OperatorName,
        role: OperatorRole,
        password: &PasswordHash,
    ) -> Result<(), CreateError>;

    /// Returns all operators, by name.
    async fn operators(&self) -> Result<Vec<Operator>, StoreError>;

    /// Changes what an operator may do; false when there is none of that name.
    async fn update_operator_role(&self, name: OperatorName, role: OperatorRole) -> Result<bool, StoreError>;

    /// Replaces an operator's password; false when there is none of that name.
    async fn replace_operator_password(
        &self,
        name: OperatorName,
        password: &PasswordHash,
    ) -> Result<bool, StoreError>;

    /// Deletes an operator with their sessions; false when there is none of that name. Their audit entries stay.
    async fn delete_operator(&self, name: OperatorName) -> Result<bool, StoreError>;
}

/// The port to operators' sessions, for the console. The database's clock decides what has expired.
#[async_trait]
pub trait OperatorSessions: Send + Sync + 'static {
    /// Returns the password of the operator of that name.
    async fn operator_password(&self, name: OperatorName) -> Result<Option<PasswordHash>, StoreError>;

    /// Opens a session; false when the operator has another password by now. Deletes sessions that have expired.
    async fn open_operator_session(
        &self,
        name: OperatorName,
        password: &PasswordHash,
        token: &OperatorTokenDigest,
    ) -> Result<bool, StoreError>;

    /// Returns the operator of a session that has not expired, and notes that it was used.
    async fn use_operator_session(&self, token: &OperatorTokenDigest)
    -> Result<Option<Operator>, StoreError>;

    /// Ends a session, if there is one.
    async fn end_operator_session(&self, token: &OperatorTokenDigest) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{caller::Actor, random::OsRandom};

    #[test]
    fn a_name_is_short_and_can_stand_in_a_line_of_a_log() {
        for name in ["a", "anna", "7of9", "a.b_c-d", &"x".repeat(32)] {
            assert_eq!(name.parse::<OperatorName>().unwrap().as_str(), name);
        }
        for name in ["", "operator", "Anna", "-a", ".a", "a b", "a:b", "ä", "a\0", "a\n", &"x".repeat(33)] {
            assert_eq!(name.parse::<OperatorName>(), Err(InvalidOperatorName), "{name:?}");
        }
    }

    #[test]
    fn an_actor_with_a_name_is_stored_with_it() {
        assert_eq!(Actor::Operator(None).stored(), "operator");
        assert_eq!(Actor::Operator("anna".parse().ok()).stored(), "operator:anna");
    }

    #[test]
    fn passwords_are_24_letters_and_digits() {
        let password = generate_password(&OsRandom);
        assert!(password.len() == 24 && password.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_ne!(*password, *generate_password(&OsRandom));
    }

    #[test]
    fn roles_are_stored_by_their_names() {
        for (role, name) in [(OperatorRole::Read, "read"), (OperatorRole::Act, "act")] {
            assert_eq!((role.as_str(), OperatorRole::parse(name)), (name, Some(role)));
        }
        assert_eq!(OperatorRole::parse("admin"), None);
    }
}
