//! What the programs measure: how instruments are made, and those of the use cases. `docs/metrics.md` lists all of them.
//!
//! An instrument is made at its first use and belongs to the meter provider of that moment; without one it does nothing, as in tests. So
//! nothing is measured before `telemetry::init`. Attributes have few values, which are known beforehand: never an id, an address or
//! a name that a caller chooses.

use std::{
    marker::PhantomData,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use opentelemetry::{
    KeyValue, global,
    metrics::{AsyncInstrument, Counter, Histogram, Meter},
};
use strum::{EnumIter, IntoEnumIterator, IntoStaticStr};

/// How often what needs a query is looked up: as often as Prometheus usually asks.
pub const REFRESH_INTERVAL: Duration = Duration::from_secs(15);
/// The boundaries for what takes milliseconds to seconds (OpenTelemetry, "HTTP metrics").
pub const SHORT: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
/// The boundaries for mails, which wait for hours during an outage.
pub const LONG: [f64; 14] =
    [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 86_400.0];

/// Returns the meter of all instruments.
#[must_use]
pub fn meter() -> Meter {
    global::meter("rekey")
}

/// Makes a counter.
#[must_use]
pub fn counter(name: &'static str, description: &'static str) -> Counter<u64> {
    meter().u64_counter(name).with_description(description).build()
}

/// A counter with one attribute, of which each value is 0 from the start, so that its first event shows as an increase.
pub struct CounterBy<V> {
    name: &'static str,
    description: &'static str,
    key: &'static str,
    counter: OnceLock<Counter<u64>>,
    values: PhantomData<fn(V)>,
}

impl<V: IntoEnumIterator + Into<&'static str>> CounterBy<V> {
    /// Names the counter and its attribute.
    #[must_use]
    pub const fn new(name: &'static str, description: &'static str, key: &'static str) -> Self {
        Self { name, description, key, counter: OnceLock::new(), values: PhantomData }
    }

    /// Makes all values 0, where nothing was counted yet.
    pub fn start(&self) {
        self.counter();
    }

    /// Counts that many for the value.
    pub fn add(&self, value: V, count: u64) {
        self.counter().add(count, &[KeyValue::new(self.key, value.into())]);
    }

    fn counter(&self) -> &Counter<u64> {
        self.counter.get_or_init(|| {
            let counter = counter(self.name, self.description);
            for value in V::iter() {
                counter.add(0, &[KeyValue::new(self.key, value.into())]);
            }
            counter
        })
    }
}

/// Makes a histogram of seconds.
#[must_use]
pub fn seconds(name: &'static str, description: &'static str, boundaries: [f64; 14]) -> Histogram<f64> {
    let meter = meter();
    let histogram = meter.f64_histogram(name).with_unit("s").with_description(description);
    histogram.with_boundaries(boundaries.to_vec()).build()
}

/// Makes a gauge that shows what `observe` reports whenever metrics are read. It must not wait.
pub fn gauge(
    name: &'static str,
    description: &'static str,
    observe: impl Fn(&dyn AsyncInstrument<u64>) + Send + Sync + 'static,
) {
    let meter = meter();
    let gauge = meter.u64_observable_gauge(name).with_description(description);
    // The provider keeps the callback.
    let _ = gauge.with_callback(observe).build();
}

/// Makes a gauge of seconds, like [`gauge`].
pub fn seconds_gauge(
    name: &'static str,
    description: &'static str,
    observe: impl Fn(&dyn AsyncInstrument<f64>) + Send + Sync + 'static,
) {
    let meter = meter();
    let gauge = meter.f64_observable_gauge(name).with_unit("s").with_description(description);
    // The provider keeps the callback.
    let _ = gauge.with_callback(observe).build();
}

/// The last value of something that is looked up from time to time, for gauges. Clones share it.
#[derive(Debug)]
pub struct LastValue<T>(Arc<Mutex<Option<T>>>);

impl<T> Clone for LastValue<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for LastValue<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Clone> LastValue<T> {
    /// Replaces the value: by none where it can't be looked up, so that an old one does not pass for a new one.
    pub fn set(&self, value: Option<T>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = value;
    }

    /// Calls `show` with the value, if it is known.
    pub fn with(&self, show: impl FnOnce(T)) {
        let value = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        value.map(show);
    }
}

/// The result of a customer's log-in.
#[derive(Debug, Clone, Copy, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub(crate) enum SignInResult {
    Succeeded,
    Failed,
    Throttled,
}

/// What limits how often something is tried.
#[derive(Debug, Clone, Copy, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub(crate) enum Throttle {
    Password,
    EmailChange,
    SelfService,
}

/// What happens to a reset.
#[derive(Debug, Clone, Copy, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub(crate) enum ResetEvent {
    Requested,
    Completed,
    Rejected,
}

/// The result of a guess at a short code.
#[derive(Debug, Clone, Copy, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub(crate) enum CodeGuess {
    Right,
    Wrong,
}

pub(crate) static SIGN_INS: CounterBy<SignInResult> =
    CounterBy::new("rekey.sign_ins", "Log-ins by password, by their result.", "result");
pub(crate) static THROTTLES: CounterBy<Throttle> =
    CounterBy::new("rekey.throttles", "Tries that were refused because there were too many.", "throttle");
pub(crate) static RESETS: CounterBy<ResetEvent> =
    CounterBy::new("rekey.resets", "Password resets, by what happens to them.", "event");
pub(crate) static CODE_GUESSES: CounterBy<CodeGuess> =
    CounterBy::new("rekey.code_guesses", "Guesses at short codes, by their result.", "result");

/// Makes the counters of the API's use cases.
pub fn start_use_cases() {
    SIGN_INS.start();
    THROTTLES.start();
    RESETS.start();
    CODE_GUESSES.start();
}
