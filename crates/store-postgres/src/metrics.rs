//! What is measured of the pools of connections: OpenTelemetry's metrics of database clients.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use opentelemetry::{
    KeyValue,
    metrics::{Counter, Histogram},
};
use rekey_core::metrics::{SHORT, counter, gauge, seconds};

use crate::pool::WeakConnections;

static WAIT_TIME: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    let description = "Time until a connection was there, its test and opening included.";
    seconds("db.client.connection.wait_time", description, SHORT)
});
static TIMEOUTS: LazyLock<Counter<u64>> =
    LazyLock::new(|| counter("db.client.connection.timeouts", "Calls that got no connection in time."));

/// The pool's name, as the metrics have it.
const POOL: &str = "db.client.connection.pool.name";

/// Makes the gauges of a pool. They end with the pool.
pub(crate) fn start(pool: Arc<WeakConnections>, name: &'static str) {
    TIMEOUTS.add(0, &[KeyValue::new(POOL, name)]);
    let observed = pool.clone();
    gauge("db.client.connection.count", "Connections of a pool, by their state.", move |gauge| {
        if let Some(pool) = observed.upgrade() {
            let status = pool.status();
            for (state, count) in
                [("idle", status.available), ("used", status.size.saturating_sub(status.available))]
            {
                let attributes =
                    [KeyValue::new(POOL, name), KeyValue::new("db.client.connection.state", state)];
                gauge.observe(as_count(count), &attributes);
            }
        }
    });
    gauge("db.client.connection.max", "The most connections of a pool.", move |gauge| {
        if let Some(pool) = pool.upgrade() {
            gauge.observe(as_count(pool.status().max_size), &[KeyValue::new(POOL, name)]);
        }
    });
}

/// Records how long a call waited for a connection.
pub(crate) fn record_wait(name: &'static str, waited: Duration, timed_out: bool) {
    let pool = [KeyValue::new(POOL, name)];
    WAIT_TIME.record(waited.as_secs_f64(), &pool);
    if timed_out {
        TIMEOUTS.add(1, &pool);
    }
}

fn as_count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
