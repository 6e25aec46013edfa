//! Warnings and errors that repeat: the first ones are logged, and how many more there were once a minute. An outage of the database
//! fails each request, and all for the same cause.

use std::{error::Error, sync::Arc, time::Duration};

use tracing::{
    Event, Level, Metadata, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    layer::{Context, Filter},
    registry::LookupSpan,
};
use tracing_throttle::{
    Policy, SuppressionSummary, TimeWindowPolicy, TracingRateLimitLayer, domain::metadata::EventMetadata,
};

/// How often the same line is logged in [`INTERVAL`].
const MAX_REPEATS: usize = 5;
const INTERVAL: Duration = Duration::from_mins(1);
/// How many different lines are counted; beyond that, the one that was not seen for longest is forgotten.
const MAX_LINES: usize = 1_000;
/// The field of a mail's span that tells its lines from those of other mails.
const EVENT: &str = "event";

/// Drops the further ones of equal warnings and errors: those with the same level, target, message and fields, about the same mail.
pub(super) struct DropRepeats(TracingRateLimitLayer);

impl DropRepeats {
    /// Must be called on the program's runtime, which logs how many were dropped.
    pub(super) fn new() -> Result<Self, Box<dyn Error + Send + Sync>> {
        let limit = TracingRateLimitLayer::builder()
            .with_policy(Policy::TimeWindow(TimeWindowPolicy::new(MAX_REPEATS, INTERVAL)?))
            .with_span_context_fields(vec![EVENT.to_owned()])
            .with_summary_interval(INTERVAL)
            .with_max_signatures(MAX_LINES)
            .with_active_emission(true)
            .with_summary_formatter(Arc::new(summarize))
            .build()?;
        Ok(Self(limit))
    }
}

impl<S: Subscriber + for<'lookup> LookupSpan<'lookup>> Filter<S> for DropRepeats {
    /// Spans are never dropped: a warning has the fields of those that it is in.
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, context: &Context<'_, S>) -> bool {
        *event.metadata().level() > Level::WARN || self.0.event_enabled(event, context)
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        Filter::on_new_span(&self.0, attributes, id, context);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        Filter::on_record(&self.0, id, values, context);
    }
}

fn summarize(summary: &SuppressionSummary) {
    let line = summary.metadata.as_ref().map(EventMetadata::format_detailed);
    tracing::warn!(count = summary.count, line, "repeated, and not logged each time");
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Mutex, PoisonError},
    };

    use tracing_subscriber::{Layer, layer::SubscriberExt};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn equal_warnings_about_a_mail_are_dropped_from_the_sixth_on_and_keep_their_span() {
        let lines = Lines::default();
        let writer = lines.clone();
        let layer = tracing_subscriber::fmt::layer().json().with_writer(move || writer.clone());
        let subscriber = tracing_subscriber::registry().with(layer.with_filter(DropRepeats::new().unwrap()));
        tracing::subscriber::with_default(subscriber, || {
            for event in ["MAIL1", "MAIL2"] {
                let _entered = tracing::info_span!("mail", event).entered();
                for _ in 0..7 {
                    tracing::warn!(reason = "no such user", "refused");
                    tracing::info!("handed over");
                }
                tracing::warn!(reason = "full", "refused");
            }
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        for event in ["MAIL1", "MAIL2"] {
            let count = |wanted: &str| {
                text.lines().filter(|line| line.contains(event) && line.contains(wanted)).count()
            };
            assert_eq!((count("no such user"), count("full"), count("handed over")), (5, 1, 7), "{text}");
        }
    }
}
