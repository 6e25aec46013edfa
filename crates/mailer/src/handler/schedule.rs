//! When a mail is tried again, and when no more.

use rekey_core::{events::retry_ladder::RetryLadder, random::RandomSource};
use time::Duration;

/// The last attempt at a mail. Hourly attempts for 7 days, the longest life a token can have, and the retry ladder's first
/// waits: a link is tried until it expires, and the ledger then discards it. Only a store without expiry meets this bound.
pub(super) const LAST_ATTEMPT: u32 = 7 * 24 + 12;

/// After this time, word that the password was changed is no news any more.
pub(super) const LONGEST_DELAY: Duration = Duration::hours(24);

/// The first waits between the attempts to record an outcome.
pub(super) const SETTLE_PAUSES: [std::time::Duration; 4] = [
    std::time::Duration::from_millis(100),
    std::time::Duration::from_millis(200),
    std::time::Duration::from_millis(400),
    std::time::Duration::from_millis(800),
];
/// The waits after those, while the database is away.
pub(super) const LAST_SETTLE_PAUSE: std::time::Duration = std::time::Duration::from_secs(1);
/// For how long that is tried. RabbitMQ takes a message back that is not acknowledged within 30 minutes (its
/// `consumer_timeout`).
pub(super) const LONGEST_SETTLE: std::time::Duration = std::time::Duration::from_mins(20);

/// How long to wait after this attempt, counted from 1: the ladder's wait, less a random part of up to a fifth. It is never more
/// than the ladder's wait, or RabbitMQ would put the message into the next longer queue.
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
