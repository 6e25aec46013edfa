//! When a mail is tried again, and how often recording its outcome is.

use std::time::Duration as StdDuration;

use backon::ExponentialBuilder;
use rekey_core::{events::retry_ladder::RetryLadder, random::RandomSource};
use time::Duration;

/// How often recording an outcome is tried again after any error.
pub(super) const QUICK_RETRIES: u32 = 4;
/// How long recording an outcome is tried while the ledger is unavailable. RabbitMQ takes back a message that is not acknowledged
/// within 30 minutes (its `consumer_timeout`).
pub(super) const SETTLE_TIMEOUT: StdDuration = StdDuration::from_mins(20);

/// The pauses between attempts to record an outcome: from 0.1 s, doubling up to 1 s.
pub(super) fn settle_pauses() -> ExponentialBuilder {
    ExponentialBuilder::new()
        .with_min_delay(StdDuration::from_millis(100))
        .with_max_delay(StdDuration::from_secs(1))
        .without_max_times()
}

/// Returns how long to wait after this attempt, counted from 1: the ladder's wait, less a random part of up to a fifth. It is never
/// more than the ladder's wait, or RabbitMQ would put the message into the next longer queue.
pub(super) fn after_attempt(attempt: u32, random: &dyn RandomSource) -> Duration {
    let wait = RetryLadder::default().after_attempt(attempt);
    let mut byte = [0];
    random.fill(&mut byte);
    wait - wait * i32::from(byte[0]) / (5 * 255)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Always(u8);

    impl RandomSource for Always {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(self.0);
        }
    }

    #[test]
    fn smtp_4xx_waits_climb_the_ladder_with_jitter_below_each_wait() {
        for (attempt, seconds) in [(1, 10), (2, 60), (3, 600), (4, 3600), (5, 3600), (u32::MAX, 3600)] {
            assert_eq!(after_attempt(attempt, &Always(0)), Duration::seconds(seconds), "attempt {attempt}");
            assert_eq!(after_attempt(attempt, &Always(255)), Duration::seconds(seconds) * 4 / 5);
        }
    }
}
