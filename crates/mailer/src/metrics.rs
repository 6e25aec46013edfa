//! What is measured of mails and of the relays. `docs/metrics.md` lists all metrics.

use std::sync::LazyLock;

use opentelemetry::{
    KeyValue,
    metrics::{Counter, Histogram},
};
use rekey_core::{
    deliveries::{MailJob, Outcome},
    metrics::{LONG, SHORT, counter, seconds},
    scope::Mode,
};
use strum::IntoEnumIterator;
use time::Duration;

static OUTCOMES: LazyLock<Counter<u64>> = LazyLock::new(|| {
    counter("rekey.mail.outcomes", "Recorded results of attempts at mails, and of mails that are not sent.")
});
static REPORTS: LazyLock<Counter<u64>> = LazyLock::new(|| {
    counter("rekey.mail.reports", "Reports on mails that a relay had accepted, and what became of them.")
});
static LATENCY: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    seconds("rekey.mail.latency", "Time from the event to the acceptance of its mail by a relay.", LONG)
});
static SMTP_DURATION: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    let description = "Duration of the hand-over of a mail to a relay, the wait for a connection included.";
    seconds("rekey.smtp.duration", description, SHORT)
});
static SMTP_REPLIES: LazyLock<Counter<u64>> = LazyLock::new(|| {
    counter("rekey.smtp.replies", "Replies of a relay that accepted or refused a mail, by their class.")
});

/// Records the outcome of an attempt at a mail of that age.
pub(crate) fn record_outcome(job: &MailJob, outcome: &Outcome, age: Duration) {
    count_outcome(
        job.mail.as_str(),
        job.scope.mode,
        match outcome {
            Outcome::Sent { .. } => "sent",
            Outcome::Deferred { .. } => "deferred",
            Outcome::InDoubt { .. } => "in_doubt",
            Outcome::Held { .. } => "held",
            Outcome::Bounced { .. } => "bounced",
            Outcome::Expired { .. } => "expired",
            Outcome::Failed { .. } => "failed",
        },
    );
    if let Outcome::Sent { .. } = outcome {
        LATENCY.record(age.as_seconds_f64(), &[KeyValue::new("mail", job.mail.as_str())]);
    }
}

/// Counts an outcome of a mail.
pub(crate) fn count_outcome(mail: &'static str, mode: Mode, outcome: &'static str) {
    OUTCOMES.add(
        1,
        &[
            KeyValue::new("mail", mail),
            KeyValue::new("mode", mode.as_str()),
            KeyValue::new("outcome", outcome),
        ],
    );
}

/// Where a report on a mail comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::EnumIter)]
#[strum(serialize_all = "snake_case")]
pub(crate) enum Source {
    Report,
    Ses,
    Sendgrid,
    Postmark,
    Mailgun,
}

/// What can become of a report.
const RESULTS: [&str; 7] = ["recorded", "repeated", "unsettled", "unknown", "ignored", "refused", "failed"];

/// Makes all counts of reports 0.
pub(crate) fn start_reports() {
    for source in Source::iter() {
        for result in RESULTS {
            add_reports(0, source, result);
        }
    }
}

/// Counts a report, with one of [`RESULTS`].
pub(crate) fn count_report(source: Source, result: &'static str) {
    add_reports(1, source, result);
}

fn add_reports(count: u64, source: Source, result: &'static str) {
    let source: &'static str = source.into();
    REPORTS.add(count, &[KeyValue::new("source", source), KeyValue::new("result", result)]);
}

/// Records the hand-over of a mail to a relay.
pub(crate) fn record_hand_over(relay: &str, outcome: &'static str, duration: std::time::Duration) {
    let attributes = [KeyValue::new("relay", relay.to_owned()), KeyValue::new("outcome", outcome)];
    SMTP_DURATION.record(duration.as_secs_f64(), &attributes);
}

/// Counts a relay's reply by its code.
pub(crate) fn count_reply(relay: &str, code: u16) {
    let class = match code / 100 {
        2 => "2xx",
        4 => "4xx",
        _ => "5xx",
    };
    SMTP_REPLIES.add(1, &[KeyValue::new("relay", relay.to_owned()), KeyValue::new("class", class)]);
}
