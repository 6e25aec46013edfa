//! Rate limits: how much somebody does in a minute that slides. The port to where it is counted, and the arithmetic.
//!
//! A window is counted in slots. A slot is forgotten bit by bit, as if its hits had been spread evenly over it, so that a
//! caller who keeps exactly to a limit is never refused; a burst is forgotten up to one slot too early or too late.

use async_trait::async_trait;
use time::{Duration, OffsetDateTime};

use crate::error::StoreError;

/// How far back a window reaches: the vendor's limits are all by the minute (docs.commercelayer.io/core/rate-limits).
pub const WINDOW: Duration = Duration::MINUTE;
/// The finest that is told apart: a twelfth of a window.
pub const SLOT: Duration = Duration::seconds(5);

/// Where hits are counted, for all replicas together. What is counted is worth nothing after a minute, and may be lost.
#[async_trait]
pub trait RateLimits: Send + Sync + 'static {
    /// Adds hits to the present slot of the window of that name, and tells what the window then holds: of several calls at
    /// once, each is told of those before it. A negative number takes hits back.
    async fn count_hits(&self, window: &str, hits: i64) -> Result<WindowCounts, StoreError>;

    /// Forgets what no window reaches any more; returns how many slots that were.
    async fn sweep_hits(&self) -> Result<u64, StoreError>;
}

/// What a window holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowCounts {
    /// The present, by the clock that the slots go by.
    pub at: OffsetDateTime,
    /// Its slots, oldest first; those without hits may be missing.
    pub slots: Vec<Slot>,
}

/// The hits of [`SLOT`] from a certain time on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// When it began: a multiple of [`SLOT`] since 1970.
    pub started_at: OffsetDateTime,
    /// How many; negative where more were taken back than added.
    pub hits: i64,
}

impl WindowCounts {
    /// A window without hits.
    #[must_use]
    pub fn empty(at: OffsetDateTime) -> Self {
        Self { at, slots: Vec::new() }
    }

    /// Hits that still count at that time, its own or a later one.
    #[must_use]
    pub fn used(&self, at: OffsetDateTime) -> u32 {
        let used: i64 = self.slots.iter().map(|slot| slot.remembered(at)).sum();
        u32::try_from(used.max(0)).unwrap_or(u32::MAX)
    }

    /// How long after that time one hit more is within `limit` (1 or more), if nobody else comes first; `None`: at once.
    #[must_use]
    pub fn wait(&self, limit: u32, at: OffsetDateTime) -> Option<Duration> {
        if self.used(at) < limit {
            return None;
        }
        let alive = |slot: &&Slot| at < slot.fades_at() + SLOT;
        let total: i64 = self.slots.iter().filter(alive).map(|slot| slot.hits).sum();
        let mut excess = total - i64::from(limit) + 1;
        for slot in self.slots.iter().filter(alive) {
            if slot.hits >= excess {
                // Forgetting is rounded up: the last one of them goes as soon as the one before it is gone.
                let share = (excess - 1).max(0) * micros(SLOT) / slot.hits.max(1) + 1;
                return Some(slot.fades_at() + Duration::microseconds(share) - at);
            }
            excess -= slot.hits;
        }
        Some(WINDOW)
    }

    /// Adds hits to the slot of that time, its own or a later one.
    pub fn add(&mut self, hits: i64, at: OffsetDateTime) {
        let started_at = slot_of(at);
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

    fn remembered(&self, at: OffsetDateTime) -> i64 {
        let left = (SLOT - (at - self.fades_at())).clamp(Duration::ZERO, SLOT);
        self.hits * micros(left) / micros(SLOT)
    }
}

/// When the slot of that time began.
#[must_use]
pub fn slot_of(at: OffsetDateTime) -> OffsetDateTime {
    let into = at.unix_timestamp_nanos().rem_euclid(SLOT.whole_nanoseconds());
    at - Duration::nanoseconds(i64::try_from(into).unwrap_or_default())
}

/// Microseconds; the durations here are of a minute at most.
fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.whole_microseconds()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
