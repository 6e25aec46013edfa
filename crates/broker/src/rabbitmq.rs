//! The bus on RabbitMQ, 3.10 or later: persistent messages, publisher confirms, quorum queues.

mod confirms;
mod connection;
mod consumer;
mod copies;
mod publisher;
mod topology;

use std::fmt;

use lapin::uri::AMQPUri;
use rekey_core::events::retry_ladder::RetryLadder;

pub use self::{consumer::RabbitConsumer, publisher::RabbitBus, topology::Topology};

/// The namespace of a deployment that names none.
pub const DEFAULT_NAMESPACE: &str = "rekey";

/// The heartbeat that is asked for when the URL names none, in seconds: RabbitMQ's guide to heartbeats gives 5 to 20 as
/// the range without false alarms. A dead peer is noticed after two of them.
const HEARTBEAT_SECONDS: u16 = 10;
/// Time to open a TCP connection when the URL gives none (`connection_timeout`), in milliseconds.
const TCP_TIMEOUT_MILLIS: u64 = 5_000;

/// Where the broker is, and what is ours there.
#[derive(Clone)]
pub struct RabbitConfig {
    uri: AMQPUri,
    topology: Topology,
}

/// A configuration that can't be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Not a URL of a broker. The URL is not repeated here, it may hold a password.
    #[error("not an AMQP URL: {0}")]
    Url(String),
    /// Not 1 to 64 letters, digits, `-`, `_` or `.`.
    #[error("a namespace is 1 to 64 letters, digits, '-', '_' or '.'")]
    Namespace,
}

impl RabbitConfig {
    /// Reads `amqp://user:password@host:port/vhost`, or `amqps://…` for TLS (the process must have installed rustls's
    /// crypto provider; the server's certificate is checked against the system's roots). Every exchange and queue is
    /// named in `namespace`.
    ///
    /// # Errors
    /// When the URL or the namespace makes no sense.
    pub fn new(url: &str, namespace: &str) -> Result<Self, ConfigError> {
        let mut uri: AMQPUri = url.parse().map_err(ConfigError::Url)?;
        uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
        uri.query.connection_timeout.get_or_insert(TCP_TIMEOUT_MILLIS);
        Ok(Self { uri, topology: Topology::new(namespace)? })
    }

    /// The same with another retry ladder. All processes of a deployment should have the same.
    #[must_use]
    pub fn with_ladder(self, ladder: RetryLadder) -> Self {
        Self { topology: self.topology.with_ladder(ladder), ..self }
    }

    /// The exchange and the queues.
    #[must_use]
    pub fn topology(&self) -> &Topology {
        &self.topology
    }
}

impl fmt::Debug for RabbitConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RabbitConfig")
            .field("host", &self.uri.authority.host)
            .field("port", &self.uri.authority.port)
            .field("topology", &self.topology)
            .finish_non_exhaustive()
    }
}
