//! `[database]`, `[broker]` and `[relay]`: where records are kept, and how events reach the mailer.

use std::{borrow::Cow, time::Duration};

use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de::Error};
use url::Url;

use crate::config::{
    fields::{Within, text_fields},
    server_url::{self, Expected, HOST},
};

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
    /// The URLs of its nodes, at least one, in the order in which they are tried.
    #[serde(rename = "url", deserialize_with = "amqp_urls")]
    pub urls: Vec<SecretString>,
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
    namespace: String =
        "1 to 64 of a-z, 0-9, \".\", \"_\" and \"-\"", |text| is_namespace(text).then(|| text.into());
}

fn postgres_url<'de, D: Deserializer<'de>>(value: D) -> Result<SecretString, D::Error> {
    const ONE: Expected = "to be one postgres:// URL, and no list: \"@\" in the password is %40, \",\" %2C";
    let text = String::deserialize(value)?;
    let check = |text: &str| {
        let url = one_url(text, &["postgres", "postgresql"], ONE)?;
        // sqlx writes the value of a parameter that it does not know into the log.
        if !url
            .query_pairs()
            .all(|(name, _)| POSTGRES_PARAMETERS.contains(&&*name) || name.starts_with("options["))
        {
            return Err(
                "to have no other parameters than sslmode, sslrootcert, sslcert, sslkey, application_name and options",
            );
        }
        let is_elsewhere = |(name, _): (Cow<'_, str>, _)| matches!(&*name, "host" | "hostaddr");
        let is_socket = url.host_str().is_some_and(|host| host.to_ascii_lowercase().starts_with("%2f"));
        let has_host = server_url::has_host(&url) || is_socket || url.query_pairs().any(is_elsewhere);
        has_host.then_some(()).ok_or(HOST)
    };
    match check(&text) {
        Ok(()) => Ok(text.into()),
        Err(expected) => Err(D::Error::custom(format_args!("the URL {expected}"))),
    }
}

fn amqp_urls<'de, D: Deserializer<'de>>(value: D) -> Result<Vec<SecretString>, D::Error> {
    const AMQP: Expected = "to be amqp:// or amqps://, with a comma before the next one: \"@\" in the password is %40, \",\" %2C";
    let text = String::deserialize(value)?;
    let urls: Vec<_> = server_url::split(&text).collect();
    for (index, text) in urls.iter().enumerate() {
        let checked = one_url(text, &["amqp", "amqps"], AMQP)
            .and_then(|url| server_url::has_host(&url).then_some(()).ok_or(HOST));
        checked.map_err(|expected| match urls.len() {
            1 => D::Error::custom(format_args!("the URL {expected}")),
            _ => D::Error::custom(format_args!("URL {} {expected}", index + 1)),
        })?;
    }
    if urls.is_empty() {
        return Err(D::Error::custom("URLs separated by commas"));
    }
    Ok(urls.into_iter().map(SecretString::from).collect())
}

/// Returns the URL if it is only one. In a list, the parser takes what follows the first URL for a part of it, such as the name of the
/// database, which error messages show: and so the next URL's password.
fn one_url(text: &str, schemes: &[&str], one: Expected) -> Result<Url, Expected> {
    if text.matches("://").count() != 1 || text.contains(char::is_whitespace) {
        return Err(one);
    }
    let url = server_url::parse(text)?;
    let is_one = schemes.contains(&url.scheme())
        && text.matches('@').count() <= 1
        && !url.host_str().is_some_and(|host| host.contains([',', ';']))
        && !url.path().contains([',', ';']);
    if !is_one {
        return Err(one);
    }
    if url.fragment().is_some() { Err("to have no fragment: write \"#\" as %23") } else { Ok(url) }
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
