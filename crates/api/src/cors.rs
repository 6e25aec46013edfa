//! Cross-origin reads: which pages' scripts may read what a client is answered (Fetch, "CORS protocol").
//!
//! A preflight names no client, so it says only what the API understands, to every page; what counts is whether the answer
//! itself names the page's origin. Credentials are never allowed: there are none but the token that the script sends.

use actix_web::{
    Error, HttpMessage, HttpRequest, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{self, HeaderValue},
    },
    middleware::Next,
};
use rekey_core::clients::RegisteredClient;

use crate::{
    api::Api,
    auth::{bearer, clients::ClientDirectory},
    jsonapi::error::Problem,
};

/// The client id that the body of a call under `/oauth` names.
pub struct Speaker(pub String);

/// Headers of requests that the API takes notice of, or that clients send by habit.
const ALLOWED_HEADERS: &str =
    "authorization, content-type, accept, idempotency-key, x-requested-with, traceparent";
/// Headers of answers that a script may read beside those that it always may.
const EXPOSED_HEADERS: &str =
    "X-Ratelimit-Limit, X-Ratelimit-Interval, X-Ratelimit-Remaining, Retry-After, Location, WWW-Authenticate";
/// How long a browser remembers a preflight, in seconds: two hours, the most that Chromium does.
const MAX_AGE: &str = "7200";

/// Around everything under `/api`: the client is the access token's, even of one that has expired.
pub async fn api(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if let Some(answer) = preflight(&request, "GET, HEAD, POST, PATCH, DELETE") {
        return Ok(request.into_response(answer));
    }
    let mut response = next.call(request).await?.map_into_boxed_body();
    if let Some(origin) = answering(&mut response) {
        let presented = bearer::of(response.request()).await;
        if let Some(claims) = presented.ours() {
            let client = clients(&response)?.find(&claims.application.client_id).await;
            allow(&mut response, &origin, client.ok().flatten().as_deref());
        }
    }
    Ok(response)
}

/// Around everything under `/oauth`: the client is the one that the body names.
pub async fn oauth(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if let Some(answer) = preflight(&request, "POST") {
        return Ok(request.into_response(answer));
    }
    let mut response = next.call(request).await?.map_into_boxed_body();
    if let Some(origin) = answering(&mut response) {
        let speaker = response.request().extensions_mut().remove::<Speaker>();
        if let Some(Speaker(client_id)) = speaker {
            // Who is over a limit makes nobody look up whatever id it thinks of.
            let client = if response.status() == StatusCode::TOO_MANY_REQUESTS {
                clients(&response)?.remembered(&client_id).await
            } else {
                clients(&response)?.find(&client_id).await.ok().flatten()
            };
            allow(&mut response, &origin, client.as_deref());
        }
    }
    Ok(response)
}

fn clients(response: &ServiceResponse<BoxBody>) -> Result<&ClientDirectory, Problem> {
    Api::of(response.request()).map(|api| &api.clients)
}

/// Says that the answer depends on who asks: the page that does, if any.
fn answering(response: &mut ServiceResponse<BoxBody>) -> Option<HeaderValue> {
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Origin"));
    origin(response.request())
}

/// Lets the page read the answer, if it is one of the client's.
fn allow(response: &mut ServiceResponse<BoxBody>, origin: &HeaderValue, client: Option<&RegisteredClient>) {
    let (Ok(text), Some(RegisteredClient { client, .. })) = (origin.to_str(), client) else { return };
    let Some(by) = client.allowed_origins.iter().find(|allowed| allowed.allows(text)) else { return };
    let named = if by.is_any() { HeaderValue::from_static("*") } else { origin.clone() };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, named);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED_HEADERS));
}

/// The answer to a preflight, if this is one.
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

/// The page that asks; two of them are none.
fn origin(request: &HttpRequest) -> Option<HeaderValue> {
    let mut values = request.headers().get_all(header::ORIGIN);
    let first = values.next()?;
    values.next().is_none().then(|| first.clone())
}
