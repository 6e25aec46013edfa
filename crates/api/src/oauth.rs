//! OAuth 2: what its endpoints share. They read requests, authenticate clients and report errors in the same way.

mod error;
pub mod revocation_endpoint;
pub mod token_endpoint;

use std::sync::Arc;

use actix_web::{
    Error, HttpMessage, HttpRequest, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header,
    middleware::Next,
    web::{Data, Payload},
};
use rekey_core::{
    clients::{ClientKind, RegisteredClient},
    secrets::ClientSecret,
    sessions::sign_in::SignIn,
};
use serde::{Deserialize, de::DeserializeOwned};

pub use self::error::{OAuthError, OAuthErrorKind};
use crate::{
    auth::{clients::ClientDirectory, jwt::Issuer},
    caller,
    json::{self, JsonError},
    jsonapi::error::Problem,
    limits::{self, Ceiling, Limits},
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

/// Adds the headers of RFC 6749 §5.1: no answer is cached.
fn answer(outcome: Result<HttpResponse, OAuthError>) -> HttpResponse {
    let mut response = outcome.unwrap_or_else(OAuthError::response);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, header::HeaderValue::from_static("no-cache"));
    response
}

/// Refuses every method but POST.
pub async fn only_post() -> HttpResponse {
    answer(Err(Problem::MethodNotAllowed("POST").into()))
}

/// Reads a body that is JSON or a form.
async fn read<T: DeserializeOwned>(request: &HttpRequest, body: Payload) -> Result<T, OAuthError> {
    let bytes = payload::read(request, body.into_inner()).await?;
    let unreadable = "the body is neither JSON nor a form";
    match request.content_type() {
        "application/x-www-form-urlencoded" => {
            serde_urlencoded::from_bytes(&bytes).map_err(|_| OAuthError::InvalidRequest(unreadable))
        }
        "application/json" | "application/vnd.api+json" => {
            let value = json::read(&bytes).map_err(|error| {
                OAuthError::InvalidRequest(match error {
                    JsonError::Malformed => unreadable,
                    JsonError::DuplicateName => "the body has a member twice",
                })
            })?;
            serde_json::from_value(value).map_err(|_| OAuthError::InvalidRequest(unreadable))
        }
        _ => Err(OAuthError::InvalidRequest(unreadable)),
    }
}

/// Leaves the client id for CORS.
fn set_cors_client(request: &HttpRequest, client_id: &str) {
    request.extensions_mut().insert(CorsClientId(client_id.to_owned()));
}

/// Limits the requests of each client address. A refused request is read only for its client id, and only if a browser sent it:
/// pages of that client may read the answer.
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
    ) -> Result<Arc<RegisteredClient>, OAuthError> {
        let found = self.clients.find(client_id).await.map_err(|error| Problem::from(&*error))?;
        let client = found.ok_or(OAuthError::InvalidClient)?;
        let secret = client_secret.and_then(ClientSecret::parse).map(|secret| secret.digest());
        let is_authentic = match (client.kind, client.secret) {
            (_, Some(expected)) => secret == Some(expected),
            (ClientKind::SalesChannel, None) => true,
            (ClientKind::Integration, None) => false,
        };
        if !is_authentic {
            return Err(OAuthError::InvalidClient);
        }
        if client.kind == ClientKind::SalesChannel
            && let Some(wait) = self
                .limits
                .sales_channel(client.id.as_str(), Ceiling::LogIn)
                .await
                .and_then(|status| status.wait)
        {
            return Err(Problem::TooManyRequests(wait).into());
        }
        Ok(client)
    }
}
