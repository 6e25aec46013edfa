//! Parameters of requests, from the resources' definitions.

use rekey_core::resources::{Attribute, Relationship, Resource};
use serde_json::{Value, json};

use super::{
    components::{Named, is_listed, name, reference, returned},
    filters,
};
use crate::{
    endpoints::{Endpoint, Operation},
    jsonapi::query::{MAX_DEPTH, MAX_ORDERS, MAX_PATHS},
};

/// Returns references to the parameters of an operation.
pub fn for_operation(endpoint: &Endpoint, operation: Operation) -> Vec<Value> {
    let mut names = Vec::new();
    if endpoint.path.contains("{id}") {
        names.push("Id".to_owned());
    }
    if let Some((resource, is_list)) = returned(operation) {
        names.push("Fields".to_owned());
        if !resource.relationships.is_empty() {
            names.push(format!("{}Include", name(resource)));
        }
        if is_list {
            names.extend(["Filter", "Sort"].map(|family| format!("{}{family}", name(resource))));
            names.push("Page".to_owned());
        }
    }
    if matches!(operation, Operation::Create(_)) {
        names.push("IdempotencyKey".to_owned());
    }
    names.iter().map(|name| reference("parameters", name)).collect()
}

/// Returns the parameters that depend on resources.
pub fn all() -> Named {
    let mut all = Named::from_iter([("Fields".to_owned(), fields())]);
    for resource in Resource::all().filter(|resource| is_listed(resource)) {
        let name = name(resource);
        if !resource.relationships.is_empty() {
            let paths = paths(resource, MAX_DEPTH);
            all.insert(format!("{name}Include"), list("include", INCLUDE, &paths, MAX_PATHS));
        }
        let sortable = resource.attributes.iter().filter(|attribute| attribute.sort);
        let orders: Vec<String> =
            sortable.flat_map(|Attribute { name, .. }| [(*name).to_owned(), format!("-{name}")]).collect();
        all.insert(format!("{name}Sort"), list("sort", SORT, &orders, MAX_ORDERS));
        all.insert(format!("{name}Filter"), filters::parameter(resource));
    }
    all
}

const INCLUDE: &str = "Related records to return as well, separated by commas; a path includes records related to those. Of each record \
     the newest 100 at the other end are returned, and 2,500 in all: with more the answer is a 400 with \
     `INVALID_INCLUDE`.";
const SORT: &str =
    "The order: attributes separated by commas, descending with a `-`. By default the newest come first.";

/// Returns a parameter that is a list of some of these values, separated by commas.
fn list(name: &str, description: &str, values: &[String], max_items: usize) -> Value {
    let items = json!({ "type": "string", "enum": values });
    json!({
        "name": name,
        "in": "query",
        "description": description,
        "style": "form",
        "explode": false,
        "schema": { "type": "array", "items": items, "maxItems": max_items },
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
