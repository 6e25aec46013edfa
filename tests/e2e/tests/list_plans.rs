//! PostgreSQL's plans for lists, on a shop that is just large enough for the plans of a very large one, which `make bench` has.
#![cfg(test)]

use rekey_e2e::large_shop::{LargeShop, Reading};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_read_ranges_of_indexes_from_any_place() {
    let shop = LargeShop::with(20_000).await;
    let mut readings = shop.read_first_pages().await;
    readings.extend(shop.read_deep_pages().await);
    let faults: Vec<String> = readings.iter().filter_map(Reading::fault).collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
