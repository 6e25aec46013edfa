//! Schemas of attributes' values.

use rekey_core::{
    email, ids, locale,
    passwords::{self, PasswordPolicy},
    resources::{Attribute, Audience, Kind, Source, Write},
    secrets,
};
use serde_json::{Value, json};

use super::merge;

/// An attribute in answers. What is kept from some readers is null for them.
pub fn shown(attribute: &Attribute) -> Value {
    let hidden = attribute.audience > Audience::Everyone && attribute.kind != Kind::Object;
    let schema = match attribute.source {
        Source::Constant(json) => {
            json!({ "const": serde_json::from_str::<Value>(json).unwrap_or_default() })
        }
        Source::Column(_) | Source::WriteOnly => nullable(of(attribute.kind), attribute.nullable || hidden),
    };
    let read_only = attribute.create == Write::Ignored && !attribute.update;
    described(attribute, if read_only { merge(schema, json!({ "readOnly": true })) } else { schema })
}

/// An attribute in writes. Null is no value of an object either: it empties it.
pub fn written(attribute: &Attribute) -> Value {
    let schema = nullable(accepted(attribute.kind), attribute.nullable || attribute.kind == Kind::Object);
    let write_only = attribute.source == Source::WriteOnly;
    described(attribute, if write_only { merge(schema, json!({ "writeOnly": true })) } else { schema })
}

fn described(attribute: &Attribute, schema: Value) -> Value {
    let example: Value = serde_json::from_str(attribute.example).unwrap_or_default();
    merge(schema, json!({ "description": attribute.about, "examples": [example] }))
}

/// The values of a kind.
pub fn of(kind: Kind) -> Value {
    let alphanumeric = |length| json!({ "type": "string", "pattern": format!("^[A-Za-z0-9]{{{length}}}$") });
    match kind {
        Kind::Id => alphanumeric(ids::LENGTH),
        Kind::Email => json!({ "type": "string", "format": "email" }),
        Kind::Text | Kind::Locale | Kind::Password => json!({ "type": "string" }),
        Kind::Time => json!({ "type": "string", "format": "date-time" }),
        Kind::Object => json!({ "type": "object" }),
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Integer => json!({ "type": "integer" }),
        Kind::Token => alphanumeric(secrets::LENGTH),
    }
}

/// The values of a kind that writes accept, as far as a schema can say it.
fn accepted(kind: Kind) -> Value {
    let bounds = match kind {
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
            json!({ "pattern": format!("^([A-Za-z0-9]{{{}}}|{})$", secrets::LENGTH, secrets::CODE_PATTERN) })
        }
        Kind::Id | Kind::Time | Kind::Object | Kind::Boolean | Kind::Integer => json!({}),
    };
    merge(of(kind), bounds)
}

/// Text without NUL, which no database keeps.
const NO_NUL: &str = "^[^\\u0000]*$";

fn nullable(mut schema: Value, is_nullable: bool) -> Value {
    if is_nullable && let Some(kind) = schema.get_mut("type") {
        *kind = json!([kind.clone(), "null"]);
    }
    schema
}
