//! Where a written mail is handed over.

mod lane;
mod mailbox;
mod reason;
mod smtp;

use async_trait::async_trait;
use rekey_core::deliveries::Reply;

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
    /// The same in codes, where a server said it.
    pub reply: Option<Reply>,
    /// Who took it: a relay as `host:port`, or `mailbox`.
    pub relay: String,
}

/// Why a mail was not taken. The reasons hold no address: they are at most 512 characters, begin with the relay's
/// `host:port`, and fit to be logged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Not now: a 4xx reply, the network, a timeout, a sender that a relay refuses.
    #[error("{reason}")]
    Transient {
        reason: String,
        /// The reply, where there was one.
        reply: Option<Reply>,
    },
    /// Nobody knows: the message was sent, and its reply did not come. Sent again, the mail has the same Message-ID.
    #[error("{0}")]
    InDoubt(String),
    /// Never: a 5xx reply to this recipient or message.
    #[error("{reason}")]
    Permanent {
        reason: String,
        reply: Option<Reply>,
        /// Whether no mail to this address can ever succeed, so that none should be tried (a "hard bounce").
        address_is_bad: bool,
    },
    /// No mail at all, for now: no relay can be reached or used. Refused credentials, no STARTTLS and a bad certificate need
    /// somebody to mend the configuration.
    #[error("{0}")]
    Lane(String),
}

impl SendError {
    /// A transient failure without a reply.
    pub(crate) fn unanswered(reason: String) -> Self {
        Self::Transient { reason, reply: None }
    }

    /// The same, after the message was sent: without a reply, nobody knows whether it was taken.
    pub(crate) fn after_message(self) -> Self {
        match self {
            Self::Transient { reason, reply: None } => Self::InDoubt(reason),
            Self::Transient { .. } | Self::InDoubt(_) | Self::Permanent { .. } | Self::Lane(_) => self,
        }
    }
}
