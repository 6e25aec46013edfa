//! The time, passed in wherever it is needed.

use time::{Duration, OffsetDateTime};

/// A source of the current time.
pub trait Clock: Send + Sync + 'static {
    /// The current time, UTC, in whole microseconds: the finest that every store keeps.
    fn now(&self) -> OffsetDateTime;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine for the time")]
    fn now(&self) -> OffsetDateTime {
        to_microseconds(OffsetDateTime::now_utc())
    }
}

/// Cuts a time to whole microseconds, PostgreSQL's resolution, so that a value read back equals the one written.
#[must_use]
pub fn to_microseconds(at: OffsetDateTime) -> OffsetDateTime {
    at - Duration::nanoseconds(i64::from(at.nanosecond() % 1_000))
}

/// A time as microseconds since 1970, in which it is kept and carried where it is a number.
#[must_use]
pub fn to_unix_microseconds(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX)
}

/// Reads [`to_unix_microseconds`] back; `None` beyond the years that a time can have.
#[must_use]
pub fn from_unix_microseconds(microseconds: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(microseconds) * 1_000).ok()
}
