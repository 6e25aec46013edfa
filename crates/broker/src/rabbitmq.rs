//! The bus on RabbitMQ 3.10 or later: persistent messages, publisher confirms, quorum queues.

mod cause;
mod confirms;
mod connection;
mod consumer;
mod copies;
mod dead_letters;
mod inspection;
mod link;
mod metrics;
mod publisher;
mod topology;

use std::net::IpAddr;

use lapin::uri::AMQPUri;
use rekey_core::events::retry_ladder::RetryLadder;
use url::{Host, Url};

pub use self::{
    consumer::RabbitConsumer,
    dead_letters::{DeadLetterError, DeadLetters, DeadMessage},
    inspection::{Inspector, Problem, QueueState, Right},
    publisher::RabbitBus,
    topology::{Consumer, InvalidNamespace, Topology},
};

/// The heartbeat requested when the URL names none, in seconds. RabbitMQ's guide to heartbeats recommends 5 to 20: less
/// leads to false alarms. A dead peer is noticed after two of them.
const HEARTBEAT_SECONDS: u16 = 10;
/// The time to open a TCP connection when the URL names none (`connection_timeout`), in milliseconds.
const TCP_TIMEOUT_MILLIS: u64 = 5_000;

/// The addresses of the broker's nodes, and the names of our exchange and queues there.
#[derive(Clone)]
pub struct RabbitConfig {
    /// At least one, in the order in which they are tried.
    nodes: Vec<AMQPUri>,
    topology: Topology,
}

/// Why a configuration is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Not a URL of a broker. The parser's own message is left out: it may repeat the URL, and so its password.
    #[error("broker.url is not an AMQP URL with known parameters (rabbitmq.com/docs/uri-query-parameters)")]
    Url,
    /// See [`InvalidNamespace`].
    #[error(transparent)]
    Namespace(#[from] InvalidNamespace),
}

impl RabbitConfig {
    /// Reads `amqp://user:password@host:port/vhost`, or `amqps://…` for TLS, of each node of the broker, at least one. For TLS the process
    /// must have installed rustls's crypto provider; the server's certificate is checked against the system's roots. The names of the
    /// exchange and of all queues begin with `namespace`.
    ///
    /// # Errors
    /// [`ConfigError`] when a URL or the namespace is invalid, or there is no URL.
    pub fn new<'a>(urls: impl IntoIterator<Item = &'a str>, namespace: &str) -> Result<Self, ConfigError> {
        let nodes = urls.into_iter().map(Self::parse).collect::<Result<Vec<_>, _>>()?;
        if nodes.is_empty() {
            return Err(ConfigError::Url);
        }
        Ok(Self { nodes, topology: Topology::new(namespace)? })
    }

    fn parse(url: &str) -> Result<AMQPUri, ConfigError> {
        let mut uri: AMQPUri = url.parse().map_err(|_| ConfigError::Url)?;
        // The parser takes an IPv6 address for no host, and so for localhost.
        if let Ok(Some(Host::Ipv6(address))) = Url::parse(url).as_ref().map(Url::host) {
            uri.authority.host = IpAddr::from(address).to_canonical().to_string();
        }
        uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
        uri.query.connection_timeout.get_or_insert(TCP_TIMEOUT_MILLIS);
        Ok(uri)
    }

    /// Replaces the retry ladder. All processes of a deployment need the same one.
    #[must_use]
    pub fn with_ladder(self, ladder: RetryLadder) -> Self {
        Self { topology: self.topology.with_ladder(ladder), ..self }
    }

    /// Uses the queues of this consumer. Without it they are the mailer's, which publishers declare.
    #[must_use]
    pub fn for_consumer(self, consumer: Consumer) -> Self {
        Self { topology: self.topology.for_consumer(consumer), ..self }
    }

    /// Returns the nodes' addresses, without credentials.
    #[must_use]
    pub fn node_names(&self) -> Vec<String> {
        self.nodes.iter().map(node_name).collect()
    }

    /// The exchange and the consumer's queues.
    #[must_use]
    pub fn topology(&self) -> &Topology {
        &self.topology
    }
}

/// Returns a node's address without the credentials.
fn node_name(uri: &AMQPUri) -> String {
    format!("{}:{}", uri.authority.host, uri.authority.port)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C6: an address in brackets led to this machine.
    #[test]
    fn the_host_is_the_one_that_the_url_names() {
        for (host, expected) in [
            ("broker.example", "broker.example"),
            ("192.0.2.1", "192.0.2.1"),
            ("[2001:db8::5]", "2001:db8::5"),
            ("[::ffff:127.0.0.2]", "127.0.0.2"),
        ] {
            for url in [format!("amqp://u:p@{host}:5673/%2f"), format!("amqps://{host}")] {
                assert_eq!(RabbitConfig::parse(&url).unwrap().authority.host, expected, "{url}");
            }
        }
    }
}
