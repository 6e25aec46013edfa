//! Passes new events from the use case that commits them to the relay of the same process.

use std::{fmt, sync::Arc};

use time::Duration;
use tokio::{
    sync::{Notify, mpsc},
    time::Instant,
};

use crate::events::{
    bus::Bus,
    outbox::{NewEvent, OutboxMessage, Place, QueuedMessage},
};

/// The queue of a process's relay. Clones share it.
///
/// An event takes its place in the queue before it is inserted, and is inserted claimed: the relay publishes it from memory, and
/// settling is the only update. An event that gets no place, because the queue is full or the bus is not connected, is inserted
/// unclaimed, for the next claim of any relay.
#[derive(Clone)]
pub struct RelayQueue {
    messages: mpsc::Sender<QueuedMessage>,
    unclaimed: Arc<Notify>,
    bus: Option<Arc<dyn Bus>>,
    lease: Duration,
}

/// The relay's end of the queue.
#[derive(Debug)]
pub struct RelayInbox {
    /// Messages of committed events that are claimed for this process.
    pub(crate) messages: mpsc::Receiver<QueuedMessage>,
    /// Notified when an event was inserted unclaimed.
    pub(crate) unclaimed: Arc<Notify>,
}

impl RelayQueue {
    /// Places in the queue: a third of a second at 3,000 events a second, of about 1 KB each.
    pub const CAPACITY: usize = 1000;

    /// Makes the queue of a relay to `bus`; events in it are claimed for `lease`.
    #[must_use]
    pub fn new(bus: Arc<dyn Bus>, lease: Duration) -> (Self, RelayInbox) {
        Self::with_capacity(Self::CAPACITY, Some(bus), lease)
    }

    /// Makes a queue for a process without a relay: every event is inserted unclaimed.
    #[must_use]
    pub fn without_relay() -> Self {
        Self::with_capacity(1, None, Duration::ZERO).0
    }

    fn with_capacity(capacity: usize, bus: Option<Arc<dyn Bus>>, lease: Duration) -> (Self, RelayInbox) {
        let (sender, messages) = mpsc::channel(capacity);
        let unclaimed = Arc::new(Notify::new());
        (
            Self { messages: sender, unclaimed: unclaimed.clone(), bus, lease },
            RelayInbox { messages, unclaimed },
        )
    }

    /// Prepares an event to be inserted, claimed if it gets a place.
    #[must_use]
    pub fn new_event(&self, message: OutboxMessage) -> NewEvent {
        match self.place() {
            Some(place) => NewEvent { message, lease: self.lease, place: Some(place) },
            None => NewEvent::unclaimed(message),
        }
    }

    fn place(&self) -> Option<Place> {
        self.bus.as_ref().filter(|bus| bus.is_connected())?;
        let permit = self.messages.clone().try_reserve_owned().ok()?;
        // Counted from before the insert, so that it never ends later than in the database.
        Some(Place { permit, leased_until: Instant::now() + self.lease.unsigned_abs() })
    }

    /// Passes a committed event to the relay. An event that is dropped instead, because its commit is uncertain, waits in the outbox
    /// until its lease ends.
    pub fn publish(&self, event: NewEvent) {
        match event.place {
            Some(Place { permit, leased_until }) => {
                permit.send(QueuedMessage { message: event.message, leased_until });
            }
            None => self.unclaimed.notify_one(),
        }
    }
}

impl fmt::Debug for RelayQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RelayQueue").field("messages", &self.messages).finish_non_exhaustive()
    }
}
