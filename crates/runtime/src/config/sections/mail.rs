//! `[mail]`, `[mailbox]` and `[mailer]`: the sender of mails, where test-mode mails go, and how many mails are made at once.

use std::{fmt, path::PathBuf};

use rekey_core::{email::EmailAddress, name::is_invisible};
use serde::{Deserialize, Deserializer, de::Error};

use crate::config::fields::{Within, host_name, parse, text_fields};

/// The sender of every mail.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    #[serde(deserialize_with = "mailbox")]
    pub from: Mailbox,
    /// Where replies go, if not to the sender.
    #[serde(default, deserialize_with = "mailbox")]
    pub reply_to: Option<Mailbox>,
    /// Where bounces go, if not to the sender: the envelope's sender (MAIL FROM).
    #[serde(default, deserialize_with = "envelope_from")]
    pub envelope_from: Option<EmailAddress>,
    /// The domain of addresses that name the delivery, where bounces go instead.
    #[serde(default, deserialize_with = "host_name")]
    pub bounce_domain: Option<String>,
}

/// An address with a display name.
#[derive(Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// One line of visible text. Headers quote or encode it.
    pub name: Option<String>,
    pub address: EmailAddress,
}

/// The maximum number of characters of a sender's name.
const MAX_NAME: usize = 100;

impl Mailbox {
    /// Parses an RFC 5322 `mailbox`, and names with commas, colons and parentheses that the RFC wants to be quoted. The error is what
    /// was expected.
    fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        let (text, comment) = match text.strip_suffix(')').and_then(|text| text.rsplit_once('(')) {
            Some((text, comment)) => (text.trim_end(), comment),
            None => (text, ""),
        };
        let (name, address) = match text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
            Some(parts) => parts,
            // The oldest form of a name: `address (name)`.
            None => (comment, text),
        };
        let address = address
            .parse()
            .map_err(|_| "one mailbox: an address, or `Name <address>`, with a valid address")?;
        let name = unquote(name)?;
        if name.chars().count() > MAX_NAME {
            return Err("a name of up to 100 characters");
        }
        if name.contains(is_invisible) {
            return Err("a name without line breaks, tabs, control, invisible and direction characters");
        }
        if name.contains("=?") {
            return Err("the name as it is read: it is encoded (RFC 2047) when a mail is sent");
        }
        Ok(Self { name: Some(name).filter(|name| !name.is_empty()), address })
    }
}

/// Resolves the quoted strings of a name (RFC 5322 §3.2.4).
fn unquote(text: &str) -> Result<String, &'static str> {
    let (mut name, mut is_quoted, mut is_escaped) = (String::new(), false, false);
    for c in text.trim().chars() {
        match c {
            _ if is_escaped => {
                name.push(c);
                is_escaped = false;
            }
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            '@' | '<' | '>' if !is_quoted => {
                return Err("one mailbox; quotation marks around a name with `@`, `<` or `>`");
            }
            _ => name.push(c),
        }
    }
    if is_quoted {
        Err("a second quotation mark after the name, or `\\\"` for one in it")
    } else {
        Ok(name.trim().to_owned())
    }
}

/// Shows no address, which may be personal data.
impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mailbox(…)")
    }
}

fn mailbox<'de, D: Deserializer<'de>, F: From<Mailbox>>(value: D) -> Result<F, D::Error> {
    Mailbox::parse(&String::deserialize(value)?).map(F::from).map_err(D::Error::custom)
}

text_fields! {
    envelope_from: EmailAddress = "a bare address", parse;
}

/// The local mailbox, where the mails of test mode go.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestMailbox {
    /// Without one, test-mode mails fail.
    pub directory: Option<PathBuf>,
}

/// The mailer's own work.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mailer {
    /// Mails made and sent at once.
    #[serde(deserialize_with = "Within::<1, 1000>::integer")]
    pub concurrency: u16,
}
