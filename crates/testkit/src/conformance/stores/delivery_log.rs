//! What operators see of deliveries, and what they do with them. Only the production database has this port.

use rekey_core::{
    deliveries::{
        AttemptOutcome, Outcome, Status,
        log::{DeliveryFilter, DeliveryLog, LinkState, LoggedDelivery, StepName},
        reports::{NewReport, Recorded, Report, ReportKind},
    },
    events::{
        audit::{Action, AuditEntry},
        outbox::Settlement,
    },
    ids::EventId,
    random::OsRandom,
    resets::ResetOrigin,
    scope::{Mode, Scope},
};
use time::Duration;

use super::{
    JOHN, StoreUnderTest,
    ledger::{LEASE, deferred, granted, job, john_asks, sent, status_of},
    other_scopes, use_up,
};
use crate::{seed, store::prelude::*};

const JANE: &str = "jane@example.com";

pub async fn deliveries_are_listed_newest_first_by_each_filter<F: StoreUnderTest<Store: DeliveryLog>>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let (scope, johns) = john_asks(store).await;
    let ask = async |scope, address| seed::reset(store, scope, address, ResetOrigin::Integration).await;
    let live = Scope { mode: Mode::Live, ..scope };
    let other = Scope { mode: Mode::Live, ..seed::scope(store, "other").await };
    seed::customer(store, scope, JANE, None).await;
    let janes = ask(scope, JANE).await;
    let mut all = vec![janes.event, johns.event];
    for scope in [live, other] {
        seed::customer(store, scope, JOHN, None).await;
        all.insert(0, ask(scope, JOHN).await.event);
    }
    for (hours, id) in (1..).zip(&all) {
        let is_own = format!("event_id = '{id}'");
        backdoor.age("deliveries", "created_at", &is_own, Duration::hours(hours)).await;
    }
    granted(store, &job(scope, &janes)).await;
    assert!(store.settle(janes.event, 1, &sent("250 ok")).await.unwrap());

    let filter = DeliveryFilter::default;
    let (three, half) = (Duration::hours(3), Duration::minutes(30));
    for (filter, limit, expected) in [
        (filter(), 10, &all[..]),
        (filter(), 2, &all[..2]),
        (DeliveryFilter { organization: Some(scope.organization), ..filter() }, 10, &all[1..]),
        (DeliveryFilter { mode: Some(Mode::Test), ..filter() }, 10, &all[2..]),
        (DeliveryFilter { address: Some(seed::email(JANE)), ..filter() }, 10, &all[2..3]),
        (DeliveryFilter { reset: Some(johns.id), ..filter() }, 10, &all[3..]),
        (DeliveryFilter { status: Some(Status::Sent), ..filter() }, 10, &all[2..3]),
        (DeliveryFilter { min_age: Some(three), ..filter() }, 10, &all[2..]),
        (DeliveryFilter { max_age: Some(three - half), ..filter() }, 10, &all[..2]),
        (DeliveryFilter { min_age: Some(three), status: Some(Status::Queued), ..filter() }, 10, &all[3..]),
        (DeliveryFilter { mode: Some(Mode::Live), max_age: Some(half), ..filter() }, 10, &[]),
    ] {
        assert_eq!(ids(&store.deliveries(&filter, limit).await.unwrap()), expected, "{filter:?}");
    }
}

pub async fn a_mails_life_has_all_that_happened_to_it<F: StoreUnderTest<Store: DeliveryLog>>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let (scope, reset) = john_asks(store).await;
    let unknown = EventId::generate(&OsRandom);
    assert_eq!(store.delivery_life(unknown).await.unwrap(), None);
    let delivery = store.delivery_life(reset.event).await.unwrap().unwrap().delivery;
    let event = delivery.event.unwrap();
    assert_eq!((event.published_at, event.has_payload, event.is_repeated), (None, true, false));
    assert_eq!((delivery.scope, delivery.organization.as_str()), (scope, "shop"));
    assert_eq!((delivery.reset, delivery.link), (Some(reset.id), Some(LinkState::Pending)));

    publish_all(store).await;
    granted(store, &job(scope, &reset)).await;
    let claimed = store.delivery_life(reset.event).await.unwrap().unwrap().delivery;
    assert_eq!(claimed.leased_until.map(|until| until - claimed.claimed_at.unwrap()), Some(LEASE));
    assert!(store.settle(reset.event, 1, &deferred("450 later")).await.unwrap());
    assert!(store.revive_delivery(scope, reset.event, true, &resend()).await.unwrap());
    publish_all(store).await;
    granted(store, &job(scope, &reset)).await;
    assert!(store.settle(reset.event, 2, &sent("250 ok")).await.unwrap());
    let report = Report { kind: ReportKind::Delayed, reporter: None, reply: None, detail: None };
    let report = NewReport { delivery: reset.event, report, suppress: Vec::new() };
    assert!(matches!(store.record_report(&report).await.unwrap(), Recorded::New { .. }));
    use_up(store, &reset, "new").await;

    let life = store.delivery_life(reset.event).await.unwrap().unwrap();
    let names: Vec<_> = life.timeline().iter().map(|step| step.name).collect();
    let ended = |outcome| [StepName::Claimed, StepName::Ended(outcome)];
    let expected = [
        vec![StepName::Created],
        ended(AttemptOutcome::Deferred).to_vec(),
        vec![StepName::Operator, StepName::Published],
        ended(AttemptOutcome::Sent).to_vec(),
        vec![StepName::Reported(ReportKind::Delayed)],
    ];
    assert_eq!(names, expected.concat());
    assert_eq!(life.actions[0].1, "resend");
    assert_eq!((life.attempts.len(), life.attempts[1].relay.as_deref()), (2, Some("smtp.example.com")));
    let LoggedDelivery { status, link, event, attempts, .. } = life.delivery;
    assert_eq!((status, link, attempts), (Status::Sent, Some(LinkState::Used), 2));
    assert!(!event.unwrap().has_payload);
    backdoor.script("DELETE FROM events WHERE name = 'customer_password_resets.create'").await;
    assert_eq!(store.delivery_life(reset.event).await.unwrap().unwrap().delivery.event, None);
}

pub async fn mails_that_wait_are_listed_oldest_first<F: StoreUnderTest<Store: DeliveryLog>>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let (scope, young) = john_asks(store).await;
    let mut old = Vec::new();
    for hours in 1..=3 {
        let reset = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
        let is_own = format!("event_id = '{}'", reset.event);
        backdoor.age("deliveries", "created_at", &is_own, Duration::hours(hours)).await;
        old.insert(0, reset);
    }
    for (reset, outcome) in [(&old[0], sent("250 ok")), (&old[1], deferred("450 later"))] {
        granted(store, &job(scope, reset)).await;
        assert!(store.settle(reset.event, 1, &outcome).await.unwrap());
    }
    let expected = [old[1].event, old[2].event, young.event];
    for (age, limit, count) in [(Duration::ZERO, 10, 3), (Duration::ZERO, 1, 1), (Duration::HOUR, 10, 2)] {
        let waiting = store.waiting_deliveries(age, limit).await.unwrap();
        assert_eq!(ids(&waiting), expected[..count], "{age}, {limit}");
    }
}

pub async fn a_mail_that_waits_or_failed_is_made_due_again<F: StoreUnderTest<Store: DeliveryLog>>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let (scope, reset) = john_asks(store).await;
    let revive =
        async |scope, publish| store.revive_delivery(scope, reset.event, publish, &resend()).await.unwrap();
    let due = async || {
        let claimed = publish_all(store).await;
        (status_of(backdoor, reset.event).await, claimed.iter().any(|(id, _)| *id == reset.event))
    };
    publish_all(store).await;
    granted(store, &job(scope, &reset)).await;
    assert!(!revive(scope, true).await, "a mailer has it");
    assert!(store.settle(reset.event, 1, &deferred("450 later")).await.unwrap());
    for other in other_scopes(store, scope).await {
        assert!(!revive(other, true).await, "in another scope");
    }
    assert!(!due().await.1);
    assert_eq!(backdoor.count("audit_entries", "action = 'resend'").await, 0);

    assert!(revive(scope, true).await);
    assert_eq!(due().await, ("deferred".to_owned(), true));
    let delivery = store.delivery_life(reset.event).await.unwrap().unwrap().delivery;
    assert!(delivery.next_attempt_at.unwrap() <= delivery.read_at);
    granted(store, &job(scope, &reset)).await;
    assert!(store.settle(reset.event, 2, &Outcome::Failed { reason: "no key".to_owned() }).await.unwrap());
    assert!(revive(scope, false).await, "its dead letter is given back");
    assert_eq!(due().await, ("deferred".to_owned(), false));
    assert_eq!(backdoor.count("audit_entries", "action = 'resend'").await, 2);

    backdoor.script("UPDATE events SET payload = NULL").await;
    assert!(!revive(scope, true).await, "there is nothing to publish");
    granted(store, &job(scope, &reset)).await;
    assert!(store.settle(reset.event, 3, &sent("250 ok")).await.unwrap());
    assert!(!revive(scope, false).await, "it is sent");
    assert_eq!(backdoor.count("audit_entries", "action = 'resend'").await, 2);
}

/// Whoever may publish can send any bytes under any id.
pub async fn a_message_is_an_event_byte_for_byte<F: StoreUnderTest<Store: DeliveryLog>>() {
    let scene = F::start().await;
    let store = scene.store();
    let (scope, reset) = john_asks(store).await;
    let messages = publish_all(store).await;
    let (_, payload) = messages.into_iter().find(|(id, _)| *id == reset.event).unwrap();
    let mut edited = payload.clone();
    edited[20] ^= 1;
    let is_event = async |id, payload: &[u8]| store.is_event(id, payload).await.unwrap();
    assert_eq!(is_event(reset.event, &payload).await, Some(true));
    assert_eq!(is_event(reset.event, &edited).await, Some(false));
    assert_eq!(is_event(EventId::generate(&OsRandom), &payload).await, None);
    granted(store, &job(scope, &reset)).await;
    assert!(store.settle(reset.event, 1, &sent("250 ok")).await.unwrap());
    assert_eq!(is_event(reset.event, &payload).await, None, "it is no longer kept");
}

pub async fn what_is_done_with_a_dead_letter_is_audited<F: StoreUnderTest<Store: DeliveryLog>>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let (scope, reset) = john_asks(store).await;
    let decoy = seed::reset(store, scope, "nobody@example.com", ResetOrigin::SelfService).await;
    let unknown = EventId::generate(&OsRandom);
    for (event, is_known) in [(reset.event, true), (decoy.event, true), (unknown, false)] {
        let audit = AuditEntry::by_operator(Action::DropDeadLetter, Vec::new(), &OsRandom);
        assert_eq!(store.record_dead_letter(event, &audit).await.unwrap(), is_known);
    }
    let entry = format!(
        "id = entry_id AND action = 'drop_dead_letter' AND organization_id = '{}' AND mode = 'test' AND resource_type = 'events'
             AND resource_id = '{}'",
        scope.organization, reset.event
    );
    assert_eq!(backdoor.count("audit_entries, audit_personal_data", &entry).await, 1);
    assert_eq!(backdoor.count("audit_entries", "action = 'drop_dead_letter'").await, 1, "a decoy has none");
}

/// Publishes the events that wait. Returns their ids and payloads.
async fn publish_all(store: &impl Store) -> Vec<(EventId, Vec<u8>)> {
    let claimed = store.claim_messages(LEASE, 100).await.unwrap();
    let published: Vec<_> = claimed.iter().map(|claimed| Settlement::Published(claimed.message.id)).collect();
    store.settle_messages(&published).await.unwrap();
    claimed.into_iter().map(|claimed| (claimed.message.id, claimed.message.payload)).collect()
}

fn resend() -> AuditEntry {
    AuditEntry::by_operator(Action::Resend, Vec::new(), &OsRandom)
}

fn ids(deliveries: &[LoggedDelivery]) -> Vec<EventId> {
    deliveries.iter().map(|delivery| delivery.id).collect()
}
