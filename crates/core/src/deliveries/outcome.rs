use time::Duration;

use super::AttemptOutcome;
use crate::email::EmailAddress;

/// The result of an attempt to send a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A relay accepted the mail (SMTP 250).
    Sent {
        /// The text of its reply: at most 512 characters, without addresses.
        response: String,
        /// Its reply, if it uses SMTP.
        reply: Option<Reply>,
        /// The name of the relay.
        relay: String,
    },
    /// The mail was not accepted; a later attempt may succeed.
    Deferred {
        /// Why.
        reason: String,
        /// The server's reply, if there was one.
        reply: Option<Reply>,
        /// When the next attempt is due, from now.
        after: Duration,
    },
    /// It is unknown whether the mail was accepted (RFC 5321 §6.1): it is sent again, and the customer may get it twice.
    InDoubt {
        /// Why.
        reason: String,
        /// When the next attempt is due, from now.
        after: Duration,
    },
    /// No mail could be sent to anybody: this was no attempt, and counts as none.
    Held {
        /// Why.
        reason: String,
        /// When the next attempt is due, from now.
        after: Duration,
    },
    /// No mail to this address can ever succeed.
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
    /// It will not be sent, because of an error on our side that no operator can repair.
    Failed {
        /// Why.
        reason: String,
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

/// The status of a delivery. It does not change while a mailer works on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::EnumString, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Status {
    /// No attempt was finished yet.
    Queued,
    /// A mail server accepted it.
    Sent,
    /// It was not accepted; another attempt follows.
    Deferred,
    /// A mail server knows no such address, or reported after the hand-over that the mail can't be delivered.
    Bounced,
    /// The address bounced before, and nothing is sent to it until an operator lifts the suppression; or the account was sent as many mails
    /// as it may be.
    Suppressed,
    /// Its reset can't be used any more, its customer was deleted, or it is too old.
    Expired,
    /// It can't be sent because of an error on our side.
    Failed,
    /// The mail of a decoy, which no API client sees.
    Discarded,
}

/// An outcome in the form in which it is stored.
#[derive(Debug, Clone, Copy)]
pub struct Settled<'a> {
    /// The delivery's status from now on.
    pub status: Status,
    /// How the attempt ended.
    pub outcome: AttemptOutcome,
    /// The text of the server's reply, or the reason.
    pub detail: &'a str,
    /// The server's reply.
    pub reply: Option<&'a Reply>,
    /// The relay that accepted it.
    pub relay: Option<&'a str>,
    /// When the next attempt is due, from now.
    pub next: Option<Duration>,
    /// The address to suppress.
    pub suppress: Option<&'a EmailAddress>,
    /// Whether the claim counts as an attempt.
    pub counts: bool,
    /// Whether the mail may have been accepted all the same.
    pub in_doubt: bool,
}

impl Outcome {
    /// Returns the outcome in the form in which it is stored.
    #[must_use]
    pub fn settled(&self) -> Settled<'_> {
        let settled = |status, outcome, detail, reply| Settled {
            status,
            outcome,
            detail,
            reply,
            relay: None,
            next: None,
            suppress: None,
            counts: true,
            in_doubt: false,
        };
        match self {
            Self::Sent { response, reply, relay } => Settled {
                relay: Some(relay),
                ..settled(Status::Sent, AttemptOutcome::Sent, response, reply.as_ref())
            },
            Self::Deferred { reason, reply, after } => Settled {
                next: Some(*after),
                ..settled(Status::Deferred, AttemptOutcome::Deferred, reason, reply.as_ref())
            },
            Self::InDoubt { reason, after } => Settled {
                next: Some(*after),
                in_doubt: true,
                ..settled(Status::Deferred, AttemptOutcome::InDoubt, reason, None)
            },
            Self::Held { reason, after } => Settled {
                next: Some(*after),
                counts: false,
                ..settled(Status::Deferred, AttemptOutcome::Held, reason, None)
            },
            Self::Bounced { reason, reply, suppress } => Settled {
                suppress: suppress.as_ref(),
                ..settled(Status::Bounced, AttemptOutcome::Bounced, reason, reply.as_ref())
            },
            Self::Expired { reason } => settled(Status::Expired, AttemptOutcome::Expired, reason, None),
            Self::Failed { reason } => settled(Status::Failed, AttemptOutcome::Failed, reason, None),
        }
    }
}

impl Status {
    /// Returns the status as in the stores and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Parses [`Status::as_str`]'s form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// Why a mail is not sent at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::EnumString)]
pub enum Discarded {
    /// No customer has the address.
    #[strum(serialize = "decoy")]
    Decoy,
    /// The reset was used.
    #[strum(serialize = "reset used")]
    ResetUsed,
    /// A newer reset, or a new address or password of the customer, replaced the reset.
    #[strum(serialize = "reset superseded")]
    ResetSuperseded,
    /// The reset's token has expired.
    #[strum(serialize = "reset expired")]
    ResetExpired,
    /// The reset was deleted.
    #[strum(serialize = "reset deleted")]
    ResetDeleted,
    /// The customer was deleted.
    #[strum(serialize = "customer deleted")]
    CustomerDeleted,
    /// The address bounced before.
    #[strum(serialize = "address suppressed")]
    Suppressed,
    /// The account was sent as many mails as it may be for now.
    #[strum(serialize = "over the account's mail budget")]
    OverBudget,
}

impl Discarded {
    /// Returns the reason as in the stores and in a delivery's `detail`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Parses [`Discarded::as_str`]'s form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    /// Returns the delivery's new status.
    #[must_use]
    pub fn status(self) -> Status {
        match self {
            Self::Decoy => Status::Discarded,
            Self::Suppressed | Self::OverBudget => Status::Suppressed,
            Self::ResetUsed
            | Self::ResetSuperseded
            | Self::ResetExpired
            | Self::ResetDeleted
            | Self::CustomerDeleted => Status::Expired,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_accepted_has_a_next_attempt() {
        let (reason, after) = ("reason".to_owned(), Duration::MINUTE);
        for (outcome, counts, in_doubt) in [
            (Outcome::Deferred { reason: reason.clone(), reply: None, after }, true, false),
            (Outcome::InDoubt { reason: reason.clone(), after }, true, true),
            (Outcome::Held { reason: reason.clone(), after }, false, false),
        ] {
            let settled = outcome.settled();
            assert_eq!((settled.status, settled.next), (Status::Deferred, Some(after)));
            assert_eq!((settled.counts, settled.in_doubt, settled.detail), (counts, in_doubt, "reason"));
        }
        for outcome in [Outcome::Expired { reason: reason.clone() }, Outcome::Failed { reason }] {
            assert_eq!(outcome.settled().next, None);
        }
    }
}
