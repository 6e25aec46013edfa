//! Evaluates lists over rows in memory, as the reference for every store.
//!
//! It shares nothing with the stores' statements except the types of [`rekey_core::resources::listing`], whose documentation it
//! follows to the letter.

mod draft;
mod json;
mod sample;
mod test;
mod values;

use std::cmp::Ordering;

use rekey_core::{
    ids::RecordId,
    resources::{
        Link, Relationship, Resource,
        listing::{Cursor, Filter, Listed, Listing, Order, Page},
        record::{Record, Value},
    },
    secrets::TokenDigest,
};

pub use self::{
    sample::Sample,
    test::passes,
    values::{KEYS, TEXTS, epoch, json_numbers, object, text, time},
};

/// All rows of one scope.
#[derive(Debug, Clone)]
pub struct World {
    /// The rows, in any order.
    pub rows: Vec<Row>,
}

/// A record, with what a store knows about it in addition.
#[derive(Debug, Clone)]
pub struct Row {
    /// The record.
    pub record: Record,
    /// The record that this one is about ([`Link::About`]).
    pub about: Option<(&'static Resource, RecordId)>,
    /// The digest of the token, if it can still be used.
    pub token: Option<TokenDigest>,
}

impl World {
    /// Returns what [`rekey_core::resources::catalog::Catalog::list`] must return.
    #[must_use]
    pub fn list(&self, listing: &Listing) -> Listed {
        let order = listing.total_order();
        let mut matching: Vec<&Row> =
            self.of(listing.resource).filter(|row| self.fulfils(row, &listing.filter)).collect();
        matching.sort_by(|a, b| compare(&order, &keys(&a.record, &order), &keys(&b.record, &order)));
        let records = matching.into_iter().map(|row| row.record.clone());
        match &listing.page {
            Page::Number { .. } => {
                let total = records.len() as u64;
                let before = usize::try_from(listing.page.offset()).unwrap();
                let items = records.skip(before).take(listing.page.size() as usize).collect();
                Listed { items, total: Some(total), next: None }
            }
            Page::After { cursor, size } => {
                let comes_after = |record: &Record| match cursor {
                    Some(cursor) => compare(&order, &keys(record, &order), cursor.values()).is_gt(),
                    None => true,
                };
                let mut items: Vec<Record> = records.filter(comes_after).collect();
                let goes_on = items.len() > *size as usize;
                items.truncate(*size as usize);
                let next = items.last().filter(|_| goes_on).map(|last| Cursor::after(last, &order));
                Listed { items, total: None, next }
            }
        }
    }

    /// Returns the rows of a resource.
    pub fn of(&self, resource: &'static Resource) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.record.resource() == resource)
    }

    fn fulfils(&self, row: &Row, filter: &Filter) -> bool {
        match filter {
            Filter::All(parts) => parts.iter().all(|part| self.fulfils(row, part)),
            Filter::Any(parts) => parts.iter().any(|part| self.fulfils(row, part)),
            Filter::Test(path, test) => match path.via {
                None => passes(row, path.attribute, test),
                Some(relationship) => self
                    .of(relationship.target)
                    .filter(|other| are_related(row, relationship, other))
                    .any(|other| passes(other, path.attribute, test)),
            },
            Filter::RelatedTo(resource, relationship, id) => self
                .of(resource)
                .any(|owner| owner.record.id() == *id && are_related(owner, relationship, row)),
        }
    }
}

fn are_related(row: &Row, relationship: &Relationship, other: &Row) -> bool {
    match relationship.link {
        Link::One(_) => row.record.linked(relationship) == Some(other.record.id()),
        Link::Many(column) => {
            let mut back = other.record.resource().relationships.iter();
            let back = back.find(|back| back.link == Link::One(column)).expect("the way back has a name");
            other.record.linked(back) == Some(row.record.id())
        }
        Link::About => other.about == Some((row.record.resource(), row.record.id())),
        Link::Same { own, other: column } => row.record.get(own) == other.record.get(column),
        Link::EmptyOne | Link::EmptyMany => false,
    }
}

fn keys(record: &Record, order: &[Order]) -> Vec<Value> {
    order.iter().map(|order| record.get(order.attribute.name).clone()).collect()
}

fn compare(order: &[Order], a: &[Value], b: &[Value]) -> Ordering {
    let mut parts = order.iter().zip(a.iter().zip(b)).map(|(order, (a, b))| {
        let ascending = compare_keys(a, b);
        if order.descending { ascending.reverse() } else { ascending }
    });
    parts.find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
}

/// Compares two values; null comes last.
fn compare_keys(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Greater,
        (_, Value::Null) => Ordering::Less,
        _ => test::order(a, b).expect("values of one attribute have an order"),
    }
}
