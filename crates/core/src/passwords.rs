//! Passwords: what is accepted, and how they are hashed.

mod hasher;
mod memory;
mod policy;
mod scheme;

use std::fmt;

use unicode_normalization::UnicodeNormalization;
use zeroize::{Zeroize, Zeroizing};

use self::scheme::Scheme;
pub use self::{
    hasher::{HashError, Hasher, HasherConfig, Verification},
    policy::{
        CheckedPassword, Hint, Hints, PasswordPolicy, Person, PolicyViolation, Profile, Refusal, Refused,
        blocklist,
    },
    scheme::HashRefusal,
};

/// A password as somebody typed it, in Unicode Normalization Form C: typed composed or decomposed, it is the same
/// password (NIST SP 800-63B-4 §3.1.1.2). Nothing else is changed: spaces and emoji count as they are. Form C is what RFC 8265
/// prescribes for passwords; Form KC, which would also make `ﬁ` the letters `fi` and `²` the digit `2`, makes fewer passwords of
/// them, and is used for comparing with known words only.
pub struct PlainPassword(Zeroizing<String>);

/// Octets of a password at most, as typed. Longer ones are refused before any work is done on them.
pub const MAX_OCTETS: usize = 1024;

/// A text that is no password: empty, longer than [`MAX_OCTETS`], or with a NUL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a password")]
pub struct InvalidPassword;

impl PlainPassword {
    /// Reads a typed password.
    ///
    /// # Errors
    /// [`InvalidPassword`]; the text is zeroized in either case.
    pub fn parse(mut typed: String) -> Result<Self, InvalidPassword> {
        let fits = (1..=MAX_OCTETS).contains(&typed.len()) && !typed.contains('\0');
        let normal = fits.then(|| {
            // NFC grows a text to at most three times its octets; reserved at once, so no copy is left behind.
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

impl fmt::Debug for PlainPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainPassword(…)")
    }
}

/// A password's hash in PHC string form (`$argon2id$v=19$…`), or in bcrypt's own (`$2b$12$…`), which has no such form.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// A hash read back from a store.
    #[must_use]
    pub fn from_phc(phc: String) -> Self {
        Self(phc)
    }

    /// Takes over a hash that another system made: argon2, bcrypt, scrypt and PBKDF2, in PHC string form and in the
    /// forms of PHP, Rails, Django, passlib, Werkzeug, Spring Security, WordPress (6.8) and ASP.NET Core Identity.
    ///
    /// # Errors
    /// See [`HashRefusal`]: also one that would cost more than the hashing pool's budget to verify.
    pub fn import(text: &str) -> Result<Self, HashRefusal> {
        Ok(Self(Scheme::parse(text)?.within_bounds()?.to_string()))
    }

    /// The PHC string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}
