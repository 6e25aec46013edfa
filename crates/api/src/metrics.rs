//! What is measured of requests, and of those that are refused by a rate limit. `docs/metrics.md` lists all metrics.

use std::sync::LazyLock;

use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::Method,
    middleware::Next,
};
use opentelemetry::{KeyValue, metrics::Histogram};
use rekey_core::metrics::{CounterBy, SHORT, seconds};
use rekey_runtime::telemetry::ACCESS_LOG;
use strum::{EnumIter, IntoStaticStr};
use tokio::time::Instant;

static DURATION: LazyLock<Histogram<f64>> =
    LazyLock::new(|| seconds("http.server.request.duration", "Duration of HTTP requests.", SHORT));

/// A rate limit of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Limit {
    Token,
    Live,
    Test,
    SalesChannel,
    Page,
    /// Ten times `Live`: tokens that were not issued here.
    UnknownToken,
}

/// Requests that a rate limit refused.
pub static REFUSALS: CounterBy<Limit> =
    CounterBy::new("rekey.rate_limit.refusals", "Requests that a rate limit refused.", "limit");

/// Measures each request, up to the head of its answer, and writes its line of the access log.
pub async fn measure<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let started_at = Instant::now();
    let method = method(request.method());
    // Not what was asked for: paths have ids, and anybody may ask for any.
    let route = request.match_pattern().unwrap_or_else(|| "unmatched".to_owned());
    let outcome = next.call(request).await;
    let status = match &outcome {
        Ok(response) => response.status(),
        Err(error) => error.as_response_error().status_code(),
    };
    let elapsed = started_at.elapsed();
    let milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(target: ACCESS_LOG, method, route, status = status.as_u16(), milliseconds, "answered");
    let attributes = [
        KeyValue::new("http.request.method", method),
        KeyValue::new("http.route", route),
        KeyValue::new("http.response.status_code", i64::from(status.as_u16())),
    ];
    DURATION.record(elapsed.as_secs_f64(), &attributes);
    outcome
}

/// Returns the method, or `_OTHER` for one that is not common, as OpenTelemetry's conventions have it.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PATCH => "PATCH",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "_OTHER",
    }
}
