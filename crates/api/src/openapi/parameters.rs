//! Parameters of requests, from the resources' definitions.

use rekey_core::resources::{RESOURCES, Relationship, Resource};
use serde_json::{Value, json};

use super::{
    components::{Named, name, reference},
    filters,
};
use crate::{
    endpoints::Call,
    jsonapi::query::{MAX_DEPTH, MAX_ORDERS, MAX_PATHS},
};

/// Returns references to the parameters of an operation.
pub fn for_call(call: Call) -> Vec<Value> {
    let one = |resource: &Resource| vec![format!("{}Include", name(resource)), "Fields".to_owned()];
    let many = |resource: &Resource| {
        let listed = ["Filter", "Sort"].map(|family| format!("{}{family}", name(resource)));
        [one(resource), listed.to_vec(), vec!["Page".to_owned()]].concat()
    };
    let with_id = |others: Vec<String>| [vec!["Id".to_owned()], others].concat();
    let names = match call {
        Call::List(resource) => many(resource),
        Call::Create(written) => [one(written.resource()), vec!["IdempotencyKey".to_owned()]].concat(),
        Call::Retrieve(resource) => with_id(one(resource)),
        // An organization has no relationships to include.
        Call::Own(_) => vec!["Fields".to_owned()],
        Call::Update(written) => with_id(one(written.resource())),
        Call::Related(_, relationship) if relationship.is_to_one() => with_id(one(relationship.target)),
        Call::Related(_, relationship) => with_id(many(relationship.target)),
        Call::Delete(_) | Call::Identifiers(..) => with_id(Vec::new()),
        Call::Token | Call::Revoke | Call::Keys | Call::Live | Call::Ready | Call::Description => Vec::new(),
    };
    names.iter().map(|name| reference("parameters", name)).collect()
}

/// Returns the parameters that depend on resources.
pub fn all() -> Named {
    let mut all = Named::from_iter([("Fields".to_owned(), fields())]);
    for resource in RESOURCES {
        let name = name(resource);
        all.insert(format!("{name}Include"), include(resource));
        all.insert(format!("{name}Sort"), sort(resource));
        all.insert(format!("{name}Filter"), filters::parameter(resource));
    }
    all
}

fn include(resource: &'static Resource) -> Value {
    let paths = paths(resource, MAX_DEPTH);
    json!({
        "name": "include",
        "in": "query",
        "description": "Related records to return as well, separated by commas; a path includes records related to those.",
        "style": "form",
        "explode": false,
        "schema": { "type": "array", "maxItems": MAX_PATHS, "items": { "type": "string", "enum": paths } },
    })
}

/// Returns the paths of relationships from a resource, of at most `depth` steps.
fn paths(resource: &'static Resource, depth: usize) -> Vec<String> {
    let Some(depth) = depth.checked_sub(1) else { return Vec::new() };
    let from = |Relationship { name, target, .. }: &'static Relationship| {
        let further = paths(target, depth).into_iter().map(move |path| format!("{name}.{path}"));
        [(*name).to_owned()].into_iter().chain(further)
    };
    resource.relationships.iter().flat_map(from).collect()
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
        "description": "`fields[TYPE]=a,b` returns no other attributes and relationships of records of that type.",
        "style": "deepObject",
        "explode": true,
        "schema": {
            "type": "object",
            "properties": Resource::all().map(of).collect::<Named>(),
            "additionalProperties": false,
        },
        "example": {},
    })
}

fn sort(resource: &'static Resource) -> Value {
    let sortable = resource.attributes.iter().filter(|attribute| attribute.sort);
    let orders: Vec<String> =
        sortable.flat_map(|attribute| [attribute.name.to_owned(), format!("-{}", attribute.name)]).collect();
    json!({
        "name": "sort",
        "in": "query",
        "description": "The order: attributes separated by commas, descending with a `-`. By default the newest come first.",
        "style": "form",
        "explode": false,
        "schema": { "type": "array", "items": { "type": "string", "enum": orders }, "maxItems": MAX_ORDERS },
        "example": ["-created_at"],
    })
}
