//! Everything that can go wrong under `/api`, and the one place that gives it its status and body.

mod fault;
mod idempotency_key;

use std::fmt;

use actix_web::{HttpResponse, ResponseError, http::StatusCode, http::header};
use serde::Serialize;
use serde_json::{Value, json};
use strum::{EnumDiscriminants, EnumIter};
use time::Duration;

pub use self::{
    fault::Fault,
    idempotency_key::{IDEMPOTENCY_KEY, KeyProblem},
};
use super::MEDIA_TYPE;

/// A problem, as the contract lists them. Nothing in it comes from inside the service or repeats what was sent.
#[derive(Debug, Clone, PartialEq, Eq, EnumDiscriminants)]
#[strum_discriminants(name(ProblemKind), derive(EnumIter), doc = "A problem without its particulars.")]
pub enum Problem {
    /// No access token, or one that is wrong, expired or revoked.
    InvalidToken,
    /// The token is good, but not for this.
    Unauthorized,
    /// No such record, or no such path.
    NotFound,
    /// The path has other methods: the value of `Allow`.
    MethodNotAllowed(&'static str),
    /// None of the media types asked for is ours.
    NotAcceptable,
    /// The request's body did not arrive in time.
    RequestTimeout,
    /// The body is larger than `server.max_body_bytes`.
    TooLarge,
    /// The body is of another media type, or is encoded.
    UnsupportedMediaType,
    /// The body is no JSON, or no JSON:API document: what is wrong with it.
    InvalidDataFormat(&'static str),
    /// The body is of another resource type.
    InvalidResource,
    /// The body's id is not the URL's.
    KeyNotIncludedInUrl,
    /// A query parameter that can't be used.
    Query(QueryProblem, String),
    /// An idempotency key that can't be used.
    IdempotencyKey(KeyProblem),
    /// Attributes that can't be used.
    Validation(Vec<Invalid>),
    /// The caller has used up a limit: come back after that time.
    TooManyRequests(Duration),
    /// Too much is going on: come back later.
    Busy,
    /// The service failed; the log says why.
    Internal,
}

/// What is wrong with a query parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter)]
pub enum QueryProblem {
    Field,
    Include,
    Sort,
    Filter,
    FilterValue,
    Page,
}

/// An attribute that can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invalid {
    /// Its name.
    pub attribute: &'static str,
    /// What is wrong with it.
    pub fault: Fault,
}

/// How long a caller is asked to wait when load is shed, or for its own call: a queue of hashes is worked off in about that time.
const RETRY_AFTER: Duration = Duration::SECOND;

impl Problem {
    /// A problem with one attribute.
    #[must_use]
    pub fn attribute(attribute: &'static str, fault: Fault) -> Self {
        Self::Validation(vec![Invalid { attribute, fault }])
    }

    /// Status, code, title and detail.
    #[must_use]
    pub fn told(&self) -> (StatusCode, &'static str, &'static str, &'static str) {
        match self {
            Self::InvalidToken => (
                StatusCode::UNAUTHORIZED,
                "INVALID_TOKEN",
                "Invalid token",
                "The access token is missing, invalid, expired or revoked.",
            ),
            Self::Unauthorized => (
                StatusCode::UNAUTHORIZED,
                "UNAUTHORIZED",
                "Access denied",
                "You are not authorized to perform this action on the requested resource.",
            ),
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "RECORD_NOT_FOUND",
                "Record not found",
                "The requested resource was not found.",
            ),
            Self::MethodNotAllowed(_) => (
                StatusCode::METHOD_NOT_ALLOWED,
                "METHOD_NOT_ALLOWED",
                "Method not allowed",
                "This path has no such method.",
            ),
            Self::NotAcceptable => (
                StatusCode::NOT_ACCEPTABLE,
                "NOT_ACCEPTABLE",
                "Not acceptable",
                "Answers are application/vnd.api+json.",
            ),
            Self::RequestTimeout => (
                StatusCode::REQUEST_TIMEOUT,
                "REQUEST_TIMEOUT",
                "Request timeout",
                "The request did not arrive in time.",
            ),
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "PAYLOAD_TOO_LARGE",
                "Payload too large",
                "The request's body is too large.",
            ),
            Self::UnsupportedMediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "UNSUPPORTED_MEDIA_TYPE",
                "Unsupported media type",
                "Send application/vnd.api+json, without an encoding.",
            ),
            Self::InvalidDataFormat(detail) => {
                (StatusCode::BAD_REQUEST, "INVALID_DATA_FORMAT", "Invalid data format", detail)
            }
            Self::InvalidResource => (
                StatusCode::BAD_REQUEST,
                "INVALID_RESOURCE",
                "Invalid resource",
                "The type is not the one of this path.",
            ),
            Self::KeyNotIncludedInUrl => (
                StatusCode::BAD_REQUEST,
                "KEY_NOT_INCLUDED_IN_URL",
                "Key is not included in URL",
                "The URL does not include the document's id.",
            ),
            Self::Query(problem, _) => problem.told(),
            Self::IdempotencyKey(problem) => problem.told(),
            Self::Validation(_) => (StatusCode::UNPROCESSABLE_ENTITY, "VALIDATION_ERROR", "", ""),
            Self::TooManyRequests(_) => (
                StatusCode::TOO_MANY_REQUESTS,
                "TOO_MANY_REQUESTS",
                "Too many requests",
                "The limit of requests is reached. Try again later.",
            ),
            Self::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "SERVICE_UNAVAILABLE",
                "Service unavailable",
                "The service is at its limit. Try again later.",
            ),
            Self::Internal => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "INTERNAL_SERVER_ERROR",
                "Internal server error",
                "The service could not do this.",
            ),
        }
    }

    /// The document that tells it.
    #[must_use]
    pub fn body(&self) -> Value {
        let (status, code, title, detail) = self.told();
        let status = status.as_str();
        let error = |title: &str, detail: &str| Error {
            title: title.to_owned(),
            detail: detail.to_owned(),
            code,
            status: status.to_owned(),
            source: None,
            meta: None,
        };
        let errors: Vec<Error> = match self {
            Self::Validation(faults) => faults
                .iter()
                .map(|Invalid { attribute, fault }| {
                    let title = fault.title();
                    Error {
                        source: Some(json!({ "pointer": format!("/data/attributes/{attribute}") })),
                        meta: Some(fault.meta()),
                        ..error(&title, &format!("{attribute} - {title}"))
                    }
                })
                .collect(),
            Self::Query(_, parameter) => {
                vec![Error { source: Some(json!({ "parameter": parameter })), ..error(title, detail) }]
            }
            Self::IdempotencyKey(_) => {
                vec![Error { source: Some(json!({ "header": IDEMPOTENCY_KEY })), ..error(title, detail) }]
            }
            _ => vec![error(title, detail)],
        };
        json!({ "errors": errors })
    }
}

#[derive(Serialize)]
struct Error {
    title: String,
    detail: String,
    code: &'static str,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<Value>,
}

impl QueryProblem {
    fn told(self) -> (StatusCode, &'static str, &'static str, &'static str) {
        let (code, title, detail) = match self {
            Self::Field => ("INVALID_FIELD", "Invalid field", "This field can't be shown."),
            Self::Include => ("INVALID_INCLUDE", "Invalid include", "This can't be included."),
            Self::Sort => ("INVALID_SORT_CRITERIA", "Invalid sort criteria", "This can't be sorted by."),
            Self::Filter => ("FILTER_NOT_ALLOWED", "Filter not allowed", "This can't be filtered by."),
            Self::FilterValue => {
                ("INVALID_FILTER_VALUE", "Invalid filter value", "This value can't be filtered by.")
            }
            Self::Page => (
                "INVALID_PAGE_VALUE",
                "Invalid page value",
                "A page has a number from 1 on, or follows a place of a list of the same order, and a size of 1 to 25.",
            ),
        };
        (StatusCode::BAD_REQUEST, code, title, detail)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.told().1)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.told().0
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        match self {
            Self::MethodNotAllowed(allow) => {
                response.insert_header((header::ALLOW, *allow));
            }
            Self::TooManyRequests(wait) => {
                response.insert_header((header::RETRY_AFTER, whole_seconds(*wait)));
            }
            Self::Busy | Self::IdempotencyKey(KeyProblem::InUse) => {
                response.insert_header((header::RETRY_AFTER, whole_seconds(RETRY_AFTER)));
            }
            Self::InvalidToken => {
                // RFC 6750 §3.
                response.insert_header((header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\""));
            }
            // What is left of a body that was refused is not worth reading.
            Self::TooLarge | Self::RequestTimeout => {
                response.force_close();
            }
            _ => {}
        }
        response.content_type(MEDIA_TYPE).body(self.body().to_string())
    }
}

/// `Retry-After` knows whole seconds only, and never too few.
pub fn whole_seconds(wait: Duration) -> i64 {
    (wait + Duration::SECOND - Duration::MICROSECOND).whole_seconds().max(1)
}
