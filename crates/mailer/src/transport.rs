//! Where a written mail is handed over.

mod lane;
mod mailbox;
mod reason;
mod smtp;

use async_trait::async_trait;
use rekey_core::delivery::Reply;

pub use self::{
    lane::{Lane, Router},
    mailbox::{Mailbox, MailboxError, StoredMail},
    smtp::{SmtpSetupError, SmtpTransport},
};
use crate::message::Mail;

/// Takes mails.
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    /// Hands one mail over. When it returns `Ok`, the next server is responsible for it.
    async fn send(&self, mail: &Mail) -> Result<Accepted, SendError>;

    /// Finds out, without a mail, whether mails can be handed over.
    async fn check(&self) -> Result<(), SendError>;
}

/// A mail was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// What the taker said: at most 512 characters, no address.
    pub response: String,
    /// Its reply, if it speaks SMTP.
    pub reply: Option<Reply>,
    /// Which one it was.
    pub relay: String,
}

/// Why a mail was not taken. The reasons hold no address: they are at most 512 characters and fit to be logged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Not now, or it is not known whether it was: a 4xx reply, the network, a timeout. Sent again, the mail has the same
    /// Message-ID.
    #[error("{reason}")]
    Transient {
        /// Why.
        reason: String,
        /// The reply, if there was one.
        reply: Option<Reply>,
    },
    /// Never: a 5xx reply to this recipient or message.
    #[error("{reason}")]
    Permanent {
        /// Why.
        reason: String,
        /// The reply, if there was one.
        reply: Option<Reply>,
        /// Whether the recipient's address is the cause, so that no other mail would reach it either.
        address_is_bad: bool,
    },
    /// No mail at all, before somebody mends the configuration: refused credentials, no STARTTLS, a bad certificate.
    #[error("{0}")]
    Lane(String),
}

impl SendError {
    /// A transient one without a reply.
    pub(crate) fn transient(reason: String) -> Self {
        Self::Transient { reason, reply: None }
    }
}
