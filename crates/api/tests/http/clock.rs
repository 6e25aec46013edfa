//! The clock of the tests.

use std::sync::atomic::{AtomicI64, Ordering};

use rekey_core::clock::{Clock, SystemClock, to_unix_microseconds};
use time::{Duration, OffsetDateTime};

/// A clock that a test moves, however long the test takes. By itself it advances a microsecond with each reading, so that later events
/// have later times.
pub struct TestClock {
    /// The beginning of the current minute, so that no test meets the end of a second or of a limit's slot by chance.
    start: OffsetDateTime,
    /// Microseconds since then.
    passed: AtomicI64,
}

impl Default for TestClock {
    fn default() -> Self {
        let now = SystemClock.now();
        let start = now - Duration::microseconds(to_unix_microseconds(now) % 60_000_000);
        Self { start, passed: AtomicI64::new(0) }
    }
}

impl Clock for TestClock {
    fn now(&self) -> OffsetDateTime {
        self.start + Duration::microseconds(self.passed.fetch_add(1, Ordering::SeqCst))
    }
}

impl TestClock {
    pub fn forward(&self, by: Duration) {
        let by = i64::try_from(by.whole_microseconds()).unwrap();
        self.passed.fetch_add(by, Ordering::SeqCst);
    }
}
