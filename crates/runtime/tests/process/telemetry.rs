//! What reaches the log, and what reaches a collector.

use std::{collections::BTreeMap, net::TcpListener};

use opentelemetry_proto::tonic::{
    collector::{logs::v1::ExportLogsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::{KeyValue, any_value::Value},
    logs::v1::LogRecord,
    resource::v1::Resource,
    trace::v1::Span,
};

use crate::{
    Check,
    child::{Exit, play},
    collector::Collector,
    lifecycle::DATABASE,
    roles::{SECRET, TRACEPARENT},
};

pub const CHECKS: &[Check] = &[
    ("a_span_and_its_log_arrive_in_the_callers_trace", a_span_and_its_log_arrive_in_the_callers_trace),
    ("the_exporters_own_work_is_not_exported", the_exporters_own_work_is_not_exported),
    ("nothing_is_sent_unless_configured", nothing_is_sent_unless_configured),
    ("a_collector_that_is_away_neither_slows_nor_kills", a_collector_that_is_away_neither_slows_nor_kills),
    ("libraries_are_never_logged_at_trace_level", libraries_are_never_logged_at_trace_level),
    ("the_text_format_is_for_people", the_text_format_is_for_people),
];

const ENDPOINT: &str = "REKEY__TELEMETRY__OTLP_ENDPOINT";
const LOG: &str = "REKEY__TELEMETRY__LOG";

/// What the program `traced` sends: its spans, its logs by their scopes, and its resource.
fn traced(log: &str) -> (Vec<Span>, Vec<(String, LogRecord)>, Resource, String) {
    let collector = Collector::start();
    let Exit { code, stdout, stderr } = play("traced", &[DATABASE, (ENDPOINT, &collector.url), (LOG, log)]);
    assert_eq!(code, Some(0), "{stderr}");
    let traces = collector.bodies::<ExportTraceServiceRequest>("/v1/traces");
    let traces: Vec<_> = traces.into_iter().flat_map(|body| body.resource_spans).collect();
    let resource = traces[0].resource.clone().unwrap();
    let spans = traces.into_iter().flat_map(|of| of.scope_spans).flat_map(|scope| scope.spans).collect();
    let logs = collector.bodies::<ExportLogsServiceRequest>("/v1/logs").into_iter();
    let scopes = logs.flat_map(|body| body.resource_logs).flat_map(|of| of.scope_logs);
    let logs = scopes.flat_map(|scope| {
        let name = scope.scope.unwrap_or_default().name;
        scope.log_records.into_iter().map(move |record| (name.clone(), record))
    });
    (spans, logs.collect(), resource, stdout.trim_end().to_owned())
}

fn a_span_and_its_log_arrive_in_the_callers_trace() {
    let (spans, logs, resource, traceparent) = traced("info");
    let [span] = spans.as_slice() else { panic!("one span: {spans:?}") };
    let [(_, log)] = logs.as_slice() else { panic!("one log: {logs:?}") };
    let trace = u128::from_be_bytes(span.trace_id.as_slice().try_into().unwrap());
    let id = |bytes: &[u8]| u64::from_be_bytes(bytes.try_into().unwrap());
    assert_eq!(format!("00-{trace:032x}-{:016x}-01", id(&span.parent_span_id)), TRACEPARENT);
    assert_eq!(format!("00-{trace:032x}-{:016x}-01", id(&span.span_id)), traceparent);
    assert_eq!((&log.trace_id, &log.span_id), (&span.trace_id, &span.span_id));
    assert_eq!(span.name, "delivery");
    assert!(span.events.is_empty(), "an event is sent once, as a log");
    assert_eq!(log.body.clone().unwrap().value, Some(Value::StringValue("handed over".to_owned())));
    assert_eq!(texts(&log.attributes)["reset"], "r1");

    let who = texts(&resource.attributes);
    assert_eq!((who["service.name"].as_str(), who["service.namespace"].as_str()), ("rekey-role", "rekey"));
    assert_eq!(who["service.version"], env!("CARGO_PKG_VERSION"));
    let (_, _, other, _) = traced("info");
    assert_ne!(who["service.instance.id"], texts(&other.attributes)["service.instance.id"]);
}

fn the_exporters_own_work_is_not_exported() {
    let (spans, logs, ..) = traced("trace");
    assert_eq!(spans.len(), 1);
    let foreign: Vec<_> = logs.iter().filter(|(scope, _)| !scope.contains("process")).collect();
    assert!(!logs.is_empty() && foreign.is_empty(), "{foreign:?}");
}

fn nothing_is_sent_unless_configured() {
    let collector = Collector::start();
    // The variables that OpenTelemetry's own libraries would follow are no configuration of ours.
    let standard = ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str());
    let Exit { code, stdout, stderr } = play("traced", &[DATABASE, standard]);
    assert_eq!((code, stdout.as_str()), (Some(0), "none\n"), "{stderr}");
    assert_eq!(stderr.matches("handed over").count(), 1);
    assert_eq!(collector.paths(), Vec::<String>::new());
}

fn a_collector_that_is_away_neither_slows_nor_kills() {
    // It accepts and never answers: if anything waited for it, 20,000 spans would take minutes.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", silent.local_addr().unwrap());
    // Nobody listens there any more.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for endpoint in [silent, format!("http://{closed}")] {
        let Exit { code, stderr, .. } = play("busy", &[DATABASE, (ENDPOINT, &endpoint)]);
        assert_eq!(code, Some(0), "{stderr}");
        assert_eq!(stderr.matches("\"message\":\"done\"").count(), 20_000);
    }
}

fn libraries_are_never_logged_at_trace_level() {
    let Exit { stderr, .. } = play("traced", &[DATABASE, (LOG, "trace")]);
    assert!(stderr.contains("of the exporter") && !stderr.contains(SECRET), "{stderr}");
}

fn the_text_format_is_for_people() {
    let Exit { stderr, .. } = play("traced", &[DATABASE, ("REKEY__TELEMETRY__LOG_FORMAT", "text")]);
    let line = stderr.lines().find(|line| line.contains("handed over")).unwrap();
    assert!(line.contains("INFO delivery{event=\"e1\"}: ") && line.contains("reset=\"r1\""), "{line}");
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |pair: &KeyValue| match pair.value.clone()?.value? {
        Value::StringValue(text) => Some((pair.key.clone(), text)),
        _ => None,
    };
    attributes.iter().filter_map(text).collect()
}
