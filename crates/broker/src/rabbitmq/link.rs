//! A connection that messages are published over.

use std::time::Duration;

use futures_util::pin_mut;
use lapin::{Connection, ConnectionStatus};
use scopeguard::defer;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    Topology,
    confirms::{self, NotConfirmed, OutgoingMessage, Publisher},
    connection::{ConnectionError, Outage, Session},
};

/// The time for the confirms of messages in flight when the process stops.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a connection that can't be used is looked at.
const CHECK_INTERVAL: Duration = Duration::from_millis(250);

/// A connection for publishing only: the broker does not read from one that publishes during an alarm, acknowledgements included.
pub(super) struct PublishingLink {
    topology: Topology,
    /// Why messages can't be published, while they can't.
    pub(super) outage: Outage,
    link: watch::Sender<Option<Link>>,
}

/// A connection that is up.
#[derive(Clone)]
struct Link {
    publisher: Publisher,
    status: ConnectionStatus,
}

impl PublishingLink {
    pub(super) fn new(topology: Topology) -> Self {
        Self { topology, outage: Outage::default(), link: watch::Sender::new(None) }
    }

    /// Returns whether messages can be published: not while the broker blocks publishers because it is short of memory or disk space.
    pub(super) fn is_usable(&self) -> bool {
        self.link().is_some()
    }

    /// Returns why messages can't be published, if they can't.
    pub(super) fn problem(&self) -> Option<String> {
        (!self.is_usable()).then(|| self.outage.cause())
    }

    /// Returns once messages can be published.
    pub(super) async fn usable(&self) {
        while !self.is_usable() {
            sleep(CHECK_INTERVAL).await;
        }
    }

    /// Publishes a message, and waits for its confirm. Fails at once while that is not possible.
    pub(super) async fn publish(&self, message: OutgoingMessage) -> Result<(), NotConfirmed> {
        match self.link() {
            Some(link) => link.publisher.publish(message).await,
            None => Err(NotConfirmed::ConnectionLost),
        }
    }

    fn link(&self) -> Option<Link> {
        let link = self.link.borrow().clone()?;
        (link.status.connected() && !link.status.blocked()).then_some(link)
    }
}

impl Session for PublishingLink {
    async fn run(&self, connection: &Connection, stop: &CancellationToken) -> Result<(), ConnectionError> {
        let (publisher, requests) = Publisher::new();
        self.link.send_replace(Some(Link { publisher, status: connection.status().clone() }));
        // However the session ends, also when it is dropped.
        defer! { self.link.send_replace(None); }
        let publishing = confirms::run(connection, &self.topology, requests);
        pin_mut!(publishing);
        tokio::select! {
            result = &mut publishing => return result,
            () = stop.cancelled() => {}
        }
        // Nobody gets a publisher any more, so the channel is done when those in use are.
        self.link.send_replace(None);
        timeout(DRAIN_TIMEOUT, publishing).await.unwrap_or(Ok(()))
    }
}
