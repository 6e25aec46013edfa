//! Tests that SQLite, PostgreSQL and an evaluation in memory return the same lists.
#![cfg(test)]

mod listings;
mod report;

use std::{slice, sync::Arc, time::Duration};

use proptest::test_runner::{Config, TestCaseError, TestRunner};
use rekey_core::{
    clock::SystemClock,
    ids::RecordId,
    resources::{
        CUSTOMER_PASSWORD_RESETS, CUSTOMERS,
        catalog::Catalog,
        listing::{Cursor, Filter, Listed, Listing, Page, Path, Pattern, Test},
        record::{Record, Value},
    },
};
use rekey_store_postgres::PostgresStore;
use rekey_store_sqlite::SqliteStore;
use rekey_testkit::{
    backdoor::{PostgresBackdoor, SqliteBackdoor},
    evaluator::{KEYS, Sample, json_numbers},
    postgres::TestDatabase,
    seed,
};
use serde_json::{Map, json};
use tempfile::TempDir;

use self::{listings::Case, report::difference};

/// The number of compared lists unless `PROPTEST_CASES` is set. Each is read as a numbered page, as the first part, and from a
/// place on.
const CASES: u32 = 2_400;
/// The number of samples. Each has a scope of its own, so that no list may show the rows of others.
const SAMPLES: u8 = 3;

/// The two stores, each on a database of its own.
struct Stores {
    postgres: PostgresStore,
    sqlite: SqliteStore,
    _database: TestDatabase,
    _folder: TempDir,
}

#[test]
fn every_store_lists_the_same_records_in_the_same_order() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let samples: Vec<Sample> = (0..SAMPLES).map(Sample::new).collect();
    let stores = runtime.block_on(Stores::with(&samples));
    for sample in &samples {
        let config =
            Config { cases: cases() / u32::from(SAMPLES), failure_persistence: None, ..Config::default() };
        let outcome = TestRunner::new(config)
            .run(&listings::cases(sample), |case| runtime.block_on(check(&stores, sample, &case)));
        if let Err(error) = outcome {
            panic!("{error}");
        }
    }
}

#[tokio::test]
async fn every_store_finds_a_number_by_its_decimal_under_whatever_key() {
    let sample = Sample::new(SAMPLES);
    let stores = Stores::with(slice::from_ref(&sample)).await;
    let attribute = CUSTOMER_PASSWORD_RESETS.attribute("metadata").unwrap();
    let numbers =
        json_numbers().into_iter().flat_map(|number| [json!({"n": number}), json!({"n": [number]})]);
    for asked in numbers.chain(KEYS.iter().map(|key| json!({*key: {*key: 0.1}}))) {
        let Value::Object(object) = seed::object(&asked) else { unreachable!() };
        let filter = Filter::Test(Path { via: None, attribute }, Test::Contains(object));
        let page = Page::Number { number: 1, size: Page::MAX_SIZE };
        let listing = Listing { filter, page, ..Listing::first_page(&CUSTOMER_PASSWORD_RESETS) };
        let expected = sample.world.list(&listing);
        assert!(!expected.items.is_empty(), "{asked}");
        for (name, store) in stores.each() {
            let listed = store.list(sample.scope, &listing).await.unwrap();
            assert_eq!(summary(&listed), summary(&expected), "{name}: {asked}");
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long to search is said from outside, as for every test by proptest"
)]
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").map_or(CASES, |cases| cases.parse().expect("PROPTEST_CASES is a number"))
}

async fn check(stores: &Stores, sample: &Sample, case: &Case) -> Result<(), TestCaseError> {
    let place = case.place(&sample.world);
    let order = case.listing.total_order();
    // The place is encoded and decoded, as by a client.
    let cursor = place.map(|record| Cursor::after(record, &order).encode(&order));
    let cursor = cursor.map(|text| Cursor::decode(&text, &order).expect("a cursor of ours is read back"));
    for page in [
        Page::Number { number: case.number, size: case.size },
        Page::After { cursor: None, size: case.size },
        Page::After { cursor, size: case.size },
    ] {
        let listing = Listing { page, ..case.listing.clone() };
        let expected = sample.world.list(&listing);
        for (name, store) in stores.each() {
            let listed = match store.list(sample.scope, &listing).await {
                Ok(listed) => listed,
                Err(error) => return Err(TestCaseError::fail(format!("{name} fails: {error:?}"))),
            };
            if summary(&listed) != summary(&expected) {
                return Err(TestCaseError::fail(difference(name, &listing, &expected, &listed)));
            }
        }
    }
    Ok(())
}

/// The part of a result that must be the same.
fn summary(listed: &Listed) -> (Vec<RecordId>, Option<u64>, Option<&Cursor>) {
    (listed.items.iter().map(Record::id).collect(), listed.total, listed.next.as_ref())
}

impl Stores {
    async fn with(samples: &[Sample]) -> Self {
        let (database, folder) = (TestDatabase::create().await, tempfile::tempdir().unwrap());
        let file = folder.path().join("rekey.db");
        let postgres = PostgresStore::connect(&database.url(), 2, Duration::from_secs(30)).unwrap();
        let sqlite = SqliteStore::open(&file, Arc::new(SystemClock)).unwrap();
        postgres.migrate().await.unwrap();
        sqlite.migrate().await.unwrap();
        for sample in samples {
            sample.write(&postgres, &PostgresBackdoor::open(&database.url())).await;
            sample.write(&sqlite, &SqliteBackdoor::open(&file)).await;
        }
        Self { postgres, sqlite, _database: database, _folder: folder }
    }

    fn each(&self) -> [(&'static str, &dyn Catalog); 2] {
        [("PostgreSQL", &self.postgres), ("SQLite", &self.sqlite)]
    }
}

/// The limits that the API sets for a query string.
#[tokio::test]
async fn every_store_bears_the_largest_queries() {
    let sample = Sample::new(SAMPLES + 1);
    let stores = Stores::with(slice::from_ref(&sample)).await;
    let path = |name| Path { via: None, attribute: CUSTOMERS.attribute(name).unwrap() };
    let via = CUSTOMERS.relationship("customer_password_resets");
    let related = Path { via, attribute: CUSTOMER_PASSWORD_RESETS.attribute("reference").unwrap() };
    let texts = || (0..100).map(|n| seed::text(&format!("%_{n}")));
    let likes = || texts().map(|text| Test::NotLike(Pattern::contains(text.as_text().unwrap()))).collect();
    let deep =
        (0..15).fold(json!(1), |inner, n| if n % 2 == 0 { json!([inner]) } else { json!({"a": inner}) });
    let Value::Object(deep) = seed::object(&json!({"a": deep})) else { unreachable!() };
    let wide: Map<_, _> = (0..32).map(|n| (format!("k{n}"), json!([n]))).collect();
    let five = |test: Test| [(); 5].map(|()| Filter::Test(related, test.clone())).to_vec();
    let fifty = |test: Test| [(); 50].map(|()| Filter::Test(related, test.clone())).to_vec();
    for filter in [
        Filter::All(five(Test::NotIn(texts().collect()))),
        Filter::All(five(Test::All(likes()))),
        Filter::Any(five(Test::Any(likes()))),
        Filter::All(fifty(Test::NotNull)),
        Filter::Any(fifty(Test::Blank)),
        Filter::Test(path("metadata"), Test::Contains(deep)),
        Filter::All(vec![Filter::Test(path("metadata"), Test::Contains(wide)); 7]),
    ] {
        let listing = Listing { filter, ..Listing::first_page(&CUSTOMERS) };
        let expected = sample.world.list(&listing);
        for (name, store) in stores.each() {
            let listed = store.list(sample.scope, &listing).await.unwrap();
            assert_eq!(summary(&listed), summary(&expected), "{name}");
        }
    }
}
