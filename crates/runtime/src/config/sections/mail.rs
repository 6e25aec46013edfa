//! `[mail]`, `[mailbox]` and `[mailer]`: who writes to the customer, where test-mode mails go, and how many mails at once.

use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};

use rekey_core::{email::EmailAddress, organization::is_invisible};

use crate::config::{
    ConfigError,
    reader::{Reader, Section},
};

/// The sender of every mail.
#[derive(Debug, Clone)]
pub struct Mail {
    pub from: Mailbox,
    /// Where answers go, if not to the sender.
    pub reply_to: Option<Mailbox>,
    /// Where bounces go, if not to the sender: the envelope's sender (MAIL FROM).
    pub envelope_from: Option<EmailAddress>,
}

impl Section for Mail {
    const NAME: &'static str = "mail";

    fn read(reader: &Reader<'_>) -> Result<Self, ConfigError> {
        let expected = "one mailbox: an address, or `Name <address>` with a name of up to 100 characters";
        Ok(Self {
            from: reader.required("from", expected, Mailbox::parse)?,
            reply_to: reader.optional("reply_to", expected, Mailbox::parse)?,
            envelope_from: reader.optional("envelope_from", "a bare address", |text| text.parse().ok())?,
        })
    }
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

/// The sender's address is no secret, but a mailbox can be anybody's.
impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mailbox(…)")
    }
}

/// RFC 5322 specials, but for the dot, and whatever can't be seen or turns the direction of the text.
fn is_unfit_for_name(c: char) -> bool {
    is_invisible(c) || "()<>[]:;@\\,\"".contains(c)
}

/// The local mailbox, where the mails of test mode go.
#[derive(Debug, Clone)]
pub struct TestMail {
    /// Where it is; without one, test-mode mails fail.
    pub directory: Option<PathBuf>,
}

impl Section for TestMail {
    const NAME: &'static str = "mailbox";

    fn read(reader: &Reader<'_>) -> Result<Self, ConfigError> {
        Ok(Self { directory: reader.optional("directory", "a path", |text| Some(PathBuf::from(text)))? })
    }
}

/// The mailer's own work.
#[derive(Debug, Clone)]
pub struct Mailer {
    /// Mails in the making at once.
    pub concurrency: u16,
    /// How long a claim on a mail holds.
    pub lease: Duration,
    /// Where `/livez` and `/readyz` are answered.
    pub listen: SocketAddr,
}

impl Section for Mailer {
    const NAME: &'static str = "mailer";

    fn read(reader: &Reader<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            concurrency: reader.integer("concurrency", 1..=1000)?,
            lease: reader.seconds("lease_seconds", 5..=3600)?,
            listen: reader.required("listen", "an IP address and a port", |text| text.parse().ok())?,
        })
    }
}
