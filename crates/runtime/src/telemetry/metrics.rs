//! The meter provider, with a reader for Prometheus and one that exports to a collector.

use opentelemetry::{KeyValue, global};
use opentelemetry_otlp::MetricExporter;
use opentelemetry_sdk::{
    Resource,
    metrics::{PeriodicReader, SdkMeterProvider},
};
use prometheus::Registry;
use rekey_core::metrics::{REFRESH_INTERVAL, gauge};

use super::{
    TelemetryError,
    otlp::{FLUSH_TIMEOUT, configured},
};
use crate::config::Telemetry;

/// The metrics of this process. They are exported a last time when it is dropped.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    provider: Option<SdkMeterProvider>,
    pub(super) registry: Registry,
}

impl Drop for Metrics {
    fn drop(&mut self) {
        if let Some(provider) = self.provider.take() {
            // The exporter has logged that a collector can't be reached.
            let _ = provider.shutdown_with_timeout(FLUSH_TIMEOUT);
        }
    }
}

/// Makes the process's meter provider. Where nobody reads, nothing is measured.
pub(super) fn start(
    settings: &Telemetry,
    resource: Resource,
    is_scraped: bool,
) -> Result<Metrics, TelemetryError> {
    let registry = Registry::new();
    if !is_scraped && settings.otlp_endpoint.is_none() {
        return Ok(Metrics::default());
    }
    let mut provider = SdkMeterProvider::builder().with_resource(resource);
    if is_scraped {
        // `rekey_build_info` says what the resource would, and no series begins anew with each start.
        let exporter = opentelemetry_prometheus::exporter().without_target_info().without_scope_info();
        provider = provider.with_reader(exporter.with_registry(registry.clone()).build()?);
    }
    if let Some(endpoint) = &settings.otlp_endpoint {
        let exporter = configured(MetricExporter::builder().with_http(), endpoint, "metrics").build()?;
        provider =
            provider.with_reader(PeriodicReader::builder(exporter).with_interval(REFRESH_INTERVAL).build());
    }
    let provider = provider.build();
    global::set_meter_provider(provider.clone());
    let version = [KeyValue::new("version", env!("CARGO_PKG_VERSION"))];
    gauge("rekey.build_info", "The program's version, as an attribute.", move |gauge| {
        gauge.observe(1, &version);
    });
    Ok(Metrics { provider: Some(provider), registry })
}
