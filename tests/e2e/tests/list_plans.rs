//! What PostgreSQL does for lists, of a shop that is just large enough for it to plan as it does for a very large one; that
//! one is in `make bench`.
#![cfg(test)]

use rekey_e2e::large_shop::{LargeShop, Reading};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_read_ranges_of_indexes_wherever_they_begin() {
    let shop = LargeShop::with(20_000).await;
    let mut readings = shop.read_first_pages().await;
    readings.extend(shop.read_deep_pages().await);
    let faults: Vec<String> = readings.iter().filter_map(Reading::fault).collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
