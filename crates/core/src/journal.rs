//! What every change leaves behind: a signed event for the outbox and an entry for the audit log.

use std::sync::Arc;

use crate::{
    access::{Caller, Scope},
    ambient::{Clock, Entropy},
    audit::{Action, AuditEntry},
    event::{Event, EventBody},
    ids::EventId,
    outbox::{OutboxMessage, RelaySignal},
    secret::KeyRing,
};

/// Makes events and audit entries, and wakes the relay when they are committed. Cheap to clone.
#[derive(Clone)]
pub struct Journal {
    /// Signs events, seals tokens.
    pub keys: KeyRing,
    /// Stamps events.
    pub clock: Arc<dyn Clock>,
    /// Makes ids and tokens.
    pub entropy: Arc<dyn Entropy>,
    /// Wakes the relay.
    pub signal: RelaySignal,
}

impl Journal {
    pub(crate) fn event(&self, scope: Scope, caller: &Caller, body: EventBody) -> OutboxMessage {
        let event = Event {
            id: EventId::generate(&*self.entropy),
            scope,
            occurred_at: self.clock.now(),
            traceparent: caller.traceparent.clone(),
            locales: caller.locales.clone(),
            body,
        };
        event.sign(&self.keys)
    }

    pub(crate) fn audit(&self, caller: &Caller, action: Action, attributes: Vec<&'static str>) -> AuditEntry {
        AuditEntry::new(caller, action, attributes, &*self.entropy)
    }

    /// Says that an event was committed.
    pub(crate) fn committed(&self) {
        self.signal.wake();
    }
}
