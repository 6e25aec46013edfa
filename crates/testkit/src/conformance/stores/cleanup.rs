//! The removal of old records.

use rekey_core::{
    cleanup::PurgeKind,
    customers::store::ChangeEvents,
    deliveries::{Outcome, ledger::Claim},
    events::{audit::Action, outbox::Settlement},
    resets::ResetOrigin,
};
use time::Duration;

use super::{JOHN, StoreUnderTest, found_reset, holder, ledger::job, written};
use crate::seed::{self, SeededReset};
use crate::store::prelude::*;

const AGE: Duration = Duration::days(8);

pub async fn old_decoys_are_removed_with_all_their_records_and_nothing_else_is<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    let real = seed::reset(store, scope, JOHN, ResetOrigin::SelfService).await;
    let [resets, events, audits] = written(backdoor).await;
    for n in 0..5 {
        let decoy =
            seed::reset(store, scope, &format!("nobody{n}@example.com"), ResetOrigin::SelfService).await;
        store.claim(&job(scope, &decoy), Duration::minutes(1)).await.unwrap();
    }
    assert_eq!(store.forget_decoys(AGE, 10).await.unwrap(), 0, "they are young");
    backdoor.age("password_resets", "created_at", "true", AGE).await;
    seed::reset(store, scope, "young@example.com", ResetOrigin::SelfService).await;

    let forgotten = [store.forget_decoys(AGE, 3).await.unwrap(), store.forget_decoys(AGE, 3).await.unwrap()];
    assert_eq!(forgotten, [3, 2], "a few at a time");
    assert_eq!(store.forget_decoys(AGE, 3).await.unwrap(), 0);
    assert_eq!(written(backdoor).await, [resets + 1, events + 1, audits + 1]);
    assert_eq!(backdoor.count("deliveries", "true").await, 2, "of the real one and of the young");
    assert!(found_reset(store, scope, &real).await.is_some());
    assert!(holder(store, &real).await.is_some(), "it expires as it would have");
}

pub async fn old_quota_rows_are_removed<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    seed::reset(store, scope, "older@example.com", ResetOrigin::SelfService).await;
    let count_mail = async |address: &str| {
        seed::customer(store, scope, address, None).await;
        let reset = seed::reset(store, scope, address, ResetOrigin::SelfService).await;
        let claim = store.claim(&seed::reset_mail(scope, reset.event, reset.id), Duration::minutes(1)).await;
        assert!(matches!(claim.unwrap(), Claim::Granted(_)));
    };
    count_mail("old@example.com").await;
    backdoor.age("reset_cooldowns", "last_reset_at", "true", AGE).await;
    backdoor.age("mail_quotas", "window_started_at", "true", AGE).await;
    count_mail("young@example.com").await;
    for forgotten in [2, 1, 0] {
        assert_eq!(store.forget_quotas(AGE, 1).await.unwrap(), forgotten, "two cooldowns and a count");
    }
    assert_eq!(backdoor.count("reset_cooldowns", "true").await, 1);
    assert_eq!(backdoor.count("mail_quotas", "true").await, 1);
}

/// A4.
pub async fn a4_old_changes_of_addresses_are_removed<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, None).await;
    let change = async |from, to| {
        let audit = seed::audit(Action::Update);
        let change = seed::moved(from, to);
        assert!(
            store.update_customer(scope, john.id, &change, ChangeEvents::default(), &audit).await.unwrap()
        );
    };
    change(JOHN, "a@example.com").await;
    change("a@example.com", "b@example.com").await;
    assert_eq!(store.forget_email_changes(AGE).await.unwrap(), 0, "they are young");
    backdoor.age("email_changes", "created_at", "true", AGE).await;
    change("b@example.com", "c@example.com").await;
    assert_eq!(store.forget_email_changes(AGE).await.unwrap(), 2);
    assert_eq!(backdoor.count("email_changes", "email = 'b@example.com'").await, 1);
}

/// B12.
pub async fn records_that_are_old_are_purged_in_batches_and_pending_ones_stay<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let other = seed::scope(store, "other").await;
    for scope in [scope, other] {
        seed::customer(store, scope, JOHN, None).await;
    }
    let mut resets = Vec::new();
    for scope in [scope, scope, scope, scope, other] {
        resets.push(seed::reset(store, scope, JOHN, ResetOrigin::Integration).await);
    }
    let [sent, bounced, queued, unpublished, others] = &resets[..] else { unreachable!() };
    let mut outcomes = vec![Settlement::Published(queued.event)];
    let ok = || Outcome::Sent { response: "250".to_owned(), reply: None, relay: "one".to_owned() };
    let suppress = Some(seed::email(JOHN));
    let no = Outcome::Bounced { reason: "550".to_owned(), reply: None, suppress };
    for (scope, reset, outcome) in [(scope, sent, ok()), (scope, bounced, no), (other, others, ok())] {
        store.claim(&job(scope, reset), Duration::minutes(1)).await.unwrap();
        assert!(store.settle(reset.event, 1, &outcome).await.unwrap());
        outcomes.push(Settlement::Published(reset.event));
    }
    store.settle_messages(&outcomes).await.unwrap();

    let age = Duration::days(90);
    for kind in [PurgeKind::Deliveries, PurgeKind::Resets, PurgeKind::Events, PurgeKind::Audit] {
        assert_eq!(store.purge(kind, age, 100).await.unwrap(), 0, "{kind:?} is young");
    }
    for table in ["password_resets", "deliveries", "events", "audit_entries"] {
        backdoor.age(table, "created_at", "true", age).await;
    }
    let young = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
    // The mail of `queued` waits, and so does that of `unpublished`; all of the resets could still be used.
    assert_eq!(store.count_purgeable(PurgeKind::Resets, age).await.unwrap(), 0);
    backdoor.age("password_resets", "expires_at", &format!("id <> '{}'", young.id), age).await;
    // That of `young`, too, since it is chained after the others.
    for scope in store.queued_scopes().await.unwrap() {
        store.chain_entries(scope, &seed::keys(), 100).await.unwrap();
    }
    let audits = backdoor.count("audit_entries", "true").await - 1;
    for (kind, purged) in [
        // That of `bounced` has suppressed the address.
        (PurgeKind::Deliveries, 2),
        (PurgeKind::Resets, 3),
        (PurgeKind::Events, 3),
        (PurgeKind::Audit, audits),
    ] {
        assert_eq!(store.count_purgeable(kind, age).await.unwrap(), purged, "{kind:?}");
        let first = store.purge(kind, age, 2).await.unwrap();
        assert_eq!(first, 2, "{kind:?}");
        let rest = store.purge(kind, age, 100).await.unwrap();
        assert_eq!((first + rest, store.count_purgeable(kind, age).await.unwrap()), (purged, 0), "{kind:?}");
    }
    let orphans = "entry_id NOT IN (SELECT id FROM audit_entries)";
    assert_eq!(backdoor.count("audit_personal_data", orphans).await, 0);
    let is_there = async |reset: &SeededReset| found_reset(store, scope, reset).await.is_some();
    assert_eq!(
        [is_there(sent).await, is_there(bounced).await, is_there(queued).await, is_there(&young).await],
        [false, false, true, true]
    );
    let pending = format!("event_id IN ('{}', '{}') AND status = 'queued'", queued.event, young.event);
    assert_eq!(backdoor.count("deliveries", &pending).await, 2);
    let events = format!("id IN ('{}', '{}')", queued.event, unpublished.event);
    assert_eq!(backdoor.count("events", &events).await, 2);
    // A suppression goes with its customer, by the delivery that bounced.
    assert_eq!(backdoor.count("deliveries", &format!("event_id = '{}'", bounced.event)).await, 1);
}
