//! Passwords: which are accepted, and how they are hashed.

mod hasher;
mod memory;
mod policy;
mod scheme;
mod scheme_name;

use std::iter;

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use self::scheme::Scheme;
pub use self::{
    hasher::{Claim, HashError, Hasher, HasherConfig, Verification, Verified},
    policy::{
        CheckedPassword, Hint, Hints, PasswordPolicy, PasswordRejected, Person, PolicyViolation, Profile,
        RejectedPassword, blocklist,
    },
    scheme::HashImportError,
    scheme_name::SchemeName,
};
use crate::newtypes::redacted_debug;

/// A password as typed, in Unicode Normalization Form C, so that it is the same typed composed or decomposed (NIST SP 800-63B-4
/// §3.1.1.2). Nothing else changes: spaces and emoji stay. RFC 8265 prescribes Form C for passwords. Form KC would also turn `ﬁ`
/// into `fi` and `²` into `2`, which makes different passwords equal; it is used only for the comparison with known words.
pub struct PlainPassword {
    normal: Zeroizing<String>,
    /// The password as typed, and in Form D, as far as they differ from Form C and from each other.
    others: Vec<Zeroizing<String>>,
}

/// The maximum size of a typed password. Longer ones are rejected before any work is done on them.
pub const MAX_BYTES: usize = 1024;

/// A text that is not a password: empty, longer than [`MAX_BYTES`], or with a NUL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a password")]
pub struct InvalidPassword;

impl PlainPassword {
    /// The most [`Self::form_count`] of any password.
    pub(crate) const MAX_FORMS: usize = 3;

    /// Parses a typed password.
    ///
    /// # Errors
    /// [`InvalidPassword`]; the text is zeroized in either case.
    pub fn parse(typed: String) -> Result<Self, InvalidPassword> {
        let typed = Zeroizing::new(typed);
        if !(1..=MAX_BYTES).contains(&typed.len()) || typed.contains('\0') {
            return Err(InvalidPassword);
        }
        let normal = collect(typed.len(), typed.nfc());
        let mut others = Vec::new();
        if !typed.is_ascii() {
            let decomposed = collect(typed.len(), typed.nfd());
            if decomposed != normal && decomposed != typed {
                others.push(decomposed);
            }
            if typed != normal {
                others.insert(0, typed);
            }
        }
        Ok(Self { normal, others })
    }

    fn as_str(&self) -> &str {
        &self.normal
    }

    /// Returns the forms that another system may have hashed: Form C, as typed, Form D, each once.
    fn forms(&self) -> impl Iterator<Item = &str> {
        iter::once(&self.normal).chain(&self.others).map(|form| form.as_str())
    }

    /// Returns how many different forms the password has; 1 if it is ASCII.
    pub(crate) fn form_count(&self) -> u32 {
        self.forms().map(|_| 1).sum()
    }
}

/// Collects a normalized text. A normalization grows a text to at most three times its bytes; these are reserved at once, so that no
/// copy is left in memory.
fn collect(length: usize, characters: impl Iterator<Item = char>) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(length * 3));
    text.extend(characters);
    text
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
