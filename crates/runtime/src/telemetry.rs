//! Logs on standard error; metrics for Prometheus; traces, logs and metrics by OTLP as well, where a collector is configured.

mod context;
mod metrics;
mod otlp;
mod panics;
mod repeats;

use std::{
    error::Error,
    io::{self, IsTerminal},
    net::SocketAddr,
};

use tracing::Metadata;
use tracing_subscriber::{
    EnvFilter, Layer, filter,
    layer::SubscriberExt,
    util::{SubscriberInitExt, TryInitError},
};

pub use context::{current_traceparent, set_parent};
use otlp::BoxedLayer;
pub use otlp::Guard;
use repeats::DropRepeats;

use crate::config::{LogFormat, Telemetry};

/// The target of the access log, a line for each answered request: logged with `telemetry.access_log`.
pub const ACCESS_LOG: &str = "rekey_access";

/// Why telemetry can't start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error("telemetry.log can't be used: {0}")]
    Filter(#[from] filter::ParseError),
    #[error("the OTLP exporter can't be built: {0}")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
    #[error("the metrics can't be set up: {0}")]
    Metrics(#[from] opentelemetry_sdk::error::OTelSdkError),
    #[error("telemetry was started before: {0}")]
    Started(#[from] TryInitError),
    #[error("repeated warnings can't be summarized: {0}")]
    Repeats(#[from] Box<dyn Error + Send + Sync>),
}

/// Starts logging, tracing, metrics and the logging of panics for this process; `service` becomes `service.name`. Metrics are kept for
/// Prometheus if there is an `admin` listener, where it can read them. Call it before anything is measured: instruments that were used
/// earlier stay without effect.
///
/// Must be called on the program's runtime. Keep the guard for as long as the program runs: dropping it sends what is still queued. A collector that is down or slow
/// never blocks a caller: what it doesn't accept in time is dropped, and one line is logged.
pub fn init(
    settings: &Telemetry,
    service: &'static str,
    admin: Option<SocketAddr>,
) -> Result<Guard, TelemetryError> {
    let access_log = if settings.access_log { "info" } else { "off" };
    let filter = EnvFilter::try_new(format!("{},{ACCESS_LOG}={access_log}", settings.log))?;
    let resource = otlp::resource(service, &settings.service_namespace);
    let (mut layers, mut guard) = otlp::layers(settings, service, &resource)?;
    guard.metrics = metrics::start(settings, resource, admin.is_some())?;
    layers.push(stderr_layer(settings.log_format).with_filter(DropRepeats::new()?).boxed());
    let registry = tracing_subscriber::registry().with(layers);
    registry.with(filter).with(filter::filter_fn(is_safe_to_log)).try_init()?;
    panics::report();
    Ok(guard)
}

fn stderr_layer(format: LogFormat) -> BoxedLayer {
    let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    match format {
        LogFormat::Json => layer.json().flatten_event(true).with_current_span(false).boxed(),
        LogFormat::Text => layer.with_ansi(io::stderr().is_terminal()).boxed(),
    }
}

/// Libraries are logged down to debug: at trace level they write raw bytes of requests, mails and frames, and so tokens.
/// lapin is not logged at all: it writes whole messages at warn, and the bus logs every outage itself.
fn is_safe_to_log(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    target.starts_with("rekey") || (*metadata.level() < tracing::Level::TRACE && !target.starts_with("lapin"))
}
