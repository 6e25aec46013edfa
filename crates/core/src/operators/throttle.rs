use std::{
    hash::{BuildHasher, RandomState},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::OperatorName;

/// How many wrong passwords in a row cost no time.
const FREE_GUESSES: u32 = 5;
/// The longest delay. After [`FREE_GUESSES`] it is a second, and doubles with each wrong password up to this.
const MAX_DELAY: Duration = Duration::from_mins(15);
/// How long after a delay wrong passwords are forgotten.
const MEMORY: Duration = Duration::from_hours(1);
/// How many counters there are: with a few dozen operators, two names seldom share one.
const COUNTERS: usize = 1024;

/// Delays guesses at passwords, by name, whether there is such an operator or not. The counters are in memory: one process serves the
/// console, and a password has 142 bits. Names share a fixed number of counters by a keyed hash, so no number of names takes more memory.
#[derive(Debug)]
pub(super) struct Throttle {
    counters: Mutex<Vec<Counter>>,
    hashing: RandomState,
}

#[derive(Debug, Clone, Copy)]
struct Counter {
    wrong: u32,
    next_at: Instant,
}

impl Throttle {
    pub(super) fn new() -> Self {
        let none = Counter { wrong: 0, next_at: Instant::now() };
        Self { counters: Mutex::new(vec![none; COUNTERS]), hashing: RandomState::new() }
    }

    /// Returns how long the next guess has to wait, if it has to.
    pub(super) fn wait(&self, name: OperatorName) -> Option<Duration> {
        let wait = self.with(name, |counter| counter.next_at.saturating_duration_since(Instant::now()));
        wait.filter(|wait| !wait.is_zero())
    }

    /// Counts a wrong password.
    pub(super) fn record_wrong(&self, name: OperatorName) {
        self.with(name, |counter| {
            let now = Instant::now();
            let is_recent = now < counter.next_at + MEMORY;
            counter.wrong = if is_recent { counter.wrong.saturating_add(1) } else { 1 };
            counter.next_at = now + delay(counter.wrong);
        });
    }

    /// Zeroes the counter.
    pub(super) fn record_right(&self, name: OperatorName) {
        self.with(name, |counter| counter.wrong = 0);
    }

    fn with<T>(&self, name: OperatorName, change: impl FnOnce(&mut Counter) -> T) -> Option<T> {
        let place = usize::try_from(self.hashing.hash_one(name) % COUNTERS as u64).ok()?;
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        counters.get_mut(place).map(change)
    }
}

/// Returns the delay after that many wrong passwords in a row.
fn delay(wrong: u32) -> Duration {
    match wrong.checked_sub(FREE_GUESSES + 1) {
        None => Duration::ZERO,
        Some(doublings) => Duration::from_secs(1 << doublings.min(10)).min(MAX_DELAY),
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn delays_begin_after_five_wrong_passwords_and_double_up_to_15_minutes() {
        let throttle = Throttle::new();
        let anna = "anna".parse().unwrap();
        let mut waits = Vec::new();
        for _ in 0..18 {
            throttle.record_wrong(anna);
            let wait = throttle.wait(anna).unwrap_or_default();
            advance(wait).await;
            waits.push(wait.as_secs());
        }
        assert_eq!(waits, [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
        throttle.record_right(anna);
        throttle.record_wrong(anna);
        assert_eq!(throttle.wait(anna), None);

        (0..6).for_each(|_| throttle.record_wrong(anna));
        advance(throttle.wait(anna).unwrap() + MEMORY).await;
        throttle.record_wrong(anna);
        assert_eq!(throttle.wait(anna), None, "old ones are forgotten");
    }
}
