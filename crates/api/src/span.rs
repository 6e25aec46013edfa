//! The tracing span of each request.

use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
};
use rekey_runtime::telemetry;
use tracing::{Span, field::Empty};
use tracing_actix_web::RootSpanBuilder;

/// A span with the route's pattern and the status. It has no query (a link's has a token), no header and no address.
pub struct PathSpan;

impl RootSpanBuilder for PathSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let method = request.method().as_str();
        let route = request.match_pattern().unwrap_or_else(|| "unknown".to_owned());
        let span = tracing::info_span!(
            "HTTP request",
            otel.name = format!("{method} {route}"),
            otel.kind = "server",
            otel.status_code = Empty,
            http.request.method = method,
            http.route = route,
            http.response.status_code = Empty,
        );
        if let Some(traceparent) = request.headers().get("traceparent").and_then(|value| value.to_str().ok())
        {
            telemetry::set_parent(&span, traceparent);
        }
        span
    }

    fn on_request_end<B: MessageBody>(span: Span, outcome: &Result<ServiceResponse<B>, Error>) {
        let status = match outcome {
            Ok(response) => response.status(),
            Err(error) => error.as_response_error().status_code(),
        };
        span.record("http.response.status_code", status.as_u16());
        span.record("otel.status_code", if status.is_server_error() { "ERROR" } else { "OK" });
    }
}
