//! The outbox: events that are inserted with the changes they report, and wait to be published.

use async_trait::async_trait;
use time::Duration;
use tokio::{sync::mpsc::OwnedPermit, time::Instant};

use crate::{error::StoreError, events::name::EventName, ids::EventId};

/// How long after its publication an event is published again, if its mail is overdue by as much: its message got lost then, whatever the
/// reason. A message on the longest rung of the retry ladder comes up to 12 minutes late. Each further publication is twice as long after
/// the one before.
pub const REPUBLISH_AFTER: Duration = Duration::minutes(15);

/// An event ready to be published: signed, encoded, addressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxMessage {
    /// The event's id, and the message's.
    pub id: EventId,
    /// Its name, and so its routing key.
    pub name: EventName,
    /// The serialized `SignedEvent`.
    pub payload: Vec<u8>,
}

/// An event to insert into the outbox.
#[derive(Debug)]
pub struct NewEvent {
    /// Its message.
    pub message: OutboxMessage,
    /// How long the inserting process holds it claimed, as its first attempt; zero leaves it to the next claim.
    pub lease: Duration,
    /// Its place in the queue of the process's relay.
    pub(crate) place: Option<Place>,
}

/// A place in the queue of a relay.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) permit: OwnedPermit<QueuedMessage>,
    pub(crate) leased_until: Instant,
}

impl NewEvent {
    /// An event that anybody may claim as soon as it is committed.
    #[must_use]
    pub fn unclaimed(message: OutboxMessage) -> Self {
        Self { message, lease: Duration::ZERO, place: None }
    }
}

/// A message in the queue of a relay.
#[derive(Debug)]
pub(crate) struct QueuedMessage {
    pub(crate) message: OutboxMessage,
    pub(crate) leased_until: Instant,
}

impl QueuedMessage {
    /// Returns whether its lease still holds. When it does not, another relay publishes the message.
    pub(crate) fn is_claimed(&self) -> bool {
        Instant::now() < self.leased_until
    }

    /// Returns the message as its first attempt.
    pub(crate) fn into_claimed(self) -> ClaimedMessage {
        ClaimedMessage { message: self.message, attempt: 1 }
    }
}

/// A message that the relay has claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedMessage {
    /// The message.
    pub message: OutboxMessage,
    /// Which attempt at publishing it this is, from 1.
    pub attempt: u32,
}

/// The outcome of a claimed message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// The broker has it. Its payload is kept until its mail is settled otherwise than as failed, or dropped if it leads to none; the event's
    /// record stays.
    Published(EventId),
    /// Not now; it becomes due again after that time.
    Later(EventId, Duration),
    /// Never: it is kept with the reason, as a dead letter of the embedded mode, unless its mail is settled.
    Dead(EventId, String),
}

/// The outbox.
#[async_trait]
pub trait Outbox: Send + Sync + 'static {
    /// Claims up to `max` due messages, oldest first, for `lease`: nobody else gets them until it ends. Two claimers
    /// never get the same message at the same time, and do not wait for each other.
    async fn claim_messages(&self, lease: Duration, max: u32) -> Result<Vec<ClaimedMessage>, StoreError>;

    /// Records the outcomes of claimed messages, in one statement for each kind.
    async fn settle_messages(&self, settlements: &[Settlement]) -> Result<(), StoreError>;
}
