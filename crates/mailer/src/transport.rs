//! Where a composed mail is handed over: the SMTP relays or the local mailbox.

mod clean;
mod mailbox;
mod smtp;

use std::{future::pending, sync::Arc};

use async_trait::async_trait;
use rekey_core::{deliveries::Reply, events::bus::Capacity, scope::Mode};

pub(crate) use self::{
    clean::clean,
    smtp::{address_is_bad, is_enhanced},
};
pub use self::{
    mailbox::{Mailbox, MailboxError, StoredMail},
    smtp::{RelayProblem, SmtpSetupError, SmtpTransport, UsableRelay, send_over},
};
use crate::message::Mail;

/// Accepts mails.
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    /// Hands one mail over. After `Ok`, the server that accepted it is responsible for it.
    async fn send(&self, mail: &Mail) -> Result<Accepted, SendError>;

    /// Returns how many mails can be handed over now: none while every mail would fail.
    fn capacity(&self) -> Capacity {
        Capacity::Full
    }

    /// Returns when the capacity is not `from`, maybe at once. Cancel-safe.
    async fn capacity_changed(&self, _from: Capacity) {
        pending::<()>().await;
    }
}

/// The transports of both modes: a mail of test mode never takes the live one.
pub struct Router {
    /// The transport of live mails.
    pub live: Arc<dyn Transport>,
    /// The transport of test mails. Without it, they can't be sent.
    pub test: Option<Arc<dyn Transport>>,
}

impl Router {
    /// Returns the transport for that mode; `None` for test mode without a mailbox.
    pub(crate) fn transport(&self, mode: Mode) -> Option<&dyn Transport> {
        match mode {
            Mode::Live => Some(&*self.live),
            Mode::Test => self.test.as_deref(),
        }
    }
}

/// A mail was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The reply's text: at most 512 characters, no address.
    pub response: String,
    /// The reply's codes, if a server accepted the mail.
    pub reply: Option<Reply>,
    /// Who accepted it: a relay as `host:port`, or `mailbox`.
    pub relay: String,
}

/// Why a mail was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct SendError {
    /// What it means for the mail.
    pub kind: SendErrorKind,
    /// What went wrong, fit to be logged: at most 512 characters, no address, with the relay's `host:port` in front.
    pub reason: String,
    /// The server's reply, if there was one.
    pub reply: Option<Reply>,
}

/// What a [`SendError`] means for the mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendErrorKind {
    /// Not accepted now: a 4xx reply, the network, or a timeout.
    Transient,
    /// The message was sent, but its reply did not arrive, so it may have been accepted. A second attempt has the same Message-ID.
    InDoubt,
    /// Refused by a 5xx reply that is not about the address. An operator may be able to repair it (a relay that denies relaying, a sender
    /// that is not verified, a quota), so a later attempt may succeed.
    Refused,
    /// No mail to this address can ever succeed, so none should be tried (a "hard bounce").
    BadAddress,
    /// No mail at all can be sent for now: no relay can be reached or used. Refused credentials, missing STARTTLS and a bad
    /// certificate need an operator who corrects the configuration.
    Unavailable,
}

impl SendError {
    /// Makes a transient failure without a reply.
    pub(crate) fn transient(reason: String) -> Self {
        Self { kind: SendErrorKind::Transient, reason, reply: None }
    }

    /// Makes the failure of a transport that can't be used.
    pub(crate) fn unavailable(reason: String) -> Self {
        Self { kind: SendErrorKind::Unavailable, reason, reply: None }
    }
}
