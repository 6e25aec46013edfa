//! What every change leaves behind: a signed event for the outbox and an entry for the audit log.

use std::sync::Arc;

use crate::{
    caller::Caller,
    clock::Clock,
    events::{
        Event, EventBody,
        audit::{Action, AuditEntry},
        outbox::{OutboxMessage, RelaySignal},
    },
    ids::EventId,
    random::RandomSource,
    scope::Scope,
    secrets::KeyRing,
};

/// Makes events and audit entries, and wakes the relay when they are committed. Cheap to clone.
#[derive(Clone)]
pub struct EventRecorder {
    /// Signs events, seals tokens.
    pub keys: KeyRing,
    /// Stamps events.
    pub clock: Arc<dyn Clock>,
    /// Makes ids and tokens.
    pub random: Arc<dyn RandomSource>,
    /// Wakes the relay.
    pub signal: RelaySignal,
}

impl EventRecorder {
    pub(crate) fn event(&self, scope: Scope, caller: &Caller, body: EventBody) -> OutboxMessage {
        let event = Event {
            id: EventId::generate(&*self.random),
            scope,
            occurred_at: self.clock.now(),
            traceparent: caller.traceparent.clone(),
            locales: caller.locales.clone(),
            body,
        };
        event.sign(&self.keys)
    }

    pub(crate) fn audit(&self, caller: &Caller, action: Action, attributes: Vec<&'static str>) -> AuditEntry {
        AuditEntry::new(caller, action, attributes, &*self.random)
    }

    /// Says that an event was committed.
    pub(crate) fn notify_relay(&self) {
        self.signal.wake();
    }
}
