//! The time that the tests' APIs go by.

use std::sync::atomic::{AtomicI64, Ordering};

use rekey_core::clock::{Clock, SystemClock, to_unix_microseconds};
use time::{Duration, OffsetDateTime};

/// A clock that goes on when a test puts it forward, however long the machine takes for the test. Of itself it goes on by a
/// microsecond at each look, so that what happens later is later.
pub struct TestClock {
    /// The present minute's beginning, so that no test meets the end of a second or of a limit's slot by chance.
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
