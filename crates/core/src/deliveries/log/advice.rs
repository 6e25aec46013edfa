use super::LoggedDelivery;
use crate::{deliveries::Status, events::outbox::REPUBLISH_AFTER};

/// Why a mail waits, and what an operator can do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// Why.
    pub why: String,
    /// What to do.
    pub action: &'static str,
}

impl LoggedDelivery {
    /// Returns why a mail that is queued or deferred waits.
    #[must_use]
    pub fn advice(&self) -> Advice {
        let advice = |why: &str, action| Advice { why: why.to_owned(), action };
        let detail = self.detail.as_deref().unwrap_or("no reason was recorded");
        if let Some(until) = self.leased_until {
            return if until > self.read_at {
                advice("a mailer is sending it", "wait: the result is recorded within minutes")
            } else {
                advice(
                    "its mailer recorded no result",
                    "check that rekey-mailer runs: another one takes it over",
                )
            };
        }
        let Some(event) = &self.event else {
            return advice("its event was deleted", "request a new reset");
        };
        if let Some(reason) = &event.dead_reason {
            return advice(&format!("its message was rejected: {reason}"), "see rekey dead-letter list");
        }
        let Some(published_at) = event.published_at else {
            return advice(
                "it waits to be published",
                "check the broker, and `broker` at /readyz of rekey-api, which says why it can't publish",
            );
        };
        match (self.status, self.next_attempt_at) {
            (Status::Deferred, Some(next)) if next > self.read_at => Advice {
                why: format!("an attempt failed: {detail}"),
                action: "repair the cause, then rekey delivery resend; it is tried again by itself",
            },
            (Status::Deferred, _) => Advice {
                why: format!("its next attempt is late; the last one failed: {detail}"),
                action: "check rekey-mailer at /readyz: its relays, and that it consumes the queue",
            },
            _ if self.read_at - published_at > REPUBLISH_AFTER => advice(
                "its message has been in the broker for long, or was lost",
                "check rekey-mailer at /readyz and the queues; lost messages are published again by themselves",
            ),
            _ => advice("no mailer has taken it from the broker", "check rekey-mailer at /readyz"),
        }
    }
}
