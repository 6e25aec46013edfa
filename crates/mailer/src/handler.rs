//! Handles events: claims the mail that an event leads to, sends it, and records the outcome.

mod overdue;
pub(crate) mod schedule;

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use backon::Retryable;
use rekey_core::{
    deliveries::{
        ClaimedDelivery, MailJob, Outcome,
        ledger::{Claim, Ledger},
    },
    error::{StoreError, chain},
    events::{
        Event,
        bus::{Capacity, Delivery, Handler, RejectCause, Verdict},
        receive::MAX_EVENT,
        retry_ladder::RetryLadder,
    },
    ids::RecordId,
    organizations::PerOrganization,
    random::RandomSource,
    secrets::KeyRing,
};
use rekey_runtime::{config::OrganizationMailSettings, telemetry};
use time::Duration;
use tokio::time::Instant;
use tracing::{Instrument, Span, field::Empty};

use self::schedule::{QUICK_RETRIES, SETTLE_TIMEOUT, settle_pauses};
use crate::{
    dkim::Signer,
    mails::ContentError,
    message::MessageError,
    metrics,
    render::{Renderer, RendererError},
    transport::{Accepted, Router, SendError, SendErrorKind},
    writer::{WriteError, Writer},
};

/// The pause after a mail was not attempted: the ledger did not answer, another mailer has the mail, or no relay can be used. It is
/// the ladder's shortest wait: asking costs little, and RabbitMQ would round a longer pause up to the next one.
const SHORT_PAUSE: Duration = Duration::seconds(10);

/// Sends the mails that events lead to.
pub struct MailHandler {
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) router: Router,
    pub(crate) writer: ArcSwap<Writer>,
    pub(crate) keys: KeyRing,
    pub(crate) random: Arc<dyn RandomSource>,
    pub(crate) lease: Duration,
    pub(crate) last_message_at: Mutex<Instant>,
}

#[async_trait]
impl Handler for MailHandler {
    async fn handle(&self, delivery: Delivery) -> Verdict {
        *self.last_message_at.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        let event = match Event::receive(&delivery, &self.keys, &*self.random) {
            Ok(event) => event,
            Err(verdict) => return verdict,
        };
        let Some(job) = MailJob::for_event(&event, &self.keys) else { return Verdict::Done };
        let record = job.reset.map(RecordId::from).or(job.customer.map(RecordId::from));
        let span = tracing::info_span!(
            "mail",
            otel.kind = "consumer",
            event = %event.id,
            record = record.map(tracing::field::display),
            kind = job.mail.as_str(),
            attempt = Empty,
            outcome = Empty,
        );
        if let Some(traceparent) = &event.traceparent {
            telemetry::set_parent(&span, traceparent);
        }
        self.process(&event, &job).instrument(span).await
    }

    /// Fails the delivery of the event, if the message is the event: whoever may publish can give any bytes any id.
    async fn reject(&self, delivery: &Delivery, cause: RejectCause, reason: String) -> Verdict {
        let Some(event) = delivery.id.filter(|_| delivery.payload.len() <= MAX_EVENT) else {
            return Verdict::Reject { cause, reason };
        };
        match self.ledger.reject(event, &delivery.payload, &reason).await {
            Ok(_) => Verdict::Reject { cause, reason },
            Err(error @ StoreError::Unavailable(_)) => ledger_failed(&error),
            Err(error) => {
                tracing::error!(%event, error = chain(&error), "a rejection can't be recorded");
                Verdict::Reject { cause, reason }
            }
        }
    }

    /// That of the live transport. A mailbox for test mode that can't be written stops no live mail.
    fn capacity(&self) -> Capacity {
        self.router.live.capacity()
    }

    async fn capacity_changed(&self, from: Capacity) {
        self.router.live.capacity_changed(from).await;
    }
}

impl MailHandler {
    /// Replaces the settings of all organizations. Mails that are being written keep those that they began with.
    ///
    /// # Errors
    /// [`RendererError`] when an organization's texts or templates have a mistake. Nothing is replaced then.
    pub fn replace_organizations(
        &self,
        organizations: PerOrganization<OrganizationMailSettings>,
        signers: PerOrganization<Option<Signer>>,
    ) -> Result<(), RendererError> {
        let former = self.writer.load();
        self.writer.store(Arc::new(Writer {
            renderers: Renderer::for_all(&organizations)?,
            organizations,
            signers,
            provider_headers: former.provider_headers.clone(),
            public_url: former.public_url.clone(),
            keys: former.keys.clone(),
            clock: former.clock.clone(),
        }));
        Ok(())
    }

    /// Returns when the last message came, or else when the handler was made.
    fn last_message_at(&self) -> Instant {
        *self.last_message_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn process(&self, event: &Event, job: &MailJob) -> Verdict {
        if self
            .router
            .transport(job.scope.mode)
            .is_some_and(|transport| transport.capacity() == Capacity::None)
        {
            // Before the claim, so that waiting spends no attempt.
            return retry("paused", SHORT_PAUSE, "no mail can be sent now");
        }
        match self.ledger.claim(job, self.lease).await {
            Ok(Claim::Granted(delivery)) => self.deliver(event, job, &delivery).await,
            Ok(Claim::Settled) => done("settled before"),
            Ok(Claim::Discarded(why)) => {
                tracing::info!(why = why.as_str(), "not sent");
                metrics::count_outcome(job.mail.as_str(), job.scope.mode, why.status().as_str());
                done(why.as_str())
            }
            Ok(Claim::Busy(wait)) => retry("busy", wait.min(SHORT_PAUSE), "another mailer has it"),
            Err(error) => ledger_failed(&error),
        }
    }

    async fn deliver(&self, event: &Event, job: &MailJob, delivery: &ClaimedDelivery) -> Verdict {
        Span::current().record("attempt", delivery.attempt);
        if delivery.in_doubt {
            tracing::warn!("an earlier attempt ended without a result: this mail may reach its reader twice");
        }
        let started_at = Instant::now();
        let outcome = self.attempt(event, job, delivery).await;
        let age = delivery.age + started_at.elapsed();
        match self.settle(job, delivery.claim, &outcome).await {
            Ok(true) => metrics::record_outcome(job, &outcome, age),
            Ok(false) => tracing::warn!("the claim had been taken over by another mailer"),
            Err(error) => return ledger_failed(&error),
        }
        verdict(outcome)
    }

    /// Makes one attempt at the mail.
    async fn attempt(&self, event: &Event, job: &MailJob, delivery: &ClaimedDelivery) -> Outcome {
        if let Some(max_age) = job.mail.max_age().filter(|max_age| delivery.age > *max_age) {
            return Outcome::Expired {
                reason: format!("too late: older than {} hours", max_age.whole_hours()),
            };
        }
        let Some(transport) = self.router.transport(job.scope.mode) else {
            return failed("mailbox.directory is not set, so mails of test mode go nowhere".to_owned());
        };
        // There is no last attempt: the ledger discards a mail when its reset expires, and the others have a maximum age.
        let after = RetryLadder::default().randomized_after_attempt(delivery.attempt, &*self.random);
        let mail = match self.writer.load_full().write(job.mail, event, delivery).await {
            Ok(mail) => mail,
            Err(error @ WriteError::Message(MessageError::Recipient)) => {
                return Outcome::Bounced { reason: error.to_string(), reply: None, suppress: None };
            }
            Err(error @ WriteError::Content(ContentError::NoMail)) => return failed(error.to_string()),
            Err(error) => {
                // A key, a text or a template that an operator can repair: a customer's mail waits for that.
                let reason = error.to_string();
                tracing::error!(reason, "the mail can't be written, check the keys, texts and templates");
                return Outcome::Deferred { reason, reply: None, after };
            }
        };
        let SendError { kind, reason, reply } = match transport.send(&mail).await {
            Ok(Accepted { response, reply, relay }) => return Outcome::Sent { response, reply, relay },
            Err(error) => error,
        };
        match kind {
            SendErrorKind::BadAddress => {
                Outcome::Bounced { reason, reply, suppress: delivery.recipient.email().cloned() }
            }
            SendErrorKind::Unavailable => Outcome::Held { reason, after: SHORT_PAUSE },
            SendErrorKind::Transient => Outcome::Deferred { reason, reply, after },
            SendErrorKind::Refused => {
                tracing::warn!(reason, "a relay refused the mail, and not because of its address");
                Outcome::Deferred { reason, reply, after }
            }
            SendErrorKind::InDoubt => Outcome::InDoubt { reason, after },
        }
    }

    /// Records an outcome. A mail that was sent but not recorded would be sent again, so this waits for the end of a database
    /// outage: until then the message stays with this process, and no other gets it. A shutdown ends the wait after the time that it
    /// allows for work in progress (`server.shutdown_seconds`).
    async fn settle(&self, job: &MailJob, claim: u32, outcome: &Outcome) -> Result<bool, StoreError> {
        let deadline = Instant::now() + SETTLE_TIMEOUT;
        let mut failures = 0;
        (|| self.ledger.settle(job.event, claim, outcome))
            .retry(settle_pauses())
            .when(|error| {
                failures += 1;
                let is_outage = matches!(error, StoreError::Unavailable(_)) && Instant::now() < deadline;
                if is_outage && failures == QUICK_RETRIES + 1 {
                    tracing::warn!(
                        cause = chain(error),
                        "the outcome can't be recorded, waiting for the ledger"
                    );
                }
                is_outage || failures <= QUICK_RETRIES
            })
            .await
    }
}

fn verdict(outcome: Outcome) -> Verdict {
    match outcome {
        Outcome::Sent { response, .. } => {
            tracing::info!(response, "handed over");
            done("sent")
        }
        Outcome::Bounced { reason, suppress, .. } => {
            tracing::warn!(reason, suppressed = suppress.is_some(), "refused permanently");
            done("bounced")
        }
        Outcome::Expired { reason } => {
            tracing::warn!(reason, "not sent");
            done("expired")
        }
        // The bus logs retries and rejections.
        Outcome::Deferred { reason, after, .. } => retry("deferred", after, &reason),
        Outcome::InDoubt { reason, after } => retry("in doubt", after, &reason),
        Outcome::Held { reason, after } => retry("held", after, &reason),
        Outcome::Failed { reason } => {
            Span::current().record("outcome", "failed");
            Verdict::Reject { cause: RejectCause::Failed, reason }
        }
    }
}

fn ledger_failed(error: &StoreError) -> Verdict {
    tracing::warn!(cause = chain(error), "the ledger did not answer");
    retry("ledger", SHORT_PAUSE, &error.to_string())
}

fn retry(outcome: &'static str, after: Duration, reason: &str) -> Verdict {
    Span::current().record("outcome", outcome);
    Verdict::Retry { after, reason: reason.to_owned() }
}

fn done(outcome: &'static str) -> Verdict {
    Span::current().record("outcome", outcome);
    Verdict::Done
}

fn failed(reason: String) -> Outcome {
    Outcome::Failed { reason }
}
