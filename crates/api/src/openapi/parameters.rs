//! Parameters of requests, from the definitions.

use rekey_core::{
    idempotency::IdempotencyKey,
    ids,
    resources::{RESOURCES, Resource, listing::Page},
};
use serde_json::{Map, Value, json};

use super::{filters, reference, schemas::name};
use crate::{
    endpoints::Operation,
    jsonapi::query::{MAX_DEPTH, MAX_ORDERS, MAX_PATHS},
};

/// The parameters of an operation, each by reference. A path's id is its path's.
pub fn of(call: Operation) -> Vec<Value> {
    let one = |resource: &Resource| vec![named(resource, "Include"), reference("parameters", "Fields")];
    let many = |resource: &Resource| {
        let listed = ["Filter", "Sort"].map(|family| named(resource, family));
        [one(resource), listed.to_vec(), vec![reference("parameters", "Page")]].concat()
    };
    let id = |others: Vec<Value>| [vec![reference("parameters", "Id")], others].concat();
    match call {
        Operation::List(resource) => many(resource),
        Operation::Create(written) => {
            [one(written.resource()), vec![reference("parameters", "IdempotencyKey")]].concat()
        }
        Operation::Retrieve(resource) => id(one(resource)),
        // It is related to nothing.
        Operation::Own(_) => vec![reference("parameters", "Fields")],
        Operation::Update(written) => id(one(written.resource())),
        Operation::Related(_, relationship) if relationship.is_to_one() => id(one(relationship.target)),
        Operation::Related(_, relationship) => id(many(relationship.target)),
        Operation::Delete(_) | Operation::Identifiers(..) => id(Vec::new()),
        Operation::Token
        | Operation::Revoke
        | Operation::Keys
        | Operation::Live
        | Operation::Ready
        | Operation::Description => Vec::new(),
    }
}

fn named(resource: &Resource, family: &str) -> Value {
    reference("parameters", &format!("{}{family}", name(resource)))
}

/// Every parameter that operations refer to.
pub fn all() -> Map<String, Value> {
    let mut all = Map::from_iter([
        ("Id".to_owned(), path_id()),
        ("Fields".to_owned(), fields()),
        ("Page".to_owned(), page()),
        ("IdempotencyKey".to_owned(), idempotency_key()),
    ]);
    for resource in RESOURCES {
        let name = name(resource);
        all.insert(format!("{name}Include"), include(resource));
        all.insert(format!("{name}Sort"), sort(resource));
        all.insert(format!("{name}Filter"), filters::parameter(resource));
    }
    all
}

fn path_id() -> Value {
    json!({
        "name": "id",
        "in": "path",
        "description": "The record's id.",
        "required": true,
        "schema": { "type": "string", "pattern": format!("^[A-Za-z0-9]{{{}}}$", ids::LENGTH) },
        "example": "XAyRWNUzyN",
    })
}

/// In either of the forms that are read: a quoted string, or visible characters without those that would end one.
fn idempotency_key() -> Value {
    let most = IdempotencyKey::MAX_LENGTH;
    let quoted = format!(r#""([ !#-\[\]-~]|\\["\\]){{1,{most}}}""#);
    let bare = format!(r"[!#-+\--:<-\[\]-~]{{1,{most}}}");
    json!({
        "name": "Idempotency-Key",
        "in": "header",
        "description": "A name for this call, of the caller's choosing. Repeated under it, for a day, the call does nothing and is \
                        answered as it was: with the header `Idempotency-Replayed`.",
        "schema": { "type": "string", "pattern": format!("^({quoted}|{bare})$") },
        "example": "8e03978e-40d5-43e8-bc93-6894a57f9324",
    })
}

fn include(resource: &'static Resource) -> Value {
    json!({
        "name": "include",
        "in": "query",
        "description": "Related records to send along, separated by commas; with a path, those of related records.",
        "style": "form",
        "explode": false,
        "schema": { "type": "array", "maxItems": MAX_PATHS, "items": { "enum": paths(resource, MAX_DEPTH) } },
    })
}

/// Relationships that lead on from a resource, as paths of at most that many steps.
fn paths(resource: &'static Resource, steps: usize) -> Vec<String> {
    let Some(steps) = steps.checked_sub(1) else { return Vec::new() };
    let lead = |relationship: &'static rekey_core::resources::Relationship| {
        let on = paths(relationship.target, steps).into_iter();
        let on = on.map(|path| format!("{}.{path}", relationship.name));
        [relationship.name.to_owned()].into_iter().chain(on)
    };
    resource.relationships.iter().flat_map(lead).collect()
}

fn fields() -> Value {
    let of = |resource: &'static Resource| {
        let attributes = resource.attributes.iter().map(|attribute| attribute.name);
        let relationships = resource.relationships.iter().map(|relationship| relationship.name);
        let names = attributes.chain(relationships).collect::<Vec<_>>().join("|");
        let list = json!({ "type": "string", "pattern": format!("^(({names})(,({names}))*)?$") });
        (resource.name.to_owned(), list)
    };
    json!({
        "name": "fields",
        "in": "query",
        "description": "`fields[TYPE]=a,b` shows no other attributes and relationships of records of that type.",
        "style": "deepObject",
        "explode": true,
        "schema": {
            "type": "object",
            "properties": Resource::all().map(of).collect::<Map<_, _>>(),
            "additionalProperties": false,
        },
    })
}

fn sort(resource: &'static Resource) -> Value {
    let sortable = resource.attributes.iter().filter(|attribute| attribute.sort);
    let orders: Vec<String> =
        sortable.flat_map(|attribute| [attribute.name.to_owned(), format!("-{}", attribute.name)]).collect();
    json!({
        "name": "sort",
        "in": "query",
        "description": "The order, by attributes separated by commas; with a `-`, from the greatest down. Without it, the \
                        newest come first.",
        "style": "form",
        "explode": false,
        "schema": { "type": "array", "items": { "enum": orders }, "maxItems": MAX_ORDERS },
        "example": ["-created_at"],
    })
}

fn page() -> Value {
    json!({
        "name": "page",
        "in": "query",
        "description": "Which part of the list: `page[number]`, or `page[after]`, whose cost does not grow with the list. \
                        The answer's `links` lead to the other parts.",
        "style": "deepObject",
        "explode": true,
        "schema": {
            "type": "object",
            "properties": {
                "number": {
                    "description": "A page by its number. One past the end is empty.",
                    "type": "integer",
                    "minimum": 1,
                    "maximum": u32::MAX,
                    "default": 1,
                },
                "size": {
                    "description": "Records on a page.",
                    "type": "integer",
                    "minimum": 1,
                    "maximum": Page::MAX_SIZE,
                    "default": Page::DEFAULT_SIZE,
                },
                "after": {
                    "description": "What follows a place in the list, as a `next` link names it; empty for the beginning.",
                    "type": "string",
                    "format": "cursor",
                },
            },
            "not": { "required": ["number", "after"], "properties": { "number": { "minimum": 2 } } },
            "additionalProperties": false,
        },
        "example": { "size": 5 },
    })
}
