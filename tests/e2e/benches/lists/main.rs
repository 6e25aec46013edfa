//! Lists of a shop with 1,000,000 resets, on PostgreSQL: `make bench`.
//!
//! It asserts what must hold on any machine: no list of the usual kinds reads a table from its beginning, and a page far down
//! a list reads as much as the first one. What it prints besides are ratios, of times taken in the same run.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a measurement that fails is to stop")]

mod fill;
mod plan;
mod timings;
mod usual;

use std::{
    env,
    time::{Duration, Instant},
};

use rekey_core::{
    catalog::Catalog,
    listing::{Cursor, Listing, Page},
};
use rekey_sql::Dialect;
use rekey_store_postgres::PostgresStore;
use rekey_testkit::postgres::TestDatabase;
use sqlx::{Connection, PgConnection};

use self::{
    fill::{fill, scope},
    plan::{Plan, Planning},
};

/// Resets of the shop, unless a number is given as an argument.
const RESETS: u32 = 1_000_000;
/// The page that is compared with the first one, of [`Page::DEFAULT_SIZE`] records: the last but few.
const DEEP_PAGE: u32 = 10_000;

/// A migrated database of its own.
struct Shop {
    store: PostgresStore,
    database: TestDatabase,
}

#[tokio::main]
async fn main() {
    let resets = env::args().find_map(|argument| argument.parse().ok()).unwrap_or(RESETS);
    let began = Instant::now();
    let (large, small) = (Shop::with(resets).await, Shop::with(10).await);
    println!("a shop with {resets} resets written in {:.0} s\n", began.elapsed().as_secs_f64());
    no_list_reads_a_whole_table(&large).await;
    a_deep_page_reads_as_much_as_the_first(&large, resets).await;
    timings::compare(&small, &large).await;
    timings::cost_of_indexes(&large).await;
}

impl Shop {
    async fn with(resets: u32) -> Self {
        let database = TestDatabase::create().await;
        let store = PostgresStore::connect(&database.url(), 4, Duration::from_secs(30)).unwrap();
        store.migrate().await.unwrap();
        fill(&database.url(), resets).await;
        Self { store, database }
    }

    async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.database.url()).await.unwrap()
    }
}

async fn no_list_reads_a_whole_table(shop: &Shop) {
    let mut connection = shop.connect().await;
    for (name, listing) in usual::lists() {
        for planning in [Planning::Custom, Planning::Generic] {
            let statements = [
                ("page", rekey_sql::page(Dialect::Postgres, scope(), &listing)),
                ("count", rekey_sql::count(Dialect::Postgres, scope(), &listing)),
            ];
            for (what, statement) in statements {
                let plan = Plan::of(&mut connection, planning, statement).await;
                println!(
                    "{name}, {what} ({planning:?}, {} buffers): {}",
                    plan.buffers,
                    plan.nodes.join(" < ")
                );
                assert!(!plan.scans_a_table(), "{name}, {what}: {plan:?}");
            }
        }
    }
}

async fn a_deep_page_reads_as_much_as_the_first(shop: &Shop, resets: u32) {
    println!();
    let mut connection = shop.connect().await;
    let number = DEEP_PAGE.min(resets / Page::DEFAULT_SIZE / 2);
    for (name, listing) in usual::orders() {
        let page = Page::Number { number: number - 1, size: Page::DEFAULT_SIZE };
        let before = shop.store.list(scope(), &Listing { page, ..listing.clone() }).await.unwrap();
        let place = Cursor::after(before.items.last().unwrap(), &listing.total_order());
        let mut read = async |cursor, planning| {
            let page = Page::After { cursor, size: Page::DEFAULT_SIZE };
            let statement = rekey_sql::page(Dialect::Postgres, scope(), &Listing { page, ..listing.clone() });
            Plan::of(&mut connection, planning, statement).await
        };
        for planning in [Planning::Custom, Planning::Generic] {
            let (first, deep) = (read(None, planning).await, read(Some(place.clone()), planning).await);
            println!(
                "{name}: page 1 reads {} buffers, page {number} {} ({planning:?}: {})",
                first.buffers,
                deep.buffers,
                deep.nodes.join(" < ")
            );
            assert!(!deep.scans_a_table() && deep.buffers <= 3 * first.buffers, "{name}: {deep:?}");
        }
    }
}
