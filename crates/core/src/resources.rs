//! What the resources are: one definition of each, from which bodies and queries are read, statements and answers are
//! made, and the API's description is written.
//!
//! An attribute that is plain (a text, a language or an object that no use case decides on) stands in its definition and in a
//! migration, nowhere else.

pub mod catalog;
pub mod customer_password_resets;
pub mod customers;
mod deliveries;
mod event_stores;
mod events;
pub mod listing;
mod organizations;
pub mod record;

use std::fmt;

pub use self::{
    customer_password_resets::CUSTOMER_PASSWORD_RESETS, customers::CUSTOMERS, deliveries::DELIVERIES,
    event_stores::EVENT_STORES, events::EVENTS, organizations::ORGANIZATIONS,
};

/// Every resource that stores keep records of.
pub static RESOURCES: [&Resource; 5] =
    [&CUSTOMER_PASSWORD_RESETS, &CUSTOMERS, &DELIVERIES, &EVENTS, &EVENT_STORES];

/// A resource of the API.
pub struct Resource {
    /// Its JSON:API type, its path under `/api`, and what its event names begin with. The stores show its records as
    /// `shown_<name>`.
    pub name: &'static str,
    /// What one of it is called in a sentence.
    pub singular: &'static str,
    /// What it is, for the API's reference.
    pub about: &'static str,
    /// Whether there is a list of all its records; those of other resources are found where they are related to one.
    pub listed: bool,
    /// Its attributes, in the order of answers.
    pub attributes: &'static [Attribute],
    /// What it is related to.
    pub relationships: &'static [Relationship],
}

/// An attribute of a resource.
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own, asked one at a time")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute {
    /// Its name on the wire.
    pub name: &'static str,
    /// What values it has.
    pub kind: Kind,
    /// What it means, for the API's reference.
    pub about: &'static str,
    /// A value, as JSON, for the API's reference.
    pub example: &'static str,
    /// Where its value comes from.
    pub source: Source,
    /// Whether its value may be null.
    pub nullable: bool,
    /// Whether it is read when a record is created.
    pub create: Write,
    /// Whether it is read when a record is changed.
    pub update: bool,
    /// Whether lists can be filtered by it.
    pub filter: bool,
    /// Whether lists can be sorted by it.
    pub sort: bool,
    /// Who is shown it.
    pub audience: Audience,
}

/// What values an attribute has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A record's id.
    Id,
    /// An e-mail address, in lower case.
    Email,
    /// Text of at most [`Kind::MAX_TEXT`] characters, without NUL.
    Text,
    /// A language tag in its usual spelling, see [`Locale`](crate::locale::Locale).
    Locale,
    /// A time, shown in milliseconds.
    Time,
    /// A JSON object.
    Object,
    /// True or false.
    Boolean,
    /// A whole number.
    Integer,
    /// A reset's token.
    Token,
    /// A password.
    Password,
}

/// Where an attribute's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A column of the record, by its name in the stores.
    Column(&'static str),
    /// The same for every record, as JSON: what the vendor has and a shop's customers without orders have not.
    Constant(&'static str),
    /// Nowhere: it is written and never shown.
    WriteOnly,
}

/// Whether an attribute is read from the body of a new record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// It has no effect there.
    Ignored,
    /// It may be there.
    Optional,
    /// It must be there.
    Required,
}

/// Who is shown an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Audience {
    /// Whoever may see the record at all.
    Everyone,
    /// Integration clients; to others it is null, or an empty object.
    BackOffice,
}

/// A relationship of a resource.
#[derive(PartialEq, Eq)]
pub struct Relationship {
    /// Its name on the wire.
    pub name: &'static str,
    /// What it means, for the API's reference.
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
    /// This column of the record holds the other's id: there is at most one.
    One(&'static str),
    /// This column of the others holds the record's id.
    Many(&'static str),
    /// The others tell in `resource_type` and `resource_id` which record they are about.
    About,
}

impl PartialEq for Resource {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Resource {}

/// Shows its name: by their relationships, resources lead to one another without an end.
impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Resource({})", self.name)
    }
}

/// Shows its name, for the same reason.
impl fmt::Debug for Relationship {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Relationship({})", self.name)
    }
}

impl Resource {
    /// Every resource that there is in answers: those that stores keep, and the caller's own organization.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        RESOURCES.into_iter().chain([&ORGANIZATIONS])
    }

    /// The resource with that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::all().find(|resource| resource.name == name)
    }

    /// The attribute with that name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// The relationship with that name.
    #[must_use]
    pub fn relationship(&self, name: &str) -> Option<&'static Relationship> {
        self.relationships.iter().find(|relationship| relationship.name == name)
    }

    /// The attributes that stores keep as they are given and give no meaning to.
    pub fn plain(&self) -> impl Iterator<Item = (&'static Attribute, &'static str)> + use<> {
        self.attributes.iter().filter_map(|attribute| Some((attribute, attribute.plain_column()?)))
    }
}

impl Kind {
    /// Characters of a text at most: as many as a name in any system we know of.
    pub const MAX_TEXT: usize = 255;
}

impl Attribute {
    const fn new(name: &'static str, kind: Kind, about: &'static str, example: &'static str) -> Self {
        Self {
            name,
            kind,
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

    /// Whether answers show it, to whomever. The id has a place of its own there.
    #[must_use]
    pub fn is_shown(&self) -> bool {
        self.source != Source::WriteOnly && self.kind != Kind::Id
    }

    fn plain_column(&self) -> Option<&'static str> {
        match (self.source, self.kind) {
            (Source::Column(column), Kind::Text | Kind::Locale | Kind::Object)
                if self.update || self.create != Write::Ignored =>
            {
                Some(column)
            }
            _ => None,
        }
    }
}

impl Relationship {
    /// Whether there is at most one record at its other end.
    #[must_use]
    pub fn is_to_one(&self) -> bool {
        matches!(self.link, Link::One(_))
    }
}

const ID: Attribute = Attribute::new(
    "id",
    Kind::Id,
    "Unique identifier of the record: 10 letters or digits.",
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
    about: "What happened to the record, as told to whoever listens on the broker.",
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
