use time::Duration;

use crate::email::EmailAddress;

/// What became of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The next server took it (SMTP 250).
    Sent {
        /// What it said: at most 512 characters, no address.
        response: String,
        /// Its reply, if it speaks SMTP.
        reply: Option<Reply>,
        /// Which one took it.
        relay: String,
    },
    /// It was not taken now; a later attempt may succeed.
    Deferred {
        /// Why.
        reason: String,
        /// The server's reply, if there was one.
        reply: Option<Reply>,
        /// How long after this the next attempt is due.
        after: Duration,
    },
    /// Nobody knows whether it was taken (RFC 5321 §6.1): it is tried again, and its reader may get it twice.
    InDoubt {
        /// Why.
        reason: String,
        /// How long after this the next attempt is due.
        after: Duration,
    },
    /// No mail could be sent to anybody: this was no attempt, and counts as none.
    Held {
        /// Why.
        reason: String,
        /// How long after this the next attempt is due.
        after: Duration,
    },
    /// It was refused for good (SMTP 5xx to this recipient or message).
    Bounced {
        /// Why.
        reason: String,
        /// The server's reply, if there was one.
        reply: Option<Reply>,
        /// The customer's address, where it is the cause: no mail is sent to it any more, until an operator lifts that.
        suppress: Option<EmailAddress>,
    },
    /// It is too old to be of use.
    Expired {
        /// Why.
        reason: String,
    },
    /// It will not be sent, for a reason of ours.
    Failed {
        /// Why.
        reason: String,
        /// The last reply, if there was one.
        reply: Option<Reply>,
    },
}

/// A mail server's reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// SMTP reply code, 200 to 599 (RFC 5321 §4.2).
    pub code: u16,
    /// Enhanced status code such as "5.1.1" (RFC 3463).
    pub enhanced: Option<String>,
}

/// How far a delivery has come. What a mailer is at work on has the status that it had before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// No attempt was settled yet.
    Queued,
    /// A mail server took it.
    Sent,
    /// It was not taken; another attempt follows.
    Deferred,
    /// A mail server refused it for good.
    Bounced,
    /// Nothing is sent to an address that refused a mail before, until an operator lifts that.
    Suppressed,
    /// Its reset can't be used any more, its customer is gone, or it is too old.
    Expired,
    /// It can't be sent, for a reason of ours.
    Failed,
    /// Nobody has the address: a decoy's, which no reader sees.
    Discarded,
}

/// An outcome, as the stores keep it.
#[derive(Debug, Clone, Copy)]
pub struct Settled<'a> {
    /// The delivery's status from now on.
    pub status: Status,
    /// The server's words, or why.
    pub detail: &'a str,
    /// The server's reply.
    pub reply: Option<&'a Reply>,
    /// Which server took it.
    pub relay: Option<&'a str>,
    /// How long after this the next attempt is due.
    pub next: Option<Duration>,
    /// The address that is suppressed.
    pub suppress: Option<&'a EmailAddress>,
    /// Whether the claim counts as an attempt.
    pub counts: bool,
    /// Whether the mail may have been handed over all the same.
    pub in_doubt: bool,
}

impl Outcome {
    /// What the stores keep of it.
    #[must_use]
    pub fn settled(&self) -> Settled<'_> {
        let settled = |status, detail, reply| Settled {
            status,
            detail,
            reply,
            relay: None,
            next: None,
            suppress: None,
            counts: true,
            in_doubt: false,
        };
        match self {
            Self::Sent { response, reply, relay } => {
                Settled { relay: Some(relay), ..settled(Status::Sent, response, reply.as_ref()) }
            }
            Self::Deferred { reason, reply, after } => {
                Settled { next: Some(*after), ..settled(Status::Deferred, reason, reply.as_ref()) }
            }
            Self::InDoubt { reason, after } => {
                Settled { next: Some(*after), in_doubt: true, ..settled(Status::Deferred, reason, None) }
            }
            Self::Held { reason, after } => {
                Settled { next: Some(*after), counts: false, ..settled(Status::Deferred, reason, None) }
            }
            Self::Bounced { reason, reply, suppress } => {
                Settled { suppress: suppress.as_ref(), ..settled(Status::Bounced, reason, reply.as_ref()) }
            }
            Self::Expired { reason } => settled(Status::Expired, reason, None),
            Self::Failed { reason, reply } => settled(Status::Failed, reason, reply.as_ref()),
        }
    }
}

impl Status {
    /// The status in the stores and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Deferred => "deferred",
            Self::Bounced => "bounced",
            Self::Suppressed => "suppressed",
            Self::Expired => "expired",
            Self::Failed => "failed",
            Self::Discarded => "discarded",
        }
    }
}

/// Why a mail that was asked for is not sent at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Discarded {
    /// Nobody has the address that was typed.
    Decoy,
    /// The reset was used.
    ResetUsed,
    /// A newer reset, or another address or password of the customer, made the reset useless.
    ResetSuperseded,
    /// The reset's token has expired.
    ResetExpired,
    /// The reset was deleted.
    ResetDeleted,
    /// The customer is gone.
    CustomerDeleted,
    /// The address refused a mail before.
    Suppressed,
}

impl Discarded {
    const ALL: [Self; 7] = [
        Self::Decoy,
        Self::ResetUsed,
        Self::ResetSuperseded,
        Self::ResetExpired,
        Self::ResetDeleted,
        Self::CustomerDeleted,
        Self::Suppressed,
    ];

    /// The reason in the stores, and in a delivery's `detail`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Decoy => "decoy",
            Self::ResetUsed => "reset used",
            Self::ResetSuperseded => "reset superseded",
            Self::ResetExpired => "reset expired",
            Self::ResetDeleted => "reset deleted",
            Self::CustomerDeleted => "customer deleted",
            Self::Suppressed => "address suppressed",
        }
    }

    /// Reads [`Discarded::as_str`]'s form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }

    /// The delivery's status from then on.
    #[must_use]
    pub fn status(self) -> Status {
        match self {
            Self::Decoy => Status::Discarded,
            Self::Suppressed => Status::Suppressed,
            Self::ResetUsed
            | Self::ResetSuperseded
            | Self::ResetExpired
            | Self::ResetDeleted
            | Self::CustomerDeleted => Status::Expired,
        }
    }
}
