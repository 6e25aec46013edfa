//! Counts most requests in memory and the rest in the store, and refuses callers over a limit from memory.

use std::{
    convert::Infallible,
    error::Error as _,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration as StdDuration,
};

use moka::future::Cache;
use rekey_core::{
    clock::{Clock, to_unix_microseconds},
    limits::{RateLimits, WINDOW, WindowCounts},
};
use time::{Duration, OffsetDateTime};
use tokio::sync::Mutex;

/// A limit after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimitStatus {
    /// The most requests in a window.
    pub limit: u32,
    /// How many of them are left now.
    pub remaining: u32,
    /// How long to wait, if the request is refused.
    pub wait: Option<Duration>,
}

/// A process counts a tenth of what is left of a limit, beyond [`EXACT`], in memory before it asks the store again. At worst each
/// other replica lets that many requests too many through. At 200 a minute, three requests of four don't ask the store.
const SHARE: u32 = 10;
/// The last calls before a limit, and the first of a small one, are all counted in the store.
const EXACT: u32 = 10;
/// How long a process uses what the store has returned. A caller that comes more rarely is counted in the store each time.
const FRESH: Duration = Duration::seconds(5);
/// How long a store that failed is not asked again. Meanwhile each process counts in memory.
const BACKOFF: Duration = Duration::SECOND;
/// The most windows in memory: some 30 MB. Those used most stay.
const CAPACITY: u64 = 50_000;

/// The windows of this process, on top of those in the store.
pub struct Limiter {
    store: Arc<dyn RateLimits>,
    clock: Arc<dyn Clock>,
    windows: Cache<String, Arc<Mutex<Window>>>,
    /// Until when the store is not asked after a failure, in microseconds since 1970.
    store_failed_until: AtomicI64,
}

/// A window as this process knows it.
struct Window {
    /// What the store returned, and the hits since.
    counts: WindowCounts,
    /// When the store returned that, by this process's clock: the two clocks are never compared.
    updated_at: OffsetDateTime,
    /// Hits that are not in the store. They age, too, so that an outage of the store isn't charged to the minute after it.
    pending: WindowCounts,
    /// How many pending hits there may be; 0 until the store has answered.
    max_pending_count: u32,
}

impl Limiter {
    pub fn new(store: Arc<dyn RateLimits>, clock: Arc<dyn Clock>) -> Self {
        let idle = StdDuration::try_from(WINDOW * 2).unwrap_or_default();
        let windows = Cache::builder().max_capacity(CAPACITY).time_to_idle(idle).build();
        Self { store, clock, windows, store_failed_until: AtomicI64::new(0) }
    }

    /// Counts a request in that window, or refuses it. A refused one is not counted, so that the wait it gets is right.
    pub async fn take(&self, name: &str, limit: u32) -> RateLimitStatus {
        let new = async { Arc::new(Mutex::new(Window::new(self.clock.now()))) };
        let window = self.windows.get_with_by_ref(name, new).await;
        // One request at a time asks the store; others wait for its answer.
        let mut window = window.lock().await;
        let now = self.clock.now();
        if let Some(refused) = window.refused(limit, now) {
            return refused;
        }
        // Counted before any wait, so that a caller that hangs up meanwhile is counted, too.
        window.hit(now);
        if window.must_sync(now) && !self.has_store_failed(now) {
            let pending = window.pending.by_age(window.store_time(now));
            self.sync(name, &mut window, limit, &pending).await;
            if window.used(now) > limit {
                // Other processes had used the window up: this hit is taken back.
                self.sync(name, &mut window, limit, &[-1]).await;
                let wait = Some(Duration::SECOND);
                let refused = window.refused(limit, self.clock.now());
                return refused.unwrap_or(RateLimitStatus { limit, remaining: 0, wait });
            }
        }
        RateLimitStatus { limit, remaining: limit.saturating_sub(window.used(now)), wait: None }
    }

    /// How long a request in that window would be refused, as far as this process knows. Counts nothing.
    pub async fn wait(&self, name: &str, limit: u32) -> Option<Duration> {
        let window = self.windows.get(name).await?;
        let window = window.lock().await;
        window.refused(limit, self.clock.now())?.wait
    }

    /// Deletes old counts from the store, once a minute.
    pub async fn run_cleanup(&self) -> Infallible {
        let minute = StdDuration::try_from(WINDOW).unwrap_or_default();
        loop {
            tokio::time::sleep(minute).await;
            match self.store.sweep_hits().await {
                Ok(slots) => tracing::debug!(slots, "deleted old rate limit counts"),
                Err(error) => tracing::warn!(%error, "deleting old rate limit counts failed"),
            }
        }
    }

    /// Adds hits to the store, and takes over its counts.
    async fn sync(&self, name: &str, window: &mut Window, limit: u32, hits: &[i64]) {
        let counted = self.store.count_hits(name, hits).await;
        let now = self.clock.now();
        match counted {
            Ok(counts) => window.update(counts, limit, now),
            Err(error) => {
                self.store_failed_until.store(to_unix_microseconds(now + BACKOFF), Ordering::Relaxed);
                let cause = error.source().map(ToString::to_string);
                tracing::warn!(%error, cause, "the store failed: this process counts rate limits in memory");
            }
        }
    }

    fn has_store_failed(&self, now: OffsetDateTime) -> bool {
        to_unix_microseconds(now) < self.store_failed_until.load(Ordering::Relaxed)
    }
}

impl Window {
    fn new(now: OffsetDateTime) -> Self {
        let empty = WindowCounts::empty(now);
        Self { counts: empty.clone(), updated_at: now, pending: empty, max_pending_count: 0 }
    }

    /// Returns the status of a request that can't be let in.
    fn refused(&self, limit: u32, now: OffsetDateTime) -> Option<RateLimitStatus> {
        let wait = self.counts.wait(limit, self.store_time(now))?;
        Some(RateLimitStatus { limit, remaining: 0, wait: Some(wait) })
    }

    fn used(&self, now: OffsetDateTime) -> u32 {
        self.counts.used(self.store_time(now))
    }

    fn hit(&mut self, now: OffsetDateTime) {
        let now = self.store_time(now);
        self.counts.add(1, now);
        self.pending.add(1, now);
    }

    fn must_sync(&self, now: OffsetDateTime) -> bool {
        let pending: i64 = self.pending.slots.iter().map(|slot| slot.hits).sum();
        pending > self.max_pending_count.into() || now - self.updated_at > FRESH
    }

    fn update(&mut self, counts: WindowCounts, limit: u32, now: OffsetDateTime) {
        let left = limit.saturating_sub(counts.used(counts.at));
        *self = Self {
            pending: WindowCounts::empty(counts.at),
            counts,
            updated_at: now,
            max_pending_count: left.saturating_sub(EXACT) / SHARE,
        };
    }

    /// Returns the present time by the store's clock. This process's clock may have been set back.
    fn store_time(&self, now: OffsetDateTime) -> OffsetDateTime {
        self.counts.at + (now - self.updated_at).max(Duration::ZERO)
    }
}

#[cfg(test)]
mod tests;
