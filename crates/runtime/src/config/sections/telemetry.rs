//! `[telemetry]`: what is logged, and where traces go.

use serde::Deserialize;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};
use url::Url;

use crate::config::fields::{parse_http, text_fields};

/// Logs on standard error, and traces and logs by OTLP where an endpoint is given.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telemetry {
    /// Directives of `tracing_subscriber`'s `EnvFilter`, already known to parse.
    #[serde(deserialize_with = "log")]
    pub log: String,
    #[serde(deserialize_with = "log_format")]
    pub log_format: LogFormat,
    /// Whether each answered request is logged.
    pub access_log: bool,
    /// A collector's base URL.
    #[serde(default, deserialize_with = "otlp_endpoint")]
    pub otlp_endpoint: Option<Url>,
    #[serde(deserialize_with = "service_namespace")]
    pub service_namespace: String,
}

/// What a line of the log looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Json,
    Text,
}

text_fields! {
    log: String = "a level, or directives such as info,rekey_mailer=debug", |text| is_filter(text).then(|| text.into());
    log_format: LogFormat = "\"json\" or \"text\"", |text| match text {
        "json" => Some(LogFormat::Json),
        "text" => Some(LogFormat::Text),
        _ => None,
    };
    otlp_endpoint: Url = "an http or https URL without query and credentials", |text| {
        parse_http(text).filter(|url| url.query().is_none() && url.fragment().is_none())
    };
    service_namespace: String = "1 to 64 characters", |text| (text.chars().count() <= 64).then(|| text.into());
}

/// A lone word that is no level is refused: it would be taken for the name of a module, and nothing else be logged.
fn is_filter(text: &str) -> bool {
    let is_directive = |part: &str| part.contains('=') || part.trim().parse::<LevelFilter>().is_ok();
    text.split(',').all(is_directive) && EnvFilter::try_new(text).is_ok()
}
