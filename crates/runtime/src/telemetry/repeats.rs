//! Warnings and errors that repeat: the first ones are logged, and how many more there were once a minute. An outage of the database
//! fails each request, and all for the same cause.

use std::{error::Error, sync::Arc, time::Duration};

use tracing_throttle::{
    Policy, SuppressionSummary, TimeWindowPolicy, TracingRateLimitLayer, domain::metadata::EventMetadata,
};

/// How often the same line is logged in [`INTERVAL`].
const MAX_REPEATS: usize = 5;
const INTERVAL: Duration = Duration::from_mins(1);
/// How many different lines are counted; beyond that, the one that was not seen for longest is forgotten.
const MAX_LINES: usize = 1_000;

/// Makes a filter that drops the further ones of equal lines: those with the same level, target, message and fields.
pub(super) fn filter() -> Result<TracingRateLimitLayer, Box<dyn Error + Send + Sync>> {
    Ok(TracingRateLimitLayer::builder()
        .with_policy(Policy::TimeWindow(TimeWindowPolicy::new(MAX_REPEATS, INTERVAL)?))
        .with_summary_interval(INTERVAL)
        .with_max_signatures(MAX_LINES)
        .with_active_emission(true)
        .with_summary_formatter(Arc::new(summarize))
        .build()?)
}

fn summarize(summary: &SuppressionSummary) {
    let line = summary.metadata.as_ref().map(EventMetadata::format_detailed);
    tracing::warn!(count = summary.count, line, "repeated, and not logged each time");
}
