//! One relay: its connections, and whether it is to be used.

use std::{fmt, time::Duration};

use rekey_runtime::config::{Smtp, SmtpRelay};
use tokio::time::{Instant, timeout, timeout_at};

use super::{
    dialogue::{self, Broken, Connection},
    failure::Setback,
    opening::{Opener, SmtpSetupError},
    pool::{Pool, Pooled},
    rest::{Rest, Turn},
};
use crate::{
    message::Mail,
    transport::{Accepted, SendError, reason::clean},
};

const LEFT_ALONE: &str = "it is left alone for a while";

pub(super) struct Relay {
    name: String,
    opener: Opener,
    pool: Pool,
    timeout: Duration,
    rest: Rest,
}

impl Relay {
    pub(super) fn new(relay: &SmtpRelay, settings: &Smtp, rest: Rest) -> Result<Self, SmtpSetupError> {
        Ok(Self {
            name: relay.to_string(),
            opener: Opener::new(relay, settings)?,
            pool: Pool::new(settings.connections),
            timeout: settings.timeout,
            rest,
        })
    }

    /// Sends, unless the relay is left alone. Bounded by `smtp.timeout_seconds`, the wait for a connection included.
    pub(super) async fn send(&self, mail: &Mail) -> Result<Accepted, Setback> {
        let turn = self.rest.turn();
        if turn == Turn::Pass {
            return Err(Setback::Relay(LEFT_ALONE.to_owned()));
        }
        let result = self.deliver(mail, turn, Instant::now() + self.timeout).await;
        match &result {
            Ok(_) => self.recovered(),
            Err(Setback::Relay(reason)) => {
                if self.rest.begin() || turn == Turn::Probe {
                    tracing::warn!(relay = self.name, reason, "the relay can't be used and is left alone");
                }
            }
            Err(Setback::Mail(_) | Setback::Final(_)) => {}
        }
        result
    }

    /// Finds out, without a mail, whether the relay can be used; if so, it is no longer left alone.
    pub(super) async fn check(&self) -> Result<(), String> {
        let opened = timeout(self.timeout, self.opener.open()).await;
        opened.unwrap_or_else(|_| Err(self.timed_out())).map(|_| self.recovered())
    }

    /// Says goodbye on the connections that are kept open.
    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    /// The error with the relay's name before its reason.
    pub(super) fn named(&self, error: SendError) -> SendError {
        let named = |reason| clean(&format!("{self}: {reason}"));
        match error {
            SendError::Transient { reason, reply } => SendError::Transient { reason: named(reason), reply },
            SendError::Permanent { reason, reply, address_is_bad } => {
                SendError::Permanent { reason: named(reason), reply, address_is_bad }
            }
            SendError::InDoubt(reason) => SendError::InDoubt(named(reason)),
            SendError::Lane(reason) => SendError::Lane(named(reason)),
        }
    }

    /// Sends on a connection that is open already, or else on a new one.
    ///
    /// A relay that takes no further connection while others are in use may be at its limit: the mail then waits for one of
    /// those.
    async fn deliver(&self, mail: &Mail, turn: Turn, deadline: Instant) -> Result<Accepted, Setback> {
        loop {
            let slot = timeout_at(deadline, self.pool.slot()).await;
            let mut slot = slot
                .map_err(|_| Setback::Mail(SendError::unanswered(self.timed_out())))?
                .map_err(Setback::Mail)?;
            if turn == Turn::Use && self.rest.is_on() {
                // Another mail found out while this one waited.
                return Err(Setback::Relay(LEFT_ALONE.to_owned()));
            }
            let used = match slot.take() {
                Some(used) => self.on_used(used, mail, deadline).await,
                None => None,
            };
            if let Some((connection, begun)) = used {
                return self.on(slot, connection, begun, mail, deadline).await;
            }
            let opened = timeout_at(deadline, self.opener.open()).await;
            match opened.unwrap_or_else(|_| Err(self.timed_out())) {
                Ok(mut fresh) => {
                    let begun = timeout_at(deadline, dialogue::begin(&mut fresh, mail)).await;
                    let begun =
                        begun.unwrap_or_else(|_| Err(Broken::Lost(SendError::unanswered(self.timed_out()))));
                    return self.on(slot, fresh, begun, mail, deadline).await;
                }
                Err(reason) if Instant::now() < deadline && slot.give_up() => {
                    tracing::info!(relay = self.name, reason, "no further connection is opened for a minute");
                }
                Err(reason) => return Err(Setback::Relay(reason)),
            }
        }
    }

    /// Begins on a connection that was kept; none if it is gone.
    ///
    /// The relay may have closed an idle connection meanwhile. As long as nothing of the message was sent, that costs one
    /// silent attempt; afterwards nobody knows whether the mail was taken, and the caller has to decide.
    async fn on_used(
        &self,
        mut used: Connection,
        mail: &Mail,
        deadline: Instant,
    ) -> Option<(Connection, Result<(), Broken>)> {
        // Time enough is left for a new connection where the old one hangs.
        let hang = deadline.min(Instant::now() + self.timeout / 4);
        match timeout_at(hang, dialogue::begin(&mut used, mail)).await {
            Ok(Err(Broken::Lost(_))) | Err(_) => None,
            Ok(begun @ (Ok(()) | Err(Broken::Refused(_)))) => Some((used, begun)),
        }
    }

    async fn on(
        &self,
        slot: Pooled<'_>,
        connection: Connection,
        begun: Result<(), Broken>,
        mail: &Mail,
        deadline: Instant,
    ) -> Result<Accepted, Setback> {
        match begun {
            Ok(()) => self.finish(slot, connection, mail, deadline).await,
            Err(Broken::Refused(setback)) => Err(self.refused(slot, connection, setback, deadline).await),
            Err(Broken::Lost(error)) => Err(self.stumbled(error)),
        }
    }

    async fn finish(
        &self,
        slot: Pooled<'_>,
        mut connection: Connection,
        mail: &Mail,
        deadline: Instant,
    ) -> Result<Accepted, Setback> {
        match timeout_at(deadline, dialogue::transfer(&mut connection, mail)).await {
            Ok(Ok((response, reply))) => {
                slot.put(connection);
                Ok(Accepted { response, reply: Some(reply), relay: self.name.clone() })
            }
            Ok(Err(Broken::Refused(setback))) => Err(self.refused(slot, connection, setback, deadline).await),
            Ok(Err(Broken::Lost(error))) => Err(Setback::Final(error.after_message())),
            Err(_) => Err(Setback::Final(SendError::InDoubt(self.timed_out()))),
        }
    }

    /// A refused mail leaves the connection usable, where the relay agrees.
    async fn refused(
        &self,
        slot: Pooled<'_>,
        mut connection: Connection,
        setback: Setback,
        deadline: Instant,
    ) -> Setback {
        if timeout_at(deadline, dialogue::reset(&mut connection)).await == Ok(true) {
            slot.put(connection);
        }
        setback
    }

    /// One mail was not taken for no reason told. That may be the mail's own fault, so only the third of them in a row is
    /// taken for the relay's.
    fn stumbled(&self, error: SendError) -> Setback {
        if self.rest.stumble() {
            tracing::warn!(relay = self.name, reason = %error, "the relay fails again and again and is left alone");
        }
        Setback::Mail(error)
    }

    fn recovered(&self) {
        if self.rest.end() {
            tracing::info!(relay = self.name, "the relay can be used again");
        }
    }

    fn timed_out(&self) -> String {
        format!("the relay did not answer within {} s", self.timeout.as_secs())
    }
}

/// `host:port`.
impl fmt::Display for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
