//! `[smtp]`: the relays that take the mails.

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Deserializer, de::Error};

use super::smtp_relay::{SmtpRelayConfig, SmtpTls};
use crate::config::{
    fields::{Within, host_name},
    server_url,
};

/// The time for writing, signing and recording a mail, which take some milliseconds.
const MARGIN: Duration = Duration::from_secs(5);

/// The SMTP relays and how to connect to them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Smtp {
    /// At least one, in the order in which they are tried.
    #[serde(deserialize_with = "relays")]
    pub relays: Vec<SmtpRelayConfig>,
    /// Whether connections to other machines may be unencrypted.
    pub allow_unencrypted: bool,
    /// The name in EHLO, if not this machine's address.
    #[serde(default, deserialize_with = "host_name")]
    pub helo_name: Option<String>,
    /// The longest time to hand one mail over to one relay, connecting included.
    #[serde(rename = "timeout_seconds", deserialize_with = "Within::<1, 300>::seconds")]
    pub timeout: Duration,
    /// Connections kept open to each relay, at most.
    #[serde(deserialize_with = "Within::<1, 256>::integer")]
    pub connections: usize,
    /// More certificate authorities to trust, in PEM.
    pub ca_file: Option<PathBuf>,
}

impl Smtp {
    /// Returns how long a claim on a mail holds, after which another mailer may take it over: the time that all relays may take,
    /// and a margin.
    #[must_use]
    pub fn lease(&self) -> Duration {
        self.max_duration().saturating_add(MARGIN)
    }

    /// Returns the longest time that a mail can take: every relay is tried, and each takes all its time.
    #[must_use]
    pub fn max_duration(&self) -> Duration {
        self.timeout.saturating_mul(self.relays.len().try_into().unwrap_or(u32::MAX))
    }
}

impl<'de> Deserialize<'de> for Smtp {
    fn deserialize<D: Deserializer<'de>>(section: D) -> Result<Self, D::Error> {
        // This calls the derived function, which serde's `remote` makes an inherent one.
        let smtp = Self::deserialize(section)?;
        let is_refused = |relay: &SmtpRelayConfig| relay.tls == SmtpTls::None && !relay.is_this_machine();
        match smtp.relays.iter().position(is_refused) {
            Some(index) if !smtp.allow_unencrypted => Err(D::Error::custom(format_args!(
                "relays: relay {} to be encrypted, as its host is not this machine and smtp.allow_unencrypted is false",
                index + 1
            ))),
            Some(_) | None => Ok(smtp),
        }
    }
}

fn relays<'de, D: Deserializer<'de>>(value: D) -> Result<Vec<SmtpRelayConfig>, D::Error> {
    let text = String::deserialize(value)?;
    let parse = |(index, url)| {
        SmtpRelayConfig::parse(url)
            .map_err(|expected| D::Error::custom(format_args!("relay {} {expected}", index + 1)))
    };
    let relays: Vec<_> = server_url::split(&text).enumerate().map(parse).collect::<Result<_, _>>()?;
    if relays.is_empty() { Err(D::Error::custom("URLs separated by commas")) } else { Ok(relays) }
}
