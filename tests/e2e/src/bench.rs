//! What the measurements of `make bench` share. Figures are printed, and none is asserted: they depend on the machine and on what else it does.

use std::{fs, time::Duration};

use tokio::time::sleep;

use crate::{process::Program, stack::Stack};

/// Per second, and microseconds of processor time of the measured program for each.
pub type Run = [f64; 2];

/// Microseconds per tick in `/proc/PID/stat`.
const TICK: f64 = 1e4;

/// Three kinds of runs, in a different order in each round, so that each comes first, second and third.
pub fn orders(rounds: usize) -> impl Iterator<Item = [usize; 3]> {
    let orders = [[0, 1, 2], [1, 2, 0], [2, 0, 1], [0, 2, 1], [2, 1, 0], [1, 0, 2]];
    orders.into_iter().cycle().take(rounds)
}

/// Waits until no event is left to publish.
pub async fn all_published(stack: &Stack) {
    let waiting = "SELECT id FROM events WHERE published_at IS NULL AND dead_at IS NULL LIMIT 1";
    while !stack.texts(waiting).await.is_empty() {
        sleep(Duration::from_millis(20)).await;
    }
}

/// Returns the processor time that a program has used so far, in microseconds.
#[must_use]
pub fn processor_time(program: &Program) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", program.pid())).unwrap();
    // The first of these fields is the third of the file: see proc(5).
    let fields = stat.rsplit_once(") ").unwrap().1.split(' ').skip(11).take(2);
    fields.map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() * TICK
}

/// Prints runs with `feature`, without it, and without it again: the control, which shows how much the figures differ by chance.
pub fn report(what: &str, feature: &str, runs: &[Vec<Run>; 3]) {
    let rounds = runs[0].len();
    println!("\n{what}, medians of {rounds} rounds; ratios of the same round, with their quartiles:");
    for (column, title) in ["per second", "processor µs"].into_iter().enumerate() {
        let values = runs.each_ref().map(|runs| runs.iter().map(|run| run[column]).collect::<Vec<_>>());
        let [with, without, again] = values.clone().map(|values| quartiles(values)[1]);
        println!("{title:>14}: {with:.1} with {feature}, {without:.1} and {again:.1} without");
        let [with, without, again] = values;
        for (kind, over) in [("with/without", with), ("control", again)] {
            let ratios = over.iter().zip(&without).map(|(over, under)| over / under).collect();
            let [low, median, high] = quartiles(ratios);
            println!("{kind:>14}: {median:.3} ({low:.3} to {high:.3})");
        }
    }
}

/// The quartiles of values.
#[must_use]
pub fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| values[values.len() * quarter / 4])
}
