//! The time, passed in wherever it is needed.

use time::{Duration, OffsetDateTime};

/// A source of the current time.
pub trait Clock: Send + Sync + 'static {
    /// Returns the current time, UTC, in whole microseconds, which every store can keep.
    fn now(&self) -> OffsetDateTime;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the only place that asks the machine for the time")]
    fn now(&self) -> OffsetDateTime {
        to_microseconds(OffsetDateTime::now_utc())
    }
}

/// Truncates a time to whole microseconds, PostgreSQL's resolution, so that a value read back equals the one written.
#[must_use]
pub fn to_microseconds(at: OffsetDateTime) -> OffsetDateTime {
    at - Duration::nanoseconds(i64::from(at.nanosecond() % 1_000))
}

/// Returns a time as microseconds since 1970, its form wherever it is a number.
#[must_use]
pub fn to_unix_microseconds(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX)
}

/// Reverses [`to_unix_microseconds`]; `None` outside the range of times.
#[must_use]
pub fn from_unix_microseconds(microseconds: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(microseconds) * 1_000).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_cut_to_microseconds() {
        let at = |nanoseconds| OffsetDateTime::UNIX_EPOCH + Duration::nanoseconds(nanoseconds);
        for (exact, kept) in [(0, 0), (999, 0), (1_000, 1_000), (1_999_999_999, 1_999_999_000)] {
            assert_eq!(to_microseconds(at(exact)), at(kept), "{exact}");
        }
    }
}
