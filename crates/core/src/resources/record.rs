//! Records of resources as they are read.

use std::fmt;

use serde_json::{Map, Value as Json};
use time::OffsetDateTime;

use crate::{
    ids::RecordId,
    resources::{Attribute, Kind, Link, Relationship, Resource, Source},
    secrets::SealedToken,
};

/// The value of an attribute.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// There is none.
    Null,
    /// A text, an id or an e-mail address.
    Text(String),
    /// A time, in whole microseconds.
    Time(OffsetDateTime),
    /// A JSON object.
    Object(Map<String, Json>),
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A reset's token while it can be used, sealed.
    Token(SealedToken),
}

/// A record as a store shows it: a value for each attribute that it keeps, and the ids of the records that this one
/// names.
#[derive(Clone, PartialEq)]
pub struct Record {
    resource: &'static Resource,
    id: RecordId,
    values: Vec<Value>,
    links: Vec<Option<RecordId>>,
}

impl Record {
    /// Reads a record: `value` is asked for each column of an attribute, the id's included, and `link` for each column that
    /// names another record.
    ///
    /// # Errors
    /// What either reader fails with.
    pub fn read<E>(
        resource: &'static Resource,
        id: RecordId,
        mut value: impl FnMut(&'static Attribute, &'static str) -> Result<Value, E>,
        mut link: impl FnMut(&'static str) -> Result<Option<RecordId>, E>,
    ) -> Result<Self, E> {
        let read = |attribute: &'static Attribute| match attribute.source {
            Source::Column(_) if attribute.kind == Kind::Id => Ok(Value::Text(id.to_string())),
            Source::Column(column) => value(attribute, column),
            Source::Constant(_) | Source::WriteOnly => Ok(Value::Null),
        };
        let values = resource.attributes.iter().map(read).collect::<Result<_, E>>()?;
        let follow = |relationship: &'static Relationship| match relationship.link {
            Link::One(column) => link(column),
            Link::Many(_) | Link::About => Ok(None),
        };
        let links = resource.relationships.iter().map(follow).collect::<Result<_, E>>()?;
        Ok(Self { resource, id, values, links })
    }

    /// Which resource it is of.
    #[must_use]
    pub fn resource(&self) -> &'static Resource {
        self.resource
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> RecordId {
        self.id
    }

    /// The value of the attribute with that name; `Null` also when there is no such attribute, or none in the stores.
    #[must_use]
    pub fn get(&self, attribute: &str) -> &Value {
        let at = self.resource.attributes.iter().position(|candidate| candidate.name == attribute);
        at.and_then(|at| self.values.get(at)).unwrap_or(&Value::Null)
    }

    /// The record that a to-one relationship leads to.
    #[must_use]
    pub fn linked(&self, relationship: &Relationship) -> Option<RecordId> {
        let at = self.resource.relationships.iter().position(|candidate| candidate.name == relationship.name);
        at.and_then(|at| self.links.get(at).copied().flatten())
    }

    /// The attributes with their values, in the order of the definition.
    pub fn attributes(&self) -> impl Iterator<Item = (&'static Attribute, &Value)> {
        self.resource.attributes.iter().zip(&self.values)
    }
}

/// Shows no value: an address or a token may be among them.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.resource.name, self.id)
    }
}

/// Shows what it is, not its text: that may be an address.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("Null"),
            Self::Text(_) => f.write_str("Text(…)"),
            Self::Time(at) => write!(f, "Time({at})"),
            Self::Object(_) => f.write_str("Object(…)"),
            Self::Boolean(is) => write!(f, "Boolean({is})"),
            Self::Integer(number) => write!(f, "Integer({number})"),
            Self::Token(_) => f.write_str("Token(…)"),
        }
    }
}

impl Value {
    /// The value of an attribute that was never set.
    #[must_use]
    pub fn default_of(attribute: &Attribute) -> Self {
        if attribute.kind == Kind::Object { Self::Object(Map::new()) } else { Self::Null }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The time, if it is one.
    #[must_use]
    pub fn as_time(&self) -> Option<OffsetDateTime> {
        match self {
            Self::Time(at) => Some(*at),
            _ => None,
        }
    }

    /// The sealed token, if it is one.
    #[must_use]
    pub fn as_token(&self) -> Option<&SealedToken> {
        match self {
            Self::Token(token) => Some(token),
            _ => None,
        }
    }
}

/// Whether a NUL is anywhere in a JSON document: PostgreSQL can't keep one.
#[must_use]
pub fn holds_nul(json: &Json) -> bool {
    match json {
        Json::String(text) => text.contains('\0'),
        Json::Array(items) => items.iter().any(holds_nul),
        Json::Object(members) => members.iter().any(|(key, value)| key.contains('\0') || holds_nul(value)),
        Json::Null | Json::Bool(_) | Json::Number(_) => false,
    }
}
