//! Times as SQLite keeps them: microseconds since 1970.

use time::{Duration, OffsetDateTime};

/// A time as it is stored; cut, not rounded.
pub(crate) fn microseconds(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000)).unwrap_or(i64::MAX)
}

/// A stored time read back; `None` when it is out of range.
pub(crate) fn time(microseconds: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(microseconds) * 1_000).ok()
}

/// The time `by` after `present`.
pub(crate) fn after(present: i64, by: Duration) -> i64 {
    present.saturating_add(i64::try_from(by.whole_microseconds()).unwrap_or(i64::MAX))
}
