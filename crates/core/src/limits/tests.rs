use super::*;

/// A time at which a slot begins.
const START: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

fn after(seconds: f64) -> OffsetDateTime {
    START + Duration::seconds_f64(seconds)
}

/// A window with these hits, each of a second and a number.
fn counts(hits: &[(f64, i64)]) -> WindowCounts {
    let mut counts = WindowCounts::empty(START);
    for (second, hits) in hits {
        counts.add(*hits, after(*second));
    }
    counts
}

#[test]
fn slots_begin_at_multiples_of_their_length() {
    for (second, start) in [(0.0, 0.0), (4.999, 0.0), (5.0, 5.0), (61.0, 60.0), (-0.5, -5.0)] {
        assert_eq!(slot_start(after(second)), after(start), "{second}");
    }
}

#[test]
fn a_slot_is_forgotten_bit_by_bit_after_a_minute() {
    let counts = counts(&[(0.0, 10), (4.0, 10), (30.0, 5)]);
    assert_eq!(counts.slots.len(), 2);
    for (second, used) in [(4.0, 25), (60.0, 25), (61.0, 21), (62.5, 15), (65.0, 5), (90.0, 5), (95.0, 0)] {
        assert_eq!(counts.used(after(second)), used, "{second}");
    }
}

#[test]
fn a_hit_does_not_end_what_still_counts() {
    let counts = counts(&[(0.0, 4), (57.0, 1), (62.5, 1)]);
    for (second, used) in [(62.5, 4), (65.0, 2)] {
        assert_eq!(counts.used(after(second)), used, "{second}");
    }
}

#[test]
fn who_keeps_to_the_limit_is_never_refused() {
    for limit in [1, 3, 30, 100, 200] {
        // The vendor's own clients pace themselves so.
        let pace = 60.0 / f64::from(limit);
        let mut counts = WindowCounts::empty(START);
        for n in 0..10 * limit {
            let at = after(f64::from(n) * pace + 1.234);
            assert_eq!(counts.wait(limit, at), None, "{limit} a minute, call {n}");
            counts.add(1, at);
        }
    }
}

#[test]
fn the_wait_is_exactly_as_long_as_it_must_be() {
    for (hits, limit, at) in [
        (&[(0.0, 5)][..], 5, 3.0),
        (&[(0.0, 5)], 1, 3.0),
        (&[(0.0, 9)], 5, 62.0),
        (&[(0.0, 1), (5.0, 1), (10.0, 1)], 3, 10.0),
        (&[(0.0, 100), (20.0, 3), (50.0, 120)], 200, 59.0),
        (&[(0.0, 100), (20.0, 3), (50.0, 120)], 100, 64.9),
        // One hit more than there was room for, and taken back in the next slot.
        (&[(0.0, 6), (5.0, -1)], 5, 7.0),
    ] {
        let (counts, at) = (counts(hits), after(at));
        let wait = counts.wait(limit, at).expect("the window is full");
        assert!(counts.used(at + wait) < limit, "{hits:?}: too short, {wait}");
        assert!(counts.used(at + wait - Duration::microseconds(2)) >= limit, "{hits:?}: too long, {wait}");
        assert_eq!(counts.wait(limit, at + wait), None);
    }
}

#[test]
fn what_is_over_does_not_pile_up() {
    let mut counts = WindowCounts::empty(START);
    for minute in 0..100 {
        counts.add(1, after(f64::from(minute) * 60.0));
        assert!(counts.slots.len() <= 2);
    }
}

#[test]
fn hits_are_counted_by_age_until_they_have_faded() {
    let counts = counts(&[(0.0, 7), (10.0, 2)]);
    assert_eq!(counts.by_age(after(11.0)), [2, 0, 7]);
    let oldest = counts.by_age(after(64.999));
    assert_eq!((oldest.len(), oldest[12], oldest[10]), (13, 7, 2));
    assert_eq!(counts.by_age(after(65.0)).len(), 12);
}
