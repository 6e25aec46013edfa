use time::{Duration, OffsetDateTime};

use super::*;
use crate::{
    deliveries::{
        AttemptOutcome, CLAIM_RAN_OUT,
        reports::{Report, ReportKind},
    },
    events::outbox::REPUBLISH_AFTER,
};

const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

fn ago(minutes: i64) -> OffsetDateTime {
    NOW - Duration::minutes(minutes)
}

/// A mail with a link that was published and waits for a mailer.
fn queued() -> LoggedDelivery {
    let event =
        EventState { published_at: Some(ago(10)), is_repeated: false, dead_reason: None, has_payload: true };
    LoggedDelivery {
        id: "EVENTEVENT".parse().unwrap(),
        scope: Scope { organization: "ORGANIZAT1".parse().unwrap(), mode: Mode::Live },
        organization: "shop".parse().unwrap(),
        mail: MailName::ResetRequested,
        customer: Some("CUSTOMERS1".parse().unwrap()),
        reset: Some("RESETRESE1".parse().unwrap()),
        link: Some(LinkState::Pending),
        status: Status::Queued,
        attempts: 0,
        in_doubt: 0,
        reply: None,
        detail: None,
        relay: None,
        created_at: ago(10),
        updated_at: ago(10),
        sent_at: None,
        next_attempt_at: None,
        claimed_at: None,
        leased_until: None,
        event: Some(event),
        read_at: NOW,
    }
}

fn settled(status: Status) -> LoggedDelivery {
    LoggedDelivery { status, detail: Some("why".to_owned()), updated_at: ago(5), ..queued() }
}

#[test]
fn a_mail_is_sent_again_while_that_is_of_use() {
    for status in [Status::Queued, Status::Deferred, Status::Failed] {
        assert_eq!(settled(status).not_resendable(), None, "{status:?}");
    }
    let why = || "why".to_owned();
    for (status, reason) in [
        (Status::Sent, NotResendable::Sent),
        (Status::Bounced, NotResendable::Bounced(why())),
        (Status::Suppressed, NotResendable::Suppressed(why())),
        (Status::Expired, NotResendable::Expired(why())),
        (Status::Discarded, NotResendable::Discarded),
    ] {
        assert_eq!(settled(status).not_resendable(), Some(reason.clone()));
        assert_eq!(settled(status).not_replayable(), Some(reason));
    }
    let used = LoggedDelivery { link: Some(LinkState::Used), ..queued() };
    assert_eq!(used.not_resendable(), Some(NotResendable::Link("used")));
    let notice =
        LoggedDelivery { mail: MailName::PasswordChanged, link: None, created_at: ago(25 * 60), ..queued() };
    assert_eq!(notice.not_resendable(), Some(NotResendable::TooOld(24)));
    let claimed = LoggedDelivery { leased_until: Some(ago(-1)), ..queued() };
    assert_eq!(claimed.not_replayable(), Some(NotResendable::Claimed(ago(-1))));
    let ran_out = LoggedDelivery { leased_until: Some(NOW), ..queued() };
    assert_eq!(ran_out.not_resendable(), None);
    assert_eq!(LoggedDelivery { created_at: ago(24 * 60), ..notice }.not_resendable(), None);
}

/// A dead letter has the message, and those of decoys are replayed like others.
#[test]
fn a_dead_letter_is_replayed_also_where_the_outbox_has_nothing_left() {
    let without_event = LoggedDelivery { event: None, ..queued() };
    assert_eq!(without_event.not_resendable(), Some(NotResendable::NoEvent));
    assert_eq!(without_event.not_replayable(), None);
    let decoy = LoggedDelivery { customer: None, ..queued() };
    assert_eq!(decoy.not_resendable(), Some(NotResendable::NoCustomer));
    assert_eq!(decoy.not_replayable(), None);
}

#[test]
fn each_cause_of_waiting_has_its_own_advice() {
    let event = |published_at, dead_reason: Option<&str>| {
        let state = queued().event.unwrap();
        Some(EventState { published_at, dead_reason: dead_reason.map(str::to_owned), ..state })
    };
    let deferred = |next| LoggedDelivery { next_attempt_at: Some(next), ..settled(Status::Deferred) };
    for (mail, why) in [
        (queued(), "no mailer has taken it from the broker"),
        (
            LoggedDelivery { event: event(Some(ago(16)), None), ..queued() },
            "its message has been in the broker for long, or was lost",
        ),
        (
            LoggedDelivery { event: event(Some(NOW - REPUBLISH_AFTER), None), ..queued() },
            "no mailer has taken it from the broker",
        ),
        (LoggedDelivery { event: event(None, None), ..queued() }, "it waits to be published"),
        (
            LoggedDelivery { event: event(None, Some("forged")), ..queued() },
            "its message was rejected: forged",
        ),
        (LoggedDelivery { event: None, ..queued() }, "its event was deleted"),
        (LoggedDelivery { leased_until: Some(ago(-1)), ..queued() }, "a mailer is sending it"),
        (LoggedDelivery { leased_until: Some(NOW), ..queued() }, "its mailer recorded no result"),
        (deferred(ago(-1)), "an attempt failed: why"),
        (deferred(NOW), "its next attempt is late; the last one failed: why"),
    ] {
        assert_eq!(mail.advice().why, why);
    }
}

#[test]
fn a_timeline_is_in_the_order_of_time_and_ends_with_what_is_due() {
    let attempt = |claim, minutes, outcome| Attempt {
        claim,
        started_at: Some(ago(minutes)),
        ended_at: ago(minutes - 1),
        outcome,
        relay: None,
        reply: None,
        detail: Some(CLAIM_RAN_OUT.to_owned()),
    };
    let delivery = LoggedDelivery { next_attempt_at: Some(ago(-5)), ..settled(Status::Deferred) };
    let life = DeliveryLife {
        delivery,
        attempts: vec![attempt(1, 9, AttemptOutcome::InDoubt), attempt(2, 7, AttemptOutcome::Deferred)],
        reports: Vec::new(),
        actions: vec![(ago(8), "resend".to_owned())],
    };
    let names: Vec<_> = life.timeline().iter().map(|step| step.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "created",
            "published",
            "claimed",
            "in_doubt",
            "operator",
            "claimed",
            "deferred",
            "next attempt due"
        ]
    );
    // One of an older version, and one that was not wanted, have no attempts.
    for status in [Status::Sent, Status::Suppressed] {
        let life = DeliveryLife {
            delivery: settled(status),
            attempts: Vec::new(),
            reports: Vec::new(),
            actions: Vec::new(),
        };
        assert_eq!(life.timeline().last().unwrap().name, StepName::Settled(status));
    }
    let reported = |kind, minutes| LoggedReport {
        report: Report { kind, reporter: None, reply: None, detail: None },
        received_at: ago(minutes),
    };
    let life = DeliveryLife {
        delivery: settled(Status::Bounced),
        attempts: vec![attempt(1, 9, AttemptOutcome::Sent)],
        reports: vec![reported(ReportKind::Bounced, 5), reported(ReportKind::Delayed, 7)],
        actions: Vec::new(),
    };
    let names =
        |life: &DeliveryLife| life.timeline().iter().map(|step| step.name.as_str()).collect::<Vec<_>>();
    assert_eq!(names(&life), ["created", "published", "claimed", "sent", "delayed", "bounced"]);
    let sent = DeliveryLife { delivery: settled(Status::Sent), reports: Vec::new(), ..life };
    assert_eq!(names(&sent), ["created", "published", "claimed", "sent"]);
    // An address that a relay refused, after which a late report of a delay came.
    let bounced = DeliveryLife {
        delivery: settled(Status::Bounced),
        attempts: Vec::new(),
        reports: vec![reported(ReportKind::Delayed, 7)],
        actions: Vec::new(),
    };
    assert_eq!(names(&bounced), ["created", "published", "delayed", "bounced"]);
}

#[test]
fn a_step_says_who_answered_what() {
    let reply = |code| Some(Reply { code, enhanced: None });
    let text = |text: &str| Some(text.to_owned());
    let step = |at, name, claim, relay: Option<&str>, reply, detail: Option<&str>| Step {
        at,
        name,
        claim,
        relay: relay.map(str::to_owned),
        reply,
        detail: detail.map(str::to_owned),
    };
    let life = DeliveryLife {
        delivery: LoggedDelivery { relay: text("second"), reply: reply(550), ..settled(Status::Failed) },
        attempts: vec![Attempt {
            claim: 1,
            started_at: Some(ago(9)),
            ended_at: ago(8),
            outcome: AttemptOutcome::Deferred,
            relay: text("first"),
            reply: reply(451),
            detail: text("later"),
        }],
        reports: vec![LoggedReport {
            report: Report {
                kind: ReportKind::Delayed,
                reporter: text("mx"),
                reply: reply(452),
                detail: text("full"),
            },
            received_at: ago(7),
        }],
        actions: vec![(ago(6), "resend".to_owned())],
    };
    assert_eq!(
        life.timeline()[2..],
        [
            step(ago(9), StepName::Claimed, Some(1), None, None, None),
            step(
                ago(8),
                StepName::Ended(AttemptOutcome::Deferred),
                Some(1),
                Some("first"),
                reply(451),
                Some("later")
            ),
            step(ago(7), StepName::Reported(ReportKind::Delayed), None, Some("mx"), reply(452), Some("full")),
            step(ago(6), StepName::Operator, None, None, None, Some("resend")),
            step(ago(5), StepName::Settled(Status::Failed), None, Some("second"), reply(550), Some("why")),
        ]
    );
}
