//! The description of the endpoints under `/oauth`, and of the key set.

mod schemas;

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use serde_json::{Map, Value, json};
use strum::IntoEnumIterator;
use time::Duration;

use super::{
    problems::distinct,
    reference,
    responses::{headers_of, shared_name},
    schema,
    schemas::merge,
};
use crate::{
    endpoints::{Area, Call},
    jsonapi::error::{Problem, ProblemKind},
    oauth::{Refusal, RefusalKind},
};

pub use self::schemas::schemas;

pub const TAG: &str = "tokens";

/// How callers show who they are.
pub fn security_schemes() -> Value {
    let flow = json!({ "tokenUrl": "/oauth/token", "scopes": {} });
    let flows = json!({
        "clientCredentials": flow,
        "password": merge(flow.clone(), json!({ "refreshUrl": "/oauth/token" })),
    });
    json!({
        "oauth2": {
            "type": "oauth2",
            "description": "Clients by their credentials, customers by their password.",
            "flows": flows,
        },
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "An access token from `/oauth/token`.",
        },
    })
}

/// The body of a request: JSON, or a form.
pub fn request(call: Call) -> Value {
    let (json, form, examples) = match call {
        Call::Token => ("TokenRequest", "TokenForm", grants()),
        _ => ("RevocationRequest", "RevocationRequest", revocation()),
    };
    json!({
        "required": true,
        "content": {
            "application/json": { "schema": schema(json), "examples": examples },
            "application/x-www-form-urlencoded": { "schema": schema(form) },
        },
    })
}

/// The responses of an operation.
pub fn responses(call: Call) -> Map<String, Value> {
    let (success, description) = match call {
        Call::Token => ("Token", "An access token."),
        _ => ("Revoked", "The token is of no use any more, if it ever was."),
    };
    let mut content = json!({ "schema": schema(success) });
    if call == Call::Token {
        content = merge(content, json!({ "example": token_example() }));
    }
    let done = json!({
        "description": description,
        "headers": headers_of(StatusCode::OK, true),
        "content": { "application/json": content },
    });
    let refused = refusals(call).into_iter().map(|(status, refusals)| {
        let response = match shared_name(status, Area::OAuth) {
            Some(name) => reference("responses", &name),
            None => response(status, &refusals),
        };
        (status.as_str().to_owned(), response)
    });
    [("200".to_owned(), done)].into_iter().chain(refused).collect()
}

/// The responses that both operations share.
pub fn shared(call: Call) -> impl Iterator<Item = (String, Value)> {
    refusals(call).into_iter().filter_map(|(status, refusals)| {
        Some((shared_name(status, Area::OAuth)?, response(status, &refusals)))
    })
}

fn refusals(call: Call) -> BTreeMap<StatusCode, Vec<Refusal>> {
    let mut refusals = BTreeMap::<_, Vec<_>>::new();
    for refusal in RefusalKind::iter().flat_map(|kind| samples(kind, call)) {
        refusals.entry(refusal.told().0).or_default().push(refusal);
    }
    refusals
}

/// A refusal of each form that this operation can have.
fn samples(kind: RefusalKind, call: Call) -> Vec<Refusal> {
    let only = |of: Call, refusal| if call == of { vec![refusal] } else { Vec::new() };
    match kind {
        RefusalKind::InvalidRequest => vec![Refusal::InvalidRequest(match call {
            Call::Token => "grant_type is missing",
            _ => "token is missing",
        })],
        RefusalKind::InvalidClient => only(Call::Token, Refusal::InvalidClient),
        RefusalKind::InvalidGrant => only(Call::Token, Refusal::InvalidGrant("wrong username or password")),
        RefusalKind::InvalidScope => only(Call::Token, Refusal::InvalidScope),
        RefusalKind::UnauthorizedClient => only(Call::Token, Refusal::UnauthorizedClient),
        RefusalKind::UnsupportedGrantType => only(Call::Token, Refusal::UnsupportedGrantType),
        RefusalKind::NotRevocable => only(Call::Revoke, Refusal::NotRevocable),
        RefusalKind::Other => ProblemKind::iter().filter_map(problem).map(Refusal::Other).collect(),
    }
}

/// The problem, if one of OAuth's endpoints can have it.
fn problem(kind: ProblemKind) -> Option<Problem> {
    match kind {
        ProblemKind::RequestTimeout => Some(Problem::RequestTimeout),
        ProblemKind::TooLarge => Some(Problem::TooLarge),
        ProblemKind::TooManyRequests => Some(Problem::TooManyRequests(Duration::SECOND)),
        ProblemKind::Busy => Some(Problem::Busy),
        ProblemKind::Internal => Some(Problem::Internal),
        ProblemKind::IdempotencyKey
        | ProblemKind::InvalidToken
        | ProblemKind::Unauthorized
        | ProblemKind::NotFound
        | ProblemKind::MethodNotAllowed
        | ProblemKind::NotAcceptable
        | ProblemKind::UnsupportedMediaType
        | ProblemKind::InvalidDataFormat
        | ProblemKind::InvalidResource
        | ProblemKind::KeyNotIncludedInUrl
        | ProblemKind::Query
        | ProblemKind::Validation => None,
    }
}

fn response(status: StatusCode, refusals: &[Refusal]) -> Value {
    let errors = distinct(refusals.iter().map(|refusal| refusal.told().1));
    let codes = distinct(refusals.iter().map(|refusal| refusal.told().2));
    let error = json!({ "code": { "enum": codes }, "status": { "const": status.as_u16() } });
    let told = json!({
        "error": { "enum": errors },
        "errors": { "items": { "properties": error } },
    });
    let examples: Map<String, Value> = refusals
        .iter()
        .map(|refusal| {
            let (_, error, code, description) = refusal.told();
            let example = json!({ "summary": description, "value": refusal.body() });
            (format!("{error}.{code}"), example)
        })
        .collect();
    let schema = json!({ "allOf": [schema("OAuthError"), { "properties": told }] });
    let mut headers = headers_of(status, true);
    headers.remove("WWW-Authenticate");
    json!({
        "description": status.canonical_reason().unwrap_or_default(),
        "headers": headers,
        "content": { "application/json": { "schema": schema, "examples": examples } },
    })
}

fn grants() -> Value {
    json!({
        "client_credentials": {
            "summary": "A back office",
            "value": { "grant_type": "client_credentials", "client_id": "CLIENT_ID", "client_secret": "CLIENT_SECRET" },
        },
        "guest": {
            "summary": "A storefront, for a guest",
            "value": { "grant_type": "client_credentials", "client_id": "CLIENT_ID", "scope": "market:all" },
        },
        "password": {
            "summary": "A storefront, for a customer",
            "value": {
                "grant_type": "password",
                "client_id": "CLIENT_ID",
                "username": "john@example.com",
                "password": "a new and secret password",
            },
        },
        "refresh_token": {
            "summary": "A storefront, for a customer once more",
            "value": { "grant_type": "refresh_token", "client_id": "CLIENT_ID", "refresh_token": "REFRESH_TOKEN" },
        },
    })
}

fn token_example() -> Value {
    json!({
        "access_token": "eyJhbGciOiJSUzUxMiIsInR5cCI6IkpXVCJ9.…",
        "token_type": "bearer",
        "expires_in": 7200,
        "scope": "market:all",
        "created_at": 1_514_808_000,
    })
}

fn revocation() -> Value {
    json!({ "logout": { "summary": "A customer logs out", "value": { "client_id": "CLIENT_ID", "token": "REFRESH_TOKEN" } } })
}
