//! Schemas of the resources, from their definitions.

mod values;

use rekey_core::resources::{
    Attribute, EMPTY_RESOURCES, Kind, ORGANIZATIONS, RESOURCES, Relationship, Resource, Write,
};
use serde_json::{Value, json};

use super::components::{Named, extend, is_listed, name, object, schema};
use crate::endpoints::WritableResource;

/// Returns the schemas of all resources.
pub fn all() -> Named {
    let mut all = Named::new();
    for resource in Resource::all() {
        let name = name(resource);
        all.insert(name.clone(), record(resource));
        if !EMPTY_RESOURCES.contains(&resource) {
            all.insert(format!("{name}Document"), document(&schema(&name)));
        }
        if *resource == ORGANIZATIONS {
            continue;
        }
        let identifier = json!({ "type": { "const": resource.name }, "id": values::of_kind(Kind::Id) });
        all.insert(format!("{name}Identifier"), object(identifier, &["type", "id"]));
        if is_listed(resource) {
            all.insert(format!("{name}List"), list(resource));
        }
        for relationship in resource.relationships {
            all.insert(relationship_name(relationship), linkage(relationship));
        }
        if let Some(writable) = WritableResource::from_resource(resource) {
            if writable.has_all_writes() {
                all.insert(format!("{name}Create"), request(resource, Purpose::Create));
            }
            all.insert(format!("{name}Update"), request(resource, Purpose::Update));
        }
    }
    let any: Vec<Value> = RESOURCES.iter().map(|resource| schema(&name(resource))).collect();
    let included = json!({ "description": "A record requested by `include`.", "anyOf": any });
    all.insert("Included".to_owned(), included);
    all
}

/// What a body is sent for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Create,
    Update,
}

/// Returns the schema of a record in answers. None of its attributes is required, as `fields` can leave them out.
fn record(resource: &'static Resource) -> Value {
    let shown = resource.attributes.iter().filter(|attribute| attribute.is_shown());
    let attributes: Named =
        shown.map(|attribute| (attribute.name.to_owned(), values::shown(attribute))).collect();
    let related = |relationship: &Relationship| {
        let mut related = schema(&relationship_name(relationship));
        extend(&mut related, json!({ "description": relationship.about }));
        (relationship.name.to_owned(), related)
    };
    let properties = json!({
        "id": resource.attribute("id").map(values::shown),
        "type": { "const": resource.name },
        "links": schema("SelfLink"),
        "attributes": object(attributes, &[]),
        "relationships": object(resource.relationships.iter().map(related).collect::<Named>(), &[]),
        "meta": schema("Meta"),
    });
    let mut record = object(properties, &["id", "type", "links", "attributes", "relationships", "meta"]);
    extend(&mut record, json!({ "description": resource.about }));
    record
}

/// Returns the name of the schema of relationships to a resource, such as `ToOneCustomer`.
fn relationship_name(relationship: &Relationship) -> String {
    let arity = if relationship.is_to_one() { "ToOne" } else { "ToMany" };
    format!("{arity}{}", name(relationship.target))
}

/// Returns the schema of a relationship: its links and, when it is included, the identifiers at its other end.
fn linkage(relationship: &Relationship) -> Value {
    let identifier = schema(&format!("{}Identifier", name(relationship.target)));
    let data = if relationship.is_to_one() {
        json!({ "oneOf": [identifier, { "type": "null" }] })
    } else {
        json!({ "type": "array", "items": identifier })
    };
    object(json!({ "links": schema("RelationshipLinks"), "data": data }), &["links"])
}

/// Returns the schema of a document with the identifiers at the other end of a relationship.
pub fn identifiers(relationship: &Relationship) -> Value {
    let mut document = schema(&relationship_name(relationship));
    extend(&mut document, json!({ "required": ["data"] }));
    document
}

fn document(data: &Value) -> Value {
    object(json!({ "data": data, "included": included() }), &["data"])
}

/// Returns the schema of a document with a related record, if there is one.
pub fn document_or_null(resource: &Resource) -> Value {
    document(&json!({ "oneOf": [schema(&name(resource)), { "type": "null" }] }))
}

fn list(resource: &Resource) -> Value {
    let properties = json!({
        "data": { "type": "array", "items": schema(&name(resource)) },
        "included": included(),
        "meta": schema("ListMeta"),
        "links": schema("ListLinks"),
    });
    object(properties, &["data", "meta", "links"])
}

fn included() -> Value {
    json!({ "type": "array", "items": schema("Included") })
}

/// Returns the schema of the body of a write. Unknown and read-only members are allowed there, as they have no effect.
fn request(resource: &Resource, purpose: Purpose) -> Value {
    let is_written = |attribute: &&Attribute| match purpose {
        Purpose::Create => attribute.create != Write::Ignored,
        Purpose::Update => attribute.update,
    };
    let written = || resource.attributes.iter().filter(is_written);
    let attributes: Named =
        written().map(|attribute| (attribute.name.to_owned(), values::written(attribute))).collect();
    let is_required =
        |attribute: &&Attribute| purpose == Purpose::Create && attribute.create == Write::Required;
    let required: Vec<&str> = written().filter(is_required).map(|attribute| attribute.name).collect();
    let mut data = json!({
        "type": { "const": resource.name },
        "attributes": { "type": "object", "properties": attributes, "required": required },
        "relationships": { "type": "object", "description": "Has no effect." },
    });
    if purpose == Purpose::Update {
        let id =
            json!({ "type": "string", "description": "The id of the path.", "examples": ["XAyRWNUzyN"] });
        extend(&mut data, json!({ "id": id }));
    }
    let required: &[&str] = if required.is_empty() { &["type"] } else { &["type", "attributes"] };
    json!({
        "type": "object",
        "properties": { "data": { "type": "object", "properties": data, "required": required } },
        "required": ["data"],
    })
}
