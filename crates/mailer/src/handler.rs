//! The consumer's work: one event, one mail.

mod schedule;

use std::sync::Arc;

use async_trait::async_trait;
use rekey_core::{
    clock::Clock,
    deliveries::{
        ClaimedDelivery, MailJob, MailKind, Outcome, Reply,
        ledger::{Claim, Ledger},
    },
    error::StoreError,
    events::{
        Event, EventBody,
        bus::{Delivery, Handler, Verdict},
    },
    ids::RecordId,
    organizations::PerOrganization,
    random::RandomSource,
    scope::Mode,
    secrets::KeyRing,
};
use rekey_runtime::telemetry;
use time::Duration;
use tokio::time::Instant;
use tracing::{Instrument, Span, field::Empty};

use self::schedule::{
    LAST_ATTEMPT, LAST_SETTLE_PAUSE, LONGEST_DELAY, LONGEST_SETTLE, SETTLE_PAUSES, after_attempt,
};
use crate::{
    deliver::{WriteError, Writer},
    dkim::Signer,
    message::{Mail, MessageError},
    transport::{Accepted, CircuitBreaker, Router, SendError, SendErrorKind},
};

/// How long to leave a ledger alone that did not answer.
const LEDGER_PAUSE: Duration = Duration::seconds(10);
/// How long to leave a mail alone, at most, that another mailer has: a look costs little, and a broker with a ladder of waits
/// would take a much longer rung.
const LONGEST_BUSY: Duration = Duration::minutes(1);
/// Octets of an event that is looked at; ours have under 1,000.
const LARGEST_EVENT: usize = 64 << 10;

/// Sends the mails that events ask for.
pub struct MailHandler {
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) router: Router,
    pub(crate) writer: Writer,
    pub(crate) signers: PerOrganization<Option<Signer>>,
    pub(crate) keys: KeyRing,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn RandomSource>,
    pub(crate) lease: Duration,
}

#[async_trait]
impl Handler for MailHandler {
    async fn handle(&self, delivery: Delivery) -> Verdict {
        if delivery.payload.len() > LARGEST_EVENT {
            return Verdict::Reject { reason: format!("malformed event: {} octets", delivery.payload.len()) };
        }
        let event = match Event::verify(&delivery.payload, &self.keys) {
            Ok(event) => event,
            Err(error) => return Verdict::Reject { reason: error.to_string() },
        };
        let Some((job, record)) = job(&event) else { return Verdict::Done };
        let span = tracing::info_span!(
            "mail",
            otel.kind = "consumer",
            event = %event.id,
            record = %record,
            kind = job.kind.name().as_str(),
            attempt = Empty,
            outcome = Empty,
        );
        if let Some(traceparent) = &event.traceparent {
            telemetry::set_parent(&span, traceparent);
        }
        self.process(&event, &job).instrument(span).await
    }
}

/// The mail an event leads to, if any, and the record that the event is about.
fn job(event: &Event) -> Option<(MailJob, RecordId)> {
    let mut answer_unknown = false;
    let (kind, record) = match event.body {
        EventBody::ResetCreated(ref created) => {
            // The address is told of only where the organization answers those that it does not know.
            answer_unknown = created.address.is_some();
            (MailKind::ResetRequested(created.reset), created.reset.into())
        }
        EventBody::ResetUsed { customer, reset } => {
            (MailKind::PasswordChanged { customer, reset: Some(reset) }, reset.into())
        }
        EventBody::CustomerPasswordCreated { customer } => {
            (MailKind::PasswordChanged { customer, reset: None }, customer.into())
        }
        EventBody::ResetDestroyed { .. }
        | EventBody::ResetDisavowed { .. }
        | EventBody::CustomerCreated { .. }
        | EventBody::CustomerDestroyed { .. } => return None,
    };
    Some((MailJob { event: event.id, scope: event.scope, kind, answer_unknown }, record))
}

impl MailHandler {
    /// Whether live mails wait for somebody to mend the relay or its settings.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.router.transport(Mode::Live).is_some_and(CircuitBreaker::is_paused)
    }

    async fn process(&self, event: &Event, job: &MailJob) -> Verdict {
        if let Some(transport) = self.router.transport(job.scope.mode)
            && let Err(wait) = transport.ready().await
        {
            // Before the claim, so that waiting spends no attempt.
            return later("paused", wait.try_into().unwrap_or(LEDGER_PAUSE), "no mail can be sent now");
        }
        match self.ledger.claim(job, self.lease).await {
            Ok(Claim::Granted(assignment)) => self.fulfil(event, job, &assignment).await,
            Ok(Claim::Settled) => done("settled before"),
            Ok(Claim::Discarded(why)) => {
                tracing::info!(why = why.as_str(), "not sent");
                done(why.as_str())
            }
            Ok(Claim::Busy(wait)) => later("busy", wait.min(LONGEST_BUSY), "another mailer has it"),
            Err(error) => unrecorded(&error),
        }
    }

    async fn fulfil(&self, event: &Event, job: &MailJob, assignment: &ClaimedDelivery) -> Verdict {
        Span::current().record("attempt", assignment.attempt);
        if assignment.in_doubt {
            tracing::warn!("an earlier attempt ended without a word: this mail may reach its reader twice");
        }
        let outcome = self.attempt(event, job, assignment).await;
        match self.settle(job, assignment.attempt, &outcome).await {
            Ok(true) => {}
            Ok(false) => tracing::warn!("the claim had been taken over by another mailer"),
            Err(error) => return unrecorded(&error),
        }
        verdict(outcome)
    }

    /// One attempt: what became of it.
    async fn attempt(&self, event: &Event, job: &MailJob, assignment: &ClaimedDelivery) -> Outcome {
        if matches!(job.kind, MailKind::PasswordChanged { .. })
            && self.clock.now() - event.occurred_at > LONGEST_DELAY
        {
            return Outcome::Expired { reason: "too late: older than 24 hours".to_owned() };
        }
        let Some(transport) = self.router.transport(job.scope.mode) else {
            return failed("mailbox.directory is not set, so mails of test mode go nowhere".to_owned(), None);
        };
        let mail = match self.written(event, assignment).await {
            Ok(mail) => mail,
            Err(error @ WriteError::Message(MessageError::Recipient)) => {
                return Outcome::Bounced { reason: error.to_string(), reply: None, suppress: None };
            }
            Err(error) => return failed(error.to_string(), None),
        };
        let SendError { kind, reason, reply } = match transport.send(&mail).await {
            Ok(Accepted { response, reply, relay }) => return Outcome::Sent { response, reply, relay },
            Err(error) => error,
        };
        match (kind, self.next_attempt(assignment)) {
            (SendErrorKind::Permanent { address_is_bad }, _) => {
                let suppress = assignment.recipient.email().filter(|_| address_is_bad).cloned();
                Outcome::Bounced { reason, reply, suppress }
            }
            (SendErrorKind::Unavailable, _) => {
                Outcome::Held { reason, after: transport.pause().try_into().unwrap_or(LEDGER_PAUSE) }
            }
            (SendErrorKind::Transient, Some(after)) => Outcome::Deferred { reason, reply, after },
            (SendErrorKind::InDoubt, Some(after)) => Outcome::InDoubt { reason, after },
            (SendErrorKind::Transient | SendErrorKind::InDoubt, None) => {
                failed(format!("given up after {LAST_ATTEMPT} attempts: {reason}"), reply)
            }
        }
    }

    /// How long after this attempt the next one is due, unless it was the last.
    fn next_attempt(&self, assignment: &ClaimedDelivery) -> Option<Duration> {
        (assignment.attempt < LAST_ATTEMPT).then(|| after_attempt(assignment.attempt, &*self.random))
    }

    async fn written(&self, event: &Event, assignment: &ClaimedDelivery) -> Result<Mail, WriteError> {
        let mail = self.writer.write(event, assignment)?;
        match self.signers.get(&assignment.organization.slug) {
            Some(signer) => Ok(signer.sign(mail).await?),
            None => Ok(mail),
        }
    }

    /// Records an outcome. A mail that was sent but not recorded would be sent again, so an outage of the database is waited
    /// for: until then this mail's message stays with this process, and nobody else gets it. A stop cuts that off, after the time
    /// that it leaves to what is at work (`server.shutdown_seconds`).
    async fn settle(&self, job: &MailJob, attempt: u32, outcome: &Outcome) -> Result<bool, StoreError> {
        let give_up = Instant::now() + LONGEST_SETTLE;
        let mut pauses = SETTLE_PAUSES.into_iter();
        let mut is_told = false;
        loop {
            let error = match self.ledger.settle(job.event, attempt, outcome).await {
                Ok(recorded) => return Ok(recorded),
                Err(error) => error,
            };
            let pause = match (pauses.next(), &error) {
                (Some(pause), _) => pause,
                (None, StoreError::Unavailable(_)) if Instant::now() < give_up => {
                    if !std::mem::replace(&mut is_told, true) {
                        tracing::warn!(
                            cause = causes(&error),
                            "the outcome can't be recorded yet, and the ledger is waited for"
                        );
                    }
                    LAST_SETTLE_PAUSE
                }
                (None, StoreError::Unavailable(_) | StoreError::Internal(_)) => return Err(error),
            };
            tokio::time::sleep(pause).await;
        }
    }
}

fn verdict(outcome: Outcome) -> Verdict {
    match outcome {
        Outcome::Sent { response, .. } => {
            tracing::info!(response, "handed over");
            done("sent")
        }
        Outcome::Bounced { reason, suppress, .. } => {
            tracing::warn!(reason, suppressed = suppress.is_some(), "refused for good");
            done("bounced")
        }
        Outcome::Expired { reason } => {
            tracing::warn!(reason, "not sent");
            done("expired")
        }
        // The bus tells of what is tried again or parked.
        Outcome::Deferred { reason, after, .. } => later("deferred", after, &reason),
        Outcome::InDoubt { reason, after } => later("in doubt", after, &reason),
        Outcome::Held { reason, after } => later("held", after, &reason),
        Outcome::Failed { reason, .. } => {
            Span::current().record("outcome", "failed");
            Verdict::Reject { reason }
        }
    }
}

fn unrecorded(error: &StoreError) -> Verdict {
    tracing::warn!(cause = causes(error), "the ledger did not answer");
    later("ledger", LEDGER_PAUSE, &error.to_string())
}

fn later(outcome: &'static str, after: Duration, reason: &str) -> Verdict {
    Span::current().record("outcome", outcome);
    Verdict::Retry { after, reason: reason.to_owned() }
}

fn done(outcome: &'static str) -> Verdict {
    Span::current().record("outcome", outcome);
    Verdict::Done
}

fn failed(reason: String, reply: Option<Reply>) -> Outcome {
    Outcome::Failed { reason, reply }
}

/// An error with what caused it, in one line.
fn causes(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        line.push_str(": ");
        line.push_str(&cause.to_string());
        next = cause.source();
    }
    line
}

#[cfg(test)]
mod tests;
