//! How often recording an outcome is tried again.

use std::time::Duration as StdDuration;

use backon::ExponentialBuilder;

/// How often recording an outcome is tried again after any error.
pub(super) const QUICK_RETRIES: u32 = 4;
/// How long recording an outcome is tried while the ledger is unavailable. RabbitMQ takes back a message that is not acknowledged
/// within 30 minutes (its `consumer_timeout`).
pub(crate) const SETTLE_TIMEOUT: StdDuration = StdDuration::from_mins(20);

/// The pauses between attempts to record an outcome: from 0.1 s, doubling up to 1 s.
pub(crate) fn settle_pauses() -> ExponentialBuilder {
    ExponentialBuilder::new()
        .with_min_delay(StdDuration::from_millis(100))
        .with_max_delay(StdDuration::from_secs(1))
        .without_max_times()
}
