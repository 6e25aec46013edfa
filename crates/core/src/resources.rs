//! The definitions of the resources. Request bodies, queries, SQL statements, responses and the API description are derived from them.

pub mod catalog;
pub mod customer_password_resets;
pub mod customers;
mod deliveries;
mod empty;
mod event_callbacks;
mod event_stores;
pub mod events;
pub mod listing;
mod organizations;
pub mod record;
pub mod webhooks;

use std::fmt;

pub use self::{
    customer_password_resets::CUSTOMER_PASSWORD_RESETS,
    customers::CUSTOMERS,
    deliveries::DELIVERIES,
    empty::{CUSTOMER_GROUPS, TAGS},
    event_callbacks::EVENT_CALLBACKS,
    event_stores::EVENT_STORES,
    events::EVENTS,
    organizations::ORGANIZATIONS,
    webhooks::WEBHOOKS,
};

/// The resources whose records are stored.
pub static RESOURCES: [&Resource; 7] =
    [&CUSTOMER_PASSWORD_RESETS, &CUSTOMERS, &DELIVERIES, &WEBHOOKS, &EVENT_CALLBACKS, &EVENTS, &EVENT_STORES];

/// The vendor's resources to which there are relationships, and of which there are no records.
pub static EMPTY_RESOURCES: [&Resource; 2] = [&CUSTOMER_GROUPS, &TAGS];

/// A resource of the API.
pub struct Resource {
    /// Its JSON:API type, its path under `/api`, and the beginning of its events' names. The stores' view of its records is
    /// `shown_<name>`.
    pub name: &'static str,
    /// The name of one record in a sentence.
    pub singular: &'static str,
    /// Its description in the API reference.
    pub about: &'static str,
    /// Whether there is a list of all its records; those of other resources are only found as related records.
    pub listed: bool,
    /// Its attributes, in the order of responses.
    pub attributes: &'static [Attribute],
    /// Its relationships.
    pub relationships: &'static [Relationship],
}

/// An attribute of a resource.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent properties, each set by its own builder method"
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute {
    /// Its name on the wire.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// The only values of a text that has no others; none of any text.
    pub values: &'static [&'static str],
    /// Its description in the API reference.
    pub about: &'static str,
    /// An example in the API reference, as JSON.
    pub example: &'static str,
    /// Where its value comes from.
    pub source: Source,
    /// Whether its value may be null.
    pub nullable: bool,
    /// Whether it can be set when a record is created.
    pub create: Write,
    /// Whether it can be set when a record is updated.
    pub update: bool,
    /// Whether lists can be filtered by it.
    pub filter: bool,
    /// Whether lists can be sorted by it.
    pub sort: bool,
    /// Which callers can see it.
    pub audience: Audience,
}

/// The type of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A record's id.
    Id,
    /// An e-mail address, as [`EmailAddress`](crate::email::EmailAddress) stores it.
    Email,
    /// Text of at most [`Kind::MAX_TEXT`] characters, without NUL.
    Text,
    /// A language tag in its usual spelling, see [`Locale`](crate::locale::Locale).
    Locale,
    /// A time, shown in milliseconds.
    Time,
    /// A JSON object.
    Object,
    /// An array of texts.
    Texts,
    /// True or false.
    Boolean,
    /// A whole number.
    Integer,
    /// A reset's token.
    Token,
    /// A webhook's secret.
    SharedSecret,
    /// What a webhook is sent: a JSON object.
    Payload,
    /// A password.
    Password,
}

/// Where an attribute's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The column with this name.
    Column(&'static str),
    /// The same JSON for every record: attributes that the vendor has, and that customers without orders don't need.
    Constant(&'static str),
    /// Nowhere: it is only written.
    WriteOnly,
}

/// Whether an attribute can be set in the body of a new record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// It is ignored.
    Ignored,
    /// It may be set.
    Optional,
    /// It must be set.
    Required,
}

/// Which callers can see an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Audience {
    /// All that can see the record.
    Everyone,
    /// Integration clients; for others it is null or an empty object.
    BackOffice,
}

/// A relationship of a resource.
#[derive(PartialEq, Eq)]
pub struct Relationship {
    /// Its name on the wire.
    pub name: &'static str,
    /// Its description in the API reference.
    pub about: &'static str,
    /// The resource at its other end.
    pub target: &'static Resource,
    /// What makes two records related.
    pub link: Link,
    /// Whether lists can be filtered by the target's attributes.
    pub filter: bool,
}

/// What makes two records related.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// This column of the record has the other record's id: there is at most one.
    One(&'static str),
    /// This column of the other records has the record's id.
    Many(&'static str),
    /// The columns `resource_type` and `resource_id` of the other records name the record.
    About,
    /// This column of the other records, `other`, has the value of the record's column `own`.
    Same {
        /// The record's column.
        own: &'static str,
        /// The other records' column.
        other: &'static str,
    },
    /// Nothing: at most one record is at the other end at the vendor, and none here.
    EmptyOne,
    /// Nothing: any number of records are at the other end at the vendor, and none here.
    EmptyMany,
}

impl PartialEq for Resource {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Resource {}

/// Shows the name only, since relationships between resources are cyclic.
impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Resource({})", self.name)
    }
}

/// Shows the name only, for the same reason.
impl fmt::Debug for Relationship {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Relationship({})", self.name)
    }
}

impl Resource {
    /// Iterates over all resources: those that are stored, the caller's organization, and those without records.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        RESOURCES.into_iter().chain([&ORGANIZATIONS]).chain(EMPTY_RESOURCES)
    }

    /// Returns the resource with that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::all().find(|resource| resource.name == name)
    }

    /// Returns the attribute with that name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// Returns the relationship with that name.
    #[must_use]
    pub fn relationship(&self, name: &str) -> Option<&'static Relationship> {
        self.relationships.iter().find(|relationship| relationship.name == name)
    }
}

impl Kind {
    /// The maximum number of characters of a text: that of a name in any system that we know.
    pub const MAX_TEXT: usize = 255;
}

impl Attribute {
    const fn new(name: &'static str, kind: Kind, about: &'static str, example: &'static str) -> Self {
        Self {
            name,
            kind,
            values: &[],
            about,
            example,
            source: Source::Column(name),
            nullable: true,
            create: Write::Ignored,
            update: false,
            filter: false,
            sort: false,
            audience: Audience::Everyone,
        }
    }

    const fn constant(self, json: &'static str) -> Self {
        Self { source: Source::Constant(json), ..self }
    }

    const fn one_of(self, values: &'static [&'static str]) -> Self {
        Self { values, ..self }
    }

    const fn write_only(self) -> Self {
        Self { source: Source::WriteOnly, ..self }
    }

    const fn never_null(self) -> Self {
        Self { nullable: false, ..self }
    }

    const fn required(self) -> Self {
        Self { create: Write::Required, nullable: false, ..self }
    }

    const fn creatable(self) -> Self {
        Self { create: Write::Optional, ..self }
    }

    const fn updatable(self) -> Self {
        Self { update: true, ..self }
    }

    const fn filterable(self) -> Self {
        Self { filter: true, ..self }
    }

    const fn sortable(self) -> Self {
        Self { sort: true, ..self }
    }

    const fn for_back_office(self) -> Self {
        Self { audience: Audience::BackOffice, ..self }
    }

    /// Whether it is among the attributes of a response; the id is elsewhere in it.
    #[must_use]
    pub fn is_shown(&self) -> bool {
        self.source != Source::WriteOnly && self.kind != Kind::Id
    }
}

impl Relationship {
    /// Whether there is at most one record at its other end.
    #[must_use]
    pub fn is_to_one(&self) -> bool {
        matches!(self.link, Link::One(_) | Link::EmptyOne)
    }

    /// Whether no record is ever at its other end.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self.link, Link::EmptyOne | Link::EmptyMany)
    }
}

const ID: Attribute = Attribute::new(
    "id",
    Kind::Id,
    "Unique identifier of the record: 10 letters. Only records of early versions have digits in it.",
    r#""XAyRWNUzyN""#,
)
.never_null()
.filterable()
.sortable();
const CREATED_AT: Attribute = Attribute::new("created_at", Kind::Time, "When the record was created.", TIME)
    .never_null()
    .filterable()
    .sortable();
const UPDATED_AT: Attribute =
    Attribute::new("updated_at", Kind::Time, "When the record was last changed.", TIME)
        .never_null()
        .filterable()
        .sortable();
/// The record's identifier in another system.
pub const REFERENCE: Attribute = Attribute::new(
    "reference",
    Kind::Text,
    "The record's identifier in another system, such as an ERP or a CRM.",
    r#""ORDER-1234""#,
)
.creatable()
.updatable()
.filterable()
.sortable();
/// Which system the reference is from.
pub const REFERENCE_ORIGIN: Attribute =
    Attribute::new("reference_origin", Kind::Text, "Which system the reference is from.", r#""back-office""#)
        .creatable()
        .updatable()
        .filterable()
        .sortable();
/// Key-value pairs of the shop's own.
pub const METADATA: Attribute = Attribute::new(
    "metadata",
    Kind::Object,
    "Key-value pairs of the shop's own. A change replaces them as a whole.",
    r#"{"foo":"bar"}"#,
)
.never_null()
.creatable()
.updatable()
.filterable();

const TIME: &str = r#""2018-01-01T12:00:00.000Z""#;

const EVENTS_OF: Relationship = Relationship {
    name: "events",
    about: "The events of the record, as published to the broker.",
    target: &EVENTS,
    link: Link::About,
    filter: true,
};
const EVENT_STORES_OF: Relationship = Relationship {
    name: "event_stores",
    about: "The audit log of the record: who changed what, when and from where.",
    target: &EVENT_STORES,
    link: Link::About,
    filter: false,
};

#[cfg(test)]
mod tests;
