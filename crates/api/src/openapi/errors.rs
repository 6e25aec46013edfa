//! Error responses. Operations share them: each is a component, whose codes come from the errors themselves.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::http::StatusCode;
use serde_json::{Value, json};
use strum::IntoEnumIterator;
use time::Duration;

use super::components::{Named, headers, pascal_case, reference, returned, schema};
use crate::{
    endpoints::{Area, ENDPOINTS, Endpoint, Operation, WritableResource},
    jsonapi::{
        MEDIA_TYPE,
        error::{KeyProblem, Problem, ProblemKind, QueryProblem},
    },
    oauth::{OAuthError, OAuthErrorKind},
};

/// Returns references to the error responses of an operation by status.
pub fn for_operation(endpoint: &Endpoint, operation: Operation) -> Named {
    let response = |status| reference("responses", &name(status, operation));
    let statuses = codes(endpoint, operation).into_keys();
    statuses.map(|status| (status.as_str().to_owned(), response(status))).collect()
}

/// Returns every error response that operations refer to.
pub fn all() -> Named {
    let mut all = Named::new();
    for endpoint in ENDPOINTS.iter() {
        for operation in endpoint.operations.iter().copied() {
            for (status, codes) in codes(endpoint, operation) {
                let response = response(endpoint.area, status, &codes);
                let other = all.insert(name(status, operation), response.clone());
                debug_assert!(other.is_none_or(|other| other == response), "two responses share a name");
            }
        }
    }
    all
}

/// Returns the name of an error response: its reason, with what distinguishes it from others of that status.
fn name(status: StatusCode, operation: Operation) -> String {
    let is_own = [StatusCode::BAD_REQUEST, StatusCode::UNPROCESSABLE_ENTITY].contains(&status);
    let prefix = match operation {
        Operation::Revoke if is_own => "Revocation",
        Operation::Token if is_own => "Token",
        Operation::Token | Operation::Revoke => "OAuth",
        _ if !is_own => "",
        Operation::Create(_) => "Create",
        Operation::Update(_) => "Update",
        _ if returned(operation).is_some_and(|(_, is_list)| is_list) => "List",
        _ => "Read",
    };
    format!("{prefix}{}", pascal_case(status.canonical_reason().unwrap_or_default()))
}

/// Returns the codes of the errors that an operation can answer with, by status.
fn codes(endpoint: &Endpoint, operation: Operation) -> BTreeMap<StatusCode, BTreeSet<&'static str>> {
    let problems = problems(endpoint, operation);
    let problems = problems.iter().map(Problem::parts).map(|(status, code, _)| (status, code));
    let oauth_errors = oauth_errors(operation);
    let oauth_errors = oauth_errors.iter().map(OAuthError::parts).map(|(status, _, code)| (status, code));
    let mut codes = BTreeMap::<_, BTreeSet<_>>::new();
    for (status, code) in problems.chain(oauth_errors) {
        codes.entry(status).or_default().insert(code);
    }
    codes
}

/// Returns the problems that an operation under `/api` can answer with.
fn problems(endpoint: &Endpoint, operation: Operation) -> Vec<Problem> {
    let creates = matches!(operation, Operation::Create(_));
    let updates = matches!(operation, Operation::Update(_));
    let writes = creates || updates;
    let returned = returned(operation);
    let (returns, lists) = (returned.is_some(), returned.is_some_and(|(_, is_list)| is_list));
    let if_any = |is_possible: bool, problem| if is_possible { vec![problem] } else { Vec::new() };
    let of_kind = |kind| match kind {
        _ if endpoint.area != Area::Api => Vec::new(),
        // A method that is not an operation.
        ProblemKind::MethodNotAllowed => Vec::new(),
        ProblemKind::InvalidToken => vec![Problem::InvalidToken],
        ProblemKind::Unauthorized => vec![Problem::Unauthorized],
        ProblemKind::FreshSignInRequired => {
            if_any(operation == Operation::Update(WritableResource::Customers), Problem::FreshSignInRequired)
        }
        ProblemKind::NotAcceptable => vec![Problem::NotAcceptable],
        ProblemKind::TooManyRequests => vec![Problem::TooManyRequests(Duration::ZERO)],
        ProblemKind::Busy => vec![Problem::Busy],
        ProblemKind::Unavailable => vec![Problem::Unavailable],
        ProblemKind::Internal => vec![Problem::Internal],
        ProblemKind::NotFound => if_any(endpoint.path.contains("{id}"), Problem::NotFound),
        ProblemKind::RequestTimeout => if_any(writes, Problem::RequestTimeout),
        ProblemKind::TooLarge => if_any(writes, Problem::TooLarge),
        ProblemKind::UnsupportedMediaType => if_any(writes, Problem::UnsupportedMediaType),
        ProblemKind::InvalidDataFormat => if_any(writes, Problem::InvalidDataFormat("")),
        ProblemKind::InvalidResource => if_any(writes, Problem::InvalidResource),
        ProblemKind::Validation => if_any(writes, Problem::Validation(Vec::new())),
        ProblemKind::KeyNotIncludedInUrl => if_any(updates, Problem::KeyNotIncludedInUrl),
        ProblemKind::IdempotencyKey => {
            KeyProblem::iter().filter(|_| creates).map(Problem::IdempotencyKey).collect()
        }
        ProblemKind::Query => {
            let is_possible = |problem: &QueryProblem| match problem {
                QueryProblem::Field | QueryProblem::Include | QueryProblem::TooManyIncluded => returns,
                QueryProblem::Sort
                | QueryProblem::Filter
                | QueryProblem::FilterValue
                | QueryProblem::Page => lists,
            };
            let problem = |problem| Problem::Query(problem, String::new());
            QueryProblem::iter().filter(is_possible).map(problem).collect()
        }
    };
    ProblemKind::iter().flat_map(of_kind).collect()
}

/// Returns the errors that an operation of OAuth can answer with.
fn oauth_errors(operation: Operation) -> Vec<OAuthError> {
    let (gets_token, revokes) = (operation == Operation::Token, operation == Operation::Revoke);
    let if_any = |is_possible: bool, error| if is_possible { vec![error] } else { Vec::new() };
    let of_kind = |kind| match kind {
        OAuthErrorKind::InvalidRequest => if_any(gets_token || revokes, OAuthError::InvalidRequest("")),
        OAuthErrorKind::InvalidClient => if_any(gets_token, OAuthError::InvalidClient),
        OAuthErrorKind::InvalidGrant => if_any(gets_token, OAuthError::InvalidGrant("")),
        OAuthErrorKind::InvalidScope => if_any(gets_token, OAuthError::InvalidScope),
        OAuthErrorKind::Throttled => if_any(gets_token, OAuthError::Throttled(Duration::ZERO)),
        OAuthErrorKind::UnauthorizedClient => if_any(gets_token, OAuthError::UnauthorizedClient),
        OAuthErrorKind::UnsupportedGrantType => if_any(gets_token, OAuthError::UnsupportedGrantType),
        OAuthErrorKind::NotRevocable => if_any(revokes, OAuthError::NotRevocable),
        OAuthErrorKind::Other => {
            let too_many = Problem::TooManyRequests(Duration::ZERO);
            let others = [
                Problem::RequestTimeout,
                Problem::TooLarge,
                too_many,
                Problem::Busy,
                Problem::Unavailable,
                Problem::Internal,
            ];
            others.into_iter().filter(|_| gets_token || revokes).map(OAuthError::Other).collect()
        }
    };
    OAuthErrorKind::iter().flat_map(of_kind).collect()
}

fn response(area: Area, status: StatusCode, codes: &BTreeSet<&str>) -> Value {
    let (media_type, base, status_value) = match area {
        Area::OAuth => ("application/json", "OAuthErrors", json!(status.as_u16())),
        Area::Api | Area::Open => (MEDIA_TYPE, "Errors", json!(status.as_str())),
    };
    let error = json!({ "properties": { "code": { "enum": codes }, "status": { "const": status_value } } });
    let narrowed = json!({ "properties": { "errors": { "items": error } } });
    json!({
        "description": status.canonical_reason(),
        "headers": headers(area, status),
        "content": { media_type: { "schema": { "allOf": [schema(base), narrowed] } } },
    })
}
