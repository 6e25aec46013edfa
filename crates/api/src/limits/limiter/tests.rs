use std::{collections::HashMap, sync::Mutex as StdMutex};

use async_trait::async_trait;
use futures_util::{FutureExt, future::join_all};
use rekey_core::{
    error::StoreError,
    limits::{SLOT, Slot, slot_start},
};

use super::*;
use crate::limits::WithTimeout;

/// Replicas on one store. A test moves their clocks.
#[derive(Clone, Default)]
struct World(Arc<StdMutex<State>>);

#[derive(Default)]
struct State {
    elapsed: Duration,
    windows: HashMap<String, WindowCounts>,
    asked: u32,
    broken: bool,
    silent: bool,
}

/// The store's clock is hours ahead of the processes'.
const AHEAD: Duration = Duration::hours(3);

#[async_trait]
impl RateLimits for World {
    async fn count_hits(&self, window: &str, hits: &[i64]) -> Result<WindowCounts, StoreError> {
        if self.0.lock().unwrap().silent {
            std::future::pending::<()>().await;
        }
        let mut state = self.0.lock().unwrap();
        state.asked += 1;
        if state.broken {
            return Err(StoreError::Unavailable("gone".into()));
        }
        let at = OffsetDateTime::UNIX_EPOCH + AHEAD + state.elapsed;
        let counts = state.windows.entry(window.to_owned()).or_insert_with(|| WindowCounts::empty(at));
        for (age, hits) in (0..).zip(hits) {
            let started_at = slot_start(at) - SLOT * age;
            match counts.slots.iter_mut().find(|slot| slot.started_at == started_at) {
                Some(slot) => slot.hits += hits,
                None => counts.slots.push(Slot { started_at, hits: *hits }),
            }
        }
        counts.slots.retain(|slot| slot.started_at >= slot_start(at) - WINDOW);
        counts.slots.sort_unstable_by_key(|slot| slot.started_at);
        counts.at = at;
        Ok(counts.clone())
    }

    async fn sweep_hits(&self) -> Result<u64, StoreError> {
        Ok(0)
    }
}

impl Clock for World {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + self.0.lock().unwrap().elapsed
    }
}

impl World {
    fn replica(&self) -> Limiter {
        Limiter::new(Arc::new(self.clone()), Arc::new(self.clone()))
    }

    fn forward(&self, by: Duration) {
        self.0.lock().unwrap().elapsed += by;
    }

    /// Returns how often the store was asked since the last call.
    fn asked(&self) -> u32 {
        std::mem::take(&mut self.0.lock().unwrap().asked)
    }

    fn set_broken(&self, broken: bool) {
        self.0.lock().unwrap().broken = broken;
    }
}

/// Returns how many of the calls are let in, one after the other, by the replicas in turn.
async fn admitted(replicas: &[Limiter], limit: u32, calls: u32) -> u32 {
    let mut admitted = 0;
    for call in 0..calls {
        let status = replicas[call as usize % replicas.len()].take("window", limit).await;
        admitted += u32::from(status.wait.is_none());
    }
    admitted
}

#[tokio::test]
async fn replicas_share_a_limit() {
    for limit in [1, 2, 5, 30, 100, 200, 6000] {
        for count in 1..=4 {
            let world = World::default();
            let replicas: Vec<_> = (0..count).map(|_| world.replica()).collect();
            assert_eq!(admitted(&replicas, limit, limit * 2).await, limit, "{limit}, {count} replicas");
        }
    }
}

#[tokio::test]
async fn a_replica_that_comes_late_finds_the_limit_used_up() {
    let world = World::default();
    assert_eq!(admitted(&[world.replica()], 200, 200).await, 200);
    assert_eq!(admitted(&[world.replica()], 200, 50).await, 0);
}

#[tokio::test]
async fn replicas_that_count_by_themselves_let_through_a_tenth_more_at_most() {
    for limit in [30_u32, 200, 6000] {
        let world = World::default();
        let (early, late) = (world.replica(), world.replica());
        let mut together = admitted(std::slice::from_ref(&early), limit, 1).await;
        together += admitted(std::slice::from_ref(&late), limit, limit * 2).await;
        // It still uses the first counts.
        together += admitted(std::slice::from_ref(&early), limit, limit * 2).await;
        assert!((limit..=limit + limit / SHARE).contains(&together), "{together} of {limit}");
    }
}

#[tokio::test]
async fn most_calls_ask_no_store_and_small_limits_are_exact() {
    for (limit, most) in [(5, 5), (30, 26), (100, 40), (200, 50), (6000, 85)] {
        let world = World::default();
        assert_eq!(admitted(&[world.replica()], limit, limit).await, limit);
        let asked = world.asked();
        assert!(asked <= most, "{asked} of {limit}");
    }
}

#[tokio::test]
async fn a_flood_over_the_limit_asks_no_store() {
    let world = World::default();
    let (one, other) = (world.replica(), world.replica());
    assert_eq!(admitted(std::slice::from_ref(&one), 100, 100).await, 100);
    world.asked();
    assert_eq!(admitted(std::slice::from_ref(&one), 100, 10_000).await, 0);
    assert_eq!(world.asked(), 0);
    // The other replica asks once, and takes its own hit back.
    assert_eq!(admitted(std::slice::from_ref(&other), 100, 10_000).await, 0);
    assert_eq!(world.asked(), 2);
    assert_eq!(world.count_hits("window", &[0]).await.unwrap().slots[0].hits, 100);
}

#[tokio::test]
async fn the_announced_wait_is_right_for_every_replica() {
    let world = World::default();
    let replicas = [world.replica(), world.replica()];
    for limit in [1, 5, 30] {
        world.forward(Duration::hours(1));
        assert_eq!(admitted(&replicas, limit, limit * 3).await, limit);
        for replica in &replicas {
            let wait = replica.take("window", limit).await.wait.unwrap();
            assert!(wait <= WINDOW + SLOT, "{wait}");
            world.forward(wait - Duration::milliseconds(1));
            assert!(replica.take("window", limit).await.wait.is_some(), "{limit}: before it is over");
            world.forward(Duration::milliseconds(1));
            assert_eq!(replica.take("window", limit).await.wait, None, "{limit}");
        }
    }
}

#[tokio::test]
async fn the_remaining_requests_are_reported() {
    let world = World::default();
    let replica = world.replica();
    for remaining in (0..3).rev() {
        assert_eq!(replica.take("window", 3).await, RateLimitStatus { limit: 3, remaining, wait: None });
    }
    let refused = replica.take("window", 3).await;
    assert_eq!((refused.remaining, refused.wait.is_some()), (0, true));
    assert_eq!(replica.take("another", 3).await.remaining, 2);
}

#[tokio::test]
async fn without_a_store_each_process_counts_for_itself() {
    let world = World::default();
    let replica = world.replica();
    world.set_broken(true);
    assert_eq!(admitted(std::slice::from_ref(&replica), 30, 300).await, 30);
    assert_eq!(world.asked(), 1, "a store that failed is left alone for a while");
    world.forward(BACKOFF);
    assert_eq!(replica.take("another", 30).await.wait, None);
    assert_eq!(world.asked(), 1);

    // A recovered store gets the hits that it has missed.
    world.set_broken(false);
    world.forward(BACKOFF);
    assert_eq!(replica.take("another", 30).await.wait, None);
    assert_eq!(world.count_hits("another", &[0]).await.unwrap().slots[0].hits, 2);
}

/// B15.
#[tokio::test]
async fn what_was_let_in_during_an_outage_ages_as_usual() {
    for (limit, per_minute, count) in
        [(200, 100, 1), (200, 200, 1), (200, 100, 2), (30, 28, 3), (5, 5, 1), (5, 4, 2), (1, 1, 1)]
    {
        let world = World::default();
        world.forward(Duration::milliseconds(1234));
        let replicas: Vec<_> = (0..count).map(|_| world.replica()).collect();
        let mut call = 0;
        // The store answers for a minute, is away for 150 s, and answers again.
        for (is_away, seconds) in [(false, 60), (true, 150), (false, 150)] {
            world.set_broken(is_away);
            for _ in 0..seconds * per_minute / 60 {
                let status = replicas[call % count].take("window", limit).await;
                assert_eq!(status.wait, None, "{per_minute} a minute of {limit}, {count} replicas: {call}");
                call += 1;
                world.forward(WINDOW / per_minute);
            }
        }
    }
}

#[tokio::test]
async fn the_last_minute_of_an_outage_counts_for_all_replicas() {
    let world = World::default();
    let (one, other) = (world.replica(), world.replica());
    world.set_broken(true);
    for _ in 0..10 {
        assert_eq!(admitted(std::slice::from_ref(&one), 36, 9).await, 9);
        world.forward(WINDOW / 3);
    }
    world.set_broken(false);
    assert_eq!(admitted(std::slice::from_ref(&one), 36, 1).await, 1);
    // Nine calls each were made 60, 40 and 20 seconds ago.
    assert_eq!(admitted(std::slice::from_ref(&other), 36, 36).await, 8);
    world.forward(SLOT);
    assert_eq!(admitted(&[other, one], 36, 36).await, 9);
}

#[tokio::test]
async fn of_many_calls_at_once_no_more_than_the_limit_get_through() {
    let world = World::default();
    let replicas = [world.replica(), world.replica()];
    let calls = (0..200).map(|n| replicas[n % 2].take("window", 10));
    let admitted = join_all(calls).await.iter().filter(|status| status.wait.is_none()).count();
    assert_eq!(admitted, 10);
}

#[tokio::test]
async fn who_hangs_up_before_the_store_answers_is_counted_all_the_same() {
    let world = World::default();
    let replica = world.replica();
    world.0.lock().unwrap().silent = true;
    for _ in 0..5 {
        assert!(replica.take("window", 5).now_or_never().is_none(), "it waits for the store");
    }
    let refused = replica.take("window", 5).now_or_never().expect("it asks nobody");
    assert!(refused.wait.is_some());
}

/// The paused clock advances by itself to the next timer.
#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_holds_nobody_up_for_long() {
    let world = World::default();
    let replica = Limiter::new(Arc::new(WithTimeout::new(Arc::new(world.clone()))), Arc::new(world.clone()));
    world.0.lock().unwrap().silent = true;
    let began = tokio::time::Instant::now();
    assert!(replica.take("window", 5).await.wait.is_none());
    let waited = began.elapsed();
    assert!(!waited.is_zero());
    assert_eq!(admitted(std::slice::from_ref(&replica), 5, 100).await, 4);
    assert_eq!(began.elapsed(), waited, "only the first one waits");
}

#[tokio::test]
async fn a_clock_that_is_set_back_harms_nobody() {
    let world = World::default();
    let replica = world.replica();
    replica.take("window", 5).await;
    world.0.lock().unwrap().elapsed = Duration::hours(-1);
    for _ in 0..4 {
        assert_eq!(replica.take("window", 5).await.wait, None);
    }
}
