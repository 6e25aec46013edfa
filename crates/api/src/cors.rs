//! CORS: the pages whose scripts may read answers (Fetch, "CORS protocol").
//!
//! A preflight request names no client, so its answer is the same for every page. What counts is whether the answer to the request
//! itself names the page's origin. Credentials are never allowed: scripts send their token in a header.

use actix_web::{
    Error, FromRequest, HttpMessage, HttpRequest, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{self, HeaderValue},
    },
    middleware::Next,
    web::Data,
};
use rekey_core::clients::RegisteredClient;

use crate::{
    auth::{bearer::BearerToken, clients::ClientDirectory},
    oauth::CorsClientId,
};

/// Request headers that the API reads, or that clients send by habit.
const ALLOWED_HEADERS: &str =
    "authorization, content-type, accept, idempotency-key, x-requested-with, traceparent";
/// Response headers that a script may read in addition to those that it always may.
const EXPOSED_HEADERS: &str =
    "X-Ratelimit-Limit, X-Ratelimit-Interval, X-Ratelimit-Remaining, Retry-After, Location, WWW-Authenticate";
/// How long a browser remembers a preflight, in seconds: two hours, the most that Chromium does.
const MAX_AGE: &str = "7200";

/// Wraps everything under `/api`. The client is the access token's, also of an expired one.
pub async fn api(
    clients: Data<ClientDirectory>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if let Some(answer) = preflight(&request, "GET, HEAD, POST, PATCH, DELETE") {
        return Ok(request.into_response(answer));
    }
    let mut response = next.call(request).await?.map_into_boxed_body();
    if let Some(origin) = vary_by_origin(&mut response) {
        let token = BearerToken::extract(response.request()).await?;
        if let Some(claims) = token.claims() {
            let client = clients.find(&claims.application.client_id).await;
            allow(&mut response, &origin, client.ok().flatten().as_deref());
        }
    }
    Ok(response)
}

/// Wraps everything under `/oauth`. The client is the one that the body names.
pub async fn oauth(
    clients: Data<ClientDirectory>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if let Some(answer) = preflight(&request, "POST") {
        return Ok(request.into_response(answer));
    }
    let mut response = next.call(request).await?.map_into_boxed_body();
    if let Some(origin) = vary_by_origin(&mut response) {
        let client_id = response.request().extensions_mut().remove::<CorsClientId>();
        if let Some(CorsClientId(client_id)) = client_id {
            // A caller over its limit must not cause look-ups of ids that it makes up.
            let client = if response.status() == StatusCode::TOO_MANY_REQUESTS {
                clients.remembered(&client_id).await
            } else {
                clients.find(&client_id).await.ok().flatten()
            };
            allow(&mut response, &origin, client.as_deref());
        }
    }
    Ok(response)
}

/// Marks the answer as different for each origin, and returns the request's origin.
fn vary_by_origin(response: &mut ServiceResponse<BoxBody>) -> Option<HeaderValue> {
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Origin"));
    origin(response.request())
}

/// Lets a page of that origin read the answer, if the client allows the origin.
fn allow(response: &mut ServiceResponse<BoxBody>, origin: &HeaderValue, client: Option<&RegisteredClient>) {
    let (Ok(text), Some(client)) = (origin.to_str(), client) else { return };
    let Some(by) = client.allowed_origins.iter().find(|allowed| allowed.allows(text)) else { return };
    let named = if by.is_any() { HeaderValue::from_static("*") } else { origin.clone() };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, named);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED_HEADERS));
}

/// Returns the answer to a preflight request, if this is one.
fn preflight(request: &ServiceRequest, methods: &'static str) -> Option<HttpResponse> {
    let asks = request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let origin = origin(request.request()).filter(|_| asks)?;
    Some(
        HttpResponse::NoContent()
            .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, origin))
            .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, methods))
            .insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS))
            .insert_header((header::ACCESS_CONTROL_MAX_AGE, MAX_AGE))
            .insert_header((
                header::VARY,
                "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
            ))
            .finish(),
    )
}

/// Returns the request's origin. A request with two has none.
fn origin(request: &HttpRequest) -> Option<HeaderValue> {
    let mut values = request.headers().get_all(header::ORIGIN);
    let first = values.next()?;
    values.next().is_none().then(|| first.clone())
}
