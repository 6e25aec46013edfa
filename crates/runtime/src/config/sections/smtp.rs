//! `[smtp]`: the relays that take the mails.

use std::{path::PathBuf, time::Duration};

use super::{is_host_name, smtp_relay::SmtpRelay};
use crate::config::{
    ConfigError,
    reader::{Reader, Section},
};

/// For writing, signing and recording a mail, which take some milliseconds.
const MARGIN: Duration = Duration::from_secs(5);

/// The SMTP relays and how to speak to them.
#[derive(Debug, Clone)]
pub struct Smtp {
    /// At least one, in the order in which they are tried.
    pub relays: Vec<SmtpRelay>,
    /// What to say in EHLO, if not this machine's address.
    pub helo_name: Option<String>,
    /// The longest time to hand one mail over to one relay, connecting included.
    pub timeout: Duration,
    /// Connections kept open to each relay, at most.
    pub connections: usize,
    /// More certificate authorities to trust, in PEM.
    pub ca_file: Option<PathBuf>,
}

impl Smtp {
    /// How long a claim on a mail holds, after which another mailer may take it over: the time that all relays may take, and
    /// some for what is before and after them.
    #[must_use]
    pub fn lease(&self) -> Duration {
        self.longest().saturating_add(MARGIN)
    }

    /// The longest time that a mail can take: every relay is tried, and each takes all its time.
    #[must_use]
    pub fn longest(&self) -> Duration {
        self.timeout.saturating_mul(self.relays.len().try_into().unwrap_or(u32::MAX))
    }
}

impl Section for Smtp {
    const NAME: &'static str = "smtp";

    fn read(reader: &Reader<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            relays: read_relays(reader)?,
            helo_name: reader.optional("helo_name", "a host name in lower case", |text| {
                is_host_name(text).then(|| text.to_owned())
            })?,
            timeout: reader.seconds("timeout_seconds", 1..=300)?,
            connections: reader.integer("connections", 1..=256)?,
            ca_file: reader.optional("ca_file", "a path", |text| Some(PathBuf::from(text)))?,
        })
    }
}

fn read_relays(reader: &Reader<'_>) -> Result<Vec<SmtpRelay>, ConfigError> {
    let allow_unencrypted = reader.flag("allow_unencrypted")?;
    let text = reader.required("relays", "a text", Some)?;
    // A secret's file may give each relay a line of its own.
    let urls = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|url| !url.is_empty());
    let parse = |(index, url)| {
        SmtpRelay::parse(url, allow_unencrypted)
            .map_err(|mistake| reader.invalid("relays", &format!("relay {} {mistake}", index + 1)))
    };
    let relays: Vec<_> = urls.enumerate().map(parse).collect::<Result<_, _>>()?;
    if relays.is_empty() {
        return Err(reader.invalid("relays", "URLs separated by commas"));
    }
    Ok(relays)
}
