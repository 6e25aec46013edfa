//! Counts in memory what needs no look at the store, and refuses from memory who is over a limit.

use std::{
    convert::Infallible,
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration as StdDuration,
};

use moka::future::Cache;
use rekey_core::{
    clock::{Clock, to_unix_microseconds},
    error::StoreError,
    limits::{RateLimits, WINDOW, WindowCounts},
};
use time::{Duration, OffsetDateTime};
use tokio::sync::Mutex;

/// How a caller stands with a limit after a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimitStatus {
    /// Calls in a window, at most.
    pub limit: u32,
    /// How many of them are left now.
    pub remaining: u32,
    /// How long to wait: the call is refused.
    pub wait: Option<Duration>,
}

/// Of what is left of a limit beyond [`EXACT`], a process counts a tenth by itself before it asks the store again. In the
/// worst case each other replica lets through so many too many; and three calls of four ask nobody, at 200 a minute.
const SHARE: u32 = 10;
/// The last calls before a limit, and the first of a small one, are all counted in the store.
const EXACT: u32 = 10;
/// How long a process goes by what the store told it. A caller who comes more rarely is counted in the store at each call.
const FRESH: Duration = Duration::seconds(5);
/// How long a store that failed is not asked again; each process counts for itself meanwhile.
const AWAY: Duration = Duration::SECOND;
/// Windows remembered, at most: some 30 MB. Those used most stay.
const CAPACITY: u64 = 50_000;

/// The windows of this process, on top of those in the store.
pub struct Limiter {
    store: Arc<dyn RateLimits>,
    clock: Arc<dyn Clock>,
    windows: Cache<String, Arc<Mutex<Window>>>,
    /// Until when the store is not asked, in microseconds since 1970.
    away_until: AtomicI64,
}

/// What this process knows of a window.
struct Window {
    /// What the store told, and the hits since.
    tally: WindowCounts,
    /// When it told that, by this process's clock: the two clocks are never compared.
    told_at: OffsetDateTime,
    /// Hits that the store doesn't know of.
    untold: u32,
    /// How many there may be; 0 as long as the store told nothing.
    allowance: u32,
}

impl Limiter {
    pub fn new(store: Arc<dyn RateLimits>, clock: Arc<dyn Clock>) -> Self {
        let idle = StdDuration::try_from(WINDOW * 2).unwrap_or_default();
        let windows = Cache::builder().max_capacity(CAPACITY).time_to_idle(idle).build();
        Self { store, clock, windows, away_until: AtomicI64::new(0) }
    }

    /// Counts a call in that window, or refuses it. What is refused is not counted, so that the wait it is told is true.
    pub async fn take(&self, name: &str, limit: u32) -> RateLimitStatus {
        let new = async { Arc::new(Mutex::new(Window::new(self.clock.now()))) };
        let window = self.windows.get_with_by_ref(name, new).await;
        // One call at a time asks the store; those that come meanwhile go by what it is told.
        let mut window = window.lock().await;
        let now = self.clock.now();
        if let Some(refused) = window.refusal(limit, now) {
            return refused;
        }
        // Counted before anything is waited for: who hangs up meanwhile was here all the same.
        window.hit(now);
        if window.must_ask(now) && !self.is_away(now) {
            self.tell(name, &mut window, limit, now).await;
            if window.used(now) > limit {
                return self.take_back(name, &mut window, limit).await;
            }
        }
        RateLimitStatus { limit, remaining: limit.saturating_sub(window.used(now)), wait: None }
    }

    /// Clears the store of what is over, once a minute.
    pub async fn run_cleanup(&self) -> Infallible {
        let minute = StdDuration::try_from(WINDOW).unwrap_or_default();
        loop {
            tokio::time::sleep(minute).await;
            match self.store.sweep_hits().await {
                Ok(slots) => tracing::debug!(slots, "swept what rate limits had counted"),
                Err(error) => tracing::warn!(%error, "what rate limits have counted can't be swept"),
            }
        }
    }

    /// Tells the store what it doesn't know, and learns what it does.
    async fn tell(&self, name: &str, window: &mut Window, limit: u32, now: OffsetDateTime) {
        match self.store.count_hits(name, window.untold.into()).await {
            Ok(tally) => window.learn(tally, limit, self.clock.now()),
            Err(error) => self.stay_away(now, &error),
        }
    }

    /// Others had used the window up: the hit that told so was none.
    async fn take_back(&self, name: &str, window: &mut Window, limit: u32) -> RateLimitStatus {
        let now = self.clock.now();
        match self.store.count_hits(name, -1).await {
            Ok(tally) => window.learn(tally, limit, now),
            Err(error) => self.stay_away(now, &error),
        }
        window.refusal(limit, now).unwrap_or(RateLimitStatus {
            limit,
            remaining: 0,
            wait: Some(Duration::SECOND),
        })
    }

    fn is_away(&self, now: OffsetDateTime) -> bool {
        to_unix_microseconds(now) < self.away_until.load(Ordering::Relaxed)
    }

    fn stay_away(&self, now: OffsetDateTime, error: &StoreError) {
        self.away_until.store(to_unix_microseconds(now + AWAY), Ordering::Relaxed);
        let cause = error.source().map(ToString::to_string);
        tracing::warn!(%error, cause, "rate limits are counted by this process alone");
    }
}

impl Window {
    fn new(now: OffsetDateTime) -> Self {
        Self { tally: WindowCounts::empty(now), told_at: now, untold: 0, allowance: 0 }
    }

    /// What a caller is told that can't be let in.
    fn refusal(&self, limit: u32, now: OffsetDateTime) -> Option<RateLimitStatus> {
        let wait = self.tally.wait(limit, self.present(now))?;
        Some(RateLimitStatus { limit, remaining: 0, wait: Some(wait) })
    }

    fn used(&self, now: OffsetDateTime) -> u32 {
        self.tally.used(self.present(now))
    }

    fn hit(&mut self, now: OffsetDateTime) {
        self.tally.add(1, self.present(now));
        self.untold += 1;
    }

    fn must_ask(&self, now: OffsetDateTime) -> bool {
        self.untold > self.allowance || now - self.told_at > FRESH
    }

    fn learn(&mut self, tally: WindowCounts, limit: u32, now: OffsetDateTime) {
        let left = limit.saturating_sub(tally.used(tally.at));
        *self = Self { tally, told_at: now, untold: 0, allowance: left.saturating_sub(EXACT) / SHARE };
    }

    /// The present by the clock of the tally. This process's clock may have been set back.
    fn present(&self, now: OffsetDateTime) -> OffsetDateTime {
        self.tally.at + (now - self.told_at).max(Duration::ZERO)
    }
}

#[cfg(test)]
mod tests;
