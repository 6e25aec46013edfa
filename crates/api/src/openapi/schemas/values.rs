//! Schemas of attributes' values.

use rekey_core::{
    email, ids, locale,
    passwords::{self, PasswordPolicy},
    resources::{Attribute, Audience, Kind, Source, Write},
    secrets,
};
use serde_json::{Value, json};

/// Returns the schema of an attribute in answers. To readers who may not see its value it is null.
pub fn shown(attribute: &Attribute) -> Value {
    let is_hidden = attribute.audience > Audience::Everyone && attribute.kind != Kind::Object;
    let mut schema = match attribute.source {
        Source::Constant(json) => json!({ "const": parsed(json) }),
        Source::Column(_) | Source::WriteOnly => {
            nullable(of_kind(attribute.kind), attribute.nullable || is_hidden)
        }
    };
    if attribute.create == Write::Ignored && !attribute.update {
        schema["readOnly"] = true.into();
    }
    described(attribute, schema)
}

/// Returns the schema of an attribute in writes. There null empties an object.
pub fn written(attribute: &Attribute) -> Value {
    let is_nullable = attribute.nullable || attribute.kind == Kind::Object;
    let mut schema = nullable(accepted(attribute.kind), is_nullable);
    if attribute.source == Source::WriteOnly {
        schema["writeOnly"] = true.into();
    }
    described(attribute, schema)
}

fn described(attribute: &Attribute, mut schema: Value) -> Value {
    schema["description"] = attribute.about.into();
    schema["examples"] = json!([parsed(attribute.example)]);
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
        Kind::Email => json!({ "type": "string", "format": "email" }),
        Kind::Text | Kind::Locale | Kind::Password => json!({ "type": "string" }),
        Kind::Time => json!({ "type": "string", "format": "date-time" }),
        Kind::Object => json!({ "type": "object" }),
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Integer => json!({ "type": "integer" }),
        Kind::Token => alphanumeric(secrets::LENGTH),
    }
}

/// Returns the schema of the values of a kind that writes accept, as far as a schema can express it.
fn accepted(kind: Kind) -> Value {
    let mut schema = of_kind(kind);
    let mut limit = |pattern: &str, max_length: usize| {
        schema["pattern"] = pattern.into();
        schema["maxLength"] = max_length.into();
    };
    match kind {
        Kind::Email => limit(email::PATTERN, email::MAX_ADDRESS),
        Kind::Text => limit(NO_NUL, Kind::MAX_TEXT),
        Kind::Locale => limit(locale::PATTERN, locale::MAX_LENGTH),
        Kind::Password => {
            limit(NO_NUL, passwords::MAX_OCTETS);
            schema["format"] = "password".into();
            schema["minLength"] = PasswordPolicy::LEAST_MIN_LENGTH.into();
        }
        Kind::Token => {
            let token = format!("[A-Za-z0-9]{{{}}}", secrets::LENGTH);
            schema["pattern"] = format!("^({token}|{})$", secrets::CODE_PATTERN).into();
        }
        Kind::Id | Kind::Time | Kind::Object | Kind::Boolean | Kind::Integer => {}
    }
    schema
}

/// Text without NUL, which databases refuse.
const NO_NUL: &str = "^[^\\u0000]*$";

fn nullable(mut schema: Value, is_nullable: bool) -> Value {
    if is_nullable {
        schema["type"] = json!([schema["type"], "null"]);
    }
    schema
}
