//! The counts of rate limits.

use rekey_core::limits::{SLOT, WINDOW, WindowCounts, slot_start};
use time::Duration;

use super::{StoreUnderTest, at_once};
use crate::backdoor::Backdoor;
use crate::store::prelude::*;

pub async fn hits_add_up_in_their_window_and_in_no_other<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    for (window, hits, held) in [
        ("a", 1, 1),
        ("a", 2, 3),
        ("b", 1, 1),
        ("A", 1, 1),
        ("a ", 7, 7),
        ("a", -2, 1),
        ("a", 0, 1),
        ("b", 4, 5),
    ] {
        let counts = store.count_hits(window, &[hits]).await.unwrap();
        assert_eq!(total(&counts), held, "{window:?} {hits}");
        assert!(counts.slots.iter().all(|slot| slot.started_at == slot_start(slot.started_at)), "{counts:?}");
        let last = counts.slots.last().unwrap().started_at;
        assert_eq!(last, slot_start(counts.at), "the present slot is among them, and comes last");
    }
}

pub async fn each_of_many_hits_at_once_counts_those_before_it<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    // A slot may end meanwhile; a statement that started before its end is counted in it.
    for round in 0.. {
        let hits = (0..40).map(|_| {
            let store = store.clone();
            async move { store.count_hits(&format!("round {round}"), &[1]).await.unwrap() }
        });
        let tallies = at_once(hits).await;
        if tallies.iter().all(|counts| slot_start(counts.at) == slot_start(tallies[0].at)) {
            let mut totals: Vec<_> = tallies.iter().map(total).collect();
            totals.sort_unstable();
            assert_eq!(totals, (1..=40).collect::<Vec<_>>());
            break;
        }
        assert!(round < 10, "forty hits never fit into a slot of five seconds");
    }
}

pub async fn hits_leave_the_window_after_a_minute<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    for (window, by, left) in [
        ("fresh", SLOT, 3..=3),
        ("older", WINDOW - SLOT * 4, 3..=3),
        // Between a minute and a slot more, depending on the present's place in its slot: these are fading.
        ("fading", WINDOW, 0..=3),
        ("gone", WINDOW + SLOT, 0..=0),
        ("long gone", WINDOW * 60, 0..=0),
    ] {
        store.count_hits(window, &[3]).await.unwrap();
        age(backdoor, &format!("window_name = '{window}'"), by).await;
        let counts = store.count_hits(window, &[1]).await.unwrap();
        assert!(left.contains(&(counts.used(counts.at) - 1)), "{window}: {counts:?}");
        assert_eq!(counts.slots.len(), if total(&counts) == 1 { 1 } else { 2 }, "{window}: {counts:?}");
    }
}

pub async fn late_hits_are_added_to_the_slots_in_which_they_were_made<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    store.count_hits("a", &[5]).await.unwrap();
    let counted = store.count_hits("a", &[1, 0, 3, 0, 4]).await.unwrap();
    let again = store.count_hits("a", &[1, 0, 3]).await.unwrap();
    assert_eq!((total(&counted), total(&again)), (13, 17));
    assert!(again.slots.is_sorted_by(|one, other| one.started_at < other.started_at), "{again:?}");
    assert_eq!(again.slots[0].started_at, slot_start(counted.at) - SLOT * 4);
    assert_eq!(again.slots[0].hits, 4);
    assert_eq!(total(&store.count_hits("a", &[0]).await.unwrap()), 17);
}

pub async fn a_sweep_removes_slots_outside_every_window<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    for window in ["a", "b"] {
        store.count_hits(window, &[1]).await.unwrap();
    }
    age(backdoor, "true", WINDOW - SLOT * 2).await;
    assert_eq!(store.sweep_hits().await.unwrap(), 0);
    store.count_hits("b", &[1]).await.unwrap();
    age(backdoor, "true", SLOT * 5).await;
    assert_eq!(store.sweep_hits().await.unwrap(), 2);
    assert_eq!(backdoor.count("rate_limit_slots", "true").await, 1);
    assert_eq!(total(&store.count_hits("b", &[0]).await.unwrap()), 1);
}

fn total(counts: &WindowCounts) -> i64 {
    counts.slots.iter().map(|slot| slot.hits).sum()
}

async fn age(backdoor: &dyn Backdoor, condition: &str, by: Duration) {
    backdoor.age("rate_limit_slots", "started_at", condition, by).await;
}
