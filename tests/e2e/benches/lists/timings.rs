//! Durations of calls, as ratios of times taken in the same run.

use std::time::{Duration, Instant};

use rekey_core::{
    resets::ResetOrigin,
    resources::{
        CUSTOMER_PASSWORD_RESETS,
        catalog::Catalog,
        listing::{Listing, Page},
    },
};
use rekey_e2e::large_shop::LargeShop;
use rekey_testkit::seed;

/// The number of calls of each kind.
const CALLS: usize = 400;
/// The number of resets created for each set of indexes.
const CREATES: usize = 3_000;

/// Makes calls of each kind on the small shop and on the large one in turn.
pub async fn compare(small: &LargeShop, large: &LargeShop) {
    println!();
    for call in [Call::List, Call::ListAfter, Call::Retrieve, Call::Create] {
        let (mut of_small, mut of_large) = (Vec::new(), Vec::new());
        for n in 0..CALLS {
            of_small.push(call.time(small, n).await);
            of_large.push(call.time(large, n).await);
        }
        let (of_small, of_large) = (median(of_small), median(of_large));
        println!(
            "{call:?}: {:.3} ms on the small shop, {:.3} ms on the large one: {:.2} times as long",
            milliseconds(of_small),
            milliseconds(of_large),
            of_large.as_secs_f64() / of_small.as_secs_f64()
        );
    }
}

/// Measures what the indexes for lists cost when a reset is created: in turn on a shop with them, and on one with the indexes of
/// migration 0001.
pub async fn cost_of_indexes(ours: &LargeShop, resets: u32) {
    let first = LargeShop::with(resets).await;
    first.restore_first_indexes().await;
    let (mut of_ours, mut of_first) = (Vec::new(), Vec::new());
    for n in 0..CREATES {
        of_ours.push(Call::Create.time(ours, n).await);
        of_first.push(Call::Create.time(&first, n).await);
    }
    for (what, reduce) in [("median", median as fn(Vec<Duration>) -> Duration), ("mean", mean)] {
        let (ours, first) = (reduce(of_ours.clone()), reduce(of_first.clone()));
        println!(
            "Create, {what}: {:.3} ms with the indexes for lists, {:.3} ms with those of migration 0001: {:.2} times as long",
            milliseconds(ours),
            milliseconds(first),
            ours.as_secs_f64() / first.as_secs_f64()
        );
    }
}

#[derive(Debug, Clone, Copy)]
enum Call {
    /// The first numbered page, which counts the records.
    List,
    /// The first part of a list without a count.
    ListAfter,
    Retrieve,
    Create,
}

impl Call {
    async fn time(self, shop: &LargeShop, n: usize) -> Duration {
        let resets = &CUSTOMER_PASSWORD_RESETS;
        let began = Instant::now();
        match self {
            Self::List => {
                drop(shop.store.list(LargeShop::scope(), &Listing::first_page(resets)).await.unwrap());
            }
            Self::ListAfter => {
                let page = Page::After { cursor: None, size: Page::DEFAULT_SIZE };
                drop(
                    shop.store
                        .list(LargeShop::scope(), &Listing { page, ..Listing::first_page(resets) })
                        .await
                        .unwrap(),
                );
            }
            Self::Retrieve => {
                let id: String = format!("{:010}", n % 10 + 1).chars().rev().collect();
                let found = shop.store.find(LargeShop::scope(), resets, id.parse().unwrap()).await.unwrap();
                assert!(found.is_some());
            }
            Self::Create => {
                // The small shop has two customers.
                let address = format!("customer{}@example.com", n % 2 + 1);
                seed::reset(&shop.store, LargeShop::scope(), &address, ResetOrigin::Integration).await;
            }
        }
        began.elapsed()
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn mean(times: Vec<Duration>) -> Duration {
    let calls = u32::try_from(times.len()).unwrap();
    times.into_iter().sum::<Duration>() / calls
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
