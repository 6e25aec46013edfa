//! Media types of answers and bodies.

use actix_web::{
    Error, HttpMessage, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{self, HeaderMap},
    middleware::Next,
};

use super::{MEDIA_TYPE, error::Problem};

/// Refuses requests that accept no JSON:API answer.
pub async fn require_acceptable(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if accepts(request.headers()) {
        next.call(request).await.map(ServiceResponse::map_into_boxed_body)
    } else {
        Ok(request.into_response(Problem::NotAcceptable.error_response()))
    }
}

/// Whether the `Accept` header allows JSON:API (RFC 9110 §12.5.1, as far as one media type needs it). JSON:API's parameters `ext` and
/// `profile` are not supported.
fn accepts(headers: &HeaderMap) -> bool {
    let mut ranges = headers
        .get_all(header::ACCEPT)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .peekable();
    ranges.peek().is_none()
        || ranges.any(|range| {
            let mut parts = range.split(';').map(str::trim);
            let media_type = parts.next().unwrap_or_default();
            let refused =
                parts.any(|parameter| parameter.strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0)));
            !refused
                && (media_type.is_empty()
                    || [MEDIA_TYPE, "*/*", "application/*"]
                        .iter()
                        .any(|known| media_type.eq_ignore_ascii_case(known)))
        })
}

/// Whether a body is declared as JSON:API and not compressed. Some clients add `charset=utf-8`, which changes nothing.
#[must_use]
pub fn is_jsonapi(message: &impl HttpMessage) -> bool {
    let headers = message.headers();
    let mut parts = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .split(';')
        .map(str::trim);
    let encoded = headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity");
    parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case(MEDIA_TYPE))
        && parts.all(|parameter| parameter.eq_ignore_ascii_case("charset=utf-8"))
        && !encoded
}
