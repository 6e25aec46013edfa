//! `[smtp]`: the relay that takes the mails.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use secrecy::SecretString;

use super::is_host_name;
use crate::config::{
    ConfigError,
    reader::{Reader, Section},
};

/// An SMTP relay and how to speak to it.
#[derive(Debug, Clone)]
pub struct Smtp {
    /// A host name or an IP address.
    pub host: String,
    pub port: u16,
    pub tls: SmtpTls,
    pub credentials: Option<Credentials>,
    /// What to say in EHLO, if not this machine's address.
    pub helo_name: Option<String>,
    /// The longest time to hand one mail over, connecting included.
    pub timeout: Duration,
    /// Connections kept open, at most.
    pub connections: usize,
    /// More certificate authorities to trust, in PEM.
    pub ca_file: Option<PathBuf>,
}

/// How the connection is encrypted: what is set is demanded, never merely tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    /// Begins readable, and is encrypted before anything of worth is said (RFC 3207).
    StartTls,
    /// Encrypted from its first byte (RFC 8314 §3.3).
    Implicit,
    /// Readable: to this machine, or where `allow_unencrypted` says so.
    None,
}

/// A user of the relay.
#[derive(Debug, Clone)]
pub struct Credentials {
    pub username: String,
    pub password: SecretString,
}

impl Section for Smtp {
    const NAME: &'static str = "smtp";

    fn read(reader: &Reader<'_>) -> Result<Self, ConfigError> {
        let host = reader.required("host", "a host name in lower case or an IP address", parse_host)?;
        Ok(Self {
            port: reader.integer("port", 1..=u16::MAX)?,
            tls: read_tls(reader, &host)?,
            credentials: read_credentials(reader)?,
            helo_name: reader.optional("helo_name", "a host name in lower case", |text| {
                is_host_name(text).then(|| text.to_owned())
            })?,
            timeout: reader.seconds("timeout_seconds", 1..=300)?,
            connections: reader.integer("connections", 1..=256)?,
            ca_file: reader.optional("ca_file", "a path", |text| Some(PathBuf::from(text)))?,
            host,
        })
    }
}

fn read_tls(reader: &Reader<'_>, host: &str) -> Result<SmtpTls, ConfigError> {
    let tls = reader.required("tls", "\"starttls\", \"implicit\" or \"none\"", |text| match text {
        "starttls" => Some(SmtpTls::StartTls),
        "implicit" => Some(SmtpTls::Implicit),
        "none" => Some(SmtpTls::None),
        _ => None,
    })?;
    if tls == SmtpTls::None && !is_this_machine(host) && !reader.flag("allow_unencrypted")? {
        return Err(reader.invalid(
            "tls",
            "\"starttls\" or \"implicit\", unless smtp.host is this machine or smtp.allow_unencrypted is true",
        ));
    }
    Ok(tls)
}

fn read_credentials(reader: &Reader<'_>) -> Result<Option<Credentials>, ConfigError> {
    let username = reader.optional("username", "a text", |text| Some(text.to_owned()))?;
    let password = reader.optional("password", "a text", |text| Some(SecretString::from(text)))?;
    match (username, password) {
        (None, None) => Ok(None),
        (Some(username), Some(password)) => Ok(Some(Credentials { username, password })),
        (None, Some(_)) => Err(reader.invalid("username", "a text, as smtp.password is set")),
        (Some(_), None) => Err(reader.invalid("password", "a text, as smtp.username is set")),
    }
}

fn parse_host(text: &str) -> Option<String> {
    (is_host_name(text) || text.parse::<IpAddr>().is_ok()).then(|| text.to_owned())
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}
