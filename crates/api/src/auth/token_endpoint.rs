//! `POST /oauth/token` (RFC 6749) and the key set.

use std::sync::Arc;

use actix_web::{
    HttpMessage, HttpRequest, HttpResponse, ResponseError,
    http::{StatusCode, header},
    web,
};
use rekey_core::{
    access::{ClientKind, Registration},
    email::EmailAddress,
    password::PlainPassword,
    secret::ClientSecret,
    sign_in::SignedIn,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{api::Api, cors::Speaker, jsonapi::error::Problem, payload};

/// What a client sends, as JSON or as a form.
#[derive(Deserialize)]
#[expect(clippy::struct_field_names, reason = "these are the names of RFC 6749")]
struct Grant {
    grant_type: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    username: Option<String>,
    password: Option<String>,
    scope: Option<String>,
}

#[derive(Serialize)]
struct Answer {
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
    scope: String,
    created_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner_type: Option<&'static str>,
}

/// Why there is no token.
enum Refusal {
    InvalidRequest(&'static str),
    InvalidClient,
    InvalidGrant,
    InvalidScope,
    UnauthorizedClient,
    UnsupportedGrantType,
    Other(Problem),
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Other(problem)
    }
}

/// The scope of a token that asks for none (the vendor's way to say "every market").
const DEFAULT_SCOPE: &str = "market:all";

/// `POST /oauth/token`.
pub async fn token(request: HttpRequest, body: web::Payload) -> HttpResponse {
    let mut response = match grant(&request, body).await {
        Ok(answer) => HttpResponse::Ok().json(answer),
        Err(refusal) => refusal.response(),
    };
    // RFC 6749 §5.1.
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, header::HeaderValue::from_static("no-cache"));
    response
}

/// `GET /.well-known/jwks.json`: for everybody, any page's scripts too, as the vendor's `jwtVerify` is one.
pub async fn keys(api: web::Data<Api>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .json(api.issuer.keys())
}

/// Reads no more of a call that is refused than which client it is for.
pub async fn note_speaker(request: &HttpRequest, body: web::Payload) {
    if let Ok(Grant { client_id: Some(client_id), .. }) = read(request, body).await {
        request.extensions_mut().insert(Speaker(client_id));
    }
}

/// The answer to a call that is refused for a reason that is not its own.
pub fn refused(problem: &Problem) -> HttpResponse {
    other(problem)
}

async fn grant(request: &HttpRequest, body: web::Payload) -> Result<Answer, Refusal> {
    let api = Api::of(request)?;
    let grant = read(request, body).await?;
    if let Some(client_id) = &grant.client_id {
        request.extensions_mut().insert(Speaker(client_id.clone()));
    }
    let grant_type = grant.grant_type.as_deref().ok_or(Refusal::InvalidRequest("grant_type is missing"))?;
    let scope = grant.scope.as_deref().filter(|scope| !scope.is_empty()).unwrap_or(DEFAULT_SCOPE);
    if !is_scope(scope) {
        return Err(Refusal::InvalidScope);
    }
    match grant_type {
        "client_credentials" => {
            let registration = authenticate(api, &grant).await?;
            answer(api, registration, scope.to_owned(), None).await
        }
        "password" => {
            let registration = authenticate(api, &grant).await?;
            if registration.client.kind != ClientKind::SalesChannel {
                return Err(Refusal::UnauthorizedClient);
            }
            let signed_in = sign_in(api, &registration, grant.username.as_deref(), grant.password).await?;
            answer(api, registration, scope.to_owned(), Some(signed_in)).await
        }
        _ => Err(Refusal::UnsupportedGrantType),
    }
}

async fn read(request: &HttpRequest, body: web::Payload) -> Result<Grant, Refusal> {
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

/// The client, if it exists, is not revoked, and knows its secret where it has one: otherwise nobody learns which.
async fn authenticate(api: &Api, grant: &Grant) -> Result<Arc<Registration>, Refusal> {
    let client_id = grant.client_id.as_deref().ok_or(Refusal::InvalidRequest("client_id is missing"))?;
    let registration = api
        .clients
        .find(client_id)
        .await
        .map_err(|error| Problem::from(&*error))?
        .ok_or(Refusal::InvalidClient)?;
    let presented =
        grant.client_secret.as_deref().and_then(ClientSecret::parse).map(|secret| secret.digest());
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

async fn sign_in(
    api: &Api,
    registration: &Registration,
    username: Option<&str>,
    password: Option<String>,
) -> Result<SignedIn, Refusal> {
    let username = username.ok_or(Refusal::InvalidRequest("username is missing"))?;
    let password = password.ok_or(Refusal::InvalidRequest("password is missing"))?;
    // Neither can be anybody's, so saying so at once tells nobody anything.
    let email: EmailAddress = username.parse().map_err(|_| Refusal::InvalidGrant)?;
    let password = PlainPassword::parse(password).map_err(|_| Refusal::InvalidGrant)?;
    let signed_in = api.sign_in.with_password(&registration.client, &email, password).await;
    signed_in.map_err(|error| Problem::try_from(error).map_or(Refusal::InvalidGrant, Refusal::Other))
}

async fn answer(
    api: &Api,
    registration: Arc<Registration>,
    scope: String,
    signed_in: Option<SignedIn>,
) -> Result<Answer, Refusal> {
    let owner = signed_in.as_ref().map(|signed_in| (signed_in.customer, signed_in.session));
    let (tokens, granted) = (api.issuer.clone(), scope.clone());
    let signing = web::block(move || tokens.issue(&registration, granted, owner));
    let issued = match signing.await {
        Ok(Ok(issued)) => issued,
        Ok(Err(error)) => {
            tracing::error!(%error, "an access token can't be signed");
            return Err(Problem::Internal.into());
        }
        Err(_) => return Err(Problem::Busy.into()),
    };
    Ok(Answer {
        access_token: issued.access_token,
        token_type: "bearer",
        expires_in: issued.expires_in,
        scope,
        created_at: issued.created_at,
        owner_id: signed_in.as_ref().map(|signed_in| signed_in.customer.to_string()),
        owner_type: signed_in.as_ref().map(|_| "customer"),
        refresh_token: signed_in.map(|signed_in| signed_in.refresh_token.expose().to_owned()),
    })
}

/// Words of letters, digits and `:_-`, 255 in all at most: enough for the vendor's, and nothing that would put a
/// `-` or `_` into a token's base64url, which clients that decode with plain `atob` can't read.
fn is_scope(scope: &str) -> bool {
    scope.len() <= 255 && scope.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":_- ".contains(&byte))
}

impl Refusal {
    fn response(self) -> HttpResponse {
        let (status, error, code, description) = match self {
            Self::InvalidRequest(what) => {
                (StatusCode::BAD_REQUEST, "invalid_request", "INVALID_REQUEST", what)
            }
            Self::InvalidClient => (
                StatusCode::UNAUTHORIZED,
                "invalid_client",
                "UNAUTHORIZED",
                "client authentication failed: unknown client, or wrong or missing secret",
            ),
            Self::InvalidGrant => {
                (StatusCode::BAD_REQUEST, "invalid_grant", "INVALID_GRANT", "wrong username or password")
            }
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
            Self::Other(problem) => return other(&problem),
        };
        let title = error.replace('_', " ");
        let errors =
            json!([{ "title": title, "detail": description, "code": code, "status": status.as_u16() }]);
        HttpResponse::build(status)
            .json(json!({ "errors": errors, "error": error, "error_description": description }))
    }
}

/// A problem of the service, or one with the body, in OAuth's words; the status and its headers stay.
fn other(problem: &Problem) -> HttpResponse {
    let response = problem.error_response();
    let status = response.status();
    let error = match status {
        StatusCode::SERVICE_UNAVAILABLE => "temporarily_unavailable",
        StatusCode::TOO_MANY_REQUESTS => "too_many_requests",
        status if status.is_server_error() => "server_error",
        _ => "invalid_request",
    };
    let title = error.replace('_', " ");
    let errors =
        json!([{ "title": title, "detail": title, "code": problem.to_string(), "status": status.as_u16() }]);
    let body = json!({ "errors": errors, "error": error, "error_description": title });
    let mut response = response.set_body(body.to_string()).map_into_boxed_body();
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}
