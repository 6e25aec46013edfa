//! Rate limits by a sliding window of a minute: the port to the counters, and the arithmetic.
//!
//! A window is counted in slots. A slot fades gradually, as if its hits were spread evenly over it, so that a caller who keeps exactly
//! to a limit is never rejected; a burst fades up to one slot too early or too late.

use async_trait::async_trait;
use time::{Duration, OffsetDateTime};

use crate::error::StoreError;

/// The length of a window: the vendor's limits are all by the minute (docs.commercelayer.io/core/rate-limits).
pub const WINDOW: Duration = Duration::MINUTE;
/// The resolution: a twelfth of a window.
pub const SLOT: Duration = Duration::seconds(5);

/// The port to the counters of all replicas. Counts are worthless after a minute, and may be lost.
#[async_trait]
pub trait RateLimits: Send + Sync + 'static {
    /// Adds hits to the named window, and returns the window's counts: of simultaneous calls, each sees those before it. The first number
    /// is added to the current slot, the next to the slot before it, and so on, as [`WindowCounts::by_age`] returns them; at least
    /// one. A negative number takes hits back.
    async fn count_hits(&self, window: &str, hits: &[i64]) -> Result<WindowCounts, StoreError>;

    /// Deletes slots that are older than a window. Returns how many.
    async fn sweep_hits(&self) -> Result<u64, StoreError>;
}

/// The counts of a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowCounts {
    /// The current time, by the clock of the slots.
    pub at: OffsetDateTime,
    /// The slots, oldest first; those without hits may be missing.
    pub slots: Vec<Slot>,
}

/// The hits in one [`SLOT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// When it began: a multiple of [`SLOT`] since 1970.
    pub started_at: OffsetDateTime,
    /// The number of hits; negative if more were taken back than added.
    pub hits: i64,
}

impl WindowCounts {
    /// A window without hits.
    #[must_use]
    pub fn empty(at: OffsetDateTime) -> Self {
        Self { at, slots: Vec::new() }
    }

    /// Returns the hits that count at that time, its own or a later one.
    #[must_use]
    pub fn used(&self, at: OffsetDateTime) -> u32 {
        let used: i64 = self.slots.iter().map(|slot| slot.remaining(at)).sum();
        u32::try_from(used.max(0)).unwrap_or(u32::MAX)
    }

    /// Returns how long after that time one more hit is within `limit` (at least 1), if there are no others; `None` if it already is.
    #[must_use]
    pub fn wait(&self, limit: u32, at: OffsetDateTime) -> Option<Duration> {
        if self.used(at) < limit {
            return None;
        }
        let counts = |slot: &&Slot| at < slot.fades_at() + SLOT;
        let total: i64 = self.slots.iter().filter(counts).map(|slot| slot.hits).sum();
        let mut excess = total - i64::from(limit) + 1;
        for slot in self.slots.iter().filter(counts) {
            if slot.hits >= excess {
                // Fading is rounded up: the last hit fades as soon as the one before it has.
                let share = (excess - 1).max(0) * micros(SLOT) / slot.hits.max(1) + 1;
                return Some(slot.fades_at() + Duration::microseconds(share) - at);
            }
            excess -= slot.hits;
        }
        Some(WINDOW)
    }

    /// Returns the hits by the age of their slot at that time: first those of the current slot, then those of the slot before it, and so
    /// on to the end of the window.
    #[must_use]
    pub fn by_age(&self, at: OffsetDateTime) -> Vec<i64> {
        let mut by_age = Vec::new();
        for slot in self.slots.iter().filter(|slot| at < slot.fades_at() + SLOT) {
            let age = (slot_start(at) - slot.started_at).whole_seconds() / SLOT.whole_seconds();
            let age = usize::try_from(age).unwrap_or(0);
            by_age.resize(by_age.len().max(age + 1), 0);
            if let Some(hits) = by_age.get_mut(age) {
                *hits += slot.hits;
            }
        }
        by_age
    }

    /// Adds hits to the slot of that time, its own or a later one.
    pub fn add(&mut self, hits: i64, at: OffsetDateTime) {
        let started_at = slot_start(at);
        match self.slots.last_mut() {
            Some(slot) if slot.started_at >= started_at => slot.hits += hits,
            _ => {
                self.slots.retain(|slot| at < slot.fades_at() + SLOT);
                self.slots.push(Slot { started_at, hits });
            }
        }
    }
}

impl Slot {
    fn fades_at(&self) -> OffsetDateTime {
        self.started_at + WINDOW
    }

    fn remaining(&self, at: OffsetDateTime) -> i64 {
        let left = (SLOT - (at - self.fades_at())).clamp(Duration::ZERO, SLOT);
        self.hits * micros(left) / micros(SLOT)
    }
}

/// Returns the start of the slot of that time.
#[must_use]
pub fn slot_start(at: OffsetDateTime) -> OffsetDateTime {
    let elapsed = at.unix_timestamp_nanos().rem_euclid(SLOT.whole_nanoseconds());
    at - Duration::nanoseconds(i64::try_from(elapsed).unwrap_or_default())
}

/// Returns microseconds; the durations here are at most a minute.
fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.whole_microseconds()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
