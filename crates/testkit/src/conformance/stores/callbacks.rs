//! What webhooks are sent: claims, outcomes, and what is erased.

use std::collections::HashSet;

use rekey_core::{
    cleanup::PurgeKind,
    events::{EventBody, EventName, audit::Action},
    ids::{CallbackId, CustomerId, EventId, RecordId},
    resources::{EVENT_CALLBACKS, record::Value},
    webhooks::{
        KEEP_CALLBACKS, MAX_FAILURES, WebhookChange,
        queue::{ClaimLimits, ClaimedCallback, Next},
        store::RecordedEvent,
    },
};
use time::Duration;

use super::{
    StoreUnderTest, at_once, other_scopes,
    webhooks::{
        LEASE, PLENTY, add, add_about, callbacks, claim, customer_event, found, settle, state, update,
        webhook,
    },
};
use crate::{seed, store::prelude::*};

pub async fn callbacks_are_claimed_within_their_limits_and_again_when_a_lease_ends<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let busy = webhook(store, scope, EventName::CustomerCreate).await;
    for _ in 0..4 {
        let event = customer_event(store, scope).await;
        assert_eq!(add(store, scope, event, None).await, 1);
    }
    let other_scope = other_scopes(store, scope).await[1];
    webhook(store, other_scope, EventName::CustomerCreate).await;
    let event = customer_event(store, other_scope).await;
    add(store, other_scope, event, None).await;

    let limits = ClaimLimits { per_webhook: 2, ..PLENTY };
    let first = store.claim_callbacks(LEASE, limits).await.unwrap();
    let of_busy = |claimed: &[ClaimedCallback]| claimed.iter().filter(|one| one.webhook == busy).count();
    assert_eq!((first.len(), of_busy(&first)), (3, 2));
    assert!(store.claim_callbacks(LEASE, limits).await.unwrap().is_empty(), "two are under way");
    assert_eq!(
        store.claim_callbacks(LEASE, ClaimLimits { per_organization: 3, ..PLENTY }).await.unwrap().len(),
        1
    );
    assert_eq!(store.claim_callbacks(LEASE, ClaimLimits { total: 0, ..PLENTY }).await.unwrap().len(), 0);
    assert_eq!(claim(store).await.len(), 1);
    assert!(claim(store).await.is_empty());

    backdoor.age("event_callbacks", "lease_until", "lease_until IS NOT NULL", LEASE).await;
    let again = claim(store).await;
    assert_eq!(again.len(), 5);
    assert!(again.iter().all(|callback| callback.attempt == 2));
    let late = settle(store, &first[0], Next::Delivered).await;
    assert_eq!(late, None, "another has it");
    assert_eq!(settle(store, &again[0], Next::Delivered).await, Some(false));
    assert_eq!(settle(store, &again[0], Next::Delivered).await, None, "once");
}

pub async fn those_with_fewer_callbacks_under_way_come_first<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let busy = webhook(store, scope, EventName::CustomerCreate).await;
    for _ in 0..6 {
        let event = customer_event(store, scope).await;
        add(store, scope, event, None).await;
    }
    backdoor.age("event_callbacks", "due_at", "true", Duration::HOUR).await;
    let late = webhook(store, scope, EventName::CustomerDestroy).await;
    let event = RecordedEvent { name: EventName::CustomerDestroy, ..customer_event(store, scope).await };
    add(store, scope, event, None).await;
    let stranger = other_scopes(store, scope).await[1];
    let other = webhook(store, stranger, EventName::CustomerCreate).await;
    let event = customer_event(store, stranger).await;
    add(store, stranger, event, None).await;

    let claimed = store.claim_callbacks(LEASE, ClaimLimits { total: 3, ..PLENTY }).await.unwrap();
    let webhooks: HashSet<_> = claimed.iter().map(|callback| callback.webhook).collect();
    assert_eq!(webhooks, HashSet::from([busy, late, other]), "one of each");
}

pub async fn a_postponed_callback_has_spent_no_attempt<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let id = webhook(store, scope, EventName::CustomerCreate).await;
    let event = customer_event(store, scope).await;
    add(store, scope, event, None).await;
    for _ in 0..2 {
        let callback = claim(store).await.remove(0);
        assert_eq!(callback.attempt, 1);
        assert_eq!(settle(store, &callback, Next::Postponed(Duration::HOUR)).await, Some(false));
        assert!(claim(store).await.is_empty());
        backdoor.age("event_callbacks", "due_at", "true", Duration::HOUR).await;
    }
    assert_eq!(state(store, scope, id).await, ("closed".to_owned(), 0));
}

pub async fn a_callback_of_a_newer_version_holds_up_no_other<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    webhook(store, scope, EventName::CustomerCreate).await;
    let [newer, known] = [customer_event(store, scope).await, customer_event(store, scope).await];
    for event in [newer, known] {
        add(store, scope, event, None).await;
    }
    let topic = format!("UPDATE event_callbacks SET topic = 'orders.place' WHERE event_id = '{}'", newer.id);
    backdoor.script(&topic).await;
    let claimed = claim(store).await;
    assert_eq!((claimed.len(), claimed[0].event), (1, known.id));
}

pub async fn callback_race_of_many_claimers_each_gets_others<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    webhook(store, scope, EventName::CustomerCreate).await;
    for _ in 0..20 {
        let event = customer_event(store, scope).await;
        add(store, scope, event, None).await;
    }
    let claims = (0..5).map(|_| {
        let store = store.clone();
        async move { store.claim_callbacks(LEASE, ClaimLimits { total: 4, ..PLENTY }).await.unwrap() }
    });
    let claimed: Vec<CallbackId> =
        at_once(claims).await.concat().iter().map(|callback| callback.id).collect();
    let different: HashSet<_> = claimed.iter().collect();
    assert_eq!(different.len(), claimed.len());
    let rest = claim(store).await.len();
    assert_eq!(claimed.len() + rest, 20);
}

pub async fn callbacks_about_one_record_are_made_in_order<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    webhook(store, scope, EventName::CustomerCreate).await;
    let first = customer_event(store, scope).await;
    add(store, scope, first, None).await;
    backdoor.age("event_callbacks", "created_at", "true", Duration::SECOND).await;
    // The same event again is about the same record.
    add(store, scope, first, Some(&seed::audit(Action::Trigger))).await;
    let other = customer_event(store, scope).await;
    add(store, scope, other, None).await;

    let claimed = claim(store).await;
    let events: HashSet<EventId> = claimed.iter().map(|callback| callback.event).collect();
    assert_eq!((claimed.len(), events.len()), (2, 2), "one of each record");
    let earlier = claimed.iter().find(|callback| callback.event == first.id).unwrap();
    assert!(claim(store).await.is_empty(), "the earlier one is under way");
    settle(store, earlier, Next::Retry(Duration::HOUR)).await;
    let overtaking = claim(store).await;
    assert!(overtaking.len() == 1 && overtaking[0].id != earlier.id, "what waits for a retry is overtaken");
    settle(store, &overtaking[0], Next::Delivered).await;
    assert!(claim(store).await.is_empty());
    backdoor.age("event_callbacks", "due_at", "due_at IS NOT NULL", Duration::HOUR).await;
    let retried = claim(store).await;
    assert_eq!((retried.len(), retried[0].id, retried[0].attempt), (1, earlier.id, 2));
}

pub async fn failed_attempts_in_a_row_open_the_circuit<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let id = webhook(store, scope, EventName::CustomerCreate).await;
    let event = customer_event(store, scope).await;
    add(store, scope, event, None).await;
    let fail = async || {
        let callback = claim(store).await.remove(0);
        let opened = settle(store, &callback, Next::Retry(Duration::ZERO)).await.unwrap();
        backdoor.age("event_callbacks", "due_at", "due_at IS NOT NULL", Duration::SECOND).await;
        opened
    };
    assert!(!fail().await);
    let callback = claim(store).await.remove(0);
    settle(store, &callback, Next::Delivered).await;
    assert_eq!(state(store, scope, id).await, ("closed".to_owned(), 0), "a success ends the row");

    let event = customer_event(store, scope).await;
    add(store, scope, event, None).await;
    for failed in 1..MAX_FAILURES {
        assert!(!fail().await);
        assert_eq!(state(store, scope, id).await, ("closed".to_owned(), failed.into()));
    }
    assert!(fail().await, "it opens once");
    assert_eq!(state(store, scope, id).await, ("open".to_owned(), MAX_FAILURES.into()));
    let event = customer_event(store, scope).await;
    assert_eq!(add(store, scope, event, None).await, 1, "it is recorded all the same");
    assert!(claim(store).await.is_empty());
    update(store, scope, id, WebhookChange { resets_circuit: true, ..WebhookChange::default() }).await;
    assert_eq!(state(store, scope, id).await, ("closed".to_owned(), 0));
    assert_eq!(claim(store).await.len(), 2);
}

pub async fn a_receiver_that_wants_no_more_is_disabled<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let id = webhook(store, scope, EventName::CustomerCreate).await;
    for _ in 0..2 {
        let event = customer_event(store, scope).await;
        add(store, scope, event, None).await;
    }
    let callback = store.claim_callbacks(LEASE, ClaimLimits { total: 1, ..PLENTY }).await.unwrap().remove(0);
    assert_eq!(settle(store, &callback, Next::Disable).await, Some(false));
    assert!(found(store, scope, id).await.unwrap().get("disabled_at").as_time().is_some());
    assert!(claim(store).await.is_empty());
    let event = customer_event(store, scope).await;
    assert_eq!(add(store, scope, event, None).await, 0);
    update(store, scope, id, WebhookChange { is_disabled: Some(false), ..WebhookChange::default() }).await;
    assert_eq!(claim(store).await.len(), 1, "what waited");

    let answered = &callbacks(store, scope).await;
    let answered = answered.iter().find(|record| record.id() == callback.id.into()).unwrap();
    assert_eq!(answered.get("response_code"), &seed::text("500"));
    assert_eq!(answered.get("response_message"), &seed::text("an answer"));
    assert_eq!(answered.linked(EVENT_CALLBACKS.relationship("webhook").unwrap()), Some(RecordId::from(id)));
    assert!(store.delete_webhook(scope, id, &seed::audit(Action::Destroy)).await.unwrap());
    assert!(claim(store).await.is_empty());
    assert_eq!(callbacks(store, scope).await.len(), 2, "they are kept");
}

pub async fn a13_what_webhooks_are_sent_of_a_deleted_customer_is_erased<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    webhook(store, scope, EventName::CustomerCreate).await;
    webhook(store, scope, EventName::CustomerDestroy).await;
    let event = customer_event(store, scope).await;
    let customer = CustomerId::from(event.record);
    add(store, scope, event, None).await;
    let claimed = claim(store).await.remove(0);
    settle(store, &claimed, Next::Retry(Duration::ZERO)).await;
    backdoor.age("event_callbacks", "due_at", "true", Duration::SECOND).await;
    let claimed = claim(store).await.remove(0);
    let destroyed = seed::event(scope, EventBody::CustomerDestroyed { customer });
    assert!(store.delete_customer(scope, customer, &destroyed, &seed::audit(Action::Destroy)).await.unwrap());
    let left = callbacks(store, scope).await;
    assert_eq!((left.len(), left[0].get("payload")), (1, &Value::Null));
    assert_eq!(left[0].get("response_message"), &Value::Null, "receivers repeat what they were sent");
    assert_eq!(settle(store, &claimed, Next::Retry(Duration::ZERO)).await, None, "no attempt follows");

    // One that was being written at that time.
    add(store, scope, event, Some(&seed::audit(Action::Trigger))).await;
    let destroyed =
        RecordedEvent { id: destroyed.message.id, name: EventName::CustomerDestroy, record: event.record };
    assert_eq!(add_about(store, scope, destroyed, None, None).await, 1);
    backdoor.age("erasures", "due_at", "true", Duration::SECOND).await;
    store.erase(Duration::MINUTE, 10).await.unwrap();
    let claimed = claim(store).await;
    assert_eq!((claimed.len(), claimed[0].topic), (1, EventName::CustomerDestroy));
}

pub async fn old_callbacks_are_purged<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    webhook(store, scope, EventName::CustomerCreate).await;
    let (old, young) = (customer_event(store, scope).await, customer_event(store, scope).await);
    add(store, scope, old, None).await;
    add(store, scope, young, None).await;
    let aged = format!("event_id = '{}'", old.id);
    backdoor.age("event_callbacks", "created_at", &aged, KEEP_CALLBACKS).await;
    assert_eq!(store.count_purgeable(PurgeKind::EventCallbacks, KEEP_CALLBACKS).await.unwrap(), 1);
    assert_eq!(store.purge(PurgeKind::EventCallbacks, KEEP_CALLBACKS, 10).await.unwrap(), 1);
    assert_eq!(claim(store).await[0].event, young.id);
}
