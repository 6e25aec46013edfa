use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header},
};
use rekey_core::sessions::sign_in::{RefreshError, SignInError};
use serde_json::{Value, json};
use strum::{EnumDiscriminants, EnumIter};
use time::Duration;

use crate::jsonapi::error::{Problem, whole_seconds};

pub(super) const WRONG_CREDENTIALS: &str = "wrong username or password";
/// What `Retry-After` says of a lock that only a reset by mail ends.
const LOCKED_WAIT: Duration = Duration::DAY;
pub(super) const WRONG_REFRESH_TOKEN: &str =
    "the refresh token is invalid, expired, revoked or another client's";

/// Why a request is refused (RFC 6749 §5.2). Its text is `error_description`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, EnumDiscriminants)]
#[strum_discriminants(
    name(OAuthErrorKind),
    derive(EnumIter),
    doc = "An OAuth error without its particulars."
)]
pub enum OAuthError {
    #[error("{0}")]
    InvalidRequest(&'static str),
    #[error("client authentication failed: unknown client, or wrong or missing secret")]
    InvalidClient,
    #[error("{0}")]
    InvalidGrant(&'static str),
    #[error("the scope is malformed")]
    InvalidScope,
    /// With the seconds to wait.
    #[error("too many wrong passwords: wait, or set a new password by mail")]
    Throttled(Duration),
    #[error("this client can't use this grant type")]
    UnauthorizedClient,
    #[error("this grant type is not supported")]
    UnsupportedGrantType,
    /// Also for a client that can't be authenticated.
    #[error("you are not authorized to revoke this token")]
    NotRevocable,
    #[error("{}", oauth_name(.0.status_code()).replace('_', " "))]
    Other(#[from] Problem),
}

impl OAuthError {
    /// Returns status, OAuth's error, and our code.
    #[must_use]
    pub fn parts(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::InvalidRequest(_) => (StatusCode::BAD_REQUEST, "invalid_request", "INVALID_REQUEST"),
            Self::InvalidClient => (StatusCode::UNAUTHORIZED, "invalid_client", "UNAUTHORIZED"),
            Self::InvalidGrant(_) => (StatusCode::BAD_REQUEST, "invalid_grant", "INVALID_GRANT"),
            Self::InvalidScope => (StatusCode::BAD_REQUEST, "invalid_scope", "INVALID_SCOPE"),
            Self::Throttled(_) => (StatusCode::TOO_MANY_REQUESTS, "too_many_requests", "TOO_MANY_REQUESTS"),
            Self::UnauthorizedClient => {
                (StatusCode::BAD_REQUEST, "unauthorized_client", "UNAUTHORIZED_CLIENT")
            }
            Self::UnsupportedGrantType => {
                (StatusCode::BAD_REQUEST, "unsupported_grant_type", "UNSUPPORTED_GRANT_TYPE")
            }
            Self::NotRevocable => (StatusCode::FORBIDDEN, "unauthorized_client", "UNAUTHORIZED"),
            Self::Other(problem) => {
                let (status, code, _) = problem.parts();
                (status, oauth_name(status), code)
            }
        }
    }

    /// Returns the body: the vendor's errors, and OAuth's two members.
    #[must_use]
    pub fn body(&self) -> Value {
        let (status, error, code) = self.parts();
        let description = self.to_string();
        let errors =
            json!([{ "title": error, "detail": description, "code": code, "status": status.as_u16() }]);
        json!({ "errors": errors, "error": error, "error_description": description })
    }

    pub(super) fn response(self) -> HttpResponse {
        let body = self.body();
        let problem = match self {
            Self::Other(problem) => problem,
            Self::Throttled(wait) => {
                let wait = (header::RETRY_AFTER, whole_seconds(wait));
                return HttpResponse::TooManyRequests().insert_header(wait).json(body);
            }
            _ => return HttpResponse::build(self.parts().0).json(body),
        };
        // It keeps its headers.
        let mut response = problem.error_response().set_body(body.to_string()).map_into_boxed_body();
        let json = header::HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        response
    }
}

impl From<SignInError> for OAuthError {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Credentials => Self::InvalidGrant(WRONG_CREDENTIALS),
            SignInError::Throttled { wait } => Self::Throttled(wait.unwrap_or(LOCKED_WAIT)),
            SignInError::Hash(error) => Self::Other(error.into()),
            SignInError::Store(error) => Self::Other(error.into()),
        }
    }
}

impl From<RefreshError> for OAuthError {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Token => Self::InvalidGrant(WRONG_REFRESH_TOKEN),
            RefreshError::Reused(session) => {
                tracing::warn!(%session, "{error}");
                Self::InvalidGrant(WRONG_REFRESH_TOKEN)
            }
            RefreshError::Store(error) => Self::Other(error.into()),
        }
    }
}

/// Returns OAuth's name for a problem of the service, or one with the body.
fn oauth_name(status: StatusCode) -> &'static str {
    match status {
        StatusCode::SERVICE_UNAVAILABLE => "temporarily_unavailable",
        StatusCode::TOO_MANY_REQUESTS => "too_many_requests",
        status if status.is_server_error() => "server_error",
        _ => "invalid_request",
    }
}
