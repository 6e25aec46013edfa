//! E-mail addresses: one definition for look-up, storage and the wire.

use std::{borrow::Cow, str::FromStr};

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use unicode_normalization::UnicodeNormalization;

use crate::{
    newtypes::{redacted_debug, text_newtype},
    random::{RandomSource, fill_from},
};

/// A customer's e-mail address: a local part of ASCII letters, digits, dots and signs and a DNS domain, in lower case.
///
/// It is read as people type and paste it: blanks around it are dropped, and a domain in Unicode becomes its A-labels (`xn--…`, UTS 46,
/// non-transitional). Case is folded in both parts: one mailbox, one customer, one rate-limit key. Dots may be anywhere in the local
/// part: Japanese carriers gave such addresses to millions until 2009. [`Self::mailbox`] is the form for SMTP and headers.
///
/// Quoted local parts, address literals, comments, display names and lists are rejected, because parsers disagree about them, and so
/// are encoded words (`=?`). No look-alike equals another customer's address: local parts are ASCII, and a domain is rejected where a
/// character is a disguised ASCII one (full-width letters, the Kelvin sign) or vanishes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EmailAddress(String);

/// The maximum bytes before the `@` (RFC 5321 §4.5.3.1.1), with the quotation marks of a quoted local part.
const MAX_LOCAL: usize = 64;
/// The maximum bytes of the address: a path has 256 with its angle brackets (RFC 5321 §4.5.3.1.3).
pub const MAX_ADDRESS: usize = 254;
/// The maximum bytes of one label of the domain (RFC 1035 §2.3.4).
const MAX_LABEL: usize = 63;

/// A regular expression (ECMA 262) for the API reference: addresses as they are stored, in either case. What matches it is valid unless
/// the whole or a part is too long.
pub const PATTERN: &str = r"^(([A-Za-z0-9#$&'*+\-/^_`{|}~.?]|=+[A-Za-z0-9#$&'*+\-/^_`{|}~.])+=*|=+)@([A-Za-z0-9]([A-Za-z0-9\-]*[A-Za-z0-9])?\.)+([0-9]*[A-Za-z]([A-Za-z0-9\-]*[A-Za-z0-9])?|[0-9]+\-[A-Za-z0-9\-]*[A-Za-z0-9])$";

/// The characters of the random local part of an anonymized customer's address.
const ANONYMIZED: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// A text that is not a valid e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address")]
pub struct InvalidEmail;

text_newtype!(EmailAddress);

impl EmailAddress {
    /// Returns a random address at `anonymized.invalid`, a domain that never exists (RFC 2606 §2). No two are the same: each has 124 random
    /// bits.
    pub(crate) fn anonymized(random: &dyn RandomSource) -> Self {
        let mut local = [0; 24];
        fill_from(ANONYMIZED, random, &mut local);
        let local: String = local.iter().map(|&byte| char::from(byte)).collect();
        Self(format!("{local}@anonymized.invalid"))
    }

    /// Returns the address as an RFC 5321 `Mailbox`: the local part is quoted where its dots make it no dot-atom.
    #[must_use]
    pub fn mailbox(&self) -> Cow<'_, str> {
        match self.0.split_once('@') {
            Some((local, domain)) if !is_dot_atom(local) => format!("\"{local}\"@{domain}").into(),
            _ => self.as_str().into(),
        }
    }

    /// Returns the address without a `+` suffix before the `@`: the mailbox to which many providers deliver all of these (RFC 5233
    /// subaddressing), and therefore the account for which resets are counted.
    #[must_use]
    pub fn account(&self) -> String {
        match self.0.split_once('@') {
            Some((local, domain)) => format!("{}@{domain}", local.split('+').next().unwrap_or(local)),
            None => self.0.clone(),
        }
    }

    /// Whether it has a `+` suffix, so that others may have addresses of the same [account](Self::account).
    #[must_use]
    pub fn is_subaddress(&self) -> bool {
        self.account() != self.0
    }
}

impl FromStr for EmailAddress {
    type Err = InvalidEmail;

    fn from_str(text: &str) -> Result<Self, InvalidEmail> {
        let text = text.trim_matches(is_blank);
        // No A-label is shorter than its Unicode form.
        if text.chars().nth(MAX_ADDRESS).is_some() {
            return Err(InvalidEmail);
        }
        let (local, domain) = text.split_once('@').ok_or(InvalidEmail)?;
        let domain = to_a_labels(domain).ok_or(InvalidEmail)?;
        let address = Self(format!("{local}@{domain}").to_ascii_lowercase());
        let fits = address.mailbox().len() <= MAX_ADDRESS && is_local_part(local) && is_domain(&domain);
        if fits { Ok(address) } else { Err(InvalidEmail) }
    }
}

/// Whether a character may be around an address: white space and zero-width characters, but no line break and no direction mark.
fn is_blank(c: char) -> bool {
    c == '\t'
        || (c.is_whitespace() && !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}'))
        || matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
}

fn is_local_part(local: &str) -> bool {
    let quotes = if is_dot_atom(local) { 0 } else { 2 };
    (1..=MAX_LOCAL - quotes).contains(&local.len())
        && local.bytes().all(|byte| byte == b'.' || is_atext(byte))
        && !local.contains("=?")
}

fn is_dot_atom(local: &str) -> bool {
    local.split('.').all(|atom| !atom.is_empty())
}

/// RFC 5322 §3.2.3 `atext`, without `%` and `!`: relays once read routes into them ("percent hack", bang paths).
fn is_atext(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"#$&'*+-/=?^_`{|}~".contains(&byte)
}

/// Converts a domain's labels in Unicode; `None` if one is invalid or not what it looks like.
fn to_a_labels(domain: &str) -> Option<String> {
    Some(domain.split('.').map(to_a_label).collect::<Option<Vec<_>>>()?.join("."))
}

fn to_a_label(label: &str) -> Option<Cow<'_, str>> {
    if label.is_ascii() {
        return Some(label.into());
    }
    if label.chars().any(is_disguised_ascii) {
        return None;
    }
    let (uts46, rules) = (Uts46::new(), AsciiDenyList::STD3);
    let ascii = uts46.to_ascii(label.as_bytes(), rules, Hyphens::Check, DnsLength::Verify).ok()?;
    // The mapping also drops invisible characters and replaces others.
    let (shown, _) = uts46.to_unicode(ascii.as_bytes(), rules, Hyphens::Check);
    let typed = label.nfc().flat_map(char::to_lowercase);
    shown.chars().eq(typed).then(|| ascii.into_owned().into())
}

fn is_disguised_ascii(c: char) -> bool {
    !c.is_ascii() && [c].into_iter().nfkc().flat_map(char::to_lowercase).any(|c| c.is_ascii())
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
