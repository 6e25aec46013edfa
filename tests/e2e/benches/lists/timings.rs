//! Durations of calls.

use std::time::{Duration, Instant};

use rekey_core::{
    resets::ResetOrigin,
    resources::{
        CUSTOMER_PASSWORD_RESETS,
        catalog::Catalog,
        listing::{Listing, Page},
    },
};
use rekey_e2e::{
    bench::{Figure, Report, median, milliseconds},
    large_shop::LargeShop,
};
use rekey_testkit::seed;

/// The number of calls of each kind.
const CALLS: usize = 400;
/// The number of resets created for each set of indexes.
const CREATES: usize = 3_000;

/// Makes calls of each kind on all shops in turn: the first one is the one that the others are compared with.
pub async fn compare(shops: &[(u32, LargeShop)], report: &mut Report) {
    for call in [Call::List, Call::ListAfter, Call::Retrieve, Call::Create] {
        let mut times = vec![Vec::new(); shops.len()];
        for n in 0..CALLS {
            for ((_, shop), times) in shops.iter().zip(&mut times) {
                times.push(call.time(shop, n).await);
            }
        }
        let times: Vec<_> = times.into_iter().map(milliseconds).collect();
        for ((resets, _), times) in shops.iter().zip(&times) {
            let what = format!("{}: {resets} resets", call.name());
            report.add(Figure::new(what, "ms", times.clone()));
        }
        let (largest, last) = (shops[shops.len() - 1].0, &times[times.len() - 1]);
        let what = format!("{}: {largest} resets next to {}", call.name(), shops[0].0);
        report.add(Figure::new(what, "times", vec![median(last) / median(&times[0])]));
    }
}

/// Measures what the indexes for lists cost when a reset is created: in turn on a shop with them, and on one with the indexes of
/// migration 0001.
pub async fn cost_of_indexes(ours: &LargeShop, resets: u32, report: &mut Report) {
    let first = LargeShop::with(resets).await;
    first.restore_first_indexes().await;
    let (mut of_ours, mut of_first) = (Vec::new(), Vec::new());
    for n in 0..CREATES {
        of_ours.push(Call::Create.time(ours, n).await);
        of_first.push(Call::Create.time(&first, n).await);
    }
    let (ours, first) = (milliseconds(of_ours), milliseconds(of_first));
    let mean = |times: &[f64]| times.iter().sum::<f64>();
    for (what, ratio) in [("median", median(&ours) / median(&first)), ("mean", mean(&ours) / mean(&first))] {
        let what =
            format!("creating a reset, with the indexes for lists next to those of migration 0001: {what}");
        report.add(Figure::new(what, "times", vec![ratio]));
    }
}

#[derive(Clone, Copy)]
enum Call {
    /// The first numbered page, which counts the records.
    List,
    /// The first part of a list without a count.
    ListAfter,
    Retrieve,
    Create,
}

impl Call {
    fn name(self) -> &'static str {
        match self {
            Self::List => "the first numbered page, with the count",
            Self::ListAfter => "the first page by cursor",
            Self::Retrieve => "one reset",
            Self::Create => "creating a reset",
        }
    }

    async fn time(self, shop: &LargeShop, n: usize) -> Duration {
        let resets = &CUSTOMER_PASSWORD_RESETS;
        let start = Instant::now();
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
        start.elapsed()
    }
}
