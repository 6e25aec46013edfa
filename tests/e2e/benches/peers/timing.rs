//! The time that tells known from unknown addresses.

use std::time::{Duration, Instant};

use rekey_e2e::bench::{Figure, Report, median, milliseconds};
use rekey_testkit::statistics::{random_swaps, rank_sum_z};
use tokio::time::sleep;

use crate::service::{KNOWN, Service, UNKNOWN};

/// Pairs of requests in a round, one for a known address and one for an unknown one.
const PAIRS: usize = 200;
/// The pause after a request, in which its mail is sent: only the answer to the request itself is to differ.
const PAUSE: Duration = Duration::from_millis(30);

/// Times for known addresses, and for unknown ones.
pub type Times = [Vec<Duration>; 2];

/// Measures pairs of requests, one request after the other, the services in turn. The order in a pair is random.
pub async fn measure<const N: usize>(services: &[Service; N]) -> [Times; N] {
    let mut times = [const { [Vec::new(), Vec::new()] }; N];
    for (number, is_swapped) in (1..=PAIRS).zip(random_swaps()) {
        for (service, times) in services.iter().zip(&mut times) {
            let [known, unknown] = times;
            let mut pair = [(KNOWN, known), (UNKNOWN, unknown)];
            if is_swapped {
                pair.reverse();
            }
            for (kind, times) in pair {
                let start = Instant::now();
                service.send(kind, number).await;
                times.push(start.elapsed());
                sleep(PAUSE).await;
            }
        }
    }
    times
}

pub fn add(report: &mut Report, name: &str, rounds: &[Times]) {
    let all = |kind: usize| rounds.iter().flat_map(|times| times[kind].clone()).collect::<Vec<_>>();
    let [known, unknown] = [all(0), all(1)];
    let difference = |times: &Times| {
        let [known, unknown] = times.clone().map(|times| median(&milliseconds(times)));
        known - unknown
    };
    let z = rank_sum_z(&known, &unknown);
    let p = libm::erfc(z.abs() / std::f64::consts::SQRT_2);
    let differences = rounds.iter().map(difference).collect();
    let note = format!("rank sum test of {} pairs: z = {z:.1}, p = {p:.1e}", known.len());
    let what = format!("{name}: how much longer the answer for a known address takes, by the medians");
    report.add(Figure::new(what, "ms", differences).note(note));
    let slower = |[known, unknown]: &Times| {
        let slower = known.iter().zip(unknown).filter(|(known, unknown)| known > unknown).count();
        let [slower, all] = [slower, known.len()].map(|count| f64::from(u32::try_from(count).unwrap()));
        100.0 * slower / all
    };
    let what = format!("{name}: pairs in which the answer for the known address took longer");
    report.add(Figure::new(what, "%", rounds.iter().map(slower).collect()));
    for (kind, times) in [("known", known), ("unknown", unknown)] {
        report.add_sample(&format!("{name}, {kind}"), &milliseconds(times));
    }
}
