//! A test whether two kinds of calls take the same time.

use std::{iter, time::Duration};

/// Returns the z of the Mann-Whitney rank sum of two samples that were taken in pairs: the distance of the first one's ranks from
/// the expected ones if the samples don't differ, in standard deviations. Times are hardly ever equal, so ties are not corrected.
///
/// The standard deviation is that of independent times or, if it is larger, that of the same pairs with each pair swapped at
/// random. So if [`random_swaps`] decided which of a pair is measured first, and the kinds don't differ, |z| is above 5 once in two
/// million runs on a quiet machine, and less than once in 100,000 runs whatever else the machine does (Hoeffding's inequality:
/// 2 e^-12.5).
///
/// # Panics
/// If the samples differ in size.
#[must_use]
pub fn rank_sum_z(first: &[Duration], second: &[Duration]) -> f64 {
    assert_eq!(first.len(), second.len(), "the samples come in pairs");
    let mut times: Vec<_> = first.iter().chain(second).zip(0..).collect();
    times.sort_unstable();
    let mut ranks = vec![0.0; times.len()];
    for ((_, index), rank) in times.into_iter().zip(1_u32..) {
        ranks[index] = f64::from(rank);
    }
    let (firsts, seconds) = ranks.split_at(first.len());
    let differences: Vec<f64> = firsts.iter().zip(seconds).map(|(first, second)| first - second).collect();
    let n = f64::from(u32::try_from(first.len()).expect("a sample fits into memory"));
    let independent = n * n * (2.0 * n + 1.0) / 12.0;
    let swapped = differences.iter().map(|difference| difference * difference).sum::<f64>() / 4.0;
    differences.iter().sum::<f64>() / 2.0 / independent.max(swapped).sqrt()
}

/// A seed with which both decisions come about equally often in any number of draws.
const SEED: u64 = 6;

/// Decides at random whether each pair is swapped: the same decisions in every run (`SplitMix64`), without a rhythm that a machine
/// could have too.
pub fn random_swaps() -> impl Iterator<Item = bool> {
    let states = iter::successors(Some(SEED), |state| Some(state.wrapping_add(0x9e37_79b9_7f4a_7c15)));
    states.skip(1).map(|state| {
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) & 1 == 1
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_samples_do_not_differ_and_shifted_ones_do() {
        let micros = |from: u64| (0..400).map(|n| Duration::from_micros(from + 2 * n)).collect::<Vec<_>>();
        assert!(rank_sum_z(&micros(0), &micros(1)).abs() < 0.1);
        assert!(rank_sum_z(&micros(0), &micros(200)) < -5.0);
        assert!(rank_sum_z(&micros(200), &micros(0)) > 5.0);
    }

    /// Times on a machine that interrupts every other call.
    #[test]
    fn random_order_spreads_a_rhythm_over_both() {
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for (swapped, n) in random_swaps().zip(0..2_000) {
            let [early, late] = [n, 10_000 + n].map(Duration::from_micros);
            let (one, other) = if swapped { (late, early) } else { (early, late) };
            first.push(one);
            second.push(other);
        }
        assert!(rank_sum_z(&first, &second).abs() < 1.0, "{}", rank_sum_z(&first, &second));
    }
}
