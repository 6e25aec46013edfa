use time::OffsetDateTime;

use super::Reply;

/// How many attempts at a mail are kept: the first ones and the latest, which takes the last place.
pub const MAX_ATTEMPTS: u32 = 50;
/// The detail of a claim that ended without being settled.
pub const CLAIM_RAN_OUT: &str = "the mailer recorded no result in time: it may have sent the mail";

/// An attempt at a mail that has ended, as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The number of its claim, from 1.
    pub claim: u32,
    /// When a mailer claimed the mail; unknown where an older version did.
    pub started_at: Option<OffsetDateTime>,
    /// When the outcome was recorded, or when the claim ran out.
    pub ended_at: OffsetDateTime,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// The relay that accepted the mail. After a failure, `detail` begins with its name.
    pub relay: Option<String>,
    /// The mail server's reply.
    pub reply: Option<Reply>,
    /// The text of the reply, or the reason.
    pub detail: Option<String>,
}

/// How an attempt at a mail ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum AttemptOutcome {
    /// A relay accepted the mail.
    Sent,
    /// It was not accepted; another attempt follows.
    Deferred,
    /// Nobody knows whether it was accepted: the relay did not reply, or the mailer recorded no result.
    InDoubt,
    /// No mail could be sent to anybody.
    Held,
    /// No mail to this address can ever succeed.
    Bounced,
    /// The mail was too old.
    Expired,
    /// It can't be sent because of an error on our side.
    Failed,
}

impl AttemptOutcome {
    /// Returns the outcome as in the stores.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Parses [`AttemptOutcome::as_str`]'s form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_stored_by_their_names() {
        for (outcome, name) in [
            (AttemptOutcome::Sent, "sent"),
            (AttemptOutcome::Deferred, "deferred"),
            (AttemptOutcome::InDoubt, "in_doubt"),
            (AttemptOutcome::Held, "held"),
            (AttemptOutcome::Bounced, "bounced"),
            (AttemptOutcome::Expired, "expired"),
            (AttemptOutcome::Failed, "failed"),
        ] {
            assert_eq!((outcome.as_str(), AttemptOutcome::parse(name)), (name, Some(outcome)));
        }
        assert_eq!(AttemptOutcome::parse("lost"), None);
    }
}
