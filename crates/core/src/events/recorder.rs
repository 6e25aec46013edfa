//! Makes the signed event and the audit entry of a change.

use std::sync::Arc;

use crate::{
    caller::Caller,
    clock::Clock,
    events::{
        Event, EventBody,
        audit::{Action, AuditEntry},
        outbox::NewEvent,
        relay_queue::RelayQueue,
    },
    ids::EventId,
    random::RandomSource,
    scope::Scope,
    secrets::KeyRing,
};

/// Makes events and audit entries, and passes committed events to the relay. Cheap to clone.
#[derive(Clone)]
pub struct EventRecorder {
    /// Signs events, seals tokens.
    pub keys: KeyRing,
    /// Stamps events.
    pub clock: Arc<dyn Clock>,
    /// Makes ids and tokens.
    pub random: Arc<dyn RandomSource>,
    /// Takes the events to the relay.
    pub relay_queue: RelayQueue,
}

impl EventRecorder {
    /// Makes a signed event, which has its place in the relay's queue until it is published or dropped.
    pub(crate) fn new_event(&self, scope: Scope, caller: &Caller, body: EventBody) -> NewEvent {
        self.new_event_under(EventId::generate(&*self.random), scope, caller, body)
    }

    /// Makes a signed event with that id.
    pub(crate) fn new_event_under(
        &self,
        id: EventId,
        scope: Scope,
        caller: &Caller,
        body: EventBody,
    ) -> NewEvent {
        let event = Event {
            id,
            scope,
            occurred_at: self.clock.now(),
            traceparent: caller.traceparent.clone(),
            locales: caller.locales.clone(),
            body,
        };
        self.relay_queue.new_event(event.sign(&self.keys))
    }

    /// Makes an audit entry.
    pub(crate) fn new_audit_entry(
        &self,
        caller: &Caller,
        action: Action,
        attributes: Vec<&'static str>,
    ) -> AuditEntry {
        AuditEntry::new(caller, action, attributes, &*self.random)
    }

    /// Publishes a committed event.
    pub(crate) fn publish(&self, event: NewEvent) {
        self.relay_queue.publish(event);
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use time::Duration;

    use super::*;
    use crate::{
        clock::SystemClock,
        events::{
            EventName,
            bus::Bus,
            outbox::{ClaimedMessage, OutboxMessage, Settlement},
        },
        random::OsRandom,
        testing::ring,
    };

    struct Connected;

    #[async_trait]
    impl Bus for Connected {
        fn is_connected(&self) -> bool {
            true
        }

        async fn publish(&self, message: ClaimedMessage) -> Settlement {
            Settlement::Later(message.message.id, Duration::ZERO)
        }
    }

    /// Otherwise each event would wait until its lease ends.
    #[test]
    fn a_committed_event_is_passed_to_the_relay() {
        let (relay_queue, mut inbox) = RelayQueue::new(Arc::new(Connected), Duration::MINUTE);
        let recorder = EventRecorder {
            keys: ring([("a", 1)]),
            clock: Arc::new(SystemClock),
            random: Arc::new(OsRandom),
            relay_queue,
        };
        let id = EventId::generate(&OsRandom);
        let message = OutboxMessage { id, name: EventName::ResetCreate, payload: Vec::new() };
        recorder.publish(recorder.relay_queue.new_event(message));
        assert_eq!(inbox.messages.try_recv().unwrap().message.id, id);
    }
}
