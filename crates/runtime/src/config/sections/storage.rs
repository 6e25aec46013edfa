//! `[database]`, `[broker]` and `[relay]`: where records are kept, and how events reach the mailer.

use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

use crate::config::fields::{Within, text_fields};

/// The PostgreSQL database and this process's pool.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    #[serde(deserialize_with = "postgres_url")]
    pub url: SecretString,
    #[serde(deserialize_with = "Within::<1, 1000>::integer")]
    pub max_connections: u32,
    /// How long to wait for a free connection.
    #[serde(rename = "acquire_timeout_seconds", deserialize_with = "Within::<1, 60>::seconds")]
    pub acquire_timeout: Duration,
}

/// The RabbitMQ broker.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Broker {
    #[serde(deserialize_with = "amqp_url")]
    pub url: SecretString,
    /// The first part of the names of exchanges and queues.
    #[serde(deserialize_with = "namespace")]
    pub namespace: String,
}

/// The task that publishes the events in the outbox.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutboxRelayConfig {
    /// Events claimed at a time.
    #[serde(rename = "batch", deserialize_with = "Within::<1, 1000>::integer")]
    pub batch_size: u16,
    /// How long a claim holds.
    #[serde(rename = "lease_seconds", deserialize_with = "Within::<5, 600>::seconds")]
    pub lease: Duration,
    /// How often to look for events of which this process was not notified.
    #[serde(rename = "poll_milliseconds", deserialize_with = "Within::<50, 60_000>::milliseconds")]
    pub poll_interval: Duration,
}

text_fields! {
    postgres_url: SecretString =
        "a postgres:// URL", |text| has_scheme(text, &["postgres", "postgresql"]).then(|| text.into());
    amqp_url: SecretString =
        "an amqp:// or amqps:// URL", |text| has_scheme(text, &["amqp", "amqps"]).then(|| text.into());
    namespace: String =
        "1 to 64 of a-z, 0-9, \".\", \"_\" and \"-\"", |text| is_namespace(text).then(|| text.into());
}

fn has_scheme(text: &str, schemes: &[&str]) -> bool {
    Url::parse(text).is_ok_and(|url| schemes.contains(&url.scheme()) && url.has_host())
}

fn is_namespace(text: &str) -> bool {
    let is_fit = |b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
    text.len() <= 64 && text.bytes().all(is_fit)
}
