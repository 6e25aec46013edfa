//! The way to an SMTP relay: lettre's protocol over sockets of our own, with a small pool.
//!
//! lettre's own transport leaves Nagle's algorithm on and ends a mail in a second small write, which costs 44 ms a mail
//! (the peer's delayed acknowledgement); here every socket has `TCP_NODELAY` set.

mod dialogue;
mod failure;
mod opening;
mod pool;
mod stream;

use std::time::Duration;

use async_trait::async_trait;
use rekey_runtime::config::Smtp;
use tokio::time::timeout;

pub use self::opening::SmtpSetupError;
use self::{
    dialogue::{Broken, transfer},
    opening::Opener,
    pool::{Pool, Pooled},
};
use super::{Accepted, SendError, Transport};
use crate::message::Mail;

/// Sends through one relay.
pub struct SmtpTransport {
    opener: Opener,
    pool: Pool,
    timeout: Duration,
}

impl SmtpTransport {
    /// A transport that is not connected yet. Reads the certificates it will trust.
    pub fn new(settings: &Smtp) -> Result<Self, SmtpSetupError> {
        Ok(Self {
            opener: Opener::new(settings)?,
            pool: Pool::new(settings.connections),
            timeout: settings.timeout,
        })
    }

    /// Says goodbye on the connections that are kept open.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Sends on a connection that is open already, or else on a new one.
    ///
    /// The relay may have closed an idle connection meanwhile. As long as nothing of the message was sent, that costs one
    /// silent attempt; afterwards nobody knows whether the mail was taken, and the caller has to decide.
    async fn deliver(&self, mail: &Mail) -> Result<Accepted, SendError> {
        let mut slot = self.pool.slot().await?;
        if let Some(mut used) = slot.take() {
            // Time enough is left for a new connection where the old one hangs.
            match timeout(self.timeout / 4, dialogue::begin(&mut used, mail)).await {
                Ok(Ok(())) => return self.finish(slot, used, mail).await,
                Ok(Err(Broken::Refused(refused))) => return self.refused(slot, used, refused).await,
                Ok(Err(Broken::Lost(_))) | Err(_) => {}
            }
        }
        let mut fresh = self.opener.open().await?;
        match dialogue::begin(&mut fresh, mail).await {
            Ok(()) => self.finish(slot, fresh, mail).await,
            Err(Broken::Refused(refused)) => self.refused(slot, fresh, refused).await,
            Err(Broken::Lost(reason)) => Err(SendError::transient(reason)),
        }
    }

    async fn finish(
        &self,
        slot: Pooled<'_>,
        mut connection: dialogue::Connection,
        mail: &Mail,
    ) -> Result<Accepted, SendError> {
        match transfer(&mut connection, mail, self.opener.host()).await {
            Ok(accepted) => {
                slot.put(connection);
                Ok(accepted)
            }
            Err(Broken::Refused(refused)) => self.refused(slot, connection, refused).await,
            Err(Broken::Lost(reason)) => Err(SendError::transient(reason)),
        }
    }

    /// A refused mail leaves the connection usable, where the relay agrees.
    async fn refused(
        &self,
        slot: Pooled<'_>,
        mut connection: dialogue::Connection,
        refused: dialogue::Refused,
    ) -> Result<Accepted, SendError> {
        if refused.goes_on && dialogue::reset(&mut connection).await {
            slot.put(connection);
        }
        Err(refused.error)
    }
}

#[async_trait]
impl Transport for SmtpTransport {
    /// Bounded by `smtp.timeout_seconds` as a whole, the wait for a connection included.
    async fn send(&self, mail: &Mail) -> Result<Accepted, SendError> {
        timeout(self.timeout, self.deliver(mail)).await.unwrap_or_else(|_| Err(self.timed_out()))
    }

    async fn check(&self) -> Result<(), SendError> {
        let opened = timeout(self.timeout, self.opener.open()).await;
        opened.unwrap_or_else(|_| Err(self.timed_out())).map(drop)
    }
}

impl SmtpTransport {
    fn timed_out(&self) -> SendError {
        SendError::transient(format!("the relay did not answer within {} s", self.timeout.as_secs()))
    }
}
