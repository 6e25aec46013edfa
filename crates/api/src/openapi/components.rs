//! The pieces that all parts of the description use.

use actix_web::http::StatusCode;
use rekey_core::resources::Resource;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::endpoints::{Area, ENDPOINTS, Operation};

/// Members of an object by name, such as schemas or responses.
pub type Named = Map<String, Value>;

/// Returns a reference to a component.
pub fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

/// Returns a reference to a schema.
pub fn schema(name: &str) -> Value {
    reference("schemas", name)
}

/// Returns the schema of an object that has these properties and no others.
pub fn object(properties: impl Serialize, required: &[&str]) -> Value {
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// Adds members to an object.
pub fn extend(object: &mut Value, members: Value) {
    if let (Value::Object(object), Value::Object(members)) = (object, members) {
        object.extend(members);
    }
}

/// Returns references to the headers of a response with this status.
pub fn headers(area: Area, status: StatusCode) -> Value {
    let own: &[&str] = match status {
        StatusCode::CREATED => &["Location", "Idempotency-Replayed"],
        StatusCode::UNAUTHORIZED if area == Area::Api => &["WWW-Authenticate"],
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE | StatusCode::CONFLICT => {
            &["Retry-After"]
        }
        _ => &[],
    };
    let limits = ["X-Ratelimit-Limit", "X-Ratelimit-Interval", "X-Ratelimit-Remaining"];
    let header = |name: &&str| ((*name).to_owned(), reference("headers", name));
    own.iter().chain(&limits).map(header).collect::<Named>().into()
}

/// Returns the resource whose records an operation returns, and whether it returns a list of them.
pub fn returned(operation: Operation) -> Option<(&'static Resource, bool)> {
    match operation {
        Operation::List(resource) => Some((resource, true)),
        Operation::Retrieve(resource) | Operation::Own(resource) => Some((resource, false)),
        Operation::Create(writable) | Operation::Update(writable) => Some((writable.resource(), false)),
        Operation::Related(_, relationship) => Some((relationship.target, !relationship.is_to_one())),
        _ => None,
    }
}

/// Whether an operation returns lists of a resource's records.
pub fn is_listed(resource: &Resource) -> bool {
    let mut operations = ENDPOINTS.iter().flat_map(|endpoint| &endpoint.operations);
    operations.any(|operation| returned(*operation).is_some_and(|(of, is_list)| is_list && of == resource))
}

/// Returns the name of the schema of a resource's records.
pub fn name(resource: &Resource) -> String {
    pascal_case(resource.singular)
}

/// Returns `customer password reset` as a type's name: `CustomerPasswordReset`.
pub fn pascal_case(words: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
    };
    words.split([' ', '_']).filter_map(word).collect()
}
