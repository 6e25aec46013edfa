//! The errors of the API, and the one place that gives them their status and body.

mod validation;

use actix_web::{HttpResponse, ResponseError, http::StatusCode, http::header};
use serde_json::{Value, json};
use strum::{EnumDiscriminants, EnumIter};
use time::Duration;

pub use self::validation::ValidationError;
use super::MEDIA_TYPE;

/// The request header with an idempotency key.
pub const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// An error of the contract. Its text is the `detail` of the answer: it contains no internal message and nothing that was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, EnumDiscriminants)]
#[strum_discriminants(name(ProblemKind), derive(EnumIter), doc = "A problem without its particulars.")]
pub enum Problem {
    #[error("The access token is missing, invalid, expired or revoked.")]
    InvalidToken,
    #[error("You are not authorized to perform this action on the requested resource.")]
    Unauthorized,
    #[error("This call needs a recent sign-in by password.")]
    FreshSignInRequired,
    #[error("The requested resource was not found.")]
    NotFound,
    /// With the value of `Allow`.
    #[error("This path has no such method.")]
    MethodNotAllowed(&'static str),
    #[error("Answers are application/vnd.api+json.")]
    NotAcceptable,
    #[error("The request did not arrive in time.")]
    RequestTimeout,
    #[error("The request's body is too large.")]
    TooLarge,
    #[error("Send application/vnd.api+json, without an encoding.")]
    UnsupportedMediaType,
    /// The body is no JSON, or no JSON:API document.
    #[error("{0}")]
    InvalidDataFormat(&'static str),
    #[error("The type is not the one of this path.")]
    InvalidResource,
    #[error("The URL does not include the document's id.")]
    KeyNotIncludedInUrl,
    /// With the parameter's name.
    #[error("{0}")]
    Query(QueryProblem, String),
    #[error("{0}")]
    IdempotencyKey(KeyProblem),
    /// With the attributes' names.
    #[error("attributes are not valid")]
    Validation(Vec<(&'static str, ValidationError)>),
    /// With the time after which the caller may try again.
    #[error("The limit of requests is reached. Try again later.")]
    TooManyRequests(Duration),
    #[error("The service is at its limit. Try again later.")]
    Busy,
    /// A part that it needs, such as the database, is away.
    #[error("The service is temporarily unavailable. Try again later.")]
    Unavailable,
    #[error("The service could not do this.")]
    Internal,
}

/// Why a query parameter can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, EnumIter)]
pub enum QueryProblem {
    #[error("This field can't be shown.")]
    Field,
    #[error("This can't be included.")]
    Include,
    #[error(
        "A document includes at most 2,500 records. Include fewer relationships, or ask for smaller pages."
    )]
    TooManyIncluded,
    #[error("This can't be sorted by.")]
    Sort,
    #[error("This can't be filtered by.")]
    Filter,
    #[error("This value can't be filtered by.")]
    FilterValue,
    #[error(
        "A page has a number from 1 on, or follows a place of a list of the same order, and a size of 1 to 25."
    )]
    Page,
}

/// Why an idempotency key can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, EnumIter)]
pub enum KeyProblem {
    #[error("An idempotency key is one value of 1 to 255 visible ASCII characters.")]
    Invalid,
    #[error("This idempotency key was used for another request.")]
    Reused,
    #[error("The first request with this idempotency key is still being worked on. Try again later.")]
    InUse,
}

/// How long a caller is asked to wait when load is shed, or for its own earlier request: a queue of hashes takes about that time.
const RETRY_AFTER: Duration = Duration::SECOND;

impl Problem {
    /// A problem with one attribute.
    #[must_use]
    pub fn attribute(name: &'static str, error: ValidationError) -> Self {
        Self::Validation(vec![(name, error)])
    }

    /// Returns status, code and title.
    #[must_use]
    pub fn parts(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::InvalidToken => (StatusCode::UNAUTHORIZED, "INVALID_TOKEN", "Invalid token"),
            Self::Unauthorized | Self::FreshSignInRequired => {
                (StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "Access denied")
            }
            Self::NotFound => (StatusCode::NOT_FOUND, "RECORD_NOT_FOUND", "Record not found"),
            Self::MethodNotAllowed(_) => {
                (StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "Method not allowed")
            }
            Self::NotAcceptable => (StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", "Not acceptable"),
            Self::RequestTimeout => (StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMEOUT", "Request timeout"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", "Payload too large"),
            Self::UnsupportedMediaType => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", "Unsupported media type")
            }
            Self::InvalidDataFormat(_) => {
                (StatusCode::BAD_REQUEST, "INVALID_DATA_FORMAT", "Invalid data format")
            }
            Self::InvalidResource => (StatusCode::BAD_REQUEST, "INVALID_RESOURCE", "Invalid resource"),
            Self::KeyNotIncludedInUrl => {
                (StatusCode::BAD_REQUEST, "KEY_NOT_INCLUDED_IN_URL", "Key is not included in URL")
            }
            Self::Query(problem, _) => {
                let (code, title) = problem.code_and_title();
                (StatusCode::BAD_REQUEST, code, title)
            }
            Self::IdempotencyKey(problem) => problem.parts(),
            Self::Validation(_) => (StatusCode::UNPROCESSABLE_ENTITY, "VALIDATION_ERROR", ""),
            Self::TooManyRequests(_) => {
                (StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS", "Too many requests")
            }
            Self::Busy | Self::Unavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE", "Service unavailable")
            }
            Self::Internal => {
                (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_SERVER_ERROR", "Internal server error")
            }
        }
    }

    /// Returns the body of the answer.
    #[must_use]
    pub fn body(&self) -> Value {
        let (status, code, title) = self.parts();
        let error = |title: &str, detail: &str, source: Option<Value>, meta: Option<Value>| -> Value {
            let members = [
                ("title", Some(title.into())),
                ("detail", Some(detail.into())),
                ("code", Some(code.into())),
                ("status", Some(status.as_str().into())),
                ("source", source),
                ("meta", meta),
            ];
            members.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
        };
        let detail = self.to_string();
        let errors: Vec<Value> = match self {
            Self::Validation(errors) => errors
                .iter()
                .map(|(name, invalid)| {
                    let title = invalid.title();
                    let source = json!({ "pointer": format!("/data/attributes/{name}") });
                    error(&title, &format!("{name} - {title}"), Some(source), Some(invalid.meta()))
                })
                .collect(),
            Self::Query(_, name) => vec![error(title, &detail, Some(json!({ "parameter": name })), None)],
            Self::IdempotencyKey(_) => {
                vec![error(title, &detail, Some(json!({ "header": IDEMPOTENCY_KEY })), None)]
            }
            Self::FreshSignInRequired => {
                vec![error(title, &detail, None, Some(json!({ "error": "fresh_sign_in_required" })))]
            }
            _ => vec![error(title, &detail, None, None)],
        };
        json!({ "errors": errors })
    }
}

impl QueryProblem {
    fn code_and_title(self) -> (&'static str, &'static str) {
        match self {
            Self::Field => ("INVALID_FIELD", "Invalid field"),
            Self::Include | Self::TooManyIncluded => ("INVALID_INCLUDE", "Invalid include"),
            Self::Sort => ("INVALID_SORT_CRITERIA", "Invalid sort criteria"),
            Self::Filter => ("FILTER_NOT_ALLOWED", "Filter not allowed"),
            Self::FilterValue => ("INVALID_FILTER_VALUE", "Invalid filter value"),
            Self::Page => ("INVALID_PAGE_VALUE", "Invalid page value"),
        }
    }
}

impl KeyProblem {
    fn parts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Invalid => (StatusCode::BAD_REQUEST, "INVALID_IDEMPOTENCY_KEY", "Invalid idempotency key"),
            Self::Reused => {
                (StatusCode::UNPROCESSABLE_ENTITY, "IDEMPOTENCY_KEY_REUSED", "Idempotency key reused")
            }
            Self::InUse => (StatusCode::CONFLICT, "IDEMPOTENCY_KEY_IN_USE", "Idempotency key in use"),
        }
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.parts().0
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
            Self::Busy | Self::Unavailable | Self::IdempotencyKey(KeyProblem::InUse) => {
                response.insert_header((header::RETRY_AFTER, whole_seconds(RETRY_AFTER)));
            }
            Self::InvalidToken => {
                // RFC 6750 §3.
                response.insert_header((header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\""));
            }
            // The rest of a refused body is not worth reading.
            Self::TooLarge | Self::RequestTimeout => {
                response.force_close();
            }
            _ => {}
        }
        response.content_type(MEDIA_TYPE).body(self.body().to_string())
    }
}

/// Returns a wait in whole seconds, as `Retry-After` has them, rounded up.
pub fn whole_seconds(wait: Duration) -> i64 {
    (wait + Duration::SECOND - Duration::MICROSECOND).whole_seconds().max(1)
}
