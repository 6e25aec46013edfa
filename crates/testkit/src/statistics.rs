//! Whether two kinds of call take the same time.

use std::time::Duration;

/// The z of the Mann-Whitney rank sum of two samples of equal size: how many standard deviations the first one's ranks
/// are from what they would be if the two did not differ. Times are hardly ever equal, so ties are not corrected for.
///
/// # Panics
/// When the samples differ in size.
#[must_use]
pub fn rank_sum_z(first: &[Duration], second: &[Duration]) -> f64 {
    assert_eq!(first.len(), second.len(), "the samples come in pairs");
    let of =
        |sample: &[Duration], is_first| sample.iter().map(move |time| (*time, is_first)).collect::<Vec<_>>();
    let mut times = [of(first, true), of(second, false)].concat();
    times.sort_unstable();
    let ranks = times.iter().zip(1_u32..).filter(|((_, is_first), _)| *is_first);
    let sum: f64 = ranks.map(|(_, rank)| f64::from(rank)).sum();
    let n = f64::from(u32::try_from(first.len()).expect("a sample fits into memory"));
    (sum - n * (2.0 * n + 1.0) / 2.0) / (n * n * (2.0 * n + 1.0) / 12.0).sqrt()
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
}
