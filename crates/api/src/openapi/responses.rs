//! Responses of operations: what success looks like, and references to the errors.

use actix_web::http::StatusCode;
use serde_json::{Value, json};

use super::{
    components::{Named, extend, headers, name, schema},
    errors, schemas,
};
use crate::{
    endpoints::{Area, Endpoint, Operation},
    jsonapi::MEDIA_TYPE,
};

/// Returns the responses of an operation by status.
pub fn for_operation(endpoint: &Endpoint, operation: Operation, links: &Named) -> Named {
    let media_type = if endpoint.area == Area::Api { MEDIA_TYPE } else { "application/json" };
    let with_body = |description: &str, schema: Value| json!({ "description": description, "content": { media_type: { "schema": schema } } });
    let (status, description, body) = success(operation);
    let mut response = match body {
        Some(schema) => with_body(description, schema),
        None => json!({ "description": description }),
    };
    if endpoint.area != Area::Open {
        extend(&mut response, json!({ "headers": headers(endpoint.area, status) }));
    }
    if !links.is_empty() {
        extend(&mut response, json!({ "links": links }));
    }
    let mut responses = errors::for_operation(endpoint, operation);
    responses.insert(status.as_str().to_owned(), response);
    if operation == Operation::Ready {
        responses.insert("503".to_owned(), with_body("It can't do its work now.", schema("Unavailable")));
    }
    responses
}

/// Returns the status, the description and the schema of an operation's success.
fn success(operation: Operation) -> (StatusCode, &'static str, Option<Value>) {
    let ok = |description, schema| (StatusCode::OK, description, Some(schema));
    let of = |resource, suffix: &str| schema(&format!("{}{suffix}", name(resource)));
    match operation {
        Operation::List(resource) => ok("The list.", of(resource, "List")),
        Operation::Create(writable) => {
            (StatusCode::CREATED, "The new record.", Some(of(writable.resource(), "Document")))
        }
        Operation::Retrieve(resource) | Operation::Own(resource) => {
            ok("The record.", of(resource, "Document"))
        }
        Operation::Update(writable) => ok("The updated record.", of(writable.resource(), "Document")),
        Operation::Delete(_) => (StatusCode::NO_CONTENT, "The record is deleted.", None),
        Operation::Related(_, relationship) if relationship.is_to_one() => {
            ok("The related record, or null.", schemas::document_or_null(relationship.target))
        }
        Operation::Related(_, relationship) => ok("The list.", of(relationship.target, "List")),
        Operation::Identifiers(_, relationship) => ok("The identifiers.", schemas::identifiers(relationship)),
        Operation::Token => ok("An access token.", schema("Token")),
        Operation::Revoke => ok("The token is revoked, if it was valid.", schema("Revoked")),
        Operation::Keys => ok("The keys.", schema("KeySet")),
        Operation::Live => ok("The process is alive.", schema("Live")),
        Operation::Ready => ok("It can do its work.", schema("Ready")),
        Operation::Description => ok("This document.", json!({ "type": "object" })),
    }
}
