//! Lists of shops with ten to 1,000,000 resets, on PostgreSQL: `make bench`.
//!
//! It asserts what must hold on any machine: no common list of the largest reads a whole table, and a page far down a list reads as much as
//! the first one. It also measures times, in the same run.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a measurement that fails is to stop")]

mod timings;

use std::{env, time::Instant};

use rekey_e2e::{
    bench::{Figure, Report},
    large_shop::{LargeShop, Reading},
};

/// The number of resets of the largest shop, unless an argument sets it.
const RESETS: u32 = 1_000_000;

#[tokio::main]
async fn main() {
    let resets = env::args().find_map(|argument| argument.parse().ok()).unwrap_or(RESETS);
    let mut report = Report::new("lists", "Lists of shops with ten to 1,000,000 resets");
    let mut shops = Vec::new();
    for resets in [10, 1_000, 100_000] {
        shops.push((resets, LargeShop::with(resets).await));
    }
    let start = Instant::now();
    let large = LargeShop::with(resets).await;
    let what = format!("a shop with {resets} resets written");
    report.add(Figure::new(what, "s", vec![start.elapsed().as_secs_f64()]));
    let mut readings = large.read_first_pages().await;
    readings.extend(large.read_counts().await);
    readings.extend(large.read_deep_pages().await);
    for reading in &readings {
        println!("{}: {}", reading.what, reading.plan);
    }
    shops.push((resets, large));
    timings::compare(&shops, &mut report).await;
    timings::cost_of_indexes(&shops[shops.len() - 1].1, resets, &mut report).await;
    let faults: Vec<String> = readings.iter().filter_map(Reading::fault).collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    report.save();
}
