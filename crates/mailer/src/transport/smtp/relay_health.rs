//! Whether a relay can be used: a circuit breaker for one relay.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use lettre::Address;
use rekey_core::random::RandomSource;
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::task::AbortOnDropHandle;

/// The pause before a relay that could not be reached is checked again. With the ladder's shortest wait, 10 s, mails flow within 15 s
/// of its return, however long it was away.
const UNREACHABLE_PAUSE: Duration = Duration::from_secs(5);
/// The first pause of a relay that denied us the use of it: long enough that a mail server does not take the attempts for an attack.
/// Each further one in a row is twice as long, up to [`LONGEST_FACTOR`] times the first.
const FIRST_DENIED_PAUSE: Duration = Duration::from_mins(1);
const LONGEST_FACTOR: u32 = 15;
/// The pause between two mails that try a relay to which connecting is not enough.
const FAILING_PAUSE: Duration = Duration::from_secs(30);
/// Mails in a row that were broken off, and recipients in a row that were refused, after which the relay is taken to be the cause.
const MAX_FAILURES: usize = 3;
/// Recipients that a paused relay may refuse before only one mail each [`FAILING_PAUSE`] tries it. Those that it refuses for a reason of their
/// own are fewer, and must not hold up the mails behind them.
const MAX_REFUSED: usize = 100;

/// The health of one relay.
pub(super) struct RelayHealth {
    random: Arc<dyn RandomSource>,
    /// Notified of each change of the circuit.
    changes: watch::Sender<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    circuit: Circuit,
    /// The task that brings the relay back; `None` while the circuit is closed.
    recovery: Option<AbortOnDropHandle<()>>,
    /// Pauses in a row after the use was denied.
    denied_count: u32,
    /// Failures in a row.
    failure_count: usize,
    /// Recipients refused in a row, at most [`MAX_REFUSED`]. One may have a server that refuses us, which says nothing about the others.
    refused: Vec<Address>,
    /// The sender of the mail accepted last. Only refusals of its mails say something about the relay: another sender's concern its
    /// organization.
    accepted_sender: Option<Address>,
}

/// Whether mails may use the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Circuit {
    /// They may.
    #[default]
    Closed,
    /// One may, to try the relay.
    HalfOpen,
    /// None may.
    Open,
}

/// Why a relay can't be used. It decides when and how it is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// There is no connection. It is checked again every few seconds.
    Unreachable,
    /// It refused the credentials or us, or TLS failed. It is checked again after longer and longer pauses.
    Denied,
    /// It accepts connections and fails with mails. Only a mail can try it.
    Failing,
}

impl Cause {
    /// What an operator can do about it.
    pub(super) fn advice(self) -> &'static str {
        match self {
            Self::Unreachable => {
                "check its host and port in smtp.relays (smtps:// is for a port with TLS from the first byte), and the network between"
            }
            Self::Denied => {
                "check its user, password and scheme in smtp.relays, and smtp.ca_file for a private certificate authority"
            }
            Self::Failing => "check its settings and the sender's",
        }
    }
}

impl State {
    fn accepts_others(&self) -> bool {
        self.circuit == Circuit::Open && (MAX_FAILURES..MAX_REFUSED).contains(&self.refused.len())
    }
}

impl RelayHealth {
    /// Makes the health of a relay that can be used. `changes` is notified when that changes.
    pub(super) fn new(changes: watch::Sender<()>, random: Arc<dyn RandomSource>) -> Self {
        Self { random, changes, state: Mutex::default() }
    }

    pub(super) fn circuit(&self) -> Circuit {
        self.state().circuit
    }

    /// Returns whether mails to recipients that the relay has not refused may use it, one at a time, though it is paused: it is, because it
    /// refused others, and they may be the cause.
    pub(super) fn accepts_others(&self) -> bool {
        self.state().accepts_others()
    }

    /// Returns whether that holds for a mail to this recipient.
    pub(super) fn accepts(&self, recipient: &Address) -> bool {
        let state = self.state();
        state.accepts_others() && !state.refused.contains(recipient)
    }

    /// Opens the circuit; `recover` starts the task that brings the relay back. Returns false if it was open: mails that were on
    /// their way don't prolong a pause, unless this is the one that tried the relay.
    pub(super) fn open(&self, is_trial: bool, recover: impl FnOnce() -> JoinHandle<()>) -> bool {
        let mut state = self.state();
        if state.circuit == Circuit::Open && !is_trial {
            return false;
        }
        self.set(&mut state, Circuit::Open);
        state.recovery = Some(AbortOnDropHandle::new(recover()));
        true
    }

    /// Lets one mail try the relay, if it is not known to work by now.
    pub(super) fn half_open(&self) {
        let mut state = self.state();
        if state.circuit == Circuit::Open {
            self.set(&mut state, Circuit::HalfOpen);
        }
    }

    /// Records that the relay did not accept a mail and gave no reason. Returns whether the relay is taken to be the cause.
    pub(super) fn record_failure(&self) -> bool {
        let mut state = self.state();
        state.failure_count += 1;
        state.failure_count >= MAX_FAILURES
    }

    /// Records that the relay refused a mail, and not because of the address. Returns whether the relay is taken to be the cause.
    pub(super) fn record_refusal(&self, sender: &Address, recipient: &Address) -> bool {
        let mut state = self.state();
        let was_accepted = state.accepted_sender.as_ref().is_none_or(|accepted| accepted == sender);
        let counts = was_accepted || state.circuit != Circuit::Closed;
        if counts && state.refused.len() < MAX_REFUSED && !state.refused.contains(recipient) {
            state.refused.push(recipient.clone());
            self.changes.send_replace(());
        }
        state.circuit != Circuit::Closed || state.refused.len() >= MAX_FAILURES
    }

    /// Records that the relay accepted a mail of this sender, like [`RelayHealth::record_success`].
    pub(super) fn record_acceptance(&self, sender: &Address) -> bool {
        let was_open = self.record_success();
        self.state().accepted_sender = Some(sender.clone());
        was_open
    }

    /// Records that the relay works: closes the circuit. Returns whether it was not closed.
    pub(super) fn record_success(&self) -> bool {
        let mut state = self.state();
        let was_closed = state.circuit == Circuit::Closed;
        self.set(&mut state, Circuit::Closed);
        let accepted_sender = state.accepted_sender.take();
        *state = State { accepted_sender, ..State::default() };
        !was_closed
    }

    /// Returns the pause before the relay is tried again, less a random part of up to a fifth, so that several mailers don't come
    /// back at once.
    pub(super) fn pause(&self, cause: Cause) -> Duration {
        let longest = match cause {
            Cause::Unreachable => UNREACHABLE_PAUSE,
            Cause::Failing => FAILING_PAUSE,
            Cause::Denied => {
                let mut state = self.state();
                let factor = 2_u32.saturating_pow(state.denied_count).min(LONGEST_FACTOR);
                state.denied_count = state.denied_count.saturating_add(1);
                FIRST_DENIED_PAUSE * factor
            }
        };
        let mut byte = [0];
        self.random.fill(&mut byte);
        longest.mul_f64(1.0 - f64::from(byte[0]) / (5.0 * 255.0))
    }

    fn set(&self, state: &mut State, circuit: Circuit) {
        if std::mem::replace(&mut state.circuit, circuit) != circuit {
            self.changes.send_replace(());
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
