//! What the OAuth endpoints share: how they read a request, know a client, and refuse.

use std::sync::Arc;

use actix_web::{
    HttpMessage, HttpRequest, HttpResponse, ResponseError,
    http::{StatusCode, header},
    web,
};
use rekey_core::{
    clients::{ClientKind, RegisteredClient},
    secrets::ClientSecret,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use strum::{EnumDiscriminants, EnumIter};

use crate::{api::Api, cors::Speaker, jsonapi::error::Problem, payload};

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, EnumDiscriminants)]
#[strum_discriminants(name(RefusalKind), derive(EnumIter), doc = "A refusal without its particulars.")]
pub enum Refusal {
    InvalidRequest(&'static str),
    InvalidClient,
    /// What is wrong with the password or the refresh token, in words that tell nothing.
    InvalidGrant(&'static str),
    InvalidScope,
    UnauthorizedClient,
    UnsupportedGrantType,
    /// Who asks may not revoke this token, whoever they are.
    NotRevocable,
    Other(Problem),
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Other(problem)
    }
}

/// Answers as RFC 6749 §5.1 asks: whatever it is, nobody keeps it.
pub(super) fn answer(outcome: Result<HttpResponse, Refusal>) -> HttpResponse {
    let mut response = outcome.unwrap_or_else(Refusal::response);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, header::HeaderValue::from_static("no-cache"));
    response
}

/// The refusal of every method but POST.
pub async fn only_post() -> HttpResponse {
    answer(Err(Problem::MethodNotAllowed("POST").into()))
}

/// Reads a body that is JSON or a form.
pub(super) async fn read<T: DeserializeOwned>(
    request: &HttpRequest,
    body: web::Payload,
) -> Result<T, Refusal> {
    let bytes = payload::read(request, body).await?;
    let unreadable = "the body is neither JSON nor a form";
    match request.content_type() {
        "application/x-www-form-urlencoded" => {
            serde_urlencoded::from_bytes(&bytes).map_err(|_| Refusal::InvalidRequest(unreadable))
        }
        "application/json" | "application/vnd.api+json" => {
            serde_json::from_slice(&bytes).map_err(|_| Refusal::InvalidRequest(unreadable))
        }
        _ => Err(Refusal::InvalidRequest(unreadable)),
    }
}

/// Says which client a call is for: its own pages may read the answer.
pub(super) fn note_speaker(request: &HttpRequest, client_id: &str) {
    request.extensions_mut().insert(Speaker(client_id.to_owned()));
}

/// The answer to a call that is refused unread, because its caller is over a limit; of its body, if it is given, no more is
/// read than which client it is for.
pub async fn refused(request: &HttpRequest, body: Option<web::Payload>, problem: Problem) -> HttpResponse {
    #[derive(Deserialize)]
    struct Named {
        client_id: String,
    }
    if let Some(body) = body
        && let Ok(Named { client_id }) = read(request, body).await
    {
        note_speaker(request, &client_id);
    }
    answer(Err(problem.into()))
}

/// The client, if it exists, is not revoked, and knows its secret where it has one: otherwise nobody learns which.
pub(super) async fn authenticate(
    api: &Api,
    client_id: &str,
    client_secret: Option<&str>,
) -> Result<Arc<RegisteredClient>, Refusal> {
    let found = api.clients.find(client_id).await.map_err(|error| Problem::from(&*error))?;
    let registration = found.ok_or(Refusal::InvalidClient)?;
    let presented = client_secret.and_then(ClientSecret::parse).map(|secret| secret.digest());
    let client = &registration.client;
    let is_authentic = match (client.kind, client.secret) {
        (_, Some(expected)) => presented == Some(expected),
        (ClientKind::SalesChannel, None) => true,
        (ClientKind::Integration, None) => false,
    };
    if !is_authentic {
        return Err(Refusal::InvalidClient);
    }
    if client.kind == ClientKind::SalesChannel
        && let Some(wait) =
            api.limits.sales_channel(client.id.as_str()).await.and_then(|standing| standing.wait)
    {
        return Err(Problem::TooManyRequests(wait).into());
    }
    Ok(registration)
}

impl Refusal {
    /// Status, OAuth's error, our code, and a description.
    #[must_use]
    pub fn told(&self) -> (StatusCode, &'static str, &'static str, &'static str) {
        match self {
            Self::InvalidRequest(what) => {
                (StatusCode::BAD_REQUEST, "invalid_request", "INVALID_REQUEST", what)
            }
            Self::InvalidClient => (
                StatusCode::UNAUTHORIZED,
                "invalid_client",
                "UNAUTHORIZED",
                "client authentication failed: unknown client, or wrong or missing secret",
            ),
            Self::InvalidGrant(what) => (StatusCode::BAD_REQUEST, "invalid_grant", "INVALID_GRANT", what),
            Self::InvalidScope => {
                (StatusCode::BAD_REQUEST, "invalid_scope", "INVALID_SCOPE", "the scope is malformed")
            }
            Self::UnauthorizedClient => (
                StatusCode::BAD_REQUEST,
                "unauthorized_client",
                "UNAUTHORIZED_CLIENT",
                "this client can't use this grant type",
            ),
            Self::UnsupportedGrantType => (
                StatusCode::BAD_REQUEST,
                "unsupported_grant_type",
                "UNSUPPORTED_GRANT_TYPE",
                "this grant type is not supported",
            ),
            Self::NotRevocable => (
                StatusCode::FORBIDDEN,
                "unauthorized_client",
                "UNAUTHORIZED",
                "you are not authorized to revoke this token",
            ),
            Self::Other(problem) => other(problem),
        }
    }

    /// The object that tells it: the vendor's errors, and OAuth's two members.
    #[must_use]
    pub fn body(&self) -> Value {
        let (status, error, code, description) = self.told();
        let title = error.replace('_', " ");
        let errors =
            json!([{ "title": title, "detail": description, "code": code, "status": status.as_u16() }]);
        json!({ "errors": errors, "error": error, "error_description": description })
    }

    fn response(self) -> HttpResponse {
        let body = self.body();
        let Self::Other(problem) = self else {
            return HttpResponse::build(self.told().0).json(body);
        };
        // Its status and headers stay.
        let mut response = problem.error_response().set_body(body.to_string()).map_into_boxed_body();
        let json = header::HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        response
    }
}

/// A problem of the service, or one with the body, in OAuth's words.
fn other(problem: &Problem) -> (StatusCode, &'static str, &'static str, &'static str) {
    let (status, code, _, _) = problem.told();
    let (error, description) = match status {
        StatusCode::SERVICE_UNAVAILABLE => ("temporarily_unavailable", "temporarily unavailable"),
        StatusCode::TOO_MANY_REQUESTS => ("too_many_requests", "too many requests"),
        status if status.is_server_error() => ("server_error", "server error"),
        _ => ("invalid_request", "invalid request"),
    };
    (status, error, code, description)
}
