//! What is measured of callbacks. `docs/metrics.md` lists all metrics.

use std::sync::LazyLock;

use opentelemetry::{
    KeyValue,
    metrics::{Counter, Histogram},
};
use rekey_core::{
    metrics::{LONG, counter, seconds},
    scope::Mode,
    webhooks::queue::{AttemptResult, ClaimedCallback, Next},
};

static ATTEMPTS: LazyLock<Counter<u64>> = LazyLock::new(|| {
    counter("rekey.webhook.attempts", "Attempts to deliver events to webhooks, by outcome.")
});
static LATENCY: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    seconds("rekey.webhook.latency", "Time from the record of a callback to its delivery.", LONG)
});
/// Counts the circuits that were opened.
pub(crate) static CIRCUITS_OPENED: LazyLock<Counter<u64>> = LazyLock::new(|| {
    counter(
        "rekey.webhook.circuits_opened",
        "Circuits of webhooks that were opened by failed attempts in a row.",
    )
});

/// What an attempt can lead to.
const OUTCOMES: [&str; 5] = ["delivered", "retried", "postponed", "given_up", "disabled"];

/// Makes all counts 0.
pub(crate) fn start() {
    CIRCUITS_OPENED.add(0, &[]);
    for outcome in OUTCOMES {
        for mode in [Mode::Live, Mode::Test] {
            add_attempts(0, outcome, mode);
        }
    }
}

/// Records the outcome of an attempt.
pub(crate) fn record_attempt(callback: &ClaimedCallback, result: &AttemptResult) {
    let outcome = match result.next {
        Next::Delivered => "delivered",
        Next::Retry(_) => "retried",
        Next::Postponed(_) => "postponed",
        Next::GivenUp => "given_up",
        Next::Disable => "disabled",
    };
    add_attempts(1, outcome, callback.scope.mode);
    if result.next == Next::Delivered {
        LATENCY.record(callback.age.as_seconds_f64(), &[]);
    }
}

/// Counts attempts with one of [`OUTCOMES`].
fn add_attempts(count: u64, outcome: &'static str, mode: Mode) {
    ATTEMPTS.add(count, &[KeyValue::new("outcome", outcome), KeyValue::new("mode", mode.as_str())]);
}
