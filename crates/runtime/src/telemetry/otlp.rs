//! The export to a collector: OTLP over HTTP with protobuf bodies, in batches, traces, logs and metrics each on a thread of its own.

use std::time::Duration;

use opentelemetry::{KeyValue, global, trace::TracerProvider};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::{ExporterBuildError, LogExporter, Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource, logs::SdkLoggerProvider, propagation::TraceContextPropagator, trace::SdkTracerProvider,
};
use rekey_core::random::{OsRandom, fill_alphanumeric};
use tracing::Metadata;
use tracing_subscriber::{Layer, Registry, filter::filter_fn};
use url::Url;

use super::metrics::Metrics;
use crate::{config::Telemetry, install_crypto};

/// A layer of this process's subscriber.
pub(super) type BoxedLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// How long one batch may take.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a stopping program waits for the last spans, again for the last logs, and again for the last
/// metrics.
pub(super) const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);
/// The libraries that export: sending their own spans and logs would cause the next export, without end.
const EXPORTERS: [&str; 6] = ["opentelemetry", "reqwest", "hyper", "h2", "rustls", "tower"];

/// Sends what is still queued when it is dropped, for 6 seconds at most.
#[must_use = "dropping it stops the export"]
#[derive(Debug, Default)]
pub struct Guard {
    traces: Option<SdkTracerProvider>,
    logs: Option<SdkLoggerProvider>,
    pub(super) metrics: Metrics,
}

impl Guard {
    /// Returns what Prometheus reads; it is empty without an admin listener.
    #[must_use]
    pub fn metrics(&self) -> &prometheus::Registry {
        &self.metrics.registry
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // The exporters have logged that a collector can't be reached.
        if let Some(traces) = self.traces.take() {
            let _ = traces.shutdown_with_timeout(FLUSH_TIMEOUT);
        }
        if let Some(logs) = self.logs.take() {
            let _ = logs.shutdown_with_timeout(FLUSH_TIMEOUT);
        }
    }
}

/// Returns the layers that export to the collector: none without an endpoint.
pub(super) fn layers(
    settings: &Telemetry,
    service: &'static str,
    resource: &Resource,
) -> Result<(Vec<BoxedLayer>, Guard), ExporterBuildError> {
    let Some(endpoint) = &settings.otlp_endpoint else {
        return Ok((Vec::new(), Guard::default()));
    };
    install_crypto();
    let traces = configured(SpanExporter::builder().with_http(), endpoint, "traces").build()?;
    let traces =
        SdkTracerProvider::builder().with_resource(resource.clone()).with_batch_exporter(traces).build();
    let logs = configured(LogExporter::builder().with_http(), endpoint, "logs").build()?;
    let logs = SdkLoggerProvider::builder().with_resource(resource.clone()).with_batch_exporter(logs).build();
    global::set_text_map_propagator(TraceContextPropagator::new());

    // Spans carry no events: those travel as logs, and once is enough.
    let spans = tracing_opentelemetry::layer()
        .with_tracer(traces.tracer(service))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_filter(filter_fn(|metadata| metadata.is_span() && is_ours(metadata)));
    let events = OpenTelemetryTracingBridge::new(&logs)
        .with_filter(filter_fn(|metadata| metadata.is_event() && is_ours(metadata)));
    Ok((
        vec![spans.boxed(), events.boxed()],
        Guard { traces: Some(traces), logs: Some(logs), metrics: Metrics::default() },
    ))
}

/// Configures an exporter. Its path below the base URL is OTLP/HTTP's (OpenTelemetry Protocol 1.x, "OTLP/HTTP Request").
pub(super) fn configured<B: WithExportConfig>(builder: B, endpoint: &Url, signal: &str) -> B {
    builder
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/{signal}", endpoint.as_str().trim_end_matches('/')))
        .with_timeout(EXPORT_TIMEOUT)
}

/// Returns OpenTelemetry's `service.*` attributes, with an instance id that is new in each process.
pub(super) fn resource(service: &'static str, namespace: &str) -> Resource {
    let mut id = [0; 16];
    fill_alphanumeric(&OsRandom, &mut id);
    Resource::builder()
        .with_attributes([
            KeyValue::new("service.name", service),
            KeyValue::new("service.namespace", namespace.to_owned()),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("service.instance.id", String::from_utf8_lossy(&id).into_owned()),
        ])
        .build()
}

fn is_ours(metadata: &Metadata<'_>) -> bool {
    !EXPORTERS.iter().any(|prefix| metadata.target().starts_with(prefix))
}
