//! One relay: its connections, and whether it can be used.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use rekey_core::{events::bus::Capacity, metrics::LastValue};
use rekey_runtime::config::{self, Smtp};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::{
    dialogue::{self, Connection, DialogueError},
    failure::{DeliveryFailure, Unusable},
    measure,
    opener::{Opener, SmtpSetupError},
    pool::{Pool, QUIT_TIMEOUT, Slot},
    relay_health::{Cause, Circuit, RelayHealth},
};
use crate::{
    message::Mail,
    metrics,
    transport::{Accepted, SendError, SendErrorKind, clean::clean},
};

/// A connection, and whether the relay now waits for the message on it.
type Started = (Connection, Result<(), DialogueError>);

pub(super) struct SmtpRelay {
    /// `host:port`.
    pub(super) name: String,
    opener: Opener,
    pool: Pool,
    timeout: Duration,
    health: RelayHealth,
}

impl SmtpRelay {
    pub(super) fn new(
        relay: &config::SmtpRelayConfig,
        settings: &Smtp,
        health: RelayHealth,
    ) -> Result<Self, SmtpSetupError> {
        Ok(Self {
            name: relay.to_string(),
            opener: Opener::new(relay, settings)?,
            pool: Pool::new(settings.connections),
            timeout: settings.timeout,
            health,
        })
    }

    /// Returns whether mails may use the relay.
    pub(super) fn circuit(&self) -> Circuit {
        self.health.circuit()
    }

    /// Returns how many seconds its certificate was valid for at the last connection.
    pub(super) fn certificate_expiry(&self) -> &LastValue<f64> {
        &self.opener.certificate_expiry
    }

    /// Returns how many mails the relay can take now.
    pub(super) fn capacity(&self) -> Capacity {
        match self.circuit() {
            Circuit::Closed => Capacity::Full,
            Circuit::HalfOpen => Capacity::One,
            Circuit::Open if self.health.accepts_others() => Capacity::One,
            Circuit::Open => Capacity::None,
        }
    }

    /// Sends a mail, unless the relay is paused. Takes at most `smtp.timeout_seconds`, the wait for a connection included.
    pub(super) async fn send(self: &Arc<Self>, mail: &Mail) -> Result<Accepted, DeliveryFailure> {
        let (is_trial, may_use_paused) = match self.circuit() {
            Circuit::Closed => (false, false),
            // The pause starts again at once for the others; if this mail is dropped on its way, nothing is stuck.
            Circuit::HalfOpen if self.pause(Cause::Failing, false) => (true, true),
            Circuit::Open if self.health.accepts(&mail.recipient) => (false, true),
            Circuit::HalfOpen | Circuit::Open => return Err(paused()),
        };
        let started_at = Instant::now();
        let result = self.deliver(mail, may_use_paused, started_at + self.timeout).await;
        metrics::record_hand_over(&self.name, measure::outcome(&result), started_at.elapsed());
        match &result {
            Ok(_) => self.log_success(self.health.record_acceptance(&mail.sender)),
            // About another recipient the answer may be another: the relay works.
            Err(DeliveryFailure::Final(error))
                if may_use_paused && error.kind == SendErrorKind::BadAddress =>
            {
                self.log_success(self.health.record_success());
            }
            Err(DeliveryFailure::Relay(Unusable { reason, cause, .. })) => {
                // A relay that was failing is brought back by a mail only, whatever became of the one that tried it.
                let cause = if is_trial { Cause::Failing } else { *cause };
                if self.pause(cause, is_trial) && !is_trial {
                    self.log_pause(reason, cause);
                }
            }
            // As often as a relay breaks off, whatever it has of the mails: each further one may be sent twice.
            Err(DeliveryFailure::Final(error))
                if error.kind == SendErrorKind::InDoubt && self.health.record_failure() =>
            {
                if self.pause(Cause::Failing, is_trial) && !is_trial {
                    self.log_pause(&error.reason, Cause::Failing);
                }
            }
            Err(DeliveryFailure::Mail(_) | DeliveryFailure::Final(_)) => {}
        }
        result
    }

    /// Pauses the relay until [`SmtpRelay::recover`] brings it back. Returns whether that starts a pause.
    fn pause(self: &Arc<Self>, cause: Cause, is_trial: bool) -> bool {
        let relay = Arc::downgrade(self);
        self.health.open(is_trial, || tokio::spawn(Self::recover(relay, cause)))
    }

    /// Tries a relay again after each pause, until it can be used: by connecting where that shows it, or else by letting one mail try.
    async fn recover(relay: Weak<Self>, mut cause: Cause) {
        while let Some(pause) = relay.upgrade().map(|relay| relay.health.pause(cause)) {
            sleep(pause).await;
            let Some(relay) = relay.upgrade() else { return };
            if cause == Cause::Failing {
                return relay.health.half_open();
            }
            match timeout(relay.timeout, relay.opener.open()).await {
                Ok(Ok(_)) => return relay.log_success(relay.health.record_success()),
                Ok(Err(unusable)) => cause = unusable.cause,
                Err(_) => cause = Cause::Unreachable,
            }
        }
    }

    /// Connects, encrypts and logs in, and sends nothing.
    pub(super) async fn probe(&self, limit: Duration) -> Result<(), Unusable> {
        let opened = timeout(limit, self.opener.open()).await;
        let mut connection = opened.unwrap_or_else(|_| {
            Err(format!("the relay did not answer within {} s", limit.as_secs()).into())
        })?;
        // It does not matter whether the relay answers.
        let _ = timeout(QUIT_TIMEOUT, connection.quit()).await;
        Ok(())
    }

    /// Sends QUIT on the connections that are kept open.
    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    /// Puts the relay's name in front of the error's reason.
    pub(super) fn named(&self, error: SendError) -> SendError {
        SendError { reason: clean(&format!("{}: {}", self.name, error.reason)), ..error }
    }

    /// Sends a mail within the deadline.
    ///
    /// A relay that accepts no further connection while others are in use may be at its limit: the mail then waits for one of
    /// those.
    async fn deliver(
        &self,
        mail: &Mail,
        may_use_paused: bool,
        deadline: Instant,
    ) -> Result<Accepted, DeliveryFailure> {
        loop {
            let slot = timeout_at(deadline, self.pool.slot()).await;
            let mut slot = slot
                .map_err(|_| DeliveryFailure::Mail(SendError::transient(self.timed_out())))?
                .map_err(DeliveryFailure::Mail)?;
            if !may_use_paused && self.circuit() == Circuit::Open {
                // Another mail found out while this one waited.
                return Err(paused());
            }
            match self.start(&mut slot, mail, deadline).await {
                Ok((connection, started)) => {
                    return self.finish(slot, connection, started, mail, deadline).await;
                }
                Err(Unusable { reason, .. }) if Instant::now() < deadline && slot.withhold() => {
                    tracing::info!(relay = self.name, reason, "no further connection is opened for a minute");
                }
                Err(unusable) => return Err(DeliveryFailure::Relay(unusable)),
            }
        }
    }

    /// Starts a mail on a connection from the pool, or else on a new one. Fails when no new one can be opened.
    async fn start(&self, slot: &mut Slot<'_>, mail: &Mail, deadline: Instant) -> Result<Started, Unusable> {
        // The relay may have closed an idle connection meanwhile. As long as nothing of the message was sent, that costs one silent
        // attempt. Enough time is left for a new connection when the pooled one hangs.
        if let Some(mut pooled) = slot.take() {
            let hang = deadline.min(Instant::now() + self.timeout / 4);
            let started = self.until(hang, dialogue::start(&mut pooled, mail)).await;
            if !matches!(started, Err(DialogueError::Lost(_))) {
                return Ok((pooled, started));
            }
        }
        let opened = timeout_at(deadline, self.opener.open()).await;
        let mut connection = opened.unwrap_or_else(|_| Err(self.timed_out().into()))?;
        let started = self.until(deadline, dialogue::start(&mut connection, mail)).await;
        Ok((connection, started))
    }

    /// Sends the message, if the relay waits for it, and interprets the answer.
    async fn finish(
        &self,
        slot: Slot<'_>,
        mut connection: Connection,
        started: Result<(), DialogueError>,
        mail: &Mail,
        deadline: Instant,
    ) -> Result<Accepted, DeliveryFailure> {
        let was_sent = started.is_ok();
        let result = match started {
            Ok(()) => self.until(deadline, dialogue::transfer(&mut connection, mail)).await,
            Err(error) => Err(error),
        };
        let code = match &result {
            Ok((_, reply)) => Some(reply.code),
            Err(error) => measure::reply_code(error),
        };
        if let Some(code) = code {
            metrics::count_reply(&self.name, code);
        }
        match result {
            Ok((response, reply)) => {
                slot.put(connection);
                Ok(Accepted { response, reply: Some(reply), relay: self.name.clone() })
            }
            Err(DialogueError::Refused(failure)) => {
                if timeout_at(deadline, dialogue::reset(&mut connection)).await == Ok(true) {
                    slot.put(connection);
                }
                match failure {
                    DeliveryFailure::Mail(error)
                        if error.kind == SendErrorKind::Refused
                            && self.health.record_refusal(&mail.sender, &mail.recipient) =>
                    {
                        Err(DeliveryFailure::Relay(Unusable::failing(error)))
                    }
                    failure => Err(failure),
                }
            }
            // Without a reply it is unknown whether the message was accepted.
            Err(DialogueError::Lost(error)) if was_sent && error.reply.is_none() => {
                Err(DeliveryFailure::Final(SendError { kind: SendErrorKind::InDoubt, ..error }))
            }
            Err(DialogueError::Lost(error)) if was_sent => Err(DeliveryFailure::Final(error)),
            Err(DialogueError::Lost(error)) => {
                // The mail may be the cause, so only the third failure in a row counts against the relay.
                if self.health.record_failure() {
                    return Err(DeliveryFailure::Relay(Unusable::failing(error)));
                }
                Err(DeliveryFailure::Mail(error))
            }
        }
    }

    /// Runs a dialogue until the deadline, and treats a timeout as a lost connection.
    async fn until<T>(
        &self,
        deadline: Instant,
        dialogue: impl Future<Output = Result<T, DialogueError>>,
    ) -> Result<T, DialogueError> {
        let timed_out = |_| Err(DialogueError::Lost(SendError::transient(self.timed_out())));
        timeout_at(deadline, dialogue).await.unwrap_or_else(timed_out)
    }

    fn log_success(&self, is_news: bool) {
        if is_news {
            tracing::info!(relay = self.name, "the relay can be used again");
        }
    }

    fn log_pause(&self, reason: &str, cause: Cause) {
        let advice = cause.advice();
        match cause {
            Cause::Unreachable | Cause::Denied => {
                tracing::warn!(relay = self.name, reason, "the relay can't be used and is paused, {advice}");
            }
            Cause::Failing => {
                tracing::error!(
                    relay = self.name,
                    reason,
                    "the relay accepts no mail and is paused, {advice}"
                );
            }
        }
    }

    fn timed_out(&self) -> String {
        format!("the relay did not answer within {} s", self.timeout.as_secs())
    }
}

fn paused() -> DeliveryFailure {
    DeliveryFailure::Relay("it failed before and is paused".to_owned().into())
}
