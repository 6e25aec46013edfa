//! `[telemetry]`: what is logged, and where traces go.

use tracing_subscriber::{EnvFilter, filter::LevelFilter};
use url::Url;

use super::public_url::parse_http;
use crate::config::{
    ConfigError,
    reader::{Reader, Section},
};

/// Logs on standard error, and traces and logs by OTLP where an endpoint is given.
#[derive(Debug, Clone)]
pub struct Telemetry {
    /// Directives of `tracing_subscriber`'s `EnvFilter`, already known to parse.
    pub log: String,
    pub log_format: LogFormat,
    /// A collector's base URL.
    pub otlp_endpoint: Option<Url>,
    pub service_namespace: String,
}

/// What a line of the log looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Json,
    Text,
}

/// A lone word that is no level would be taken for the name of a module, and nothing else be logged.
fn parse_log(text: &str) -> Option<String> {
    let told = |part: &str| part.contains('=') || part.trim().parse::<LevelFilter>().is_ok();
    (text.split(',').all(told) && EnvFilter::try_new(text).is_ok()).then(|| text.to_owned())
}

impl Section for Telemetry {
    const NAME: &'static str = "telemetry";

    fn read(reader: &Reader<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            log: reader.required(
                "log",
                "a level, or directives such as info,rekey_mailer=debug",
                parse_log,
            )?,
            log_format: reader.required("log_format", "\"json\" or \"text\"", |text| match text {
                "json" => Some(LogFormat::Json),
                "text" => Some(LogFormat::Text),
                _ => None,
            })?,
            otlp_endpoint: reader.optional(
                "otlp_endpoint",
                "an http or https URL without query and credentials",
                |text| parse_http(text).filter(|url| url.query().is_none() && url.fragment().is_none()),
            )?,
            service_namespace: reader.required("service_namespace", "1 to 64 characters", |text| {
                (text.chars().count() <= 64).then(|| text.to_owned())
            })?,
        })
    }
}
