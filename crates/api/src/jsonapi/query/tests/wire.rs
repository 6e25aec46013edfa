//! Random query strings: each is refused with its own error, or a store lists the records.

use std::{cell::Cell, sync::Arc};

use proptest::{
    collection,
    prelude::*,
    sample::select,
    test_runner::{Config, TestRunner},
};
use rekey_core::{
    clock::SystemClock,
    resources::{RESOURCES, Resource, catalog::Catalog, record::Record},
};
use rekey_store_sqlite::SqliteStore;
use rekey_testkit::{
    backdoor::SqliteBackdoor,
    evaluator::{Sample, TEXTS, object, time},
};
use tempfile::TempDir;
use time::format_description::well_known::Rfc3339;
use url::form_urlencoded::Serializer;

use super::{super::filter, *};

/// The number of query strings, unless `PROPTEST_CASES` is set.
const CASES: u32 = 3_000;

#[test]
fn whatever_a_query_string_asks_for_is_listed_or_refused() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let sample = Sample::new(0);
    let (store, _folder) = runtime.block_on(store_with(&sample));
    let config = Config { cases: cases(), failure_persistence: None, ..Config::default() };
    let listed = Cell::new(0);
    let outcome = TestRunner::new(config).run(&queries(&sample), |(resource, query)| {
        let read = match Query::parse(&query).list(resource) {
            Ok(read) => read,
            Err(Problem::Query(..)) => return Ok(()),
            Err(other) => return Err(TestCaseError::fail(format!("{other:?}"))),
        };
        let expected = sample.world.list(&read.listing);
        let found = runtime.block_on(store.list(sample.scope, &read.listing));
        let found = found.map_err(|error| TestCaseError::fail(format!("{error:?}")))?;
        let ids = |items: &[Record]| items.iter().map(Record::id).collect::<Vec<_>>();
        prop_assert_eq!(ids(&found.items), ids(&expected.items));
        prop_assert_eq!((found.total, found.next), (expected.total, expected.next));
        listed.set(listed.get() + 1);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    assert!(listed.get() > cases() / 10, "only {} were listed", listed.get());
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long to search is said from outside, as for every test by proptest"
)]
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").map_or(CASES, |cases| cases.parse().expect("PROPTEST_CASES is a number"))
}

async fn store_with(sample: &Sample) -> (SqliteStore, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rekey.db");
    let store = SqliteStore::open(&file, Arc::new(SystemClock)).unwrap();
    store.migrate().await.unwrap();
    sample.write(&store, &SqliteBackdoor::open(&file)).await;
    (store, folder)
}

fn queries(sample: &Sample) -> impl Strategy<Value = (&'static Resource, String)> + use<> {
    let values = values(sample);
    select(RESOURCES.to_vec()).prop_flat_map(move |resource| {
        let parameters = prop_oneof![
            6 => (attributes(resource), predicate(), values.clone())
                .prop_map(|(attributes, predicate, value)| (format!("filter[q][{attributes}_{predicate}]"), value)),
            2 => order(resource).prop_map(|order| ("sort".to_owned(), order)),
            1 => (1..4_u32).prop_map(|number| ("page[number]".to_owned(), number.to_string())),
            1 => (1..26_u32).prop_map(|size| ("page[size]".to_owned(), size.to_string())),
            1 => ("[a-z\\[\\]_]{0,12}", any::<String>()),
        ];
        let query = collection::vec(parameters, 1..4);
        query.prop_map(move |parameters| (resource, Serializer::new(String::new()).extend_pairs(parameters).finish()))
    })
}

/// Names of attributes, mostly ones that lists can be filtered by, sometimes several.
fn attributes(resource: &'static Resource) -> impl Strategy<Value = String> {
    let own = resource.attributes.iter().map(|attribute| attribute.name.to_owned());
    let related = resource.relationships.iter().flat_map(|via| {
        via.target.attributes.iter().map(|attribute| format!("{}_{}", via.name, attribute.name))
    });
    let names: Vec<String> = own.chain(related).collect();
    collection::vec(select(names), 1..3).prop_map(|names| names.join("_or_"))
}

fn predicate() -> impl Strategy<Value = String> {
    select(filter::predicate_names().collect::<Vec<_>>())
}

/// Values of every kind, lists of them, and values of the rows.
fn values(sample: &Sample) -> BoxedStrategy<String> {
    let rows = sample.world.rows.iter().flat_map(|row| row.record.attributes());
    let known: Vec<String> = rows.filter_map(|(_, value)| value.as_text().map(str::to_owned)).collect();
    let value = prop_oneof![
        3 => select(known),
        2 => select(TEXTS).prop_map(str::to_owned),
        3 => time().prop_map(|at| at.format(&Rfc3339).unwrap()),
        2 => select(&["true", "false", "1", "0", "2024-10-28", "9999-12-31T23:59:59.999Z", "0001-01-01T00:00:00+23:59"][..])
            .prop_map(str::to_owned),
        2 => object().prop_map(|object| serde_json::to_string(&object).unwrap()),
        1 => any::<String>(),
    ];
    prop_oneof![3 => value.clone(), 1 => collection::vec(value, 1..4).prop_map(|values| values.join(","))]
        .boxed()
}

fn order(resource: &'static Resource) -> impl Strategy<Value = String> {
    let names: Vec<_> = resource.attributes.iter().map(|attribute| attribute.name).collect();
    let part = (any::<bool>(), select(names))
        .prop_map(|(down, name)| format!("{}{name}", if down { "-" } else { "" }));
    collection::vec(part, 1..3).prop_map(|parts| parts.join(","))
}
