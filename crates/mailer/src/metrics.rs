//! What is measured of mails and of the relays. `docs/metrics.md` lists all metrics.

use std::sync::LazyLock;

use opentelemetry::{
    KeyValue,
    metrics::{Counter, Histogram},
};
use rekey_core::{
    deliveries::{MailJob, Outcome},
    metrics::{LONG, SHORT, counter, seconds},
};
use time::Duration;

static OUTCOMES: LazyLock<Counter<u64>> = LazyLock::new(|| {
    counter("rekey.mail.outcomes", "Recorded results of attempts at mails, and of mails that are not sent.")
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
        job,
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
pub(crate) fn count_outcome(job: &MailJob, outcome: &'static str) {
    OUTCOMES.add(
        1,
        &[
            KeyValue::new("mail", job.mail.as_str()),
            KeyValue::new("mode", job.scope.mode.as_str()),
            KeyValue::new("outcome", outcome),
        ],
    );
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
