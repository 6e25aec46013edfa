//! Schemas of the resources, from their definitions.

mod values;

use rekey_core::resources::{Attribute, Kind, ORGANIZATIONS, RESOURCES, Relationship, Resource, Write};
use serde_json::{Map, Value, json};

use super::{filters, oauth, pascal, problems, schema, service};
use crate::endpoints::WritableResource;

/// Every schema that others refer to.
pub fn all() -> Map<String, Value> {
    let mut all = Map::new();
    let mut add = |name: String, schema: Value| {
        let known = all.insert(name, schema);
        debug_assert!(known.is_none(), "two schemas have one name");
    };
    for resource in RESOURCES {
        let name = name(resource);
        add(name.clone(), object(resource));
        add(format!("{name}Identifier"), identifier(resource));
        add(format!("{name}Document"), document(resource));
        add(format!("{name}List"), list(resource));
        if let Some(written) = WritableResource::from_resource(resource) {
            add(format!("{name}Create"), request(written.resource(), Purpose::Create));
            add(format!("{name}Update"), request(written.resource(), Purpose::Update));
        }
    }
    add(name(&ORGANIZATIONS), object(&ORGANIZATIONS));
    add(format!("{}Document", name(&ORGANIZATIONS)), document(&ORGANIZATIONS));
    add("RelationshipLinks".to_owned(), links(&["self", "related"], &["self", "related"]));
    let any: Vec<Value> = RESOURCES.iter().map(|resource| schema(&name(resource))).collect();
    add(
        "Included".to_owned(),
        json!({ "anyOf": any, "description": "A record that was asked for by `include`." }),
    );
    for (name, schema) in filters::schemas()
        .into_iter()
        .chain(problems::schemas())
        .chain(oauth::schemas())
        .chain(service::schemas())
    {
        add(name.to_owned(), schema);
    }
    all
}

/// What the schema of a resource's records is called.
#[must_use]
pub fn name(resource: &Resource) -> String {
    pascal(resource.singular)
}

/// What a body is sent for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Create,
    Update,
}

impl Purpose {
    /// The attributes that are read.
    pub fn attributes(self, resource: &Resource) -> impl Iterator<Item = &'static Attribute> + use<> {
        resource.attributes.iter().filter(move |attribute| match self {
            Self::Create => attribute.create != Write::Ignored,
            Self::Update => attribute.update,
        })
    }

    /// Whether this attribute must be sent.
    fn requires(self, attribute: &Attribute) -> bool {
        self == Self::Create && attribute.create == Write::Required
    }
}

/// A record as answers show it. `fields` leaves attributes and relationships out, so none of them is required.
fn object(resource: &'static Resource) -> Value {
    let shown = resource.attributes.iter().filter(|attribute| attribute.is_shown());
    let attributes: Map<String, Value> =
        shown.map(|attribute| (attribute.name.to_owned(), values::shown(attribute))).collect();
    let relationships: Map<String, Value> = resource
        .relationships
        .iter()
        .map(|relationship| (relationship.name.to_owned(), related(relationship)))
        .collect();
    let id = resource.attribute("id").map(values::shown);
    json!({
        "description": resource.about,
        "type": "object",
        "properties": {
            "id": id,
            "type": { "const": resource.name },
            "links": links(&["self"], &["self"]),
            "attributes": exactly(&attributes, &[]),
            "relationships": exactly(&relationships, &[]),
            "meta": {
                "type": "object",
                "properties": {
                    "mode": { "enum": ["live", "test"], "description": "The data that the access token is for." },
                    "organization_id": values::of(Kind::Id),
                },
                "required": ["mode", "organization_id"],
                "additionalProperties": false,
            },
        },
        "required": ["id", "type", "links", "attributes", "relationships", "meta"],
        "additionalProperties": false,
    })
}

fn related(relationship: &Relationship) -> Value {
    let properties = json!({ "links": schema("RelationshipLinks"), "data": linkage(relationship) });
    let described =
        json!({ "description": format!("{} `data` is there when it is included.", relationship.about) });
    merge(described, exactly(&properties, &["links"]))
}

/// What is at the other end of a relationship, as identifiers.
pub fn linkage(relationship: &Relationship) -> Value {
    let identifier = schema(&format!("{}Identifier", name(relationship.target)));
    if relationship.is_to_one() {
        json!({ "oneOf": [identifier, { "type": "null" }] })
    } else {
        json!({ "type": "array", "items": identifier })
    }
}

fn identifier(resource: &Resource) -> Value {
    exactly(&json!({ "type": { "const": resource.name }, "id": values::of(Kind::Id) }), &["type", "id"])
}

fn document(resource: &Resource) -> Value {
    exactly(&json!({ "data": schema(&name(resource)), "included": included() }), &["data"])
}

fn list(resource: &Resource) -> Value {
    let count = |about: &str| json!({ "type": "integer", "minimum": 0, "description": about });
    let properties = json!({
        "data": { "type": "array", "items": schema(&name(resource)) },
        "included": included(),
        "meta": {
            "description": "How long the whole list is; empty with `page[after]`.",
            "type": "object",
            "properties": {
                "record_count": count("Records on all pages."),
                "page_count": count("Pages; 1 for an empty list."),
            },
            "additionalProperties": false,
        },
        "links": links(&["first", "prev", "next", "last"], &["first"]),
    });
    exactly(&properties, &["data", "meta", "links"])
}

/// What is included in a document.
pub fn included() -> Value {
    json!({ "type": "array", "items": schema("Included") })
}

/// The links of that name, of which some are always there.
pub fn links(names: &[&str], required: &[&str]) -> Value {
    let link = |name: &&str| ((*name).to_owned(), json!({ "type": "string", "format": "uri" }));
    exactly(&names.iter().map(link).collect::<Map<_, _>>(), required)
}

/// The body of a write. What is unknown or read-only has no effect there, so it is not forbidden either.
fn request(resource: &Resource, purpose: Purpose) -> Value {
    let attributes: Map<String, Value> = purpose
        .attributes(resource)
        .map(|attribute| (attribute.name.to_owned(), values::written(attribute)))
        .collect();
    let required: Vec<&str> = purpose
        .attributes(resource)
        .filter(|attribute| purpose.requires(attribute))
        .map(|attribute| attribute.name)
        .collect();
    let mut data = json!({
        "type": { "const": resource.name },
        "attributes": { "type": "object", "properties": attributes, "required": required },
        "relationships": { "type": "object", "description": "Has no effect." },
    });
    if purpose == Purpose::Update {
        let id = json!({ "description": "The id of the path.", "type": "string" });
        data = merge(data, json!({ "id": id }));
    }
    let required = if required.is_empty() { json!(["type"]) } else { json!(["type", "attributes"]) };
    json!({
        "type": "object",
        "properties": { "data": { "type": "object", "properties": data, "required": required } },
        "required": ["data"],
    })
}

/// An object with these members and no others.
pub fn exactly(properties: &(impl serde::Serialize + ?Sized), required: &[&str]) -> Value {
    let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !required.is_empty() {
        schema = merge(schema, json!({ "required": required }));
    }
    schema
}

/// One object with the members of both.
pub fn merge(first: Value, second: Value) -> Value {
    match (first, second) {
        (Value::Object(mut first), Value::Object(second)) => {
            first.extend(second);
            first.into()
        }
        (first, _) => first,
    }
}
