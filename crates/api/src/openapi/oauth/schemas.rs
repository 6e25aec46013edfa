use rekey_core::secrets;
use serde_json::{Value, json};

use crate::openapi::schemas::{exactly, merge};

/// The schemas of requests and answers.
pub fn schemas() -> Vec<(&'static str, Value)> {
    let scope = json!({ "type": "string", "maxLength": 255, "pattern": "^[A-Za-z0-9:_ \\-]*$", "examples": ["market:all"] });
    let words = json!({ "type": "string", "pattern": "^[A-Za-z0-9:_ \\-]*$", "maxLength": 50 });
    let scopes = json!({ "description": "Carried in the token, and handed back: words with spaces between them, or a list of them.", "anyOf": [scope, { "type": "array", "items": words, "maxItems": 5 }] });
    vec![
        ("TokenRequest", grant(&scopes)),
        ("TokenForm", grant(&scope)),
        ("Token", token()),
        ("RevocationRequest", revocation_request()),
        ("Revoked", exactly(&json!({}), &[])),
        ("OAuthError", error()),
        ("KeySet", key_set()),
    ]
}

fn grant(scope: &Value) -> Value {
    let text = |about: &str| json!({ "type": "string", "description": about });
    let secret = merge(text("An integration's secret."), json!({ "writeOnly": true }));
    let of = |name: &str, about: &str, members: &Value, required: &[&str]| {
        let common = json!({
            "grant_type": { "const": name },
            "client_id": text("Which client it is."),
            "client_secret": secret,
            "scope": scope,
        });
        json!({
            "description": about,
            "type": "object",
            "properties": merge(common, members.clone()),
            "required": required,
        })
    };
    let password = json!({
        "username": text("The customer's e-mail address."),
        "password": merge(text("The customer's password."), json!({ "format": "password", "writeOnly": true })),
    });
    let refresh =
        json!({ "refresh_token": text("The refresh token; it works once, and the answer holds the next.") });
    json!({
        "oneOf": [
            of("client_credentials", "For a client itself.", &json!({}), &["grant_type", "client_id"]),
            of(
                "password",
                "For a customer, who logs in at a sales channel.",
                &password,
                &["grant_type", "client_id", "username", "password"],
            ),
            of(
                "refresh_token",
                "For a customer who is logged in.",
                &refresh,
                &["grant_type", "client_id", "refresh_token"],
            ),
        ],
    })
}

fn token() -> Value {
    let number = |about: &str| json!({ "type": "integer", "description": about });
    let properties = json!({
        "access_token": { "type": "string", "description": "A JWT, signed with RS512." },
        "token_type": { "const": "bearer" },
        "expires_in": number("How long it can be used, in seconds."),
        "scope": { "type": "string" },
        "created_at": number("When it was made, in seconds since 1970."),
        "refresh_token": {
            "type": "string",
            "pattern": format!("^[A-Za-z0-9]{{{}}}$", secrets::LENGTH),
            "description": "Gets the next access token: a customer's only.",
        },
        "owner_id": { "type": "string", "description": "The customer's id: a customer's only." },
        "owner_type": { "const": "customer" },
    });
    exactly(&properties, &["access_token", "token_type", "expires_in", "scope", "created_at"])
}

fn revocation_request() -> Value {
    let text = |about: &str| json!({ "type": "string", "description": about });
    json!({
        "type": "object",
        "properties": {
            "token": text("An access token, or a refresh token."),
            "client_id": text("Whose token it is."),
            "client_secret": merge(text("An integration's secret."), json!({ "writeOnly": true })),
        },
        "required": ["token", "client_id"],
    })
}

fn error() -> Value {
    let text = json!({ "type": "string" });
    let error = json!({ "title": text, "detail": text, "code": text, "status": { "type": "integer" } });
    let properties = json!({
        "errors": {
            "type": "array",
            "minItems": 1,
            "items": exactly(&error, &["title", "detail", "code", "status"]),
        },
        "error": { "type": "string", "description": "As RFC 6749 names it." },
        "error_description": text,
    });
    exactly(&properties, &["errors", "error", "error_description"])
}

fn key_set() -> Value {
    let text = json!({ "type": "string" });
    let key = json!({
        "kty": { "const": "RSA" },
        "kid": text,
        "use": { "const": "sig" },
        "alg": { "const": "RS512" },
        "e": text,
        "n": text,
    });
    let keys = json!({ "type": "array", "minItems": 1, "items": exactly(&key, &["kty", "kid", "use", "alg", "e", "n"]) });
    exactly(&json!({ "keys": keys }), &["keys"])
}
