//! Whether a relay can be used. One that failed is paused for a while, like a circuit breaker for one relay.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rekey_core::random::RandomSource;
use tokio::time::Instant;

/// The first pause: long enough that a mail server does not take the attempts for an attack. Each further one in a row is twice
/// as long, up to [`LONGEST_FACTOR`] times the first.
pub(super) const FIRST_PAUSE: Duration = Duration::from_mins(1);
/// The longest pause, in first ones.
const LONGEST_FACTOR: u32 = 15;
/// Failures in a row without a reason, after which the relay is taken to be their cause.
const MAX_FAILURES: u32 = 3;

/// The health of one relay.
pub(super) struct RelayHealth {
    first_pause: Duration,
    random: Arc<dyn RandomSource>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Until when the circuit is open, and half-open after that; `None` while it is closed.
    open_until: Option<Instant>,
    /// Pauses in a row.
    pause_count: u32,
    /// Failures in a row.
    failure_count: u32,
}

/// Whether a mail may use the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Circuit {
    /// It may.
    Closed,
    /// A pause is over: this mail tries the relay, and the others wait for its result.
    HalfOpen,
    /// It may not.
    Open,
}

impl RelayHealth {
    pub(super) fn new(first_pause: Duration, random: Arc<dyn RandomSource>) -> Self {
        Self { first_pause, random, state: Mutex::default() }
    }

    /// Returns whether this mail may use the relay. The first mail after a pause starts the next pause for all the others, so
    /// that none of them waits for a relay that is still down; if that mail is dropped on its way, nothing is stuck.
    pub(super) fn circuit(&self) -> Circuit {
        let mut state = self.state();
        match state.open_until {
            None => Circuit::Closed,
            Some(until) if Instant::now() < until => Circuit::Open,
            Some(_) => {
                self.pause(&mut state);
                Circuit::HalfOpen
            }
        }
    }

    /// Returns whether the relay is paused, or was and has not been used since.
    pub(super) fn is_paused(&self) -> bool {
        self.state().open_until.is_some()
    }

    /// Records that the relay can't be used. Returns whether that starts a pause: mails that were on their way when it failed
    /// don't extend one.
    pub(super) fn record_unusable(&self) -> bool {
        let mut state = self.state();
        let is_new = state.open_until.is_none();
        if is_new {
            self.pause(&mut state);
        }
        is_new
    }

    /// Records that the relay did not accept a mail and gave no reason. Returns whether that starts a pause.
    pub(super) fn record_failure(&self) -> bool {
        let mut state = self.state();
        state.failure_count += 1;
        let is_enough = state.failure_count >= MAX_FAILURES && state.open_until.is_none();
        if is_enough {
            self.pause(&mut state);
        }
        is_enough
    }

    /// Records that the relay works. Returns whether that ends a pause.
    pub(super) fn record_success(&self) -> bool {
        std::mem::take(&mut *self.state()).open_until.is_some()
    }

    /// Starts a pause, less a random part of up to a fifth, so that several mailers don't come back at once.
    fn pause(&self, state: &mut State) {
        let factor = 2_u32.saturating_pow(state.pause_count).min(LONGEST_FACTOR);
        let longest = self.first_pause.saturating_mul(factor);
        let mut byte = [0];
        self.random.fill(&mut byte);
        state.open_until = Some(Instant::now() + longest - longest * u32::from(byte[0]) / (5 * 255));
        state.pause_count = state.pause_count.saturating_add(1);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
