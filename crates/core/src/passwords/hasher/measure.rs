//! What is measured of the hashing threads.

use std::sync::{Arc, LazyLock};

use opentelemetry::{
    KeyValue,
    metrics::{Counter, Histogram},
};
use tokio::time::Instant;

use super::threads::HashingThreads;
use crate::metrics::{SHORT, counter, gauge, seconds};

pub(super) static SHED: LazyLock<Counter<u64>> =
    LazyLock::new(|| counter("rekey.hashing.shed", "Hashes that were refused because the queue was full."));
static DURATION: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    seconds(
        "rekey.hashing.duration",
        "Duration of the computation of a hash, without the wait for it.",
        SHORT,
    )
});

/// Makes the gauges of the threads. They end with the threads.
pub(super) fn start(threads: &Arc<HashingThreads>, capacity: usize) {
    SHED.add(0, &[]);
    let as_count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let observed = Arc::downgrade(threads);
    gauge("rekey.hashing.running", "Hashes that are computed now.", move |gauge| {
        if let Some(threads) = observed.upgrade() {
            gauge.observe(as_count(threads.running_count()), &[]);
        }
    });
    let observed = Arc::downgrade(threads);
    gauge("rekey.hashing.queued", "Hashes that wait for a thread.", move |gauge| {
        if let Some(threads) = observed.upgrade() {
            gauge.observe(as_count(threads.queued_count()), &[]);
        }
    });
    gauge("rekey.hashing.capacity", "Hashes that can be computed at the same time.", move |gauge| {
        gauge.observe(as_count(capacity), &[]);
    });
}

/// Does that work, and measures how long it takes.
pub(super) fn timed<T>(operation: &'static str, work: impl FnOnce() -> T) -> T {
    let started_at = Instant::now();
    let done = work();
    DURATION.record(started_at.elapsed().as_secs_f64(), &[KeyValue::new("operation", operation)]);
    done
}
