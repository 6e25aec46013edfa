//! The port to the message broker: publishing on one side, handling on the other.

use std::{fmt, future::pending};

use async_trait::async_trait;
use strum::{EnumIter, IntoStaticStr};
use time::Duration;

use crate::{
    events::outbox::{ClaimedMessage, Settlement},
    ids::EventId,
    metrics::CounterBy,
};

/// Counts the messages that become dead letters.
pub static DEAD_LETTERS: CounterBy<RejectCause> =
    CounterBy::new("rekey.dead_letters", "Messages that could not be handled, by the reason.", "reason");

/// Where the relay publishes.
#[async_trait]
pub trait Bus: Send + Sync + 'static {
    /// Returns whether messages can be published now. When not, [`Bus::publish`] returns [`Settlement::Later`] at once.
    fn is_connected(&self) -> bool;

    /// Publishes one message and waits for its outcome: the broker's confirm, or for a bus without a broker the
    /// handler's verdict. Called many times at once. Never fails: what went wrong is a settlement too.
    async fn publish(&self, message: ClaimedMessage) -> Settlement;
}

/// A message as a consumer gets it. Nothing about it is trusted yet.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The message's id, if it has a readable one: it should be its event's.
    pub id: Option<EventId>,
    /// What should be a serialized `SignedEvent`.
    pub payload: Vec<u8>,
    /// Which attempt at handling it this is, from 1, as the bus counts.
    pub attempt: u32,
}

/// What the bus is to do with a message that was handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Its effect has taken place, or none is wanted: forget it.
    Done,
    /// Bring it again after this time, or a little later.
    Retry {
        /// How long to wait at least.
        after: Duration,
        /// Why, for the log.
        reason: String,
    },
    /// It can never be handled: move it to the dead letters with the reason.
    Reject {
        /// Why, for the metrics.
        cause: RejectCause,
        /// Why, for the operator; no secret, no address.
        reason: String,
    },
}

/// What makes a message a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum RejectCause {
    /// It can't be read: it is none of ours, or of another version.
    Malformed,
    /// Its signature is wrong, or its key unknown.
    Unverifiable,
    /// Its mail can't be sent, because of an error on our side.
    Failed,
    /// Handling it panicked.
    Panicked,
}

/// How many messages a handler can take now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Capacity {
    /// None: the bus leaves them where they are.
    None,
    /// One at a time, to find out whether others can be handled.
    One,
    /// As many at once as the bus may bring.
    Full,
}

/// A consumer's work. Idempotent: the same message may come more than once, also at the same time.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Handles one message. A panic is a [`Verdict::Reject`].
    async fn handle(&self, delivery: Delivery) -> Verdict;

    /// Records that a message was rejected, before it is moved to the dead letters: by [`Handler::handle`], by its panic, or because it is too
    /// large. Returns the final verdict: a [`Verdict::Retry`] when this can't be recorded now.
    async fn reject(&self, _delivery: &Delivery, cause: RejectCause, reason: String) -> Verdict {
        Verdict::Reject { cause, reason }
    }

    /// Returns how many messages can be handled now. A few more may come, those that were on their way when it changed.
    fn capacity(&self) -> Capacity {
        Capacity::Full
    }

    /// Returns when the capacity is not `from`, maybe at once. Cancel-safe.
    async fn capacity_changed(&self, _from: Capacity) {
        pending::<()>().await;
    }
}

/// A message that nobody could handle, as operators see it.
#[derive(Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The message's id, if it has a readable one.
    pub id: Option<String>,
    /// Why it was rejected.
    pub reason: String,
}

impl fmt::Debug for DeadLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeadLetter({}: {})", self.id.as_deref().unwrap_or("?"), self.reason)
    }
}
