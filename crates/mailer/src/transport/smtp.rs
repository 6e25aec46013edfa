//! The way to the SMTP relays: lettre's protocol over sockets of our own, with a small pool for each relay.
//!
//! lettre's own transport leaves Nagle's algorithm on and ends a mail in a second small write, which costs 44 ms a mail
//! (the peer's delayed acknowledgement); here every socket has `TCP_NODELAY` set. It awaits each reply and keeps no word of
//! whether a relay offers PIPELINING (RFC 2920), so commands go one by one.

mod connecting;
mod dialogue;
mod failure;
mod login;
mod opening;
mod pool;
mod relay;
mod reply;
mod rest;
mod starttls;
mod stream;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use rekey_core::random::RandomSource;
use rekey_runtime::config::Smtp;

pub use self::opening::SmtpSetupError;
use self::{
    failure::Setback,
    relay::Relay,
    rest::{FIRST_REST, Rest},
};
use super::{Accepted, SendError, Transport, reason::clean};
use crate::message::Mail;

/// Sends through the first relay that can be used.
pub struct SmtpTransport {
    relays: Vec<Relay>,
}

impl SmtpTransport {
    /// A transport that is not connected yet. Reads the certificates it will trust. `random` spreads the times at which a
    /// relay that was left alone is tried again.
    pub fn new(settings: &Smtp, random: &Arc<dyn RandomSource>) -> Result<Self, SmtpSetupError> {
        Self::with_rest(settings, random, FIRST_REST)
    }

    /// [`SmtpTransport::new`] with another time for which a relay is left alone at first.
    pub fn with_rest(
        settings: &Smtp,
        random: &Arc<dyn RandomSource>,
        rest: Duration,
    ) -> Result<Self, SmtpSetupError> {
        let relays = settings.relays.iter();
        let relays = relays.map(|relay| Relay::new(relay, settings, Rest::new(rest, Arc::clone(random))));
        Ok(Self { relays: relays.collect::<Result<_, _>>()? })
    }

    /// Says goodbye on the connections that are kept open.
    pub async fn close(&self) {
        for relay in &self.relays {
            relay.close().await;
        }
    }
}

#[async_trait]
impl Transport for SmtpTransport {
    /// Bounded by [`Smtp::longest`], the wait for a connection included.
    ///
    /// The next relay gets the mail only where nothing of its text can have reached the one before.
    async fn send(&self, mail: &Mail) -> Result<Accepted, SendError> {
        let (mut unusable, mut refused) = (Vec::new(), None);
        for relay in &self.relays {
            match relay.send(mail).await {
                Ok(accepted) => return Ok(accepted),
                Err(Setback::Final(error)) => return Err(relay.named(error)),
                Err(Setback::Mail(error)) => refused = Some(relay.named(error)),
                Err(Setback::Relay(reason)) => unusable.push(format!("{relay}: {reason}")),
            }
        }
        Err(refused.unwrap_or_else(|| SendError::Lane(clean(&unusable.join("; ")))))
    }

    /// Whether one of the relays can be used, the ones that are left alone included.
    async fn check(&self) -> Result<(), SendError> {
        let mut unusable = Vec::new();
        for relay in &self.relays {
            match relay.check().await {
                Ok(()) => return Ok(()),
                Err(reason) => unusable.push(format!("{relay}: {reason}")),
            }
        }
        Err(SendError::Lane(clean(&unusable.join("; "))))
    }
}
