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
mod tests {
    use super::*;

    #[test]
    fn ordinary_addresses_are_folded_to_lower_case() {
        for (typed, kept) in [
            ("john@example.com", "john@example.com"),
            ("John.O'Neil+shop@Example.CO.UK", "john.o'neil+shop@example.co.uk"),
            ("x@xn--mnchen-3ya.de", "x@xn--mnchen-3ya.de"),
            ("1_2-3@a-b.c1", "1_2-3@a-b.c1"),
        ] {
            assert_eq!(typed.parse::<EmailAddress>().unwrap().as_str(), kept);
        }
    }

    #[test]
    fn email_list_and_hostile_characters_are_refused() {
        for text in [
            "",
            "@",
            "a",
            "a@",
            "@b.c",
            "a@b",
            "a@b.c,d@e.f",
            "a@b.c;d@e.f",
            "a@b.c d@e.f",
            " a@b.c",
            "a@b.c ",
            "a@b.c\n",
            "a@b.c\r\nBcc: x@y.z",
            "a@b.c%0d%0a",
            "a%b.c@d.e",
            "a!b@c.d",
            "a\0@b.c",
            "a\u{202e}@b.c",
            "a@b.c\u{200b}",
            "\"a b\"@c.d",
            "a@[127.0.0.1]",
            "a@127.0.0.1",
            "<a@b.c>",
            "A <a@b.c>",
            "=?utf-8?q?a?=@b.c,",
            ".a@b.c",
            "a.@b.c",
            "a..b@c.d",
            "a@.b.c",
            "a@b..c",
            "a@b.c.",
            "a@-b.c",
            "a@b-.c",
            "a@b_c.d",
            "a@@b.c",
            "a@b@c.d",
            "(x)a@b.c",
        ] {
            assert_eq!(text.parse::<EmailAddress>(), Err(InvalidEmail), "{text:?}");
        }
    }

    #[test]
    fn email_confusable_addresses_are_refused_not_folded() {
        for text in [
            "m\u{131}ke@example.com",
            "\u{212a}ate@example.com",
            "ｍike@example.com",
            "mike@exаmple.com",
            "mike@example\u{3002}com",
        ] {
            assert_eq!(text.parse::<EmailAddress>(), Err(InvalidEmail), "{text:?}");
        }
    }

    #[test]
    fn email_length_is_bounded_in_every_part() {
        let at = |local: usize, label: usize| {
            format!("{}@{}.com", "a".repeat(local), "b".repeat(label)).parse::<EmailAddress>()
        };
        assert!(at(64, 63).is_ok());
        assert!(at(65, 10).is_err());
        assert!(at(10, 64).is_err());
        let long_domain = format!("a@{}com", "bcdefgh.".repeat(32));
        assert!(long_domain.parse::<EmailAddress>().is_err());
        assert!("a".repeat(1 << 20).parse::<EmailAddress>().is_err());
    }

    #[test]
    fn mail_bomb_subaddresses_are_one_account() {
        for (address, account) in [
            ("john@example.com", "john@example.com"),
            ("John+shop@example.com", "john@example.com"),
            ("john+a+b@example.com", "john@example.com"),
            ("+a@example.com", "@example.com"),
        ] {
            assert_eq!(address.parse::<EmailAddress>().unwrap().account(), account);
        }
    }

    #[test]
    fn debug_shows_no_address() {
        assert!(!format!("{:?}", "john@example.com".parse::<EmailAddress>()).contains("john"));
    }
}
