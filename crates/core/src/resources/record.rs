//! Records of resources as they are read.

use std::fmt;

use serde_json::{Map, Value as Json};
use time::OffsetDateTime;

use crate::{
    ids::RecordId,
    resources::{Attribute, Kind, Link, Relationship, Resource, Source},
    secrets::{SealedPayload, SealedSharedSecret, SealedToken},
};

/// The value of an attribute.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// SQL's NULL and JSON's null.
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
    /// An array of texts.
    Texts(Vec<String>),
    /// A reset's token while it can be used, sealed.
    Token(SealedToken),
    /// A webhook's secret, sealed.
    SharedSecret(SealedSharedSecret),
    /// What a webhook is sent, sealed.
    Payload(SealedPayload),
}

/// A record as it is read from a store: a value for each attribute that is stored, and the ids of the records that it refers to.
#[derive(Clone, PartialEq)]
pub struct Record {
    resource: &'static Resource,
    id: RecordId,
    values: Vec<Value>,
    links: Vec<Option<RecordId>>,
}

impl Record {
    /// Reads a record. `value` reads the column of an attribute, `link` a column with another record's id.
    ///
    /// # Errors
    /// Those of the readers.
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
        let read_link = |relationship: &'static Relationship| match relationship.link {
            Link::One(column) => link(column),
            Link::Many(_) | Link::About | Link::Same { .. } | Link::EmptyOne | Link::EmptyMany => Ok(None),
        };
        let links = resource.relationships.iter().map(read_link).collect::<Result<_, E>>()?;
        Ok(Self { resource, id, values, links })
    }

    /// Returns its resource.
    #[must_use]
    pub fn resource(&self) -> &'static Resource {
        self.resource
    }

    /// Returns its id.
    #[must_use]
    pub fn id(&self) -> RecordId {
        self.id
    }

    /// Returns the value of the named attribute; `Null` also when there is no such attribute, or it is not stored.
    #[must_use]
    pub fn get(&self, attribute: &str) -> &Value {
        let index = self.resource.attributes.iter().position(|candidate| candidate.name == attribute);
        index.and_then(|index| self.values.get(index)).unwrap_or(&Value::Null)
    }

    /// Returns the id of the record that a to-one relationship refers to.
    #[must_use]
    pub fn linked(&self, relationship: &Relationship) -> Option<RecordId> {
        let index =
            self.resource.relationships.iter().position(|candidate| candidate.name == relationship.name);
        index.and_then(|index| self.links.get(index).copied().flatten())
    }

    /// Iterates over the attributes with their values, in the order of the definition.
    pub fn attributes(&self) -> impl Iterator<Item = (&'static Attribute, &Value)> {
        self.resource.attributes.iter().zip(&self.values)
    }
}

/// Shows no values: there may be addresses and tokens among them.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.resource.name, self.id)
    }
}

/// Shows the kind of value but not its text, which may be an address.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("Null"),
            Self::Text(_) => f.write_str("Text(…)"),
            Self::Time(at) => write!(f, "Time({at})"),
            Self::Object(_) => f.write_str("Object(…)"),
            Self::Boolean(is) => write!(f, "Boolean({is})"),
            Self::Integer(number) => write!(f, "Integer({number})"),
            Self::Texts(_) => f.write_str("Texts(…)"),
            Self::Token(_) => f.write_str("Token(…)"),
            Self::SharedSecret(_) => f.write_str("SharedSecret(…)"),
            Self::Payload(_) => f.write_str("Payload(…)"),
        }
    }
}

impl Value {
    /// The value of an attribute that was never set.
    #[must_use]
    pub fn default_of(attribute: &Attribute) -> Self {
        if attribute.kind == Kind::Object { Self::Object(Map::new()) } else { Self::Null }
    }

    /// Returns the text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the time, if it is one.
    #[must_use]
    pub fn as_time(&self) -> Option<OffsetDateTime> {
        match self {
            Self::Time(at) => Some(*at),
            _ => None,
        }
    }

    /// Returns the sealed token, if it is one.
    #[must_use]
    pub fn as_token(&self) -> Option<&SealedToken> {
        match self {
            Self::Token(token) => Some(token),
            _ => None,
        }
    }
}

/// Whether a JSON document contains a NUL, which PostgreSQL can't store.
#[must_use]
pub fn holds_nul(json: &Json) -> bool {
    match json {
        Json::String(text) => text.contains('\0'),
        Json::Array(items) => items.iter().any(holds_nul),
        Json::Object(members) => members.iter().any(|(key, value)| key.contains('\0') || holds_nul(value)),
        Json::Null | Json::Bool(_) | Json::Number(_) => false,
    }
}
