//! The retry ladder: for how long a message waits between attempts. The mailer's schedule and RabbitMQ's retry queues both
//! read it, so that a wait the mailer asks for is one that the broker has.

use time::Duration;

use crate::random::RandomSource;

/// A few fixed waits, shortest first: RabbitMQ delays whole queues, not single messages, so there is one queue for each wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryLadder(Vec<Duration>);

/// The waits of a [`RetryLadder`] make no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a retry ladder needs at least one wait, each at least a millisecond and longer than the one before")]
pub struct InvalidLadder;

impl Default for RetryLadder {
    /// 10 seconds, 1 minute, 10 minutes, 1 hour.
    fn default() -> Self {
        Self(vec![Duration::seconds(10), Duration::minutes(1), Duration::minutes(10), Duration::hours(1)])
    }
}

impl RetryLadder {
    /// Makes a ladder of these waits, shortest first.
    ///
    /// # Errors
    /// [`InvalidLadder`] when there is none, one is under a millisecond, or they don't rise.
    pub fn new(waits: Vec<Duration>) -> Result<Self, InvalidLadder> {
        let is_rising = waits.is_sorted_by(|shorter, longer| shorter < longer);
        match waits.first() {
            Some(shortest) if is_rising && *shortest >= Duration::MILLISECOND => Ok(Self(waits)),
            _ => Err(InvalidLadder),
        }
    }

    /// All waits, shortest first.
    #[must_use]
    pub fn waits(&self) -> &[Duration] {
        &self.0
    }

    /// The wait after the failed attempt with this number, counted from 1. The longest wait repeats.
    #[must_use]
    pub fn after_attempt(&self, attempt: u32) -> Duration {
        let index = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
        self.0.get(index).or(self.0.last()).copied().unwrap_or_default()
    }

    /// That wait, less a random part of up to a fifth, so that what failed at once is not tried again at once. It is never more than the
    /// ladder's wait, or RabbitMQ would put the message into the next longer queue.
    #[must_use]
    pub fn randomized_after_attempt(&self, attempt: u32, random: &dyn RandomSource) -> Duration {
        let wait = self.after_attempt(attempt);
        let mut byte = [0];
        random.fill(&mut byte);
        wait - wait * i32::from(byte[0]) / (5 * 255)
    }

    /// The shortest wait of at least `minimum`; the longest if none is long enough.
    #[must_use]
    pub fn at_least(&self, minimum: Duration) -> Duration {
        self.0.iter().find(|wait| **wait >= minimum).or(self.0.last()).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Always;

    #[test]
    fn the_longest_wait_repeats() {
        let ladder = RetryLadder::default();
        for (attempt, seconds) in [(1, 10), (2, 60), (3, 600), (4, 3600), (5, 3600), (u32::MAX, 3600)] {
            assert_eq!(ladder.after_attempt(attempt), Duration::seconds(seconds), "attempt {attempt}");
        }
    }

    #[test]
    fn smtp_4xx_waits_climb_the_ladder_with_jitter_below_each_wait() {
        let ladder = RetryLadder::default();
        for attempt in [1, 2, 3, 4, 5, u32::MAX] {
            let wait = ladder.after_attempt(attempt);
            assert_eq!(ladder.randomized_after_attempt(attempt, &Always(0)), wait, "attempt {attempt}");
            assert_eq!(ladder.randomized_after_attempt(attempt, &Always(255)), wait * 4 / 5);
        }
    }

    #[test]
    fn a_wait_is_never_shorter_than_asked_unless_none_is_long_enough() {
        let ladder = RetryLadder::default();
        assert_eq!(ladder.at_least(Duration::ZERO), Duration::seconds(10));
        assert_eq!(ladder.at_least(Duration::seconds(10)), Duration::seconds(10));
        assert_eq!(ladder.at_least(Duration::seconds(11)), Duration::minutes(1));
        assert_eq!(ladder.at_least(Duration::hours(5)), Duration::hours(1));
    }

    #[test]
    fn waits_rise() {
        let (one, two) = (Duration::seconds(1), Duration::seconds(2));
        for waits in [vec![], vec![Duration::ZERO], vec![two, one], vec![one, one]] {
            assert_eq!(RetryLadder::new(waits), Err(InvalidLadder));
        }
        assert_eq!(RetryLadder::new(vec![one, two]).unwrap().waits(), [one, two]);
    }
}
