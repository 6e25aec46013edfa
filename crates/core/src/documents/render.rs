use std::cell::Cell;

use serde_json::{Map, Value, json};
use time::{OffsetDateTime, UtcOffset, format_description::BorrowedFormatItem, macros::format_description};

use super::{included::Included, view::View};
use crate::{
    resources::{
        self, Audience, Kind, ORGANIZATIONS, Relationship, Resource, Source,
        record::{Record, Value as Attribute},
    },
    scope::Scope,
    secrets::{KeyRing, UnsealError},
};

/// Renders records as resource objects.
pub struct Renderer<'a> {
    /// Decrypts what integrations are shown.
    pub keys: &'a KeyRing,
    pub api_url: &'a str,
    pub scope: Scope,
    pub audience: Audience,
    pub view: &'a View,
    pub included: &'a Included,
    /// The number of values that could not be decrypted; they are shown as null.
    pub undecryptable: Cell<usize>,
}

impl Renderer<'_> {
    /// Renders a resource object.
    pub fn resource(&self, record: &Record) -> Value {
        let resource = record.resource();
        let own_url = url_of(self.api_url, resource, record.id().as_str());
        let mut attributes = Map::new();
        for (attribute, value) in record.attributes() {
            if attribute.is_shown() && self.view.shows(resource, attribute.name) {
                attributes.insert(attribute.name.to_owned(), self.value(record, attribute, value));
            }
        }
        let relationships: Map<String, Value> = resource
            .relationships
            .iter()
            .filter_map(|relationship| {
                Some((relationship.name.to_owned(), self.relationship(record, &own_url, relationship)?))
            })
            .collect();
        json!({
            "id": record.id().as_str(),
            "type": resource.name,
            "links": { "self": own_url },
            "attributes": attributes,
            "relationships": relationships,
            "meta": {
                "mode": self.scope.mode.as_str(),
                "organization_id": self.scope.organization.as_str(),
            },
        })
    }

    fn value(&self, record: &Record, attribute: &resources::Attribute, value: &Attribute) -> Value {
        if let Source::Constant(json) = attribute.source {
            return serde_json::from_str(json).unwrap_or_default();
        }
        if self.audience < attribute.audience {
            let empty = attribute.kind == Kind::Object && !attribute.nullable;
            return if empty { json!({}) } else { Value::Null };
        }
        let organization = self.scope.organization;
        match value {
            Attribute::Null => Value::Null,
            Attribute::Text(text) => text.as_str().into(),
            Attribute::Time(at) => timestamp(*at).into(),
            Attribute::Object(object) => object.clone().into(),
            Attribute::Boolean(is) => (*is).into(),
            Attribute::Integer(number) => (*number).into(),
            Attribute::Texts(texts) => texts.clone().into(),
            _ if self.view.is_redacted => Value::Null,
            Attribute::Token(sealed) => self
                .opened(sealed.unseal(organization, record.id(), self.keys), |token| token.expose().into()),
            Attribute::SharedSecret(sealed) => self
                .opened(sealed.unseal(organization, record.id(), self.keys), |secret| secret.expose().into()),
            Attribute::Payload(sealed) => {
                let payload = sealed.unseal(organization, record.id(), self.keys);
                self.opened(payload, |payload| serde_json::from_str(payload.expose()).unwrap_or_default())
            }
        }
    }

    /// Renders what was encrypted; null if it can't be decrypted.
    fn opened<T>(&self, opened: Result<T, UnsealError>, render: impl FnOnce(T) -> Value) -> Value {
        opened.map_or_else(
            |UnsealError| {
                self.undecryptable.update(|count| count + 1);
                Value::Null
            },
            render,
        )
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ids::OrganizationId, random::OsRandom, scope::Mode, testing::ring};

    /// The count is what an operator gets to know of it, by an error in the log.
    #[test]
    fn what_can_not_be_decrypted_is_null_and_counted() {
        let renderer = Renderer {
            keys: &ring([("a", 1)]),
            api_url: "",
            scope: Scope { organization: OrganizationId::generate(&OsRandom), mode: Mode::Test },
            audience: Audience::BackOffice,
            view: &View::default(),
            included: &Included::default(),
            undecryptable: Cell::default(),
        };
        assert_eq!(renderer.opened(Ok("secret"), Value::from), "secret");
        for count in 1..=2 {
            assert_eq!(renderer.opened(Err::<&str, _>(UnsealError), Value::from), Value::Null);
            assert_eq!(renderer.undecryptable.get(), count);
        }
    }
}
