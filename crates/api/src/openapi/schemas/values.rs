//! Schemas of attributes' values.

use rekey_core::{
    email, ids, locale,
    passwords::{self, PasswordPolicy},
    resources::{Attribute, Audience, Kind, Source, Write},
    secrets,
};
use serde_json::{Value, json};

use crate::openapi::components::extend;

/// Returns the schema of an attribute in answers. To readers who may not see its value it is null.
pub fn shown(attribute: &Attribute) -> Value {
    let is_hidden = attribute.audience > Audience::Everyone && attribute.kind != Kind::Object;
    let mut schema = match attribute.source {
        Source::Constant(json) => json!({ "const": parsed(json) }),
        Source::Column(_) | Source::WriteOnly => {
            nullable(one_of(attribute, of_kind(attribute.kind)), attribute.nullable || is_hidden)
        }
    };
    if attribute.create == Write::Ignored && !attribute.update {
        extend(&mut schema, json!({ "readOnly": true }));
    }
    described(attribute, schema)
}

/// Returns the schema of an attribute in writes. There null empties an object.
pub fn written(attribute: &Attribute) -> Value {
    let is_nullable = attribute.nullable || attribute.kind == Kind::Object;
    let is_written_only = attribute.source == Source::WriteOnly;
    // A text that is not kept has no effect, and any length; one of few values has no other limits.
    let is_unlimited = is_written_only && attribute.kind == Kind::Text || !attribute.values.is_empty();
    let accepted = if is_unlimited { of_kind } else { accepted };
    let mut schema = nullable(one_of(attribute, accepted(attribute.kind)), is_nullable);
    if is_written_only {
        extend(&mut schema, json!({ "writeOnly": true }));
    }
    described(attribute, schema)
}

fn described(attribute: &Attribute, mut schema: Value) -> Value {
    let example = parsed(attribute.example);
    extend(&mut schema, json!({ "description": attribute.about, "examples": [example] }));
    schema
}

fn parsed(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_default()
}

/// Returns the schema of the values of a kind.
pub fn of_kind(kind: Kind) -> Value {
    let alphanumeric = |length| json!({ "type": "string", "pattern": format!("^[A-Za-z0-9]{{{length}}}$") });
    match kind {
        Kind::Id => alphanumeric(ids::LENGTH),
        // JSON Schema's format "email" refuses the dots that some addresses have.
        Kind::Email | Kind::Text | Kind::Locale | Kind::Password => json!({ "type": "string" }),
        Kind::Time => json!({ "type": "string", "format": "date-time" }),
        Kind::Object | Kind::Payload => json!({ "type": "object" }),
        Kind::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Kind::SharedSecret => json!({ "type": "string", "pattern": "^[A-Za-z0-9+/]{43}=$" }),
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Integer => json!({ "type": "integer" }),
        Kind::Token => alphanumeric(secrets::LENGTH),
    }
}

/// Returns the schema of the values of a kind that writes accept, as far as a schema can express it.
fn accepted(kind: Kind) -> Value {
    let limits = match kind {
        Kind::Email => json!({ "pattern": email::PATTERN, "maxLength": email::MAX_ADDRESS }),
        Kind::Text => json!({ "pattern": NO_NUL, "maxLength": Kind::MAX_TEXT }),
        Kind::Locale => json!({ "pattern": locale::PATTERN, "maxLength": locale::MAX_LENGTH }),
        Kind::Password => json!({
            "format": "password",
            "pattern": NO_NUL,
            "minLength": PasswordPolicy::LEAST_MIN_LENGTH,
            "maxLength": passwords::MAX_BYTES,
        }),
        Kind::Token => {
            let token = format!("[A-Za-z0-9]{{{}}}", secrets::LENGTH);
            json!({ "pattern": format!("^({token}|{})$", secrets::CODE_PATTERN) })
        }
        Kind::Id
        | Kind::Time
        | Kind::Object
        | Kind::Texts
        | Kind::Boolean
        | Kind::Integer
        | Kind::SharedSecret
        | Kind::Payload => json!({}),
    };
    let mut schema = of_kind(kind);
    extend(&mut schema, limits);
    schema
}

/// Text without NUL, which databases refuse.
const NO_NUL: &str = "^[^\\u0000]*$";

/// Restricts the schema of a text to the attribute's values, where it has no others.
fn one_of(attribute: &Attribute, mut schema: Value) -> Value {
    if !attribute.values.is_empty() {
        extend(&mut schema, json!({ "enum": attribute.values }));
    }
    schema
}

fn nullable(mut schema: Value, is_nullable: bool) -> Value {
    if is_nullable {
        let types = json!([schema.get("type"), "null"]);
        extend(&mut schema, json!({ "type": types }));
        if let Some(Value::Array(values)) = schema.get_mut("enum") {
            values.push(Value::Null);
        }
    }
    schema
}
