//! The trace context that travels in an event (W3C Trace Context, `traceparent`).

use std::collections::HashMap;

use opentelemetry::{
    Context,
    propagation::TextMapPropagator,
    trace::{SpanContext, TraceContextExt},
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The field's name in the W3C recommendation.
const FIELD: &str = "traceparent";

/// Returns the current span as a `traceparent` of 55 characters; `None` where nothing is traced.
#[must_use]
pub fn current_traceparent() -> Option<String> {
    let context = Span::current().context();
    let mut fields = HashMap::new();
    TraceContextPropagator::new().inject_context(&context, &mut fields);
    fields.remove(FIELD)
}

/// Makes `span` a child of the one that `traceparent` names. Call it before the span is entered. An invalid
/// `traceparent` leaves the span as it is: a trace is never a reason to reject an event.
pub fn set_parent(span: &Span, traceparent: &str) {
    let fields = HashMap::from([(FIELD.to_owned(), traceparent.to_owned())]);
    let parent = TraceContextPropagator::new().extract_with_context(&Context::new(), &fields);
    if parent.span().span_context() != &SpanContext::NONE {
        // It fails where nothing is traced, which is no error.
        let _ = span.set_parent(parent);
    }
}
