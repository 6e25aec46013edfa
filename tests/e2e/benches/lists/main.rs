//! Lists of a shop with 1,000,000 resets, on PostgreSQL: `make bench`.
//!
//! It asserts what must hold on any machine: no common list reads a whole table, and a page far down a list reads as much as the
//! first one. It also prints ratios of times taken in the same run.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a measurement that fails is to stop")]

mod timings;

use std::{env, time::Instant};

use rekey_e2e::large_shop::{LargeShop, Reading};

/// The number of resets, unless an argument sets it.
const RESETS: u32 = 1_000_000;

#[tokio::main]
async fn main() {
    let resets = env::args().find_map(|argument| argument.parse().ok()).unwrap_or(RESETS);
    let began = Instant::now();
    let (large, small) = (LargeShop::with(resets).await, LargeShop::with(10).await);
    println!("a shop with {resets} resets written in {:.0} s\n", began.elapsed().as_secs_f64());
    let mut readings = large.read_first_pages().await;
    readings.extend(large.read_counts().await);
    readings.extend(large.read_deep_pages().await);
    for reading in &readings {
        println!("{}: {}", reading.what, reading.plan);
    }
    timings::compare(&small, &large).await;
    timings::cost_of_indexes(&large, resets).await;
    let faults: Vec<String> = readings.iter().filter_map(Reading::fault).collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
