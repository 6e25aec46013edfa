//! Publishing with the broker's word for it: many messages in flight on one channel, each with its own fate.
//!
//! lapin hands a returned message to whichever confirm it handles next, which need not be that message's own: with
//! several in flight, the unroutable one can look confirmed and another one returned. So one task owns the channel,
//! numbers what it publishes in a header, and matches returns by that number before it tells anyone's fate.

use std::{collections::HashSet, time::Duration};

use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use lapin::{
    BasicProperties, Channel, Confirmation, Connection, PublisherConfirm,
    message::BasicReturnMessage,
    options::{BasicPublishOptions, ConfirmSelectOptions},
    types::{AMQPValue, FieldTable, ShortString},
};
use tokio::{
    sync::{Notify, mpsc, oneshot},
    time::{sleep, timeout},
};

use super::{
    Topology,
    connection::{LinkError, close_channel},
};

/// From handing a message over to its confirm.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(10);
/// Messages that wait for the channel. More wait in their callers.
const QUEUE: usize = 256;
/// The header with the publication's number.
const NUMBER: &str = "x-rekey-publication";
/// How often the topology is declared anew at most, while messages are being returned.
const HEAL_PAUSE: Duration = Duration::from_secs(1);

/// Where messages are handed to the task that owns the channel.
#[derive(Debug, Clone)]
pub(super) struct Publisher(mpsc::Sender<Job>);

/// What that task takes them from.
pub(super) type Jobs = mpsc::Receiver<Job>;

/// A message on its way. It is published persistent and mandatory, whatever its properties say.
#[derive(Debug)]
pub(super) struct Outgoing {
    /// The default exchange is the empty string.
    pub(super) exchange: ShortString,
    pub(super) routing_key: ShortString,
    pub(super) properties: BasicProperties,
    pub(super) headers: FieldTable,
    pub(super) payload: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct Job {
    message: Outgoing,
    reply: oneshot::Sender<Result<(), NotConfirmed>>,
}

/// Why a message can't be taken for published. It may be, though.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotConfirmed {
    #[error("no queue takes it")]
    Unroutable,
    #[error("the broker refused it")]
    Refused,
    #[error("the connection was lost")]
    Lost,
    #[error("no confirm within {} seconds", CONFIRM_TIMEOUT.as_secs())]
    TimedOut,
}

impl Publisher {
    /// A publisher, and the jobs for [`run`].
    pub(super) fn new() -> (Self, Jobs) {
        let (sender, jobs) = mpsc::channel(QUEUE);
        (Self(sender), jobs)
    }

    /// Publishes one message and waits for its fate, 10 seconds at most.
    pub(super) async fn publish(&self, message: Outgoing) -> Result<(), NotConfirmed> {
        let (reply, fate) = oneshot::channel();
        let published = async {
            self.0.send(Job { message, reply }).await.map_err(|_| NotConfirmed::Lost)?;
            fate.await.map_err(|_| NotConfirmed::Lost)?
        };
        timeout(CONFIRM_TIMEOUT, published).await.unwrap_or(Err(NotConfirmed::TimedOut))
    }
}

/// Publishes jobs on a channel of its own until all publishers are gone and the last fate is known, or the connection is
/// lost. A returned message means that somebody deleted a queue or a binding: then the topology is declared anew.
pub(super) async fn run(connection: &Connection, topology: &Topology, jobs: Jobs) -> Result<(), LinkError> {
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let returned = Notify::new();
    let result = tokio::select! {
        result = publish_all(&channel, jobs, &returned) => result,
        error = heal(connection, topology, &returned) => Err(error),
    };
    close_channel(&channel).await;
    result
}

async fn heal(connection: &Connection, topology: &Topology, returned: &Notify) -> LinkError {
    loop {
        returned.notified().await;
        tracing::warn!("RabbitMQ returned a message as unroutable, declaring exchange and queues anew");
        if let Err(error) = topology.declare(connection).await {
            return error;
        }
        sleep(HEAL_PAUSE).await;
    }
}

async fn publish_all(channel: &Channel, mut jobs: Jobs, returned: &Notify) -> Result<(), LinkError> {
    let mut flights = FuturesUnordered::new();
    let mut unroutable = HashSet::new();
    let mut number = 0_i64;
    loop {
        tokio::select! {
            biased;
            Some(first) = flights.next() => {
                // Whatever was returned before this confirm is in a confirm that is ready as well: look at all of them
                // before believing any.
                let mut landed = vec![first];
                while let Some(Some(next)) = flights.next().now_or_never() {
                    landed.push(next);
                }
                settle(landed, &mut unroutable, returned)?;
            }
            Some(Job { message, reply }) = jobs.recv() => {
                // Its caller has given up on it, and will bring it again.
                if reply.is_closed() {
                    continue;
                }
                number += 1;
                let confirm = send(channel, message, number).await?;
                flights.push(land(number, reply, confirm));
            }
            else => return Ok(()),
        }
    }
}

async fn send(channel: &Channel, message: Outgoing, number: i64) -> Result<PublisherConfirm, lapin::Error> {
    let Outgoing { exchange, routing_key, properties, mut headers, payload } = message;
    headers.insert(NUMBER.into(), AMQPValue::LongLongInt(number));
    // 2 is "persistent" in AMQP 0-9-1.
    let properties = properties.with_delivery_mode(2).with_headers(headers);
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    channel.basic_publish(exchange, routing_key, options, &payload, properties).await
}

struct Landed {
    number: i64,
    reply: oneshot::Sender<Result<(), NotConfirmed>>,
    outcome: Result<Confirmation, lapin::Error>,
}

async fn land(
    number: i64,
    reply: oneshot::Sender<Result<(), NotConfirmed>>,
    confirm: PublisherConfirm,
) -> Landed {
    Landed { number, reply, outcome: confirm.await }
}

/// Tells each message's fate. Fails with the channel's error, which is every later message's error too.
fn settle(landed: Vec<Landed>, unroutable: &mut HashSet<i64>, returned: &Notify) -> Result<(), LinkError> {
    let mut fates = Vec::with_capacity(landed.len());
    for Landed { number, reply, outcome } in landed {
        let confirmed = matches!(outcome, Ok(Confirmation::Ack(_)));
        if let Some(message) = outcome?.take_message() {
            unroutable.insert(number_of(&message).unwrap_or(number));
            returned.notify_one();
        }
        fates.push((number, reply, confirmed));
    }
    for (number, reply, confirmed) in fates {
        let fate = match (unroutable.remove(&number), confirmed) {
            (true, _) => Err(NotConfirmed::Unroutable),
            (false, true) => Ok(()),
            (false, false) => Err(NotConfirmed::Refused),
        };
        // Nobody listens any more when the caller gave up: it brings the message again.
        let _ = reply.send(fate);
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
mod tests {
    use lapin::message::Delivery;

    use super::*;

    type Fate = oneshot::Receiver<Result<(), NotConfirmed>>;

    fn landed(number: i64, outcome: Confirmation) -> (Landed, Fate) {
        let (reply, fate) = oneshot::channel();
        (Landed { number, reply, outcome: Ok(outcome) }, fate)
    }

    fn returned(number: i64) -> BasicReturnMessage {
        let mut delivery = Delivery::mock(0, "".into(), "".into(), false, Vec::new());
        let mut headers = FieldTable::default();
        headers.insert(NUMBER.into(), AMQPValue::LongLongInt(number));
        delivery.properties = BasicProperties::default().with_headers(headers);
        BasicReturnMessage { delivery, reply_code: 312, reply_text: "NO_ROUTE".into() }
    }

    #[test]
    fn unroutable_is_the_message_that_was_returned_not_the_confirm_that_brought_it() {
        let (mut unroutable, notify) = (HashSet::new(), Notify::new());
        let (first, mut first_fate) = landed(1, Confirmation::Ack(Some(returned(3))));
        let (second, mut second_fate) = landed(2, Confirmation::Nack(Some(returned(1))));
        settle(vec![first, second], &mut unroutable, &notify).unwrap();
        assert_eq!(first_fate.try_recv().unwrap(), Err(NotConfirmed::Unroutable));
        assert_eq!(second_fate.try_recv().unwrap(), Err(NotConfirmed::Refused));
        // The return came early: it is remembered until its message's own confirm.
        let (third, mut third_fate) = landed(3, Confirmation::Ack(None));
        let (fourth, mut fourth_fate) = landed(4, Confirmation::Ack(None));
        settle(vec![third, fourth], &mut unroutable, &notify).unwrap();
        assert_eq!(third_fate.try_recv().unwrap(), Err(NotConfirmed::Unroutable));
        assert_eq!(fourth_fate.try_recv().unwrap(), Ok(()));
        assert!(unroutable.is_empty());
    }
}
