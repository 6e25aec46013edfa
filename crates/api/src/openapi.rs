//! The API's description in OpenAPI 3.1, made once: of the [endpoints](crate::endpoints), of the resources' definitions, and
//! of the problems that the API answers with.

mod examples;
mod filters;
mod oauth;
mod operations;
mod parameters;
mod problems;
mod responses;
mod schemas;
mod service;

pub use self::schemas::name as schema_name;

use std::sync::LazyLock;

use actix_web::{HttpResponse, http::header, web::Bytes};
use rekey_core::resources::Resource;
use serde_json::{Map, Value, json};

use crate::endpoints::ENDPOINTS;

/// The whole document.
pub static DESCRIPTION: LazyLock<Value> = LazyLock::new(describe);

/// As it is served: without the white space.
static TEXT: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(DESCRIPTION.to_string()));

/// The document as it is committed.
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

const ABOUT: &str = "\
Customer password resets for storefronts, in the dialect of Commerce Layer: JSON:API documents, OAuth 2 access tokens.

1. Get an access token: `POST /oauth/token`. An **integration** client (a back office) has a secret and may do \
everything; a **sales channel** (a storefront) has none, and stands for a guest or, after a log-in, for a customer.
2. Ask for a reset: `POST /api/customer_password_resets`. The customer is sent a link with a token that works once.
3. Set the new password: `PATCH /api/customer_password_resets/{id}` with that token.

Bodies under `/api` are `application/vnd.api+json`, both ways. Ids are 10 letters or digits, times are RFC 3339 in UTC \
with milliseconds. In a write, attributes that are unknown or read-only have no effect; a wrong type is an error. Every \
refusal under `/api` is a document with `errors`: its `code` is stable, its `title` and `detail` are for people.

Each client, and each network address, may make a limited number of calls in a window of time: answers say in \
`X-Ratelimit-*` where it stands, and 429 says in `Retry-After` when it goes on.";

fn describe() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Rekey",
            "summary": "Customer password resets for storefronts.",
            "description": ABOUT,
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/", "description": "Where this document is served." }],
        "tags": tags(),
        "paths": paths(),
        "components": {
            "schemas": schemas::all(),
            "parameters": parameters::all(),
            "headers": responses::headers(),
            "responses": responses::shared(),
            "securitySchemes": oauth::security_schemes(),
        },
    })
}

fn tags() -> Value {
    let tag = |name: &str, about: &str| json!({ "name": name, "description": about });
    let first = tag(oauth::TAG, "Access tokens: OAuth 2, as RFC 6749, RFC 7009 and RFC 7517 define it.");
    let last = tag(service::TAG, "What watches and describes the service.");
    let resources = Resource::all().map(|resource| tag(resource.name, resource.about));
    [first].into_iter().chain(resources).chain([last]).collect()
}

fn paths() -> Map<String, Value> {
    let path = |endpoint: &'static crate::endpoints::Endpoint| {
        let operations = endpoint.operations.iter().map(|operation| {
            let method = operation.method().as_str().to_ascii_lowercase();
            (method, operations::describe(endpoint, *operation))
        });
        (endpoint.path.clone(), operations.collect::<Map<_, _>>().into())
    };
    ENDPOINTS.iter().map(path).collect()
}

/// A reference to a component.
fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

/// A reference to a schema.
fn schema(name: &str) -> Value {
    reference("schemas", name)
}

/// `customer password reset` as a type's name: `CustomerPasswordReset`.
fn pascal(words: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
    };
    words.split([' ', '_']).filter_map(word).collect()
}

#[cfg(test)]
mod tests;
