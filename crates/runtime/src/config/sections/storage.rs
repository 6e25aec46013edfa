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
        "one postgres:// URL, no list, without other parameters than sslmode, sslrootcert, sslcert, sslkey, application_name and \
         options: \"@\" in the password is %40, \",\" %2C",
        |text| (is_url(text, &["postgres", "postgresql"]) && has_known_parameters(text)).then(|| text.into());
    amqp_url: SecretString =
        "one amqp:// or amqps:// URL, and no list: \"@\" in the password is %40, \",\" %2C",
        |text| is_url(text, &["amqp", "amqps"]).then(|| text.into());
    namespace: String =
        "1 to 64 of a-z, 0-9, \".\", \"_\" and \"-\"", |text| is_namespace(text).then(|| text.into());
}

/// Whether this is one URL. In a list, the parser takes what follows the first URL for a part of it, such as the name of the database,
/// which error messages show: and so the next URL's password.
fn is_url(text: &str, schemes: &[&str]) -> bool {
    let is_one = |url: &Url| {
        schemes.contains(&url.scheme())
            && url.host_str().is_some_and(|host| !host.is_empty() && !host.contains([',', ';']))
            && !url.path().contains([',', ';', '@'])
    };
    text.matches("://").count() == 1
        && text.matches('@').count() <= 1
        && !text.contains(char::is_whitespace)
        && Url::parse(text).is_ok_and(|url| is_one(&url))
}

/// Whether sqlx knows the URL's parameters: it writes the value of any other into the log.
fn has_known_parameters(text: &str) -> bool {
    let is_known = |name: &str| POSTGRES_PARAMETERS.contains(&name) || name.starts_with("options[");
    Url::parse(text).is_ok_and(|url| url.query_pairs().all(|(name, _)| is_known(&name)))
}

const POSTGRES_PARAMETERS: [&str; 18] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

fn is_namespace(text: &str) -> bool {
    let is_fit = |b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
    text.len() <= 64 && text.bytes().all(is_fit)
}
