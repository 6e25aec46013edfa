//! `[database]`, `[broker]` and `[relay]`: where facts are kept, and how they travel.

use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use crate::config::{
    ConfigError,
    reader::{Reader, Section},
};

/// The PostgreSQL database and this process's pool.
#[derive(Debug, Clone)]
pub struct Database {
    pub url: SecretString,
    pub max_connections: u32,
    /// How long to wait for a free connection.
    pub acquire_timeout: Duration,
}

impl Section for Database {
    const NAME: &'static str = "database";

    fn read(reader: &Reader<'_>) -> Result<Self, ConfigError> {
        let url = |text: &str| secret_url(text, &["postgres", "postgresql"]);
        Ok(Self {
            url: reader.required("url", "a postgres:// URL", url)?,
            max_connections: reader.integer("max_connections", 1..=1000)?,
            acquire_timeout: reader.seconds("acquire_timeout_seconds", 1..=60)?,
        })
    }
}

/// The RabbitMQ broker.
#[derive(Debug, Clone)]
pub struct Broker {
    pub url: SecretString,
    /// The first part of the names of exchanges and queues.
    pub namespace: String,
}

impl Section for Broker {
    const NAME: &'static str = "broker";

    fn read(reader: &Reader<'_>) -> Result<Self, ConfigError> {
        let url = |text: &str| secret_url(text, &["amqp", "amqps"]);
        Ok(Self {
            url: reader.required("url", "an amqp:// or amqps:// URL", url)?,
            namespace: reader.required(
                "namespace",
                "1 to 64 of a-z, 0-9, \".\", \"_\" and \"-\"",
                parse_namespace,
            )?,
        })
    }
}

/// The task that carries events from the outbox to the broker.
#[derive(Debug, Clone)]
pub struct Relay {
    /// Events claimed at a time.
    pub batch: u16,
    /// How long a claim holds.
    pub lease: Duration,
    /// How often to look for events that nobody announced.
    pub poll: Duration,
}

impl Section for Relay {
    const NAME: &'static str = "relay";

    fn read(reader: &Reader<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            batch: reader.integer("batch", 1..=1000)?,
            lease: reader.seconds("lease_seconds", 5..=600)?,
            poll: reader.integer("poll_milliseconds", 50..=60_000).map(Duration::from_millis)?,
        })
    }
}

fn secret_url(text: &str, schemes: &[&str]) -> Option<SecretString> {
    let url = Url::parse(text).ok()?;
    (schemes.contains(&url.scheme()) && url.has_host()).then(|| text.into())
}

fn parse_namespace(text: &str) -> Option<String> {
    let is_name = |b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
    (text.len() <= 64 && text.bytes().all(is_name)).then(|| text.to_owned())
}
