//! When a mail is tried again, and when no more.

use rekey_core::random::RandomSource;
use time::Duration;

/// The waits after the first, second and third attempt, and after each one from the fourth on: the rungs of the broker's ladder.
const LADDER: [Duration; 4] =
    [Duration::seconds(10), Duration::minutes(1), Duration::minutes(10), Duration::hours(1)];

/// The last attempt at a mail. Hourly attempts for 7 days, the longest life a token can have, and the ladder's first
/// rungs: a link is tried until it expires, and the ledger then discards it. Only a store without expiry meets this bound.
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

/// How long to wait after this attempt, from 1: a rung, less up to a fifth of it. Never more than the rung, or a broker
/// that delays by fixed rungs would take the next one.
pub(super) fn after_attempt(attempt: u32, random: &dyn RandomSource) -> Duration {
    let index = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
    let rung = LADDER.get(index).copied().unwrap_or(Duration::hours(1));
    let mut byte = [0];
    random.fill(&mut byte);
    rung - rung * i32::from(byte[0]) / (5 * 255)
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
    fn smtp_4xx_waits_climb_the_ladder_with_jitter_below_each_rung() {
        for (attempt, seconds) in [(1, 10), (2, 60), (3, 600), (4, 3600), (5, 3600), (u32::MAX, 3600)] {
            assert_eq!(after_attempt(attempt, &Always(0)), Duration::seconds(seconds), "attempt {attempt}");
            assert_eq!(after_attempt(attempt, &Always(255)), Duration::seconds(seconds) * 4 / 5);
        }
    }
}
