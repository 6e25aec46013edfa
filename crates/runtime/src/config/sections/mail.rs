//! `[mail]`, `[mailbox]` and `[mailer]`: the sender of mails, where test-mode mails go, and how many mails are made at once.

use std::{fmt, net::SocketAddr, path::PathBuf};

use rekey_core::{email::EmailAddress, name::is_invisible};
use serde::Deserialize;

use crate::config::fields::{Within, listen_address, parse, text_fields};

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
}

/// An address with a display name.
#[derive(Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// Printable text without angle brackets, commas, quotes and the like, so that no header can read it as anything else.
    pub name: Option<String>,
    pub address: EmailAddress,
}

impl Mailbox {
    fn parse(text: &str) -> Option<Self> {
        let Some((name, rest)) = text.split_once('<') else {
            return Some(Self { name: None, address: text.trim().parse().ok()? });
        };
        let address = rest.trim_end().strip_suffix('>')?.parse().ok()?;
        let name = name.trim();
        let is_name = name.chars().count() <= 100 && !name.contains(is_unfit_for_name);
        is_name.then(|| Self { name: Some(name.to_owned()).filter(|name| !name.is_empty()), address })
    }
}

/// Shows no address, which may be personal data.
impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mailbox(…)")
    }
}

/// RFC 5322 specials, but for the dot, and characters that are invisible or turn the direction of the text.
fn is_unfit_for_name(c: char) -> bool {
    is_invisible(c) || "()<>[]:;@\\,\"".contains(c)
}

text_fields! {
    mailbox: Mailbox =
        "one mailbox: an address, or `Name <address>` with a name of up to 100 characters", Mailbox::parse;
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
    /// Where `/livez` and `/readyz` are served.
    #[serde(deserialize_with = "listen_address")]
    pub listen: SocketAddr,
}
