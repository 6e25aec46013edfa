//! The transport to the SMTP relays: lettre's protocol over sockets of our own, with a small pool for each relay.
//!
//! lettre's own transport leaves Nagle's algorithm on and ends a mail in a second small write, which costs 44 ms a mail
//! (the peer's delayed acknowledgement); here every socket has `TCP_NODELAY` set. lettre waits for each reply and does not
//! report whether a relay offers PIPELINING (RFC 2920), so commands are sent one by one.

mod connect;
mod dialogue;
mod failure;
mod lenient_reply_stream;
mod login;
mod opener;
mod pool;
mod relay;
mod relay_health;
mod reply;
mod starttls;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use rekey_core::random::RandomSource;
use rekey_runtime::config::Smtp;

pub use self::opener::SmtpSetupError;
use self::{
    failure::DeliveryFailure,
    relay::SmtpRelay,
    relay_health::{FIRST_PAUSE, RelayHealth},
};
use super::{Accepted, SendError, Transport, clean::clean};
use crate::message::Mail;

/// Sends through the first relay that can be used.
pub struct SmtpTransport {
    relays: Vec<SmtpRelay>,
}

impl SmtpTransport {
    /// Makes a transport that is not connected yet. Reads the certificates it will trust. `random` spreads the times at which
    /// a relay that failed is tried again.
    ///
    /// # Errors
    /// [`SmtpSetupError`] when TLS can't be set up as configured.
    pub fn new(settings: &Smtp, random: &Arc<dyn RandomSource>) -> Result<Self, SmtpSetupError> {
        Self::with_pause(settings, random, FIRST_PAUSE)
    }

    /// Like [`SmtpTransport::new`], with another first pause of a relay that failed.
    pub fn with_pause(
        settings: &Smtp,
        random: &Arc<dyn RandomSource>,
        pause: Duration,
    ) -> Result<Self, SmtpSetupError> {
        let health = || RelayHealth::new(pause, Arc::clone(random));
        let relays = settings.relays.iter().map(|relay| SmtpRelay::new(relay, settings, health()));
        Ok(Self { relays: relays.collect::<Result<_, _>>()? })
    }

    /// Sends QUIT on the connections that are kept open.
    pub async fn close(&self) {
        for relay in &self.relays {
            relay.close().await;
        }
    }
}

#[async_trait]
impl Transport for SmtpTransport {
    /// Takes at most [`Smtp::longest`], the wait for a connection included.
    ///
    /// The next relay gets the mail only if nothing of its text can have reached the one before.
    async fn send(&self, mail: &Mail) -> Result<Accepted, SendError> {
        let (mut unusable, mut refused) = (Vec::new(), None);
        for relay in &self.relays {
            match relay.send(mail).await {
                Ok(accepted) => return Ok(accepted),
                Err(DeliveryFailure::Final(error)) => return Err(relay.named(error)),
                Err(DeliveryFailure::Mail(error)) => refused = Some(relay.named(error)),
                Err(DeliveryFailure::Relay(reason)) => unusable.push(format!("{}: {reason}", relay.name)),
            }
        }
        Err(refused.unwrap_or_else(|| SendError::unavailable(clean(&unusable.join("; ")))))
    }

    /// Checks whether one of the relays can be used, also those that are paused.
    async fn check(&self) -> Result<(), SendError> {
        let mut unusable = Vec::new();
        for relay in &self.relays {
            match relay.check().await {
                Ok(()) => return Ok(()),
                Err(reason) => unusable.push(format!("{}: {reason}", relay.name)),
            }
        }
        Err(SendError::unavailable(clean(&unusable.join("; "))))
    }
}
