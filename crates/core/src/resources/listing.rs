//! Lists: which records of a resource are asked for, in which order, and which part of them.

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

/// What of a resource's records is asked for.
#[derive(Debug, Clone)]
pub struct Listing {
    /// The resource.
    pub resource: &'static Resource,
    /// Which records.
    pub filter: Filter,
    /// In which order. Records that it leaves equal follow by id, in the direction of its last part.
    pub order: Vec<Order>,
    /// Which part of them.
    pub page: Page,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq)]
pub enum Page {
    /// A numbered page. Its cost grows with its number.
    Number {
        /// From 1 on.
        number: u32,
        /// Records on a page, 1 to [`Page::MAX_SIZE`].
        size: u32,
    },
    /// What follows a record. It costs the same wherever in the list that is, and nobody counts the whole.
    After {
        /// The record; `None` begins the list.
        cursor: Option<Cursor>,
        /// Records at most, 1 to [`Page::MAX_SIZE`].
        size: u32,
    },
}

/// One part of an order.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    /// What to sort by. Null comes last, and first when descending.
    pub attribute: &'static Attribute,
    /// From the greatest down.
    pub descending: bool,
}

/// A condition that records fulfil.
#[derive(Debug, Clone)]
pub enum Filter {
    /// Each of these; no condition when there are none.
    All(Vec<Filter>),
    /// One of these at least.
    Any(Vec<Filter>),
    /// This.
    Test(Path, Test),
    /// It is at the other end of this to-many relationship of the named record.
    RelatedTo(&'static Resource, &'static Relationship, RecordId),
}

/// An attribute of the record, or of one that is related to it: then one related record at least fulfils the test.
#[derive(Debug, Clone, Copy)]
pub struct Path {
    /// The way to the related record.
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
    /// It is none of these.
    Present,
    /// It compares so with this value: texts by their octets.
    Compare(Comparison, Value),
    /// It is one of these.
    In(Vec<Value>),
    /// It is none of these.
    NotIn(Vec<Value>),
    /// Its text is like this.
    Like(Pattern),
    /// Its text is not like this.
    NotLike(Pattern),
    /// It is an object that contains this one, as PostgreSQL's `@>` defines it.
    Contains(Map<String, Json>),
    /// It is this token, which can still be used.
    Token(TokenDigest),
    /// All of these pass.
    All(Vec<Test>),
    /// One of these passes, at least; not the empty list.
    Any(Vec<Test>),
}

/// How two values compare.
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

/// A part of a list, and what is known of the whole.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The page's records; none past the end.
    pub items: Vec<Record>,
    /// All records that match, on every page: of a numbered one.
    pub total: Option<u64>,
    /// Where the list goes on after these, if it does: of a page that is not numbered.
    pub next: Option<Cursor>,
}

impl Listed {
    /// What the records that were fetched for a page tell: one more than its size, if there are so many, of a page that is
    /// not numbered. A numbered one that is neither full nor empty is the last, and so tells how many there are.
    #[must_use]
    pub fn of(listing: &Listing, mut items: Vec<Record>) -> Self {
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

    /// Whether the list's records are still to be counted.
    #[must_use]
    pub fn is_uncounted(&self, listing: &Listing) -> bool {
        matches!(listing.page, Page::Number { .. }) && self.total.is_none()
    }
}

impl Listing {
    /// The first page of all records, newest first.
    #[must_use]
    pub fn of(resource: &'static Resource) -> Self {
        Self { resource, filter: Filter::All(Vec::new()), order: Vec::new(), page: Page::default() }
    }

    /// The order, complete: newest first unless asked otherwise, and by id in the end. Parts that can't matter, because
    /// records that get that far are equal in them, are left out.
    #[must_use]
    pub fn total_order(&self) -> Vec<Order> {
        let newest =
            self.resource.attribute("created_at").map(|attribute| Order { attribute, descending: true });
        let asked = if self.order.is_empty() { newest.as_slice() } else { &self.order };
        let descending = asked.last().is_some_and(|order| order.descending);
        let id = self.resource.attribute("id").map(|attribute| Order { attribute, descending });
        let mut total: Vec<Order> = Vec::new();
        for order in asked.iter().copied().chain(id) {
            if !total.iter().any(|before| ["id", order.attribute.name].contains(&before.attribute.name)) {
                total.push(order);
            }
        }
        total
    }
}

impl Filter {
    /// Whether every record fulfils it, because it asks for nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::All(none) if none.is_empty())
    }
}

impl Page {
    /// Records on a page unless asked otherwise (the vendor's default).
    pub const DEFAULT_SIZE: u32 = 10;
    /// Records on a page at most (the vendor's limit).
    pub const MAX_SIZE: u32 = 25;

    /// Records on it at most.
    #[must_use]
    pub fn size(&self) -> u32 {
        match *self {
            Self::Number { size, .. } | Self::After { size, .. } => size,
        }
    }

    /// Records before a numbered page.
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
