//! One connection that is kept up: opened in the background, opened again whenever it is lost, closed in order.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures_util::{StreamExt, pin_mut};
use lapin::{Channel, Connection, ConnectionProperties, Event, uri::AMQPUri};
use rekey_core::random::RandomSource;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{RabbitConfig, cause::explain, node_name};

/// The time from TCP to a usable connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// The time for each orderly close. It does not matter whether the broker answers.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// The first pause before connecting again; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause, and how long a connection must have held for the pauses to start over.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How often the status of a connection without events is checked.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// What is done with a connection while it holds.
pub(super) trait Session: Send + Sync {
    /// Works until the connection is lost (an error) or `stop` is cancelled and all work in progress is finished (`Ok`).
    /// Closes the channels it opened.
    fn run(
        &self,
        connection: &Connection,
        stop: &CancellationToken,
    ) -> impl Future<Output = Result<(), ConnectionError>> + Send;
}

/// Why a connection, or the use of it, ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectionError {
    #[error("{}", explain(.0))]
    Amqp(#[from] lapin::Error),
    #[error(
        "no answer within {} seconds: check host and port in broker.url, the network between, and whether the port is the broker's for AMQP",
        CONNECT_TIMEOUT.as_secs()
    )]
    ConnectTimeout,
    #[error("{name} exists with different arguments, delete it or choose another namespace: {reply}")]
    Declaration { name: String, reply: String },
    #[error(
        "{name} does not exist, and the user of broker.url may not create it: give it the right to configure, or create {name} ({refusal})"
    )]
    Missing { name: String, refusal: String },
    #[error("the queue was deleted")]
    ConsumerCancelled,
    #[error("it acknowledges no messages")]
    Stalled,
    #[error("the connection was lost")]
    Lost,
}

/// Why a connection can't be used at the moment, in words for an operator.
pub(super) struct Outage(Mutex<String>);

impl Default for Outage {
    fn default() -> Self {
        Self(Mutex::new("not connected yet".to_owned()))
    }
}

impl Outage {
    /// Returns the latest cause.
    pub(super) fn cause(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, cause: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = cause;
    }
}

/// Connects, declares the topology and runs the session, over and over, until `stop` is cancelled. After each failure the next node is
/// tried. `role` is the connection's name in the broker's tools, after the namespace.
pub(super) async fn supervise<S: Session>(
    config: &RabbitConfig,
    role: &str,
    random: &dyn RandomSource,
    stop: &CancellationToken,
    session: &S,
    outage: &Outage,
) {
    let name = format!("{}.{role}", config.topology.namespace());
    let mut failures = 0_u32;
    // The latest cause of each node.
    let mut logged_causes = HashMap::new();
    let mut turns = config.nodes.iter().cycle();
    while let Some(uri) = turns.next().filter(|_| !stop.is_cancelled()) {
        let started = Instant::now();
        let Err(error) = run_once(config, uri, &name, stop, session, outage).await else { continue };
        failures = if started.elapsed() > LONGEST_PAUSE { 1 } else { failures.saturating_add(1) };
        let pause = pause(failures, random);
        // An outage is one line for each node and cause; the line at its end is that of the new connection.
        let (node, cause) = (node_name(uri), error.to_string());
        outage.set(cause.clone());
        if failures == 1 {
            logged_causes.clear();
        }
        if logged_causes.insert(node.clone(), cause.clone()) == Some(cause) {
            tracing::debug!(connection = name, node, %error, failures, ?pause, "RabbitMQ still can't be used");
        } else {
            tracing::warn!(connection = name, node, %error, "RabbitMQ can't be used, reconnecting until it can");
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = sleep(pause) => {}
        }
    }
}

/// Runs one connection from opening to closing.
async fn run_once<S: Session>(
    config: &RabbitConfig,
    uri: &AMQPUri,
    name: &str,
    stop: &CancellationToken,
    session: &S,
    outage: &Outage,
) -> Result<(), ConnectionError> {
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    let connecting = timeout(CONNECT_TIMEOUT, Connection::connect_uri(uri.clone(), properties));
    let connection = tokio::select! {
        () = stop.cancelled() => return Ok(()),
        connected = connecting => connected.map_err(|_| ConnectionError::ConnectTimeout)??,
    };
    let used = async {
        config.topology.declare(&connection).await?;
        tracing::info!(connection = name, node = node_name(uri), "connected to RabbitMQ");
        session.run(&connection, stop).await
    };
    let result = tokio::select! {
        biased;
        result = used => result,
        error = lost(&connection, name, outage) => Err(error),
    };
    // The channels are closed by now: a connection that is closed before them may never answer.
    let closed = timeout(CLOSE_TIMEOUT, connection.close(200, "bye".into())).await;
    tracing::debug!(connection = name, ?closed, "connection closed");
    result
}

/// Resolves when the connection is gone. Meanwhile logs when the broker blocks it, which is no outage: it is short of memory or disk
/// space, and takes no messages until that is over.
async fn lost(connection: &Connection, name: &str, outage: &Outage) -> ConnectionError {
    let events = connection.events_listener();
    pin_mut!(events);
    while connection.status().connected() {
        // An event may have come before there was a listener, so the status is checked from time to time.
        match timeout(CHECK_INTERVAL, events.next()).await {
            // A soft error ended a channel only, which its user notices.
            Ok(Some(Event::Error(error))) if !error.is_amqp_soft_error() => return error.into(),
            Ok(Some(Event::ConnectionBlocked(reason))) => {
                outage.set(format!(
                    "the broker takes no messages because of an alarm ({reason}): see rabbitmq-diagnostics alarms"
                ));
                tracing::warn!(connection = name, reason, "blocked by an alarm of the broker, messages wait");
            }
            Ok(Some(Event::ConnectionUnblocked)) => {
                tracing::info!(connection = name, "the broker's alarm is over");
            }
            _ => {}
        }
    }
    ConnectionError::Lost
}

/// Closes a channel, and waits at most 2 seconds for the answer.
pub(super) async fn close_channel(channel: &Channel) {
    let closed = timeout(CLOSE_TIMEOUT, channel.close(200, "bye".into())).await;
    tracing::trace!(?closed, "channel closed");
}

/// Returns the pause after this many failures in a row: it doubles each time, less a random part of up to a half, so that not
/// all clients come back to a restarted broker at once.
fn pause(failures: u32, random: &dyn RandomSource) -> Duration {
    let longest =
        FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1))).min(LONGEST_PAUSE);
    let mut jitter = [0_u8];
    random.fill(&mut jitter);
    longest.mul_f64(1.0 - f64::from(jitter[0]) / 512.0)
}

#[cfg(test)]
mod tests {
    use rekey_testkit::seed::Always;

    use super::*;

    #[test]
    fn pauses_grow_to_a_limit_and_are_spread() {
        assert_eq!(pause(1, &Always(0)), FIRST_PAUSE);
        assert_eq!(pause(3, &Always(0)), FIRST_PAUSE * 4);
        assert_eq!(pause(u32::MAX, &Always(0)), LONGEST_PAUSE);
        let least = pause(u32::MAX, &Always(u8::MAX));
        assert!(least > LONGEST_PAUSE / 2 && least < LONGEST_PAUSE);
    }
}
