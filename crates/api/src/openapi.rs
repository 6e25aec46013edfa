//! The API's description in OpenAPI 3.1. It is generated once: the operations from the [endpoints](crate::endpoints), schemas and
//! parameters from the resources' definitions, error responses from the errors. The rest is in `base.json`.

mod components;
mod errors;
mod filters;
mod operations;
mod parameters;
mod responses;
mod schemas;

use std::sync::LazyLock;

use actix_web::{HttpResponse, http::header, web::Bytes};
use rekey_core::resources::{EMPTY_RESOURCES, Resource};
use serde_json::{Value, json};

use self::components::{Named, extend};
use crate::endpoints::{ENDPOINTS, Endpoint};

/// The whole document.
pub static DESCRIPTION: LazyLock<Value> = LazyLock::new(describe);

/// The document as it is served: without white space.
static TEXT: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(DESCRIPTION.to_string()));

/// Returns the document as it is committed.
#[must_use]
pub fn text() -> String {
    format!("{:#}\n", *DESCRIPTION)
}

/// `GET /openapi.json`.
pub async fn show() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .body(TEXT.clone())
}

fn describe() -> Value {
    let mut description: Value = serde_json::from_str(include_str!("openapi/base.json")).unwrap_or_default();
    extend(&mut description, json!({ "info": info(), "tags": tags(), "paths": paths() }));
    let generated =
        [("schemas", schemas::all()), ("parameters", parameters::all()), ("responses", errors::all())];
    for (kind, components) in generated {
        if let Some(known) = description.pointer_mut(&format!("/components/{kind}")) {
            extend(known, components.into());
        }
    }
    description
}

fn info() -> Value {
    json!({
        "title": "Rekey",
        "summary": "Customer password resets for storefronts.",
        "description": include_str!("openapi/about.md"),
        "version": env!("CARGO_PKG_VERSION"),
        "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
    })
}

fn tags() -> Value {
    let tag = |name: &str, about: &str| json!({ "name": name, "description": about });
    let first = tag(operations::TOKENS, "Access tokens: OAuth 2, as in RFC 6749, RFC 7009 and RFC 7517.");
    let last = tag(operations::SERVICE, "Health, and this description.");
    let with_operations = Resource::all().filter(|resource| !EMPTY_RESOURCES.contains(resource));
    let resources = with_operations.map(|resource| tag(resource.name, resource.about));
    [first].into_iter().chain(resources).chain([last]).collect()
}

fn paths() -> Named {
    let path = |endpoint: &'static Endpoint| {
        let operations = endpoint.operations.iter().map(|operation| {
            let method = operation.method().as_str().to_ascii_lowercase();
            (method, operations::describe(endpoint, *operation))
        });
        (endpoint.path.clone(), operations.collect::<Named>().into())
    };
    ENDPOINTS.iter().map(path).collect()
}

#[cfg(test)]
mod tests;
