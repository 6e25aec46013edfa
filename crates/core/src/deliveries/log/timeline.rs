use time::OffsetDateTime;

use super::DeliveryLife;
use crate::deliveries::{AttemptOutcome, Reply, Status, reports::ReportKind};

/// Something that happened to a mail, or that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: OffsetDateTime,
    /// What.
    pub name: StepName,
    /// The number of the claim that it belongs to.
    pub claim: Option<u32>,
    /// The relay, or who reported it, if one took part and is known by name.
    pub relay: Option<String>,
    /// The mail server's reply.
    pub reply: Option<Reply>,
    /// More about it.
    pub detail: Option<String>,
}

/// What happened to a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepName {
    /// Its event was written.
    Created,
    /// The broker confirmed its event.
    Published,
    /// The broker confirmed its event, which had been published before.
    Republished,
    /// A mailer claimed it.
    Claimed,
    /// An attempt ended.
    Ended(AttemptOutcome),
    /// Something was reported of it after a relay had accepted it.
    Reported(ReportKind),
    /// It got this status without an attempt that is recorded.
    Settled(Status),
    /// An operator did something with it.
    Operator,
    /// The next attempt is due, or was due and has not started.
    Due,
    /// A claim that is not settled ends.
    ClaimEnds,
}

impl StepName {
    /// Returns the name for operators and their scripts.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Published => "published",
            Self::Republished => "published again",
            Self::Claimed => "claimed",
            Self::Ended(outcome) => outcome.as_str(),
            Self::Reported(kind) => kind.as_str(),
            Self::Settled(status) => status.as_str(),
            Self::Operator => "operator",
            Self::Due => "next attempt due",
            Self::ClaimEnds => "claim ends",
        }
    }
}

impl DeliveryLife {
    /// Returns what happened to the mail in the order of time, and what is due. Of several publications only the last one is known.
    #[must_use]
    pub fn timeline(&self) -> Vec<Step> {
        let step = |at, name| Step { at, name, claim: None, relay: None, reply: None, detail: None };
        let delivery = &self.delivery;
        let mut steps = vec![step(delivery.created_at, StepName::Created)];
        if let Some((at, event)) =
            delivery.event.as_ref().and_then(|event| Some((event.published_at?, event)))
        {
            let name = if event.is_repeated { StepName::Republished } else { StepName::Published };
            steps.push(step(at, name));
        }
        for attempt in &self.attempts {
            let claim = Some(attempt.claim);
            steps.extend(attempt.started_at.map(|at| Step { claim, ..step(at, StepName::Claimed) }));
            steps.push(Step {
                claim,
                relay: attempt.relay.clone(),
                reply: attempt.reply.clone(),
                detail: attempt.detail.clone(),
                ..step(attempt.ended_at, StepName::Ended(attempt.outcome))
            });
        }
        steps.extend(self.reports.iter().map(|reported| Step {
            relay: reported.report.reporter.clone(),
            reply: reported.report.reply.clone(),
            detail: reported.report.detail.clone(),
            ..step(reported.received_at, StepName::Reported(reported.report.kind))
        }));
        let actions = self.actions.iter();
        steps.extend(
            actions
                .map(|(at, action)| Step { detail: Some(action.clone()), ..step(*at, StepName::Operator) }),
        );
        if !self.has_recorded_end() {
            steps.push(Step {
                relay: delivery.relay.clone(),
                reply: delivery.reply.clone(),
                detail: delivery.detail.clone(),
                ..step(delivery.updated_at, StepName::Settled(delivery.status))
            });
        }
        if let Some(until) = delivery.leased_until {
            steps.extend(delivery.claimed_at.map(|at| step(at, StepName::Claimed)));
            steps.push(step(until, StepName::ClaimEnds));
        }
        steps.extend(delivery.next_attempt_at.map(|at| step(at, StepName::Due)));
        steps.sort_by_key(|step| step.at);
        steps
    }

    /// Whether an attempt, a report, or nothing yet, led to the delivery's status: mails that are not wanted, and those of older versions, have
    /// none.
    fn has_recorded_end(&self) -> bool {
        match self.delivery.status {
            Status::Queued => true,
            Status::Suppressed | Status::Discarded => false,
            Status::Deferred => !self.attempts.is_empty(),
            Status::Bounced if self.reports.iter().any(|one| one.report.kind == ReportKind::Bounced) => true,
            status => self.attempts.last().is_some_and(|last| last.outcome.as_str() == status.as_str()),
        }
    }
}
