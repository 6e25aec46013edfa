//! What operations answer with when they refuse, from the problems themselves: a problem that is not assigned to operations here
//! does not build.

use std::collections::BTreeMap;

use actix_web::{ResponseError, http::StatusCode};
use rekey_core::{
    passwords::{self, Hint, PasswordPolicy},
    resources::{Attribute, CUSTOMERS, Kind, Resource, Write},
};
use serde_json::{Map, Value, json};
use strum::IntoEnumIterator;
use time::Duration;

use super::{
    responses,
    schemas::{Purpose, exactly},
};
use crate::{
    endpoints::{Area, Call, Endpoint},
    jsonapi::{
        MEDIA_TYPE,
        error::{Fault, Invalid, KeyProblem, Problem, ProblemKind, QueryProblem},
    },
};

/// The problems of an operation under `/api`, by status.
pub fn of(endpoint: &Endpoint, call: Call) -> BTreeMap<StatusCode, Vec<Problem>> {
    let mut problems = BTreeMap::<_, Vec<_>>::new();
    for problem in ProblemKind::iter().flat_map(|kind| samples(kind, endpoint, call)) {
        problems.entry(problem.status_code()).or_default().push(problem);
    }
    problems
}

/// A problem of each form that this operation can have.
fn samples(kind: ProblemKind, endpoint: &Endpoint, call: Call) -> Vec<Problem> {
    let purpose = purpose(call);
    let when = |it_can: bool, problem: Problem| if it_can { vec![problem] } else { Vec::new() };
    match kind {
        ProblemKind::InvalidToken => when(endpoint.area == Area::Api, Problem::InvalidToken),
        ProblemKind::Unauthorized => when(endpoint.area == Area::Api, Problem::Unauthorized),
        ProblemKind::NotFound => when(endpoint.path.contains("{id}"), Problem::NotFound),
        // An operation's method is its own.
        ProblemKind::MethodNotAllowed => Vec::new(),
        ProblemKind::NotAcceptable => when(endpoint.area == Area::Api, Problem::NotAcceptable),
        ProblemKind::RequestTimeout => when(purpose.is_some(), Problem::RequestTimeout),
        ProblemKind::TooLarge => when(purpose.is_some(), Problem::TooLarge),
        ProblemKind::UnsupportedMediaType => when(purpose.is_some(), Problem::UnsupportedMediaType),
        ProblemKind::InvalidDataFormat => {
            when(purpose.is_some(), Problem::InvalidDataFormat("The body is not JSON."))
        }
        ProblemKind::InvalidResource => when(purpose.is_some(), Problem::InvalidResource),
        ProblemKind::KeyNotIncludedInUrl => {
            when(purpose == Some(Purpose::Update), Problem::KeyNotIncludedInUrl)
        }
        ProblemKind::Query => queries(call),
        ProblemKind::IdempotencyKey => {
            let problems = KeyProblem::iter().map(Problem::IdempotencyKey);
            problems.filter(|_| matches!(call, Call::Create(_))).collect()
        }
        ProblemKind::Validation => validations(call),
        ProblemKind::TooManyRequests => vec![Problem::TooManyRequests(Duration::SECOND)],
        ProblemKind::Busy => vec![Problem::Busy],
        ProblemKind::Internal => vec![Problem::Internal],
    }
}

fn purpose(call: Call) -> Option<Purpose> {
    match call {
        Call::Create(_) => Some(Purpose::Create),
        Call::Update(_) => Some(Purpose::Update),
        _ => None,
    }
}

fn queries(call: Call) -> Vec<Problem> {
    let (shows, lists) = match call {
        Call::List(_) => (true, true),
        Call::Related(_, relationship) => (true, !relationship.is_to_one()),
        Call::Create(_) | Call::Retrieve(_) | Call::Own(_) | Call::Update(_) => (true, false),
        Call::Delete(_)
        | Call::Identifiers(..)
        | Call::Token
        | Call::Revoke
        | Call::Keys
        | Call::Live
        | Call::Ready
        | Call::Description => (false, false),
    };
    let of = |problem| {
        let (can_be, parameter) = match problem {
            QueryProblem::Field => (shows, "fields[customers]"),
            QueryProblem::Include => (shows, "include"),
            QueryProblem::Sort => (lists, "sort"),
            QueryProblem::Filter => (lists, "filter[q][orders_eq]"),
            QueryProblem::FilterValue => (lists, "filter[q][created_at_gt]"),
            QueryProblem::Page => (lists, "page[size]"),
        };
        can_be.then(|| Problem::Query(problem, parameter.to_owned()))
    };
    QueryProblem::iter().filter_map(of).collect()
}

fn validations(call: Call) -> Vec<Problem> {
    let (resource, purpose) = match call {
        Call::Create(written) => (written.resource(), Purpose::Create),
        Call::Update(written) => (written.resource(), Purpose::Update),
        _ => return Vec::new(),
    };
    let of = |attribute: &'static Attribute| {
        let faults = Fault::iter().filter_map(move |fault| fault_of(fault, resource, attribute, purpose));
        faults.map(|fault| Problem::attribute(attribute.name, fault))
    };
    purpose.attributes(resource).flat_map(of).collect()
}

/// The fault with its bounds, if this attribute can have it.
fn fault_of(fault: Fault, resource: &Resource, attribute: &Attribute, purpose: Purpose) -> Option<Fault> {
    let kind = attribute.kind;
    let is_own_address = kind == Kind::Email && *resource == CUSTOMERS;
    let (can_be, fault) = match fault {
        Fault::Blank => (attribute.create == Write::Required || kind == Kind::Password, fault),
        Fault::Taken => (is_own_address, fault),
        Fault::Unknown => (kind == Kind::Email && !is_own_address && purpose == Purpose::Create, fault),
        Fault::Invalid => (true, fault),
        Fault::NotAString => {
            (matches!(kind, Kind::Email | Kind::Text | Kind::Locale | Kind::Password), fault)
        }
        Fault::NotAnObject => (kind == Kind::Object, fault),
        Fault::TooLong(_) => (kind == Kind::Text, Fault::TooLong(Kind::MAX_TEXT)),
        Fault::TooManyBytes(_) => (kind == Kind::Password, Fault::TooManyBytes(passwords::MAX_BYTES)),
        Fault::TooShort(_) => (kind == Kind::Password, Fault::TooShort(PasswordPolicy::LEAST_MIN_LENGTH)),
        Fault::MadeOfEmail(_) | Fault::MadeOfShopName(_) | Fault::TooSimple(_) => {
            (kind == Kind::Password, fault)
        }
        Fault::TooCommon(_) => {
            let hints = [Hint::CommonPassword, Hint::AddWords];
            (kind == Kind::Password, Fault::TooCommon(hints.into_iter().collect()))
        }
    };
    can_be.then_some(fault)
}

/// The response with that status: its codes are these problems', and no others.
pub fn response(status: StatusCode, problems: &[Problem]) -> Value {
    let of_status = json!({ "properties": { "status": { "const": status.as_str() } } });
    let items = json!({ "allOf": [super::schema("Error"), of_status, kinds(problems)] });
    let errors = json!({ "errors": { "type": "array", "minItems": 1, "items": items } });
    let examples: Map<String, Value> = problems.iter().map(example).collect();
    let content = json!({ MEDIA_TYPE: { "schema": exactly(&errors, &["errors"]), "examples": examples } });
    json!({
        "description": status.canonical_reason().unwrap_or_default(),
        "headers": responses::headers_of(status, true),
        "content": content,
    })
}

/// The codes of these problems; of those with attributes, which attributes, and what can be wrong with them.
fn kinds(problems: &[Problem]) -> Value {
    let others = problems.iter().filter(|problem| !matches!(problem, Problem::Validation(_)));
    let others = distinct(others.map(|problem| problem.told().1));
    let coded = |codes: &[&str]| json!({ "properties": { "code": { "enum": codes } } });
    let pointers = distinct(faults(problems).map(|invalid| invalid.attribute));
    if pointers.is_empty() {
        return coded(&others);
    }
    let pointers: Vec<String> = pointers.iter().map(|name| format!("/data/attributes/{name}")).collect();
    let names = distinct(faults(problems).map(|invalid| invalid.fault.name()));
    let validation = json!({
        "properties": {
            "code": { "const": Problem::Validation(Vec::new()).told().1 },
            "source": exactly(&json!({ "pointer": { "enum": pointers } }), &["pointer"]),
            "meta": exactly(&json!({ "error": { "enum": names }, "hints": hints(), "count": count() }), &["error"]),
        },
        "required": ["source", "meta"],
    });
    if others.is_empty() { validation } else { json!({ "anyOf": [validation, coded(&others)] }) }
}

fn example(problem: &Problem) -> (String, Value) {
    let (_, code, title, _) = problem.told();
    match faults(std::slice::from_ref(problem)).next() {
        Some(Invalid { attribute, fault }) => {
            let title = fault.title();
            let distinguished: String = title
                .chars()
                .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' })
                .collect();
            let summary = format!("{attribute} {title}");
            (format!("{attribute}.{distinguished}"), json!({ "summary": summary, "value": problem.body() }))
        }
        None => (code.to_owned(), json!({ "summary": title, "value": problem.body() })),
    }
}

fn faults(problems: &[Problem]) -> impl Iterator<Item = &Invalid> {
    let invalid = problems.iter().filter_map(|problem| match problem {
        Problem::Validation(invalid) => Some(invalid),
        _ => None,
    });
    invalid.flatten()
}

/// Each once, in their order.
pub fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut distinct = Vec::new();
    for name in names {
        if !distinct.contains(&name) {
            distinct.push(name);
        }
    }
    distinct
}

/// The bound that comes with what is too short or too long.
fn count() -> Value {
    json!({
        "type": "integer",
        "description": "Of what is too short or too long: how many characters it needs or may have; of a password that is too long, bytes.",
    })
}

/// The hints that come with a refused password.
fn hints() -> Value {
    let names: Vec<&str> = Hint::iter().map(Hint::name).collect();
    json!({
        "type": "array",
        "minItems": 1,
        "items": { "type": "string", "enum": names },
        "description": "Of a password: what makes it easy to guess, and what would help, the most important first.",
    })
}

/// The schema of an error under `/api`.
pub fn schemas() -> Vec<(&'static str, Value)> {
    let text = |about: &str| json!({ "type": "string", "description": about });
    let source = json!({
        "pointer": text("Where in the body."),
        "parameter": text("Which parameter of the query."),
        "header": text("Which header of the request."),
    });
    let error = json!({
        "title": text("What is wrong, in short."),
        "detail": text("What is wrong, in a sentence."),
        "code": text("What is wrong, for programs."),
        "status": text("The answer's status."),
        "source": exactly(&source, &[]),
        "meta": exactly(
            &json!({
                "error": text("What is wrong with the attribute, for programs."),
                "hints": hints(),
                "count": count(),
            }),
            &["error"],
        ),
    });
    vec![("Error", exactly(&error, &["title", "detail", "code", "status"]))]
}
