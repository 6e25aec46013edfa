//! Reading an event that the bus brings.

use super::{
    Event, EventError,
    bus::{Delivery, RejectCause, Verdict},
    retry_ladder::RetryLadder,
};
use crate::{random::RandomSource, secrets::KeyRing};

/// The largest event that is read, in bytes; ours have under 1,000.
pub const MAX_EVENT: usize = 64 << 10;
/// How often an event of a newer version is left to another consumer, while an upgrade replaces them: for a day, by the ladder's waits.
const NEWER_EVENT_ATTEMPTS: u32 = 27;

impl Event {
    /// Reads a message that one of our keys signed.
    ///
    /// # Errors
    /// What is to be done with another one: an event of a newer version waits for a newer consumer, everything else is rejected.
    pub fn receive(delivery: &Delivery, keys: &KeyRing, random: &dyn RandomSource) -> Result<Self, Verdict> {
        if delivery.payload.len() > MAX_EVENT {
            let reason = format!("malformed event: {} bytes", delivery.payload.len());
            return Err(Verdict::Reject { cause: RejectCause::Malformed, reason });
        }
        Self::verify(&delivery.payload, keys).map_err(|error| match error {
            EventError::Version(_) | EventError::Unknown if delivery.attempt <= NEWER_EVENT_ATTEMPTS => {
                let after = RetryLadder::default().randomized_after_attempt(delivery.attempt, random);
                Verdict::Retry { after, reason: format!("{error}: for a program of a newer version") }
            }
            EventError::Forged => {
                Verdict::Reject { cause: RejectCause::Unverifiable, reason: error.to_string() }
            }
            EventError::Malformed | EventError::Version(_) | EventError::Unknown => {
                Verdict::Reject { cause: RejectCause::Malformed, reason: error.to_string() }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use rekey_events::v1;

    use super::*;
    use crate::{random::OsRandom, testing::ring};

    #[test]
    fn poison_an_event_of_a_newer_version_waits_a_day_and_no_other_is_tried_again() {
        let keys = |seed| ring([("test", seed)]);
        let event = v1::Event { schema_version: u32::MAX, ..v1::Event::default() }.encode_to_vec();
        let (key_id, tag) = keys(0).sign(&event);
        let newer = v1::SignedEvent { event, key_id, tag: tag.to_vec() }.encode_to_vec();
        let receive = |payload: &[u8], attempt, seed| {
            let delivery = Delivery { id: None, payload: payload.to_vec(), attempt };
            Event::receive(&delivery, &keys(seed), &OsRandom).unwrap_err()
        };
        assert!(matches!(receive(&newer, NEWER_EVENT_ATTEMPTS, 0), Verdict::Retry { .. }));
        let rejected = |cause, reason: &str| Verdict::Reject { cause, reason: reason.to_owned() };
        let unknown = rejected(RejectCause::Malformed, "unknown schema version 4294967295");
        assert_eq!(receive(&newer, NEWER_EVENT_ATTEMPTS + 1, 0), unknown);
        let forged = rejected(RejectCause::Unverifiable, "forged event: the tag does not match");
        assert_eq!(receive(&newer, 1, 99), forged);
        let malformed = rejected(RejectCause::Malformed, "malformed event");
        assert_eq!(receive(&vec![0xff; MAX_EVENT], 1, 0), malformed);
        let large = rejected(RejectCause::Malformed, "malformed event: 65537 bytes");
        assert_eq!(receive(&vec![0xff; MAX_EVENT + 1], 1, 0), large);
    }
}
