//! Passwords: which are accepted, and how they are hashed.

mod hasher;
mod memory;
mod policy;
mod scheme;

use unicode_normalization::UnicodeNormalization;
use zeroize::{Zeroize, Zeroizing};

use self::scheme::Scheme;
pub use self::{
    hasher::{HashError, Hasher, HasherConfig, Verification},
    policy::{
        CheckedPassword, Hint, Hints, PasswordPolicy, PasswordRejected, Person, PolicyViolation, Profile,
        RejectedPassword, blocklist,
    },
    scheme::HashImportError,
};
use crate::newtypes::redacted_debug;

/// A password as typed, in Unicode Normalization Form C, so that it is the same typed composed or decomposed (NIST SP 800-63B-4
/// §3.1.1.2). Nothing else changes: spaces and emoji stay. RFC 8265 prescribes Form C for passwords. Form KC would also turn `ﬁ`
/// into `fi` and `²` into `2`, which makes different passwords equal; it is used only for the comparison with known words.
pub struct PlainPassword(Zeroizing<String>);

/// The maximum size of a typed password. Longer ones are rejected before any work is done on them.
pub const MAX_BYTES: usize = 1024;

/// A text that is not a password: empty, longer than [`MAX_BYTES`], or with a NUL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a password")]
pub struct InvalidPassword;

impl PlainPassword {
    /// Parses a typed password.
    ///
    /// # Errors
    /// [`InvalidPassword`]; the text is zeroized in either case.
    pub fn parse(mut typed: String) -> Result<Self, InvalidPassword> {
        let fits = (1..=MAX_BYTES).contains(&typed.len()) && !typed.contains('\0');
        let normal = fits.then(|| {
            // NFC grows a text to at most three times its bytes. Reserved at once, so that no copy is left in memory.
            let mut normal = Zeroizing::new(String::with_capacity(typed.len() * 3));
            normal.extend(typed.nfc());
            Self(normal)
        });
        typed.zeroize();
        normal.ok_or(InvalidPassword)
    }

    fn as_str(&self) -> &str {
        &self.0
    }
}

redacted_debug!(PlainPassword);

/// A password's hash in PHC string form (`$argon2id$v=19$…`), or in bcrypt's own (`$2b$12$…`), which has no such form.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Takes a hash from a store.
    #[must_use]
    pub fn from_phc(phc: String) -> Self {
        Self(phc)
    }

    /// Parses a hash that another system made: argon2, bcrypt, scrypt and PBKDF2, in PHC string form and in the forms of PHP, Rails, Django, passlib, Werkzeug, Spring Security, WordPress (6.8) and ASP.NET Core Identity.
    ///
    /// # Errors
    /// See [`HashImportError`]: also one that would cost more than the hashing pool's budget to verify.
    pub fn import(text: &str) -> Result<Self, HashImportError> {
        Ok(Self(Scheme::parse(text)?.within_bounds()?.to_string()))
    }

    /// Returns the PHC string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

redacted_debug!(PasswordHash);
