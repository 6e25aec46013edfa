//! OAuth 2: what its endpoints share. They read requests, authenticate clients and report errors in the same way.

pub mod revocation_endpoint;
pub mod token_endpoint;

use std::sync::Arc;

use actix_web::{
    Error, HttpMessage, HttpRequest, HttpResponse, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{StatusCode, header},
    middleware::Next,
    web::{Data, Payload},
};
use rekey_core::{
    clients::{ClientKind, RegisteredClient},
    secrets::ClientSecret,
    sessions::sign_in::SignIn,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use strum::{EnumDiscriminants, EnumIter};

use crate::{
    auth::{clients::ClientDirectory, jwt::Issuer},
    caller,
    jsonapi::error::Problem,
    limits::{self, Limits},
    payload,
};

/// Issues and revokes tokens (RFC 6749 §1.1).
pub struct AuthorizationServer {
    pub clients: Data<ClientDirectory>,
    pub issuer: Data<Issuer>,
    pub limits: Data<Limits>,
    pub sign_in: Data<SignIn>,
}

/// The client id in the body of a request: CORS lets this client's pages read the answer.
pub struct CorsClientId(pub String);

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
fn answer(outcome: Result<HttpResponse, Refusal>) -> HttpResponse {
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
async fn read<T: DeserializeOwned>(request: &HttpRequest, body: Payload) -> Result<T, Refusal> {
    let bytes = payload::read(request, body.into_inner()).await?;
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

/// Leaves the client id for CORS.
fn set_cors_client(request: &HttpRequest, client_id: &str) {
    request.extensions_mut().insert(CorsClientId(client_id.to_owned()));
}

/// Limits the requests of each client address. A refused request is read only for its client id, and only if a browser sent it:
/// pages of that client may read the refusal.
pub async fn limit(
    limits: Data<Limits>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    #[derive(Deserialize)]
    struct Named {
        client_id: String,
    }
    let status = limits.token(caller::address(request.request())).await;
    let mut response = if let Some(wait) = status.and_then(|status| status.wait) {
        if request.headers().contains_key(header::ORIGIN) {
            let body = request.extract::<Payload>().await?;
            if let Ok(Named { client_id }) = read(request.request(), body).await {
                set_cors_client(request.request(), &client_id);
            }
        }
        request.into_response(answer(Err(Problem::TooManyRequests(wait).into())))
    } else {
        next.call(request).await?.map_into_boxed_body()
    };
    limits::add_headers(status, response.headers_mut());
    Ok(response)
}

impl AuthorizationServer {
    /// Returns the client if it exists, is not revoked, and sent its secret if it has one. The error is the same for all three.
    async fn authenticate(
        &self,
        client_id: &str,
        client_secret: Option<&str>,
    ) -> Result<Arc<RegisteredClient>, Refusal> {
        let found = self.clients.find(client_id).await.map_err(|error| Problem::from(&*error))?;
        let client = found.ok_or(Refusal::InvalidClient)?;
        let secret = client_secret.and_then(ClientSecret::parse).map(|secret| secret.digest());
        let is_authentic = match (client.kind, client.secret) {
            (_, Some(expected)) => secret == Some(expected),
            (ClientKind::SalesChannel, None) => true,
            (ClientKind::Integration, None) => false,
        };
        if !is_authentic {
            return Err(Refusal::InvalidClient);
        }
        if client.kind == ClientKind::SalesChannel
            && let Some(wait) =
                self.limits.sales_channel(client.id.as_str()).await.and_then(|status| status.wait)
        {
            return Err(Problem::TooManyRequests(wait).into());
        }
        Ok(client)
    }
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
