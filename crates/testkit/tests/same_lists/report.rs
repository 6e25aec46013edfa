//! The report of a failure: the list, and the records about which stores disagree.

use std::fmt::{self, Write};

use rekey_core::{
    resources::{
        listing::{Listed, Listing},
        record::{Record, Value},
    },
    scope::{Mode, Scope},
};
use rekey_sql::Dialect;

use crate::listings::Case;

/// PostgreSQL's statement for the list, and its values.
impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { listing, number, size, place: _ } = self;
        writeln!(f, "page {number} of {size}: {}", statement(listing))
    }
}

fn statement(listing: &Listing) -> String {
    let scope = Scope { organization: "0000000000".parse().unwrap(), mode: Mode::Test };
    let select = rekey_sql::page(Dialect::Postgres, scope, listing);
    let from = select.text.find(" FROM ").unwrap_or_default();
    format!("SELECT …{}\n  with {:?}", &select.text[from..], &select.values.0.0[2..])
}

/// Describes how a store's result differs from the expected one.
pub fn difference(store: &str, listing: &Listing, expected: &Listed, listed: &Listed) -> String {
    let mut report = format!(
        "{store} has {} of {:?}, expected {} of {:?}, in {}\n",
        listed.items.len(),
        listed.total,
        expected.items.len(),
        expected.total,
        statement(listing)
    );
    let lacks = |items: &[Record], item: &Record| items.iter().all(|other| other.id() != item.id());
    for item in expected.items.iter().filter(|item| lacks(&listed.items, item)) {
        writeln!(report, "missing: {}", shown(item)).unwrap();
    }
    for item in listed.items.iter().filter(|item| lacks(&expected.items, item)) {
        writeln!(report, "too much: {}", shown(item)).unwrap();
    }
    let ids = |items: &[Record]| items.iter().map(|item| item.id().to_string()).collect::<Vec<_>>().join(" ");
    writeln!(report, "expected: {}\nlisted:   {}", ids(&expected.items), ids(&listed.items)).unwrap();
    report
}

fn shown(record: &Record) -> String {
    let values = record.attributes().filter_map(|(attribute, value)| {
        let value = match value {
            Value::Null => return None,
            Value::Text(text) => format!("{text:?}"),
            Value::Object(object) => serde_json::to_string(object).unwrap(),
            other => format!("{other:?}"),
        };
        Some(format!("{}={value}", attribute.name))
    });
    values.collect::<Vec<_>>().join(" ")
}
