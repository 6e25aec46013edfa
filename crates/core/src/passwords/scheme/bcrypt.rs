use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use bcrypt::{HashParts, Version};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256, Sha384};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::digest::number;
use crate::passwords::HashError;

/// A bcrypt hash of a password, or of what a framework made of it first, as bcrypt reads no more than 72 octets.
pub(in crate::passwords) struct BcryptHash {
    before: Before,
    parts: HashParts,
}

/// What is done to the password before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// Nothing.
    Nothing,
    /// Django's `BCryptSHA256PasswordHasher`: its SHA-256, in hexadecimal.
    Sha256,
    /// WordPress since 6.8: trimmed, its HMAC-SHA-384 under a fixed key, in Base64.
    WordPress,
}

/// The cost at most: a second or so. PHP, Laravel and Rails are at 10 to 12.
const MAX_COST: u32 = 14;

impl BcryptHash {
    /// Reads `$2a$`, `$2b$` and `$2y$`, which are the same but for bugs of long ago.
    pub(super) fn parse(before: Before, text: &str) -> Option<Self> {
        // Two digits: the crate's parser would take a sign for one.
        number(text.get(4..6)?)?;
        let parts: HashParts = text.parse().ok()?;
        (4..=31).contains(&parts.get_cost()).then_some(Self { before, parts })
    }

    pub fn is_affordable(&self) -> bool {
        self.parts.get_cost() <= MAX_COST
    }

    pub fn matches(&self, password: &[u8]) -> Result<bool, HashError> {
        let prepared = self.before.prepare(password)?;
        let (cost, salt) = (self.parts.get_cost(), self.parts.get_salt_raw());
        let computed = bcrypt::hash_with_salt(&*prepared, cost, salt).map_err(|_| HashError::Unusable)?;
        // `HashParts` shows its output in the formatted hash only.
        let [stored, computed] =
            [&self.parts, &computed].map(|parts| parts.format_for_version(Version::TwoB));
        Ok(stored.as_bytes().ct_eq(computed.as_bytes()).into())
    }
}

impl Before {
    /// What stands before the `$2…` of a hash, stored or as its framework writes it.
    pub const ALL: [(&'static str, Self); 3] =
        [("", Self::Nothing), ("bcrypt_sha256$", Self::Sha256), ("$wp", Self::WordPress)];

    fn prepare(self, password: &[u8]) -> Result<Zeroizing<Vec<u8>>, HashError> {
        Ok(Zeroizing::new(match self {
            Self::Nothing => password.to_vec(),
            Self::Sha256 => {
                Sha256::digest(password).iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()
            }
            Self::WordPress => {
                let key = Hmac::<Sha384>::new_from_slice(b"wp-sha384").map_err(|_| HashError::Unusable)?;
                let tag = key.chain_update(php_trim(password)).finalize().into_bytes();
                STANDARD.encode(tag).into_bytes()
            }
        }))
    }
}

/// PHP's `trim`: blanks, tabs, line feeds, carriage returns, NUL and vertical tabs at both ends.
fn php_trim(text: &[u8]) -> &[u8] {
    let is_kept = |byte: &u8| !b" \t\n\r\0\x0b".contains(byte);
    let begin = text.iter().position(is_kept).unwrap_or(text.len());
    let end = text.iter().rposition(is_kept).map_or(begin, |last| last + 1);
    text.get(begin..end).unwrap_or_default()
}

impl fmt::Display for BcryptHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix =
            Before::ALL.into_iter().find_map(|(prefix, before)| (before == self.before).then_some(prefix));
        f.write_str(prefix.unwrap_or_default())?;
        self.parts.write_for_version(Version::TwoB, f)
    }
}
