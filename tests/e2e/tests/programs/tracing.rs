//! Tests that one trace reaches from the HTTP request through outbox and broker to the mail.
#![expect(clippy::unwrap_used, reason = "a test that finds nothing is to fail")]

use crate::collector::Collector;
use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest,
        trace::v1::ExportTraceServiceRequest,
    },
    common::v1::{KeyValue, any_value::Value},
    metrics::v1::Metric,
    trace::v1::Span,
};
use rekey_e2e::{
    shop::{ANNA, Shop},
    stack::Stack,
};
use reqwest::StatusCode;

#[tokio::test]
async fn one_trace_spans_the_request_and_the_mail_it_leads_to() {
    let collector = Collector::start();
    let mut stack = Stack::prepare().await;
    stack.set("telemetry.otlp_endpoint", &collector.url);
    let shop = Shop::open(stack).await;
    let stack = &shop.stack;
    let (api, mailer) = (stack.start_api().await, stack.start_mailer().await);
    let token = shop.register_anna().await;
    let reset = stack.api.create_reset(&token, ANNA).await.expect(StatusCode::CREATED).text("/data/id");
    stack.smtp.mail_to(ANNA, 1).await;
    // A stopping program sends its remaining spans.
    for exit in [api.terminate().await, mailer.terminate().await] {
        assert_eq!(exit.code, Some(0), "{exit:?}");
    }

    let spans = spans(&collector);
    let of = |service: &'static str| spans.iter().filter(move |(by, _)| by == service).map(|(_, span)| span);
    let mails: Vec<_> =
        of("rekey-mailer").filter(|span| text(&span.attributes, "record") == Some(&reset)).collect();
    let [mail] = mails.as_slice() else { panic!("one span of the mail: {spans:?}") };
    assert_eq!(text(&mail.attributes, "outcome"), Some("sent"));
    let cause = of("rekey-api").find(|span| span.span_id == mail.parent_span_id);
    let cause = cause.unwrap_or_else(|| panic!("the span that the mail's one is a child of: {spans:?}"));
    assert_eq!(cause.trace_id, mail.trace_id);
    let root = of("rekey-api").find(|span| span.trace_id == mail.trace_id && span.parent_span_id.is_empty());
    let root = root.unwrap_or_else(|| panic!("the request's own span: {spans:?}"));
    assert!(root.start_time_unix_nano <= mail.start_time_unix_nano);
    assert_eq!(
        text(&root.attributes, "http.request.method").or(text(&root.attributes, "http.method")),
        Some("POST")
    );

    for (service, metric) in [("rekey-api", "rekey.resets"), ("rekey-mailer", "rekey.mail.outcomes")] {
        let metrics = metrics_of(&collector, service);
        assert!(metrics.iter().any(|sent| sent.name == metric), "{service}: {metrics:?}");
    }
    let handed_over = logs_of(&collector, &mail.trace_id);
    assert!(handed_over.contains(&"handed over".to_owned()), "{handed_over:?}");
    assert!(
        collector
            .paths()
            .iter()
            .all(|path| ["/v1/traces", "/v1/logs", "/v1/metrics"].contains(&path.as_str()))
    );
}

/// Returns every received span with its service.
fn spans(collector: &Collector) -> Vec<(String, Span)> {
    let bodies = collector.bodies::<ExportTraceServiceRequest>("/v1/traces");
    let resources = bodies.into_iter().flat_map(|body| body.resource_spans);
    let services = resources.flat_map(|of| {
        let service = text(&of.resource.as_ref().unwrap().attributes, "service.name").unwrap().to_owned();
        let spans = of.scope_spans.into_iter().flat_map(|scope| scope.spans);
        spans.map(move |span| (service.clone(), span))
    });
    services.collect()
}

/// Returns the metrics that a service has sent, the last ones last.
pub fn metrics_of(collector: &Collector, service: &str) -> Vec<Metric> {
    let bodies = collector.bodies::<ExportMetricsServiceRequest>("/v1/metrics");
    let resources = bodies.into_iter().flat_map(|body| body.resource_metrics);
    let own = resources
        .filter(|of| text(&of.resource.as_ref().unwrap().attributes, "service.name") == Some(service));
    own.flat_map(|of| of.scope_metrics).flat_map(|scope| scope.metrics).collect()
}

/// Returns the messages that were logged in a trace.
fn logs_of(collector: &Collector, trace: &[u8]) -> Vec<String> {
    let bodies = collector.bodies::<ExportLogsServiceRequest>("/v1/logs");
    let scopes = bodies.into_iter().flat_map(|body| body.resource_logs).flat_map(|of| of.scope_logs);
    let records = scopes.flat_map(|scope| scope.log_records).filter(|record| record.trace_id == trace);
    records
        .filter_map(|record| match record.body?.value? {
            Value::StringValue(message) => Some(message),
            _ => None,
        })
        .collect()
}

/// Returns a text attribute.
pub fn text<'a>(attributes: &'a [KeyValue], name: &str) -> Option<&'a str> {
    let attribute = attributes.iter().find(|attribute| attribute.key == name)?;
    match attribute.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}
