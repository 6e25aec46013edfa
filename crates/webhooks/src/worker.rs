//! Makes the callbacks that are due.

use std::{sync::Arc, time::Duration as StdDuration};

use backon::{ExponentialBuilder, Retryable};
use bytes::Bytes;
use rekey_core::{
    clock::Clock,
    error::{StoreError, chain},
    random::RandomSource,
    secrets::{KeyRing, UnsealError},
    webhooks::{
        MAX_FAILURES,
        queue::{AttemptResult, CallbackQueue, ClaimLimits, ClaimedCallback, Next},
        retries::next_attempt,
    },
};
use rekey_runtime::telemetry;
use time::Duration;
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{Instrument, field::Empty};
use url::Url;

use crate::{Answer, Request, Secrets, WebhookClient, metrics};

/// How long a claim holds: an attempt takes [`TIMEOUT`](crate::client::TIMEOUT), and recording it a few seconds.
const LEASE: Duration = Duration::MINUTE;
/// How often to look for what became due.
const POLL_INTERVAL: StdDuration = StdDuration::from_secs(1);
/// The pause before a claim while nearly all that may be under way is: others end meanwhile.
const CLAIM_PAUSE: StdDuration = StdDuration::from_millis(20);
/// When a callback is looked at again that can't be sent for a reason of our own.
const POSTPONED: Duration = Duration::minutes(5);

/// How many callbacks are claimed at once, if possible, of all that may be under way.
fn permits_for_a_claim(total: u32) -> usize {
    usize::try_from(total / 8).unwrap_or(usize::MAX)
}

/// Makes callbacks. Any number of processes may run one.
pub struct Worker {
    /// What is due.
    pub queue: Arc<dyn CallbackQueue>,
    /// Sends it.
    pub client: WebhookClient,
    /// Decrypts secrets and payloads.
    pub keys: KeyRing,
    /// Dates what is sent.
    pub clock: Arc<dyn Clock>,
    /// Spreads retries.
    pub random: Arc<dyn RandomSource>,
    /// How many callbacks of this process are under way at once, and of all processes of one webhook and one organization.
    pub limits: ClaimLimits,
    /// Notified when callbacks were added, or an attempt has ended: there may be one to claim.
    pub added: Arc<Notify>,
}

impl Worker {
    /// Makes callbacks until `stop` is cancelled, and returns when those under way are done.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let permits =
            Arc::new(Semaphore::new(self.limits.total.try_into().unwrap_or(Semaphore::MAX_PERMITS)));
        let tasks = TaskTracker::new();
        // A claim is never cut off: it may have been committed.
        while let Some(free) = stop.run_until_cancelled(self.free_permits(&permits)).await {
            if !self.claim(free, &permits, &tasks).await {
                // Either way is a reason to look.
                stop.run_until_cancelled(timeout(POLL_INTERVAL, self.added.notified())).await;
            }
        }
        tasks.close();
        tasks.wait().await;
    }

    /// Waits until callbacks can be made, a few at once where many are under way: each claim is a statement. Returns how many.
    async fn free_permits(&self, permits: &Arc<Semaphore>) -> u32 {
        // The semaphore is never closed.
        drop(permits.acquire().await);
        if permits.available_permits() < permits_for_a_claim(self.limits.total) {
            sleep(CLAIM_PAUSE).await;
        }
        u32::try_from(permits.available_permits()).unwrap_or(u32::MAX).min(self.limits.total)
    }

    /// Claims at most that many callbacks and starts to make them. Returns whether there were any.
    async fn claim(self: &Arc<Self>, free: u32, permits: &Arc<Semaphore>, tasks: &TaskTracker) -> bool {
        let limits = ClaimLimits { total: free, ..self.limits };
        let claimed = self.queue.claim_callbacks(LEASE, limits).await.unwrap_or_else(|error| {
            tracing::warn!(cause = chain(&error), "looking for callbacks failed");
            Vec::new()
        });
        let is_any = !claimed.is_empty();
        for callback in claimed {
            // Only this task takes any, and no more than were free.
            let permit = Arc::clone(permits).try_acquire_owned().ok();
            let worker = Arc::clone(self);
            tasks.spawn(async move { worker.make(callback, permit).await });
        }
        is_any
    }

    /// Makes one attempt and records its outcome.
    async fn make(&self, callback: ClaimedCallback, _permit: Option<OwnedSemaphorePermit>) {
        let span = tracing::info_span!(
            "callback",
            otel.kind = "client",
            callback = %callback.id,
            webhook = %callback.webhook,
            event = %callback.event,
            topic = callback.topic.as_str(),
            attempt = callback.attempt,
            status = Empty,
        );
        if let Some(traceparent) = &callback.traceparent {
            telemetry::set_parent(&span, traceparent);
        }
        async {
            let result = self.attempt(&callback).await;
            self.settle(&callback, &result).await;
        }
        .instrument(span)
        .await;
        // Its place is free for the next of its webhook and organization.
        self.added.notify_one();
    }

    async fn attempt(&self, callback: &ClaimedCallback) -> AttemptResult {
        let (url, secrets, body) = match self.request(callback) {
            Ok(request) => request,
            Err(error) => {
                tracing::error!(%error, "a callback can't be decrypted, check keys.sealing");
                let response_message =
                    "the service can't decrypt it: its operator must restore a key".to_owned();
                return AttemptResult {
                    response_code: None,
                    response_message,
                    next: Next::Postponed(POSTPONED),
                };
            }
        };
        let traceparent = telemetry::current_traceparent();
        let request = Request {
            url: &url,
            topic: callback.topic.as_str(),
            id: callback.event.as_str(),
            sent_at: self.clock.now(),
            secrets: &secrets,
            traceparent: traceparent.as_deref().or(callback.traceparent.as_deref()),
            body,
        };
        let (response_code, response_message, retry_after) = match self.client.send(request).await {
            Ok(Answer { status, body, retry_after }) => {
                (Some(status), body, retry_after.and_then(|wait| Duration::try_from(wait).ok()))
            }
            Err(error) => (None, error.to_string(), None),
        };
        tracing::Span::current().record("status", response_code);
        let next = match response_code {
            Some(200..=299) => Next::Delivered,
            Some(410) => Next::Disable,
            _ => {
                next_attempt(callback.attempt, retry_after, &*self.random).map_or(Next::GivenUp, Next::Retry)
            }
        };
        AttemptResult { response_code, response_message, next }
    }

    /// Returns where the callback goes, what signs it, and its body.
    fn request(&self, callback: &ClaimedCallback) -> Result<(Url, Secrets, Bytes), UnsealError> {
        let organization = callback.scope.organization;
        let mut secrets =
            callback.secrets.iter().map(|sealed| sealed.unseal(organization, callback.webhook, &self.keys));
        let current = secrets.next().unwrap_or(Err(UnsealError))?;
        // A former secret no longer signs once its key is gone from `keys.sealing`.
        let former = secrets.find_map(Result::ok);
        let payload = callback.payload.unseal(organization, callback.id, &self.keys)?;
        let url = Url::parse(callback.callback_url.as_str()).map_err(|_| UnsealError)?;
        Ok((url, Secrets { current, former }, Bytes::copy_from_slice(payload.expose().as_bytes())))
    }

    /// Records an outcome. One that can't be recorded is sent again when its lease ends: receivers know it by its id.
    async fn settle(&self, callback: &ClaimedCallback, result: &AttemptResult) {
        metrics::record_attempt(callback, result);
        let code = result.response_code;
        // What a receiver answers may have personal data, and is not logged.
        let reason = code.is_none().then_some(result.response_message.as_str());
        match result.next {
            Next::Delivered => tracing::info!(code, "delivered"),
            Next::Retry(after) => tracing::info!(code, reason, %after, "will be tried again"),
            Next::Postponed(after) => tracing::warn!(reason, %after, "not sent"),
            Next::GivenUp => tracing::warn!(code, reason, "given up"),
            Next::Disable => tracing::warn!(code, "the receiver wants no more: the webhook is disabled"),
        }
        let settled = (|| self.queue.settle_callback(callback.id, callback.attempt, result))
            .retry(ExponentialBuilder::default())
            .when(|error| matches!(error, StoreError::Unavailable(_)))
            .await;
        match settled {
            Ok(settled) if settled.opened_circuit => {
                metrics::CIRCUITS_OPENED.add(1, &[]);
                let scope = callback.scope;
                tracing::error!(
                    organization = %scope.organization,
                    mode = scope.mode.as_str(),
                    "{MAX_FAILURES} attempts in a row failed: the webhook's circuit is open until it is reset"
                );
            }
            Ok(settled) if !settled.was_recorded => {
                tracing::debug!("the claim had been taken over, or its customer was deleted");
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(cause = chain(&error), "an outcome can't be recorded, so it is sent again");
            }
        }
    }
}
