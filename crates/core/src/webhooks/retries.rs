//! When a callback that failed is tried again.

use time::Duration;

use crate::random::RandomSource;

/// The waits after the first failed attempts: those of Standard Webhooks' implementations. Together they are three days.
const WAITS: [Duration; 9] = [
    Duration::seconds(5),
    Duration::minutes(5),
    Duration::minutes(30),
    Duration::hours(2),
    Duration::hours(5),
    Duration::hours(10),
    Duration::hours(14),
    Duration::hours(20),
    Duration::hours(24),
];

/// Returns how long after this attempt, from 1, the next one is made; `None` if it was the last one. A receiver may ask for a longer wait,
/// up to a day.
#[must_use]
pub fn next_attempt(
    attempt: u32,
    retry_after: Option<Duration>,
    random: &dyn RandomSource,
) -> Option<Duration> {
    let wait = WAITS.get(usize::try_from(attempt.saturating_sub(1)).ok()?)?;
    let mut byte = [0];
    random.fill(&mut byte);
    // Up to a fifth longer, so that what failed at once is not tried again at once.
    let wait: Duration = *wait + *wait * i32::from(byte[0]) / (5 * 255);
    let asked = retry_after.unwrap_or_default().min(Duration::DAY);
    Some(wait.max(asked))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Always;

    #[test]
    fn each_wait_is_up_to_a_fifth_longer_and_the_receiver_may_ask_for_a_day() {
        let next = |attempt, asked, byte| next_attempt(attempt, asked, &Always(byte));
        for (attempt, wait) in (1..).zip(WAITS) {
            assert_eq!(next(attempt, None, 0), Some(wait), "{attempt}");
            assert_eq!(next(attempt, None, 255), Some(wait * 6 / 5), "{attempt}");
        }
        assert_eq!(next(10, None, 0), None);
        assert_eq!(next(1, Some(Duration::seconds(6)), 0), Some(Duration::seconds(6)));
        assert_eq!(next(1, Some(Duration::seconds(4)), 0), Some(Duration::seconds(5)));
        assert_eq!(next(1, Some(Duration::days(9)), 0), Some(Duration::DAY));
    }
}
