//! Examples, made of those in the definitions.

use rekey_core::resources::{Attribute, Relationship, Resource};
use serde_json::{Map, Value, json};

use super::schemas::Purpose;
use crate::{endpoints::Operation, jsonapi::document};

/// Where the examples' API is.
const URL: &str = "https://shop.example.com/api";
/// The record that the examples are about.
const ID: &str = "XAyRWNUzyN";
/// Whose it is.
const ORGANIZATION: &str = "xYZkjABcde";

/// A body that the operation takes.
pub fn request(resource: &Resource, purpose: Purpose) -> Value {
    let attributes: Map<String, Value> = purpose.attributes(resource).map(pair).collect();
    let mut data = Map::new();
    if purpose == Purpose::Update {
        data.insert("id".to_owned(), ID.into());
    }
    data.insert("type".to_owned(), resource.name.into());
    data.insert("attributes".to_owned(), attributes.into());
    data.insert("relationships".to_owned(), json!({}));
    json!({ "data": data })
}

/// A body that the operation answers with.
pub fn response(call: Operation) -> Option<Value> {
    match call {
        Operation::List(resource) => Some(list(resource, resource.name)),
        Operation::Create(written) | Operation::Update(written) => {
            Some(json!({ "data": record(written.resource()) }))
        }
        Operation::Retrieve(resource) | Operation::Own(resource) => Some(json!({ "data": record(resource) })),
        Operation::Related(_, relationship) if relationship.is_to_one() => {
            Some(json!({ "data": record(relationship.target) }))
        }
        Operation::Related(resource, relationship) => {
            Some(list(relationship.target, &format!("{}/{ID}/{}", resource.name, relationship.name)))
        }
        Operation::Identifiers(resource, relationship) => {
            let identifier = json!({ "type": relationship.target.name, "id": ID });
            let data = if relationship.is_to_one() { identifier } else { json!([identifier]) };
            Some(json!({ "data": data, "links": links(resource, relationship) }))
        }
        _ => None,
    }
}

fn list(resource: &Resource, path: &str) -> Value {
    let page = |number: u32| format!("{URL}/{path}?page%5Bnumber%5D={number}&page%5Bsize%5D=10");
    json!({
        "data": [record(resource)],
        "meta": { "record_count": 1, "page_count": 1 },
        "links": { "first": page(1), "last": page(1) },
    })
}

fn record(resource: &Resource) -> Value {
    let shown = resource.attributes.iter().filter(|attribute| attribute.is_shown());
    let relationships: Map<String, Value> = resource
        .relationships
        .iter()
        .map(|relationship| (relationship.name.to_owned(), json!({ "links": links(resource, relationship) })))
        .collect();
    json!({
        "id": ID,
        "type": resource.name,
        "links": { "self": document::url_of(URL, resource, ID) },
        "attributes": shown.map(pair).collect::<Map<_, _>>(),
        "relationships": relationships,
        "meta": { "mode": "live", "organization_id": ORGANIZATION },
    })
}

fn links(resource: &Resource, relationship: &Relationship) -> Value {
    let (itself, name) = (format!("{URL}/{}/{ID}", resource.name), relationship.name);
    json!({ "self": format!("{itself}/relationships/{name}"), "related": format!("{itself}/{name}") })
}

fn pair(attribute: &'static Attribute) -> (String, Value) {
    (attribute.name.to_owned(), serde_json::from_str(attribute.example).unwrap_or_default())
}
