//! The description of what watches and describes the service.

use serde_json::{Map, Value, json};

use super::{schema, schemas::exactly};
use crate::endpoints::Operation;

pub const TAG: &str = "service";

/// The responses of an operation that anybody may call.
pub fn responses(call: Operation) -> Map<String, Value> {
    let answer = |status: &str, about: &str, schema: Value| {
        let content = json!({ "application/json": { "schema": schema } });
        (status.to_owned(), json!({ "description": about, "content": content }))
    };
    match call {
        Operation::Keys => Map::from_iter([answer("200", "The keys.", schema("KeySet"))]),
        Operation::Live => Map::from_iter([answer("200", "It lives.", schema("Live"))]),
        Operation::Ready => Map::from_iter([
            answer("200", "It can do its work.", schema("Ready")),
            answer("503", "It can't do its work now.", schema("Unavailable")),
        ]),
        _ => Map::from_iter([answer("200", "This document.", json!({ "type": "object" }))]),
    }
}

/// The schemas of answers.
pub fn schemas() -> Vec<(&'static str, Value)> {
    let status = |status: &str| exactly(&json!({ "status": { "const": status } }), &["status"]);
    let failed = json!({ "type": "array", "minItems": 1, "items": { "enum": ["store", "broker"] } });
    let unavailable = json!({ "status": { "const": "unavailable" }, "failed": failed });
    vec![
        ("Live", status("live")),
        ("Ready", status("ready")),
        ("Unavailable", exactly(&unavailable, &["status", "failed"])),
    ]
}
