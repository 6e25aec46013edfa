use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use bcrypt::{HashParts, Version};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256, Sha384};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::digest::number;
use crate::passwords::HashError;

/// A bcrypt hash of a password, or of what a framework first made of it, because bcrypt reads no more than 72 bytes.
pub(in crate::passwords) struct BcryptHash {
    preparation: Preparation,
    parts: HashParts,
}

/// What a framework does to the password before bcrypt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Preparation {
    /// Nothing.
    Nothing,
    /// Django's `BCryptSHA256PasswordHasher`: SHA-256, in hexadecimal.
    Sha256,
    /// WordPress since 6.8: the HMAC-SHA-384 of the trimmed password under a fixed key, in Base64.
    WordPress,
}

/// The maximum cost, which takes about a second. PHP, Laravel and Rails use 10 to 12.
const MAX_COST: u32 = 14;

impl BcryptHash {
    /// Parses `$2a$`, `$2b$` and `$2y$`, which differ only in bugs of long ago.
    pub(super) fn parse(preparation: Preparation, text: &str) -> Option<Self> {
        // Two digits, since the crate's parser would accept a sign.
        number(text.get(4..6)?)?;
        let parts: HashParts = text.parse().ok()?;
        (4..=31).contains(&parts.get_cost()).then_some(Self { preparation, parts })
    }

    pub fn is_affordable(&self) -> bool {
        self.parts.get_cost() <= MAX_COST
    }

    pub fn matches(&self, password: &[u8]) -> Result<bool, HashError> {
        let prepared = self.preparation.prepare(password)?;
        let (cost, salt) = (self.parts.get_cost(), self.parts.get_salt_raw());
        let computed = bcrypt::hash_with_salt(&*prepared, cost, salt).map_err(|_| HashError::Unusable)?;
        // `HashParts` has no getter for its output.
        let [stored, computed] =
            [&self.parts, &computed].map(|parts| parts.format_for_version(Version::TwoB));
        Ok(stored.as_bytes().ct_eq(computed.as_bytes()).into())
    }
}

impl Preparation {
    /// The prefixes of a hash before its `$2…`, stored or as the framework writes it.
    pub const ALL: [(&'static str, Self); 3] =
        [("", Self::Nothing), ("bcrypt_sha256$", Self::Sha256), ("$wp", Self::WordPress)];

    fn prepare(self, password: &[u8]) -> Result<Zeroizing<Vec<u8>>, HashError> {
        Ok(Zeroizing::new(match self {
            Self::Nothing => password.to_vec(),
            Self::Sha256 => hex::encode(Sha256::digest(password)).into_bytes(),
            Self::WordPress => {
                let key = Hmac::<Sha384>::new_from_slice(b"wp-sha384").map_err(|_| HashError::Unusable)?;
                let tag = key.chain_update(php_trim(password)).finalize().into_bytes();
                STANDARD.encode(tag).into_bytes()
            }
        }))
    }
}

/// PHP's `trim`, which removes blanks, tabs, line feeds, carriage returns, NUL and vertical tabs at both ends.
fn php_trim(text: &[u8]) -> &[u8] {
    let is_kept = |byte: &u8| !b" \t\n\r\0\x0b".contains(byte);
    let begin = text.iter().position(is_kept).unwrap_or(text.len());
    let end = text.iter().rposition(is_kept).map_or(begin, |last| last + 1);
    text.get(begin..end).unwrap_or_default()
}

impl fmt::Display for BcryptHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = Preparation::ALL
            .into_iter()
            .find_map(|(prefix, kind)| (kind == self.preparation).then_some(prefix));
        f.write_str(prefix.unwrap_or_default())?;
        self.parts.write_for_version(Version::TwoB, f)
    }
}
