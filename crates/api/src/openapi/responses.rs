//! Responses and their headers.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use serde_json::{Map, Value, json};

use super::{oauth, pascal, problems, reference, schema, schemas};
use crate::{
    endpoints::{Area, ENDPOINTS, Endpoint, Operation},
    jsonapi::MEDIA_TYPE,
};

/// The responses of an operation under `/api`: what it does, and every problem that it can have.
pub fn of(endpoint: &Endpoint, call: Operation, example: Option<Value>, links: Value) -> Map<String, Value> {
    let (status, schema) = success(call);
    let mut response = json!({ "description": done(call), "headers": headers_of(status, true) });
    if let (Some(schema), Value::Object(response)) = (schema, &mut response) {
        let mut content = json!({ "schema": schema });
        if let (Some(example), Value::Object(content)) = (example, &mut content) {
            content.insert("example".to_owned(), example);
        }
        response.insert("content".to_owned(), json!({ MEDIA_TYPE: content }));
        if links.as_object().is_some_and(|links| !links.is_empty()) {
            response.insert("links".to_owned(), links);
        }
    }
    let refused = problems::of(endpoint, call).into_iter().map(|(status, problems)| {
        let response = match shared_name(status, Area::Api) {
            Some(name) => reference("responses", &name),
            None => problems::response(status, &problems),
        };
        (status.as_str().to_owned(), response)
    });
    [(status.as_str().to_owned(), response)].into_iter().chain(refused).collect()
}

fn success(call: Operation) -> (StatusCode, Option<Value>) {
    let of = |resource, suffix| Some(schema(&format!("{}{suffix}", schemas::name(resource))));
    match call {
        Operation::List(resource) => (StatusCode::OK, of(resource, "List")),
        Operation::Create(written) => (StatusCode::CREATED, of(written.resource(), "Document")),
        Operation::Retrieve(resource) | Operation::Own(resource) => {
            (StatusCode::OK, of(resource, "Document"))
        }
        Operation::Update(written) => (StatusCode::OK, of(written.resource(), "Document")),
        Operation::Related(_, relationship) if relationship.is_to_one() => {
            let data = json!({ "oneOf": [schema(&schemas::name(relationship.target)), { "type": "null" }] });
            let document = json!({ "data": data, "included": schemas::included() });
            (StatusCode::OK, Some(schemas::exactly(&document, &["data"])))
        }
        Operation::Related(_, relationship) => (StatusCode::OK, of(relationship.target, "List")),
        Operation::Identifiers(_, relationship) => {
            let document = json!({
                "data": schemas::linkage(relationship),
                "links": schema("RelationshipLinks"),
            });
            (StatusCode::OK, Some(schemas::exactly(&document, &["data", "links"])))
        }
        _ => (StatusCode::NO_CONTENT, None),
    }
}

fn done(call: Operation) -> &'static str {
    match call {
        Operation::List(_)
        | Operation::Related(..)
        | Operation::Identifiers(..)
        | Operation::Retrieve(_)
        | Operation::Own(_) => "What was asked for.",
        Operation::Create(_) => "It is created.",
        Operation::Update(_) => "It is changed.",
        _ => "It is deleted.",
    }
}

/// What a response is called that every operation of an area has alike. Those of bad requests are each operation's own.
pub fn shared_name(status: StatusCode, area: Area) -> Option<String> {
    let is_own =
        [StatusCode::BAD_REQUEST, StatusCode::UNPROCESSABLE_ENTITY, StatusCode::CONFLICT].contains(&status);
    let prefix = if area == Area::OAuth { "OAuth" } else { "" };
    (!is_own).then(|| format!("{prefix}{}", pascal(status.canonical_reason().unwrap_or_default())))
}

/// The responses that operations share.
pub fn shared() -> Map<String, Value> {
    let mut shared = BTreeMap::new();
    for endpoint in ENDPOINTS.iter().filter(|endpoint| endpoint.area != Area::Open) {
        for operation in &endpoint.operations {
            if endpoint.area == Area::OAuth {
                shared.extend(oauth::shared(*operation));
                continue;
            }
            for (status, problems) in problems::of(endpoint, *operation) {
                if let Some(name) = shared_name(status, endpoint.area) {
                    shared.insert(name, problems::response(status, &problems));
                }
            }
        }
    }
    shared.into_iter().collect()
}

/// The headers of a response with that status; of one that is counted, where the limit stands, too.
pub fn headers_of(status: StatusCode, is_counted: bool) -> Map<String, Value> {
    let own: &[&str] = match status {
        StatusCode::CREATED => &["Location", "Idempotency-Replayed"],
        StatusCode::UNAUTHORIZED => &["WWW-Authenticate"],
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE | StatusCode::CONFLICT => {
            &["Retry-After"]
        }
        _ => &[],
    };
    let counted: &[&str] = if is_counted { &COUNTED } else { &[] };
    own.iter().chain(counted).map(|name| ((*name).to_owned(), reference("headers", name))).collect()
}

const COUNTED: [&str; 3] = ["X-Ratelimit-Limit", "X-Ratelimit-Interval", "X-Ratelimit-Remaining"];

/// Every header that responses refer to.
pub fn headers() -> Value {
    let count = |about: &str| json!({ "description": about, "schema": { "type": "integer", "minimum": 0 } });
    json!({
        "Location": {
            "description": "Where the new record is.",
            "required": true,
            "schema": { "type": "string", "format": "uri" },
        },
        "Idempotency-Replayed": {
            "description": "That this is the answer to an earlier call with the same idempotency key.",
            "schema": { "const": "true" },
        },
        "Retry-After": {
            "description": "After how many seconds to try again.",
            "required": true,
            "schema": { "type": "integer", "minimum": 1 },
        },
        "WWW-Authenticate": {
            "description": "That a bearer token is missing or no good (RFC 6750).",
            "schema": { "type": "string" },
        },
        "X-Ratelimit-Limit": count("Calls in a window, at most."),
        "X-Ratelimit-Interval": count("How long the window is, in seconds."),
        "X-Ratelimit-Remaining": count("Calls that are left in it."),
    })
}
