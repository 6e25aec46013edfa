use std::cell::Cell;

use rekey_core::{
    ids::ResetId,
    resources::{
        self, Audience, Kind, ORGANIZATIONS, Relationship, Resource, Source,
        record::{Record, Value as Attribute},
    },
    scope::Scope,
    secrets::KeyRing,
};
use serde_json::{Map, Value, json};
use time::{OffsetDateTime, UtcOffset, format_description::BorrowedFormatItem, macros::format_description};

use super::included::Included;
use crate::jsonapi::{error::Problem, query::View};

/// Renders records as resource objects.
pub struct Renderer<'a> {
    /// Opens the tokens that integrations are shown.
    pub keys: &'a KeyRing,
    pub api_url: &'a str,
    pub scope: Scope,
    pub audience: Audience,
    pub view: &'a View,
    pub included: &'a Included,
    /// The number of tokens that could not be decrypted; they are shown as null.
    pub unreadable_tokens: Cell<usize>,
}

impl Renderer<'_> {
    /// Renders a resource object.
    pub fn resource(&self, record: &Record) -> Result<Value, Problem> {
        let resource = record.resource();
        let own_url = url_of(self.api_url, resource, record.id().as_str());
        let mut attributes = Map::new();
        for (attribute, value) in record.attributes() {
            if attribute.is_shown() && self.view.shows(resource, attribute.name) {
                attributes.insert(attribute.name.to_owned(), self.value(record, attribute, value)?);
            }
        }
        let relationships: Map<String, Value> = resource
            .relationships
            .iter()
            .filter_map(|relationship| {
                Some((relationship.name.to_owned(), self.relationship(record, &own_url, relationship)?))
            })
            .collect();
        Ok(json!({
            "id": record.id().as_str(),
            "type": resource.name,
            "links": { "self": own_url },
            "attributes": attributes,
            "relationships": relationships,
            "meta": {
                "mode": self.scope.mode.as_str(),
                "organization_id": self.scope.organization.as_str(),
            },
        }))
    }

    fn value(
        &self,
        record: &Record,
        attribute: &resources::Attribute,
        value: &Attribute,
    ) -> Result<Value, Problem> {
        if let Source::Constant(json) = attribute.source {
            return Ok(serde_json::from_str(json).unwrap_or_default());
        }
        if self.audience < attribute.audience {
            let empty = attribute.kind == Kind::Object && !attribute.nullable;
            return Ok(if empty { json!({}) } else { Value::Null });
        }
        Ok(match value {
            Attribute::Null => Value::Null,
            Attribute::Text(text) => text.as_str().into(),
            Attribute::Time(at) => timestamp(*at).into(),
            Attribute::Object(object) => object.clone().into(),
            Attribute::Boolean(is) => (*is).into(),
            Attribute::Integer(number) => (*number).into(),
            Attribute::Token(sealed) => {
                let reset: ResetId = record.id().as_str().parse().map_err(|_| Problem::Internal)?;
                let token = sealed.unseal(self.scope.organization, reset, self.keys);
                if token.is_err() {
                    self.unreadable_tokens.update(|count| count + 1);
                }
                token.map_or(Value::Null, |token| token.expose().into())
            }
        })
    }

    /// Renders a relationship: its links, and its data when it is included. It is shown when its field is, or when it is included.
    fn relationship(&self, record: &Record, own_url: &str, relationship: &Relationship) -> Option<Value> {
        let included = self.included.covers(record, relationship);
        if !included && !self.view.shows(record.resource(), relationship.name) {
            return None;
        }
        let links = relationship_links(own_url, relationship);
        Some(if included {
            json!({ "links": links, "data": self.included.linkage(record, relationship) })
        } else {
            json!({ "links": links })
        })
    }
}

/// Returns the URL of a record. The caller's own organization needs no id.
#[must_use]
pub fn url_of(api_url: &str, resource: &Resource, id: &str) -> String {
    if *resource == ORGANIZATIONS {
        format!("{api_url}/{}", resource.singular)
    } else {
        format!("{api_url}/{}/{id}", resource.name)
    }
}

/// Returns the links of a relationship of the record with that URL.
pub fn relationship_links(own_url: &str, relationship: &Relationship) -> Value {
    let name = relationship.name;
    json!({ "self": format!("{own_url}/relationships/{name}"), "related": format!("{own_url}/{name}") })
}

const TIMESTAMP: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// Formats a time for the wire: RFC 3339, UTC, milliseconds.
#[must_use]
pub fn timestamp(at: OffsetDateTime) -> String {
    at.to_offset(UtcOffset::UTC).format(TIMESTAMP).unwrap_or_default()
}
