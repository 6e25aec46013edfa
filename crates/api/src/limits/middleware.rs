//! Where limits stand in a request's way: after its head is read and its path is found, before anything else is done for it.

use std::net::IpAddr;

use actix_web::{
    Error, HttpRequest, HttpResponse, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web::Payload,
};
use rekey_core::limits::WINDOW;
use time::Duration;

use super::RateLimitStatus;
use crate::{
    api::Api,
    auth::{bearer, oauth},
    caller,
    jsonapi::error::Problem,
    pages,
};

/// In front of everything under `/api`.
pub async fn api(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let api = Api::of(request.request())?;
    let (address, presented) = (address(api, request.request()), bearer::of(request.request()).await);
    let standing = api.limits.call(request.method(), address, presented.good()).await;
    pass(standing, request, next, |_, wait| Ok(Problem::TooManyRequests(wait).error_response())).await
}

/// In front of everything under `/oauth`. Of a refused call a page of the client's may learn that it is refused.
pub async fn oauth(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let api = Api::of(request.request())?;
    let standing = api.limits.token(address(api, request.request())).await;
    let refusal = match standing {
        Some(RateLimitStatus { wait: Some(wait), .. }) => Some(refuse(&mut request, wait).await),
        _ => None,
    };
    pass(standing, request, next, |_, _| refusal.ok_or(Problem::Internal)).await
}

async fn refuse(request: &mut ServiceRequest, wait: Duration) -> HttpResponse {
    let asks = request.headers().contains_key(header::ORIGIN);
    let body = if asks { request.extract::<Payload>().await.ok() } else { None };
    oauth::refused(request.request(), body, Problem::TooManyRequests(wait)).await
}

/// In front of the hosted pages: only their forms are counted, for only they cost anything.
pub async fn page(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let api = Api::of(request.request())?;
    let standing = if request.method() == Method::POST {
        api.limits.page(address(api, request.request())).await
    } else {
        None
    };
    let refusal = match standing.and_then(|standing| standing.wait) {
        Some(wait) => Some(pages::too_many(request.request(), api, wait).await),
        None => None,
    };
    pass(standing, request, next, |_, _| refusal.ok_or(Problem::Internal)).await
}

/// Lets the request through, or answers it; says how the caller stands in both cases.
async fn pass(
    standing: Option<RateLimitStatus>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    refused: impl FnOnce(&HttpRequest, Duration) -> Result<HttpResponse, Problem>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(standing) = standing else {
        return next.call(request).await.map(ServiceResponse::map_into_boxed_body);
    };
    let mut response = if let Some(wait) = standing.wait {
        let answer = refused(request.request(), wait)?;
        request.into_response(answer)
    } else {
        next.call(request).await?.map_into_boxed_body()
    };
    tell(&standing, response.headers_mut());
    Ok(response)
}

/// The vendor's headers, in its units: calls, and seconds.
fn tell(standing: &RateLimitStatus, headers: &mut HeaderMap) {
    let interval = u32::try_from(WINDOW.whole_seconds()).unwrap_or_default();
    for (name, value) in [
        ("x-ratelimit-limit", standing.limit),
        ("x-ratelimit-interval", interval),
        ("x-ratelimit-remaining", standing.remaining),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
    }
}

fn address(api: &Api, request: &HttpRequest) -> Option<IpAddr> {
    caller::address(request, &api.trusted_proxies)
}
