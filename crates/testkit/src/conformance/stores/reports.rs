//! What is reported of mails after a relay has accepted them.

use rekey_core::{
    cleanup::PurgeKind,
    deliveries::{
        MailName, Reply,
        reports::{NewReport, Recorded, Report, ReportKind},
        suppression::SuppressionFilter,
    },
    events::audit::{Action, AuditEntry},
    ids::EventId,
    random::OsRandom,
    scope::Scope,
};
use time::Duration;

use super::{
    JOHN, StoreUnderTest, at_once,
    ledger::{LEASE, deferred, granted, job, john_asks, sent, status_of},
};
use crate::{seed, store::prelude::*};

pub async fn a_report_makes_a_sent_mail_bounced_once_and_suppresses_its_address<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let (scope, reset) = john_asks(store).await;
    let report = bounced(reset.event, &["other@example.com", JOHN]);
    let delayed = NewReport { suppress: Vec::new(), ..of_kind(ReportKind::Delayed, &report) };
    granted(store, &job(scope, &reset)).await;
    assert_eq!(store.record_report(&report).await.unwrap(), Recorded::Unsettled, "a mailer has it");
    assert!(store.settle(reset.event, 1, &sent("250 ok")).await.unwrap());

    let new = Recorded::New { mail: MailName::ResetRequested, mode: scope.mode };
    assert_eq!(store.record_report(&delayed).await.unwrap(), new);
    assert_eq!((&*status_of(backdoor, reset.event).await, suppressed(store).await.len()), ("sent", 0));

    let same = (0..4).map(|_| {
        let (store, report) = (store.clone(), report.clone());
        async move { store.record_report(&report).await.unwrap() }
    });
    let results = at_once(same).await;
    assert_eq!(results.iter().filter(|result| **result == new).count(), 1, "{results:?}");
    assert!(results.iter().all(|result| [new, Recorded::Repeated].contains(result)), "{results:?}");
    let row = format!(
        "event_id = '{}' AND status = 'bounced' AND smtp_code = 550 AND smtp_enhanced_code = '5.1.1'
             AND detail = 'no such user' AND sent_at IS NOT NULL AND relay IS NOT NULL AND updated_at >= sent_at",
        reset.event
    );
    assert_eq!(backdoor.count("deliveries", &row).await, 1);
    assert_eq!(suppressed(store).await, [(JOHN.to_owned(), "no such user".to_owned())]);
    let reports = "kind IN ('bounced', 'delayed') AND reporter = 'mx.example.net' AND smtp_code = 550";
    assert_eq!(backdoor.count("delivery_reports", reports).await, 2);

    // A mailer that got no answer before says again that it sent the mail.
    assert!(!store.settle(reset.event, 1, &sent("250 ok")).await.unwrap());
    assert_eq!(status_of(backdoor, reset.event).await, "bounced");
    // An operator knows better than the report, also if it comes again.
    let audit = AuditEntry::by_operator(Action::LiftSuppression, Vec::new(), &OsRandom);
    assert!(store.lift_suppression(scope, &seed::email(JOHN), &audit).await.unwrap());
    assert_eq!(store.record_report(&report).await.unwrap(), Recorded::Repeated);
    assert_eq!(suppressed(store).await, []);
    // A complaint is another report.
    let complaint = of_kind(ReportKind::Complained, &report);
    assert_eq!(store.record_report(&complaint).await.unwrap(), new);
    assert_eq!(suppressed(store).await.len(), 1);
}

/// Whoever has a mail can report on it, and name any address.
pub async fn a_report_suppresses_no_other_address_than_its_customers<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let (scope, reset) = john_asks(store).await;
    seed::customer(store, scope, "jane@example.com", None).await;
    send(store, scope, &reset).await;
    let report = bounced(reset.event, &["jane@example.com", "forwarded@example.net"]);
    assert!(matches!(store.record_report(&report).await.unwrap(), Recorded::New { .. }));
    assert_eq!((&*status_of(backdoor, reset.event).await, suppressed(store).await.len()), ("bounced", 0));
}

pub async fn a_report_changes_no_mail_that_was_not_sent<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let (scope, reset) = john_asks(store).await;
    let report = bounced(reset.event, &[JOHN]);
    assert_eq!(store.record_report(&report).await.unwrap(), Recorded::Unknown);
    granted(store, &job(scope, &reset)).await;
    assert!(store.settle(reset.event, 1, &deferred("450 later")).await.unwrap());
    assert_eq!(store.record_report(&report).await.unwrap(), Recorded::Unknown);
    assert_eq!(status_of(backdoor, reset.event).await, "deferred");
    let unknown = bounced(EventId::generate(&OsRandom), &[JOHN]);
    assert_eq!(store.record_report(&unknown).await.unwrap(), Recorded::Unknown);
    assert_eq!((suppressed(store).await.len(), backdoor.count("delivery_reports", "true").await), (0, 0));
}

pub async fn reports_are_deleted_with_their_delivery<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let (scope, reset) = john_asks(store).await;
    send(store, scope, &reset).await;
    assert!(matches!(store.record_report(&bounced(reset.event, &[])).await.unwrap(), Recorded::New { .. }));
    let age = Duration::days(90);
    backdoor.age("deliveries", "created_at", "true", age).await;
    assert_eq!(store.purge(PurgeKind::Deliveries, age, 10).await.unwrap(), 1);
    assert_eq!(backdoor.count("delivery_reports", "true").await, 0);
    assert_eq!(store.record_report(&bounced(reset.event, &[JOHN])).await.unwrap(), Recorded::Unknown);
}

async fn send(store: &impl Store, scope: Scope, reset: &seed::SeededReset) {
    let claim = store.claim(&job(scope, reset), LEASE).await;
    assert!(claim.is_ok() && store.settle(reset.event, 1, &sent("250 ok")).await.unwrap());
}

fn bounced(delivery: EventId, addresses: &[&str]) -> NewReport {
    let report = Report {
        kind: ReportKind::Bounced,
        reporter: Some("mx.example.net".to_owned()),
        reply: Some(Reply { code: 550, enhanced: Some("5.1.1".to_owned()) }),
        detail: Some("no such user".to_owned()),
    };
    NewReport { delivery, report, suppress: addresses.iter().map(|address| seed::email(address)).collect() }
}

fn of_kind(kind: ReportKind, report: &NewReport) -> NewReport {
    NewReport { report: Report { kind, ..report.report.clone() }, ..report.clone() }
}

async fn suppressed(store: &impl Store) -> Vec<(String, String)> {
    let all = store.suppressions(SuppressionFilter::default()).await.unwrap();
    all.into_iter().map(|one| (one.email.as_str().to_owned(), one.reason)).collect()
}
