//! Lists of a resource's records: filter, order and page.

mod cursor;
mod pattern;

pub use self::{
    cursor::Cursor,
    pattern::{Part, Pattern},
};
use serde_json::{Map, Value as Json};

use crate::{
    ids::RecordId,
    resources::{
        Attribute, Relationship, Resource,
        record::{Record, Value},
    },
    secrets::TokenDigest,
};

/// A request for records of a resource.
#[derive(Debug, Clone)]
pub struct Listing {
    /// The resource.
    pub resource: &'static Resource,
    /// The condition that the records fulfil.
    pub filter: Filter,
    /// Their order. Records that are equal in it are ordered by id, in the direction of its last part.
    pub order: Vec<Order>,
    /// The part of the list.
    pub page: Page,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq)]
pub enum Page {
    /// A numbered page. Its cost grows with its number.
    Number {
        /// The number, from 1.
        number: u32,
        /// The number of records on a page, 1 to [`Page::MAX_SIZE`].
        size: u32,
    },
    /// The records after another one. It costs the same anywhere in the list, and has no total.
    After {
        /// The position; `None` is the beginning of the list.
        cursor: Option<Cursor>,
        /// The maximum number of records, 1 to [`Page::MAX_SIZE`].
        size: u32,
    },
}

/// One part of an order.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    /// The attribute to sort by. Nulls come last, and first when descending.
    pub attribute: &'static Attribute,
    /// Whether the greatest value comes first.
    pub descending: bool,
}

/// A condition that records fulfil.
#[derive(Debug, Clone)]
pub enum Filter {
    /// All of these; true when there are none.
    All(Vec<Filter>),
    /// At least one of these.
    Any(Vec<Filter>),
    /// An attribute passes a test.
    Test(Path, Test),
    /// The record is at the other end of this to-many relationship of the named record.
    RelatedTo(&'static Resource, &'static Relationship, RecordId),
}

/// An attribute of the record, or of a related one: then at least one related record must pass the test.
#[derive(Debug, Clone, Copy)]
pub struct Path {
    /// The relationship to the related record.
    pub via: Option<&'static Relationship>,
    /// The attribute.
    pub attribute: &'static Attribute,
}

/// A test of a value. All but [`Test::Null`] and [`Test::Blank`] fail on null, the negative ones too.
#[derive(Debug, Clone)]
pub enum Test {
    /// It is null.
    Null,
    /// It is not null.
    NotNull,
    /// It is null, the empty text or the empty object.
    Blank,
    /// It is not blank.
    Present,
    /// It compares like this with the value; texts are compared by their bytes.
    Compare(Comparison, Value),
    /// It is one of these.
    In(Vec<Value>),
    /// It is none of these.
    NotIn(Vec<Value>),
    /// It matches this pattern.
    Like(Pattern),
    /// It does not match this pattern.
    NotLike(Pattern),
    /// It is an object that contains this one, as PostgreSQL's `@>` defines it.
    Contains(Map<String, Json>),
    /// It is this token, which can still be used.
    Token(TokenDigest),
    /// All of these pass.
    All(Vec<Test>),
    /// At least one of these passes; not the empty list.
    Any(Vec<Test>),
}

/// A comparison of two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The page's records; none past the end.
    pub items: Vec<Record>,
    /// The number of records on all pages; only for a numbered page.
    pub total: Option<u64>,
    /// Where the list continues after these records, if it does; only for a page that is not numbered.
    pub next: Option<Cursor>,
}

impl Listed {
    /// Makes the page from the fetched records. For a page that is not numbered, one more than its size is fetched, which shows whether
    /// the list continues. A numbered page that is neither full nor empty is the last one, which shows the total.
    #[must_use]
    pub fn from_fetched(listing: &Listing, mut items: Vec<Record>) -> Self {
        let (size, fetched) = (listing.page.size() as usize, items.len());
        items.truncate(size);
        match listing.page {
            Page::After { .. } => {
                let last = items.last().filter(|_| fetched > size);
                let next = last.map(|last| Cursor::after(last, &listing.total_order()));
                Self { items, total: None, next }
            }
            Page::Number { .. } => {
                let is_last = (1..size).contains(&fetched);
                let total = is_last.then(|| listing.page.offset() + fetched as u64);
                Self { items, total, next: None }
            }
        }
    }

    /// Whether the total must still be counted.
    #[must_use]
    pub fn needs_count(&self, listing: &Listing) -> bool {
        matches!(listing.page, Page::Number { .. }) && self.total.is_none()
    }
}

impl Listing {
    /// Returns the first page of all records, the newest first.
    #[must_use]
    pub fn first_page(resource: &'static Resource) -> Self {
        Self { resource, filter: Filter::All(Vec::new()), order: Vec::new(), page: Page::default() }
    }

    /// Returns the complete order: the newest first by default, and by id at the end. Leaves out parts that can't matter because an earlier
    /// part has the same attribute.
    #[must_use]
    pub fn total_order(&self) -> Vec<Order> {
        let newest =
            self.resource.attribute("created_at").map(|attribute| Order { attribute, descending: true });
        let requested = if self.order.is_empty() { newest.as_slice() } else { &self.order };
        let descending = requested.last().is_some_and(|order| order.descending);
        let id = self.resource.attribute("id").map(|attribute| Order { attribute, descending });
        let mut total: Vec<Order> = Vec::new();
        for order in requested.iter().copied().chain(id) {
            if !total.iter().any(|before| ["id", order.attribute.name].contains(&before.attribute.name)) {
                total.push(order);
            }
        }
        total
    }
}

impl Filter {
    /// Whether it has no condition, so that every record fulfils it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::All(none) if none.is_empty())
    }
}

impl Page {
    /// The default number of records on a page (the vendor's).
    pub const DEFAULT_SIZE: u32 = 10;
    /// The maximum number of records on a page (the vendor's).
    pub const MAX_SIZE: u32 = 25;

    /// Returns the maximum number of records on the page.
    #[must_use]
    pub fn size(&self) -> u32 {
        match *self {
            Self::Number { size, .. } | Self::After { size, .. } => size,
        }
    }

    /// Returns the number of records before a numbered page.
    #[must_use]
    pub fn offset(&self) -> u64 {
        match *self {
            Self::Number { number, size } => u64::from(number.saturating_sub(1)) * u64::from(size),
            Self::After { .. } => 0,
        }
    }
}

impl Default for Page {
    fn default() -> Self {
        Self::Number { number: 1, size: Self::DEFAULT_SIZE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_filter_without_conditions_is_empty() {
        assert!(Filter::All(Vec::new()).is_empty());
        // Which no record fulfils.
        assert!(!Filter::Any(Vec::new()).is_empty());
        assert!(!Filter::All(vec![Filter::Any(Vec::new())]).is_empty());
    }
}
