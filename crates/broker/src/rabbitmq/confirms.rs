//! Publishing with publisher confirms: many messages in flight on one channel, each with its own outcome.
//!
//! lapin attaches a returned message to whichever confirm it handles next, which need not be that message's own. With
//! several in flight, an unroutable message can look confirmed and another one returned. So one task owns the channel,
//! numbers what it publishes in a header, and matches returned messages by that number before it reports any outcome.

use std::{collections::HashSet, time::Duration};

use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionStatus, PublisherConfirm,
    message::BasicReturnMessage,
    options::{BasicPublishOptions, ConfirmSelectOptions},
    types::{AMQPValue, ShortString},
};
use tokio::{
    sync::{Notify, mpsc, oneshot},
    time::{Instant, sleep, sleep_until, timeout},
};

use super::{
    Topology,
    connection::{ConnectionError, close_channel},
    metrics,
};

/// The time from handing a message over to its confirm.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(10);
/// How long none of the published messages may be acknowledged before another connection is used, unless the broker blocks this one.
/// RabbitMQ 3.10 refuses everything on a channel that first uses a queue just after its leader was lost. Mails may wait 15 s for another
/// node.
const STALL_TIMEOUT: Duration = Duration::from_secs(5);
/// Messages that wait for the channel. Beyond that their callers wait.
const QUEUE_CAPACITY: usize = 256;
/// The header with the number under which a message was published.
const NUMBER: &str = "x-rekey-publication";
/// The least time between two declarations of the topology while messages are being returned.
const REDECLARE_INTERVAL: Duration = Duration::from_secs(1);

/// Hands messages to the task that owns the channel.
#[derive(Debug, Clone)]
pub(super) struct Publisher(mpsc::Sender<PublishRequest>);

/// The receiving end of a [`Publisher`].
pub(super) type PublishRequests = mpsc::Receiver<PublishRequest>;

/// A message to publish. It is published persistent and mandatory, whatever its properties say.
#[derive(Debug)]
pub(super) struct OutgoingMessage {
    /// The default exchange is the empty string.
    pub(super) exchange: ShortString,
    pub(super) routing_key: ShortString,
    pub(super) properties: BasicProperties,
    pub(super) payload: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct PublishRequest {
    message: OutgoingMessage,
    reply: oneshot::Sender<Result<(), NotConfirmed>>,
}

/// Why a message does not count as published. The broker may have it all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotConfirmed {
    #[error("no queue is bound for it")]
    Unroutable,
    #[error("the broker refused it")]
    Refused,
    #[error("the connection was lost")]
    ConnectionLost,
    #[error("no confirm within {} seconds", CONFIRM_TIMEOUT.as_secs())]
    TimedOut,
}

impl NotConfirmed {
    /// Returns the error's name in the metrics.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Unroutable => "returned",
            Self::Refused => "nack",
            Self::ConnectionLost => "connection_lost",
            Self::TimedOut => "timeout",
        }
    }
}

impl Publisher {
    /// Makes a publisher, and the requests for [`run`].
    pub(super) fn new() -> (Self, PublishRequests) {
        let (sender, requests) = mpsc::channel(QUEUE_CAPACITY);
        (Self(sender), requests)
    }

    /// Publishes one message and waits for its confirm, at most 10 seconds.
    pub(super) async fn publish(&self, message: OutgoingMessage) -> Result<(), NotConfirmed> {
        let (reply, outcome) = oneshot::channel();
        let published = async {
            let sent = self.0.send(PublishRequest { message, reply }).await;
            sent.map_err(|_| NotConfirmed::ConnectionLost)?;
            outcome.await.map_err(|_| NotConfirmed::ConnectionLost)?
        };
        let started_at = Instant::now();
        let outcome = timeout(CONFIRM_TIMEOUT, published).await.unwrap_or(Err(NotConfirmed::TimedOut));
        metrics::record_publish(started_at.elapsed(), outcome);
        outcome
    }
}

/// Publishes requests on a channel of its own until all publishers are dropped and the last outcome is known, or until the
/// connection is lost. A returned message means that somebody deleted a queue or a binding: then the topology is declared again.
pub(super) async fn run(
    connection: &Connection,
    topology: &Topology,
    requests: PublishRequests,
) -> Result<(), ConnectionError> {
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let returned = Notify::new();
    let result = tokio::select! {
        result = publish_all(&channel, connection.status(), requests, &returned) => result,
        error = redeclare_when_returned(connection, topology, &returned) => Err(error),
    };
    close_channel(&channel).await;
    result
}

async fn redeclare_when_returned(
    connection: &Connection,
    topology: &Topology,
    returned: &Notify,
) -> ConnectionError {
    loop {
        returned.notified().await;
        tracing::warn!(
            "RabbitMQ returned a message as unroutable, declaring the exchange and the queues again"
        );
        if let Err(error) = topology.declare(connection).await {
            return error;
        }
        sleep(REDECLARE_INTERVAL).await;
    }
}

async fn publish_all(
    channel: &Channel,
    status: &ConnectionStatus,
    mut requests: PublishRequests,
    returned: &Notify,
) -> Result<(), ConnectionError> {
    let mut in_flight = FuturesUnordered::new();
    let mut unroutable = HashSet::new();
    let mut number = 0_i64;
    // None of the messages since then was acknowledged.
    let mut unacknowledged_since = None;
    loop {
        let stalled_at = unacknowledged_since.unwrap_or_else(Instant::now) + STALL_TIMEOUT;
        tokio::select! {
            biased;
            Some(first) = in_flight.next() => {
                // A message that was returned before this confirm may be attached to another confirm that is ready too:
                // look at all of them before reporting any.
                let mut confirmed = vec![first];
                while let Some(Some(next)) = in_flight.next().now_or_never() {
                    confirmed.push(next);
                }
                if confirmed.iter().any(Confirmed::is_ack) {
                    unacknowledged_since = None;
                }
                report(confirmed, &mut unroutable, returned)?;
            }
            Some(PublishRequest { message, reply }) = requests.recv() => {
                // Its caller has given up and will publish it again.
                if reply.is_closed() {
                    continue;
                }
                unacknowledged_since.get_or_insert_with(Instant::now);
                number += 1;
                let confirm = send(channel, message, number).await?;
                in_flight.push(async move { Confirmed { number, reply, confirmation: confirm.await } });
            }
            () = sleep_until(stalled_at), if unacknowledged_since.is_some() && !requests.is_closed() => {
                if !status.blocked() {
                    return Err(ConnectionError::Stalled);
                }
                unacknowledged_since = Some(Instant::now());
            }
            else => return Ok(()),
        }
    }
}

async fn send(
    channel: &Channel,
    message: OutgoingMessage,
    number: i64,
) -> Result<PublisherConfirm, lapin::Error> {
    let OutgoingMessage { exchange, routing_key, properties, payload } = message;
    let mut headers = properties.headers().clone().unwrap_or_default();
    headers.insert(NUMBER.into(), AMQPValue::LongLongInt(number));
    // 2 is "persistent" in AMQP 0-9-1.
    let properties = properties.with_delivery_mode(2).with_headers(headers);
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    channel.basic_publish(exchange, routing_key, options, &payload, properties).await
}

/// A message whose confirm has arrived.
struct Confirmed {
    number: i64,
    reply: oneshot::Sender<Result<(), NotConfirmed>>,
    confirmation: Result<Confirmation, lapin::Error>,
}

impl Confirmed {
    fn is_ack(&self) -> bool {
        matches!(self.confirmation, Ok(Confirmation::Ack(_)))
    }
}

/// Reports each message's outcome. Fails with the channel's error, which is every later message's error too.
fn report(
    confirmed: Vec<Confirmed>,
    unroutable: &mut HashSet<i64>,
    returned: &Notify,
) -> Result<(), ConnectionError> {
    let mut acknowledged = Vec::with_capacity(confirmed.len());
    for confirmed in confirmed {
        let is_ack = confirmed.is_ack();
        let Confirmed { number, reply, confirmation } = confirmed;
        if let Some(message) = confirmation?.take_message() {
            unroutable.insert(number_of(&message).unwrap_or(number));
            returned.notify_one();
        }
        acknowledged.push((number, reply, is_ack));
    }
    for (number, reply, is_ack) in acknowledged {
        let outcome = match (unroutable.remove(&number), is_ack) {
            (true, _) => Err(NotConfirmed::Unroutable),
            (false, true) => Ok(()),
            (false, false) => Err(NotConfirmed::Refused),
        };
        // A caller that gave up has dropped its receiver, and publishes the message again.
        let _ = reply.send(outcome);
    }
    Ok(())
}

fn number_of(message: &BasicReturnMessage) -> Option<i64> {
    match message.delivery.properties.headers().as_ref()?.inner().get(NUMBER)? {
        AMQPValue::LongLongInt(number) => Some(*number),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
