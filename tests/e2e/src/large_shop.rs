//! A shop with very many resets on PostgreSQL, and the server's plans for lists of them.

mod fill;
mod plan;
mod usual;

use std::time::Duration;

use rekey_core::{
    resources::{
        catalog::Catalog,
        listing::{Cursor, Listing, Page},
    },
    scope::{Mode, Scope},
};
use rekey_sql::{Dialect, Select};
use rekey_store_postgres::PostgresStore;
use rekey_testkit::postgres::TestDatabase;
use sqlx::{Connection, PgConnection};

pub use self::{
    plan::{Plan, Planning},
    usual::{Usual, lists, orders},
};

/// The page that is compared with the first one, of [`Page::DEFAULT_SIZE`] records; the middle one of a shorter list.
const DEEP_PAGE: u32 = 10_000;

/// A shop on a database of its own.
pub struct LargeShop {
    pub store: PostgresStore,
    pub database: TestDatabase,
}

/// The plan for a list.
pub struct Reading {
    /// The list and the part that is read.
    pub what: String,
    pub plan: Plan,
    /// The maximum number of 8 KiB pages to touch.
    pub allowed: u64,
}

impl LargeShop {
    /// Creates a shop with that many resets.
    pub async fn with(resets: u32) -> Self {
        let database = TestDatabase::create().await;
        let store = PostgresStore::connect(&database.url(), 4, Duration::from_secs(30)).unwrap();
        store.migrate().await.unwrap();
        fill::fill(&database.url(), resets).await;
        Self { store, database }
    }

    /// The scope of the records.
    #[must_use]
    pub fn scope() -> Scope {
        Scope { organization: fill::ORGANIZATION.parse().unwrap(), mode: Mode::Live }
    }

    /// Replaces the indexes for lists by those of migration 0001.
    pub async fn restore_first_indexes(&self) {
        fill::restore_first_indexes(&self.database.url()).await;
    }

    /// Plans the first page of each common list.
    pub async fn read_first_pages(&self) -> Vec<Reading> {
        let page = |listing: &Listing| rekey_sql::page(Dialect::Postgres, Self::scope(), listing);
        self.read("page 1", &lists(), page).await
    }

    /// Plans the count of each common list, except those with most of a table's records: to count these, any server reads all.
    pub async fn read_counts(&self) -> Vec<Reading> {
        let count = |listing: &Listing| rekey_sql::count(Dialect::Postgres, Self::scope(), listing);
        let some: Vec<Usual> = lists().into_iter().filter(|list| !list.is_most).collect();
        self.read("count", &some, count).await
    }

    async fn read(&self, part: &str, lists: &[Usual], make: impl Fn(&Listing) -> Select) -> Vec<Reading> {
        let mut connection = self.connect().await;
        let mut readings = Vec::new();
        for Usual { name, listing, .. } in lists {
            // Filtered lists never get a generic plan.
            let both = [Planning::Custom, Planning::Generic];
            let plannings = if listing.filter.is_empty() { &both[..] } else { &both[..1] };
            for planning in plannings.iter().copied() {
                let plan = Plan::of(&mut connection, planning, make(listing)).await;
                readings.push(Reading { what: format!("{name}, {part}"), plan, allowed: u64::MAX });
            }
        }
        readings
    }

    /// Plans a page far down the list in each common order, found by its place. It may read three times as much as the first one.
    pub async fn read_deep_pages(&self) -> Vec<Reading> {
        let mut connection = self.connect().await;
        let mut readings = Vec::new();
        for Usual { name, listing, .. } in orders() {
            let (number, place) = self.deep_place(&listing).await;
            for planning in [Planning::Custom, Planning::Generic] {
                let mut read = async |cursor| {
                    let page = Page::After { cursor, size: Page::DEFAULT_SIZE };
                    let listing = Listing { page, ..listing.clone() };
                    let statement = rekey_sql::page(Dialect::Postgres, Self::scope(), &listing);
                    Plan::of(&mut connection, planning, statement).await
                };
                let (first, plan) = (read(None).await, read(Some(place.clone())).await);
                let what = format!("{name}, page {number} (page 1: {} buffers)", first.buffers);
                readings.push(Reading { what, plan, allowed: 3 * first.buffers });
            }
        }
        readings
    }

    /// Returns the number of a page far down a list, and the place where it starts.
    async fn deep_place(&self, listing: &Listing) -> (u32, Cursor) {
        let whole = self.store.list(Self::scope(), listing).await.unwrap().total.unwrap();
        let half = u32::try_from(whole).unwrap() / Page::DEFAULT_SIZE / 2;
        let number = DEEP_PAGE.min(half);
        let page = Page::Number { number: number - 1, size: Page::DEFAULT_SIZE };
        let before = self.store.list(Self::scope(), &Listing { page, ..listing.clone() }).await.unwrap();
        (number, Cursor::after(before.items.last().unwrap(), &listing.total_order()))
    }

    async fn connect(&self) -> PgConnection {
        let mut connection = PgConnection::connect(&self.database.url()).await.unwrap();
        // As in the store.
        let serial = "SET max_parallel_workers_per_gather = 0";
        sqlx::raw_sql(serial).execute(&mut connection).await.unwrap();
        connection
    }
}

impl Reading {
    /// Returns what is wrong with the plan, if anything.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        let Self { what, plan, allowed } = self;
        if plan.scans_a_table() {
            Some(format!("{what} reads a whole table: {plan}"))
        } else if plan.buffers > *allowed {
            Some(format!("{what} reads too much: {plan}"))
        } else {
            None
        }
    }
}
