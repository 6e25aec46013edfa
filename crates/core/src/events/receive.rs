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
