//! E-mail addresses: one definition for look-up, storage and the wire.

use std::str::FromStr;

use crate::newtypes::{redacted_debug, text_newtype};

/// A customer's e-mail address: an RFC 5321 `Mailbox` with a dot-atom local part and a DNS domain, ASCII, in lower case.
///
/// Quoted local parts, address literals, comments, display names and lists are rejected: no mail provider uses them, and
/// parsers disagree about them. Non-ASCII addresses are rejected, not folded, so that no look-alike (dotless i, Kelvin sign,
/// full-width letters) can ever equal another customer's address; an internationalised domain is accepted in its A-label form (`xn--…`). Case is folded in both parts: one mailbox, one customer, one rate-limit key.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EmailAddress(String);

/// The maximum bytes before the `@` (RFC 5321 §4.5.3.1.1).
const MAX_LOCAL: usize = 64;
/// The maximum bytes of the address: a path has 256 with its angle brackets (RFC 5321 §4.5.3.1.3).
pub const MAX_ADDRESS: usize = 254;
/// The maximum bytes of one label of the domain (RFC 1035 §2.3.4).
const MAX_LABEL: usize = 63;

/// A regular expression (ECMA 262) for the API reference. Every valid address matches it; what matches it is valid unless the whole or
/// a part is too long.
pub const PATTERN: &str = r"^[A-Za-z0-9#$&'*+\-/=?^_`{|}~]+(\.[A-Za-z0-9#$&'*+\-/=?^_`{|}~]+)*@([A-Za-z0-9]([A-Za-z0-9\-]*[A-Za-z0-9])?\.)+([0-9]*[A-Za-z]([A-Za-z0-9\-]*[A-Za-z0-9])?|[0-9]+\-[A-Za-z0-9\-]*[A-Za-z0-9])$";

/// A text that is not a valid e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address")]
pub struct InvalidEmail;

text_newtype!(EmailAddress);

impl EmailAddress {
    /// Returns the address without a `+` suffix before the `@`: the mailbox to which many providers deliver all of these (RFC 5233
    /// subaddressing), and therefore the account for which resets are counted.
    #[must_use]
    pub fn account(&self) -> String {
        match self.0.split_once('@') {
            Some((local, domain)) => format!("{}@{domain}", local.split('+').next().unwrap_or(local)),
            None => self.0.clone(),
        }
    }
}

impl FromStr for EmailAddress {
    type Err = InvalidEmail;

    fn from_str(text: &str) -> Result<Self, InvalidEmail> {
        if text.len() > MAX_ADDRESS {
            return Err(InvalidEmail);
        }
        let (local, domain) = text.split_once('@').ok_or(InvalidEmail)?;
        if is_dot_atom(local) && is_domain(domain) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(InvalidEmail)
        }
    }
}

fn is_dot_atom(local: &str) -> bool {
    local.len() <= MAX_LOCAL && local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atext))
}

/// RFC 5322 §3.2.3 `atext`, without `%` and `!`: relays once read routes into them ("percent hack", bang paths).
fn is_atext(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"#$&'*+-/=?^_`{|}~".contains(&byte)
}

fn is_domain(domain: &str) -> bool {
    let all_numeric_tld =
        domain.rsplit('.').next().is_some_and(|tld| tld.bytes().all(|b| b.is_ascii_digit()));
    domain.contains('.') && !all_numeric_tld && domain.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    (1..=MAX_LABEL).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

redacted_debug!(EmailAddress);

#[cfg(test)]
mod tests;
