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
mod measure;
mod opener;
mod pool;
mod probe;
mod relay;
mod relay_health;
mod reply;
mod starttls;

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use lettre::transport::smtp::extension::ClientId;
use rekey_core::{deliveries::Reply, events::bus::Capacity, random::RandomSource};
use rekey_runtime::config::Smtp;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
};

pub(crate) use self::reply::{address_is_bad, is_enhanced};
use self::{
    dialogue::Connection,
    failure::DeliveryFailure,
    lenient_reply_stream::LenientReplyStream,
    relay::SmtpRelay,
    relay_health::{Circuit, RelayHealth},
};
pub use self::{
    opener::SmtpSetupError,
    probe::{RelayProblem, UsableRelay},
};
use super::{Accepted, SendError, Transport, clean::clean};
use crate::message::Mail;

/// Sends a mail over a stream to a relay, without TLS and log-in, and returns the relay's reply.
///
/// # Errors
/// The failure that is recorded of the mail.
pub async fn send_over<S>(stream: S, mail: &Mail) -> Result<(String, Reply), SendError>
where
    S: AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static,
{
    let stream = LenientReplyStream::new(stream, SocketAddr::from(([127, 0, 0, 1], 25)));
    let hello = ClientId::Domain("localhost".to_owned());
    let connected = Connection::connect_with_transport(Box::new(stream), &hello).await;
    let mut connection = connected.map_err(|error| failure::transient(&error))?;
    dialogue::start(&mut connection, mail).await?;
    Ok(dialogue::transfer(&mut connection, mail).await?)
}

/// Sends through the first relay that can be used.
pub struct SmtpTransport {
    relays: Vec<Arc<SmtpRelay>>,
    /// Notified when it changes whether a relay can be used.
    changes: watch::Sender<()>,
    /// Whether the last mail found no relay that can be used.
    is_failing: AtomicBool,
}

impl SmtpTransport {
    /// Makes a transport that is not connected yet. Reads the certificates it will trust. `random` spreads the times at which
    /// a relay that failed is tried again.
    ///
    /// # Errors
    /// [`SmtpSetupError`] when TLS can't be set up as configured.
    pub fn new(settings: &Smtp, random: &Arc<dyn RandomSource>) -> Result<Self, SmtpSetupError> {
        let changes = watch::Sender::new(());
        let health = || RelayHealth::new(changes.clone(), Arc::clone(random));
        let relays =
            settings.relays.iter().map(|relay| SmtpRelay::new(relay, settings, health()).map(Arc::new));
        let relays = relays.collect::<Result<Vec<_>, _>>()?;
        measure::start(&relays);
        Ok(Self { relays, changes, is_failing: AtomicBool::new(false) })
    }

    /// Returns whether a relay can't be used, and others have to take its mails.
    #[must_use]
    pub fn is_degraded(&self) -> bool {
        self.relays.iter().any(|relay| relay.circuit() != Circuit::Closed)
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
                Ok(accepted) => {
                    if self.is_failing.swap(false, Ordering::Relaxed) {
                        tracing::info!("mails can be sent again");
                    }
                    return Ok(accepted);
                }
                Err(DeliveryFailure::Final(error)) => return Err(relay.named(error)),
                Err(DeliveryFailure::Mail(error)) => refused = Some(relay.named(error)),
                Err(DeliveryFailure::Relay(error)) => {
                    unusable.push(format!("{}: {}", relay.name, error.reason));
                }
            }
        }
        Err(refused.unwrap_or_else(|| {
            let reason = clean(&unusable.join("; "));
            // Mails that were on their way fail for the same reason: one line is enough.
            if !self.is_failing.swap(true, Ordering::Relaxed) {
                tracing::error!(reason, "no mail can be sent, check the relay and its settings");
            }
            SendError::unavailable(reason)
        }))
    }

    /// That of the best relay.
    fn capacity(&self) -> Capacity {
        self.relays.iter().map(|relay| relay.capacity()).max().unwrap_or(Capacity::None)
    }

    async fn capacity_changed(&self, from: Capacity) {
        let mut changes = self.changes.subscribe();
        while self.capacity() == from && changes.changed().await.is_ok() {}
    }
}
