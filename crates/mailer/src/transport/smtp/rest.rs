//! A relay that fails is left alone for a while.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rekey_core::random::RandomSource;
use tokio::time::Instant;

/// How long a relay is left alone at first: long enough that a mail server does not take the attempts for an attack. Each
/// further rest in a row is twice as long, up to [`LONGEST`] times the first.
pub(super) const FIRST_REST: Duration = Duration::from_mins(1);
/// The longest rest, in first ones.
const LONGEST: u32 = 15;
/// Mails in a row that were not taken for no reason told, and then it is the relay's fault.
const STUMBLES: u32 = 3;

/// Whether a relay is left alone.
pub(super) struct Rest {
    first: Duration,
    random: Arc<dyn RandomSource>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    until: Option<Instant>,
    /// Rests in a row.
    rests: u32,
    stumbles: u32,
}

/// What to do with a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Use,
    /// A rest is over: this mail's way leads to the relay, and the others wait for what becomes of it.
    Probe,
    Pass,
}

impl Rest {
    pub(super) fn new(first: Duration, random: Arc<dyn RandomSource>) -> Self {
        Self { first, random, state: Mutex::default() }
    }

    /// Asked before each use. The mail that comes first after a rest begins the next one for all the others, so that none of
    /// them waits for a relay that is still away; should that mail be dropped on its way, nothing is stuck.
    pub(super) fn turn(&self) -> Turn {
        let mut state = self.state();
        match state.until {
            None => Turn::Use,
            Some(until) if Instant::now() < until => Turn::Pass,
            Some(_) => {
                self.extend(&mut state);
                Turn::Probe
            }
        }
    }

    /// Whether a rest has begun that no use has ended.
    pub(super) fn is_on(&self) -> bool {
        self.state().until.is_some()
    }

    /// The relay can't be used; whether that is news. Mails that were on their way when it failed don't prolong its rest.
    pub(super) fn begin(&self) -> bool {
        let mut state = self.state();
        let is_news = state.until.is_none();
        if is_news {
            self.extend(&mut state);
        }
        is_news
    }

    /// The relay did not take a mail and said nothing; whether it is left alone from now on.
    pub(super) fn stumble(&self) -> bool {
        let mut state = self.state();
        state.stumbles += 1;
        let is_enough = state.stumbles >= STUMBLES && state.until.is_none();
        if is_enough {
            self.extend(&mut state);
        }
        is_enough
    }

    /// The relay works; whether that is news.
    pub(super) fn end(&self) -> bool {
        std::mem::take(&mut *self.state()).until.is_some()
    }

    /// Less up to a fifth, so that several mailers don't come back at once.
    fn extend(&self, state: &mut State) {
        let factor = 1_u32.checked_shl(state.rests).unwrap_or(LONGEST).min(LONGEST);
        let whole = self.first.saturating_mul(factor);
        let mut byte = [0];
        self.random.fill(&mut byte);
        state.until = Some(Instant::now() + whole - whole * u32::from(byte[0]) / (5 * 255));
        state.rests = state.rests.saturating_add(1);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Always(u8);

    impl RandomSource for Always {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(self.0);
        }
    }

    fn rest(byte: u8) -> Rest {
        Rest::new(FIRST_REST, Arc::new(Always(byte)))
    }

    #[tokio::test(start_paused = true)]
    async fn each_rest_is_longer_up_to_a_quarter_of_an_hour_and_one_mail_probes() {
        for (byte, fifths) in [(0, 5), (255, 4)] {
            let rest = rest(byte);
            assert_eq!(rest.turn(), Turn::Use);
            assert!(rest.begin());
            for minutes in [1, 2, 4, 8, 15, 15] {
                assert!(!rest.begin(), "the mails that were on their way prolong nothing");
                let whole = FIRST_REST * minutes * fifths / 5;
                let instant = Duration::from_millis(1);
                tokio::time::advance(whole.checked_sub(instant).unwrap()).await;
                assert_eq!(rest.turn(), Turn::Pass, "{minutes} min");
                tokio::time::advance(instant).await;
                assert_eq!((rest.turn(), rest.turn()), (Turn::Probe, Turn::Pass), "{minutes} min");
            }
            assert!(rest.end());
            assert_eq!((rest.turn(), rest.end()), (Turn::Use, false));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_third_stumble_in_a_row_begins_a_rest() {
        let rest = rest(0);
        assert!(!rest.stumble() && !rest.stumble());
        rest.end();
        assert!(!rest.stumble() && !rest.stumble());
        assert_eq!(rest.turn(), Turn::Use);
        assert!(rest.stumble());
        assert_eq!(rest.turn(), Turn::Pass);
    }
}
