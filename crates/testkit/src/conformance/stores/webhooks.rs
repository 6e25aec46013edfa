//! Webhooks, and what they are sent.

use std::{collections::HashSet, slice};

use rekey_core::{
    attributes::{CommonAttributes, Patch},
    cleanup::PurgeKind,
    events::{
        EventBody, EventName,
        audit::{Action, AuditEntry},
    },
    ids::{CallbackId, CustomerId, EventId, RecordId, WebhookId},
    random::OsRandom,
    resets::ResetOrigin,
    resources::{
        EVENT_CALLBACKS, EVENTS, WEBHOOKS,
        catalog::Related,
        listing::{Filter, Listing},
        record::{Record, Value},
    },
    scope::Scope,
    secrets::{Payload, SealedPayload},
    webhooks::{
        KEEP_CALLBACKS, MAX_FAILURES, MAX_WEBHOOKS, NewWebhook, WebhookChange,
        queue::{AttemptResult, ClaimLimits, ClaimedCallback, Next},
        store::{FORMER_SECRET_TTL, NewCallback, NewCallbacks, RecordedEvent, WriteWebhookError},
    },
};
use serde_json::json;
use time::Duration;

use super::{AUDIT_LOG, JOHN, StoreUnderTest, at_once, other_scopes};
use crate::{seed, store::prelude::*};

/// Longer than any test takes.
const LEASE: Duration = Duration::minutes(1);
/// More than any test has.
const PLENTY: ClaimLimits = ClaimLimits { total: 1_000, per_webhook: 1_000, per_organization: 1_000 };

pub async fn a_webhook_is_created_with_its_audit_entry_and_a_name_of_its_own<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let common =
        CommonAttributes { metadata: json!({"a": 1}).as_object().cloned(), ..seed::reference("R-1") };
    let includes = vec!["customer".to_owned()];
    let new = NewWebhook {
        common,
        include_resources: includes.clone(),
        ..seed::new_webhook(scope, EventName::ResetCreate)
    };
    let audit = seed::audit(Action::Create);
    store.create_webhook(scope, &new, &audit).await.unwrap();

    let made = found(store, scope, new.id).await.unwrap();
    for (attribute, value) in [
        ("name", seed::text(&format!("Webhook {}", new.id))),
        ("topic", seed::text("customer_password_resets.create")),
        ("callback_url", seed::text("https://receiver.example/hook")),
        ("include_resources", Value::Texts(includes)),
        ("circuit_state", seed::text("closed")),
        ("circuit_failure_count", Value::Integer(0)),
        ("shared_secret", Value::SharedSecret(new.secret.clone())),
        ("disabled_at", Value::Null),
        ("reference", seed::text("R-1")),
        ("metadata", seed::object(&json!({"a": 1}))),
    ] {
        assert_eq!(made.get(attribute), &value, "{attribute}");
    }
    let logged = format!("id = '{}' AND resource_type = 'webhooks' AND resource_id = '{}'", audit.id, new.id);
    assert_eq!(scene.backdoor().count(AUDIT_LOG, &logged).await, 1);

    let twin = NewWebhook { name: Some(new.name()), ..seed::new_webhook(scope, EventName::ResetCreate) };
    let refused = store.create_webhook(scope, &twin, &seed::audit(Action::Create)).await;
    assert!(matches!(refused, Err(WriteWebhookError::Taken)), "{refused:?}");
    for other in other_scopes(store, scope).await {
        assert!(found(store, other, new.id).await.is_none());
        let twin = NewWebhook { name: Some(new.name()), ..seed::new_webhook(other, EventName::ResetCreate) };
        store.create_webhook(other, &twin, &seed::audit(Action::Create)).await.unwrap();
    }
    let disabled = NewWebhook { is_disabled: true, ..seed::new_webhook(scope, EventName::ResetCreate) };
    store.create_webhook(scope, &disabled, &seed::audit(Action::Create)).await.unwrap();
    assert!(found(store, scope, disabled.id).await.unwrap().get("disabled_at").as_time().is_some());
}

pub async fn a_scope_has_a_limited_number_of_webhooks<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    for _ in 0..MAX_WEBHOOKS {
        webhook(store, scope, EventName::CustomerCreate).await;
    }
    let refused = seed::new_webhook(scope, EventName::CustomerCreate);
    let refused = store.create_webhook(scope, &refused, &seed::audit(Action::Create)).await;
    assert!(matches!(refused, Err(WriteWebhookError::TooMany)), "{refused:?}");
    let logged = scene.backdoor().count(AUDIT_LOG, "resource_type = 'webhooks'").await;
    assert_eq!(logged, u64::from(MAX_WEBHOOKS));
    webhook(store, other_scopes(store, scope).await[0], EventName::CustomerCreate).await;
}

pub async fn a_webhook_is_changed_in_its_scope_only<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let (id, other) = (
        webhook(store, scope, EventName::ResetCreate).await,
        webhook(store, scope, EventName::ResetCreate).await,
    );
    let change = WebhookChange {
        name: Some("Resets".to_owned()),
        topic: Some(EventName::CustomerCreate),
        callback_url: Some("https://elsewhere.example/".parse().unwrap()),
        include_resources: Some(vec!["events".to_owned()]),
        is_disabled: Some(true),
        common: CommonAttributes { reference: Patch::Set("R-2".to_owned()), ..CommonAttributes::default() },
        ..WebhookChange::default()
    };
    let audit = seed::audit(Action::Update);
    for stranger in other_scopes(store, scope).await {
        assert!(!store.update_webhook(stranger, id, &change, &audit).await.unwrap());
        assert!(!store.update_webhook(stranger, id, &WebhookChange::default(), &audit).await.unwrap());
        assert!(!store.delete_webhook(stranger, id, &audit).await.unwrap());
    }
    assert!(
        store.update_webhook(scope, id, &WebhookChange::default(), &audit).await.unwrap(),
        "nothing changes"
    );
    assert_eq!(scene.backdoor().count(AUDIT_LOG, "action = 'update'").await, 0);
    assert!(store.update_webhook(scope, id, &change, &audit).await.unwrap());
    let changed = found(store, scope, id).await.unwrap();
    for (attribute, value) in [
        ("name", seed::text("Resets")),
        ("topic", seed::text("customers.create")),
        ("callback_url", seed::text("https://elsewhere.example/")),
        ("include_resources", Value::Texts(vec!["events".to_owned()])),
        ("reference", seed::text("R-2")),
    ] {
        assert_eq!(changed.get(attribute), &value, "{attribute}");
    }
    let disabled_at = changed.get("disabled_at").as_time().unwrap();
    update(store, scope, id, WebhookChange { is_disabled: Some(true), ..WebhookChange::default() }).await;
    assert_eq!(found(store, scope, id).await.unwrap().get("disabled_at").as_time(), Some(disabled_at));
    update(store, scope, id, WebhookChange { is_disabled: Some(false), ..WebhookChange::default() }).await;
    assert_eq!(found(store, scope, id).await.unwrap().get("disabled_at"), &Value::Null);

    let taken = WebhookChange { name: Some("Resets".to_owned()), ..WebhookChange::default() };
    let refused = store.update_webhook(scope, other, &taken, &seed::audit(Action::Update)).await;
    assert!(matches!(refused, Err(WriteWebhookError::Taken)), "{refused:?}");
    assert!(store.delete_webhook(scope, id, &seed::audit(Action::Destroy)).await.unwrap());
    assert!(!store.delete_webhook(scope, id, &seed::audit(Action::Destroy)).await.unwrap());
    assert!(found(store, scope, id).await.is_none());
}

pub async fn an_event_is_recorded_once_for_each_webhook_of_its_topic<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let mut subscribed = [
        webhook(store, scope, EventName::CustomerCreate).await,
        webhook(store, scope, EventName::CustomerCreate).await,
    ];
    webhook(store, scope, EventName::CustomerDestroy).await;
    let disabled = NewWebhook { is_disabled: true, ..seed::new_webhook(scope, EventName::CustomerCreate) };
    store.create_webhook(scope, &disabled, &seed::audit(Action::Create)).await.unwrap();
    webhook(store, other_scopes(store, scope).await[0], EventName::CustomerCreate).await;
    let event = customer_event(store, scope).await;

    assert_eq!(add(store, scope, event, None).await, 2);
    assert_eq!(add(store, scope, event, None).await, 0, "a message may come twice");
    let mut claimed: Vec<_> = claim(store).await.iter().map(|callback| callback.webhook).collect();
    claimed.sort_unstable();
    subscribed.sort_unstable();
    assert_eq!(claimed, subscribed);

    let audit = seed::audit(Action::Trigger);
    assert_eq!(add(store, scope, event, Some(&audit)).await, 2);
    let logged = format!("id = '{}' AND resource_type = 'events' AND resource_id = '{}'", audit.id, event.id);
    assert_eq!(backdoor.count(AUDIT_LOG, &logged).await, 1);
    assert_eq!(callbacks(store, scope).await.len(), 4);
    let relationship = EVENTS.relationship("last_event_callbacks").unwrap();
    let related = store.related(scope, &EVENTS, relationship, &[event.id.into()]).await.unwrap();
    assert_eq!(related.len(), 4);
    let relationship = EVENTS.relationship("webhooks").unwrap();
    let related = store.related(scope, &EVENTS, relationship, &[event.id.into()]).await.unwrap();
    assert_eq!(related.len(), 3, "the disabled one, too");
    assert!(related.iter().all(|Related { key, .. }| *key == event.id.into()));
    let of_event = Filter::RelatedTo(&EVENTS, relationship, event.id.into());
    let listed =
        store.list(scope, &Listing { filter: of_event, ..Listing::first_page(&WEBHOOKS) }).await.unwrap();
    assert_eq!(listed.items.len(), 3);
}

pub async fn enum_body_no_event_of_a_decoy_is_found_or_listed<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    let decoy = seed::reset(store, scope, "nobody@example.com", ResetOrigin::SelfService).await;
    let real = seed::reset(store, scope, JOHN, ResetOrigin::SelfService).await;
    assert_eq!(store.find_event(scope, decoy.event).await.unwrap(), None);
    assert!(store.find(scope, &EVENTS, decoy.event.into()).await.unwrap().is_none());
    let expected = RecordedEvent { id: real.event, name: EventName::ResetCreate, record: real.id.into() };
    assert_eq!(store.find_event(scope, real.event).await.unwrap(), Some(expected));
    for other in other_scopes(store, scope).await {
        assert_eq!(store.find_event(other, real.event).await.unwrap(), None);
    }
    let listed = store.list(scope, &Listing::first_page(&EVENTS)).await.unwrap();
    let ids: Vec<_> = listed.items.iter().map(Record::id).collect();
    assert!(ids.len() == 2 && ids.contains(&real.event.into()), "{ids:?}");
}

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

pub async fn a_former_secret_signs_along_for_a_day<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let new = seed::new_webhook(scope, EventName::CustomerCreate);
    store.create_webhook(scope, &new, &seed::audit(Action::Create)).await.unwrap();
    let event = customer_event(store, scope).await;
    add(store, scope, event, None).await;
    let secrets = async || {
        let callback = claim(store).await.remove(0);
        settle(store, &callback, Next::Retry(Duration::ZERO)).await.unwrap();
        backdoor.age("event_callbacks", "due_at", "due_at IS NOT NULL", Duration::SECOND).await;
        callback.secrets
    };
    assert_eq!(secrets().await, slice::from_ref(&new.secret));
    let next = seed::webhook_secret(scope, new.id);
    update(store, scope, new.id, WebhookChange { secret: Some(next.clone()), ..WebhookChange::default() })
        .await;
    assert_eq!(secrets().await, [next, new.secret.clone()]);
    let last = seed::webhook_secret(scope, new.id);
    update(store, scope, new.id, WebhookChange { secret: Some(last.clone()), ..WebhookChange::default() })
        .await;
    assert_eq!(
        secrets().await,
        [last.clone(), new.secret.clone()],
        "receivers may not have seen the one between"
    );
    backdoor.age("webhooks", "former_secret_until", "true", FORMER_SECRET_TTL).await;
    assert_eq!(secrets().await, [last]);
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

async fn webhook(store: &impl Store, scope: Scope, topic: EventName) -> WebhookId {
    let new = seed::new_webhook(scope, topic);
    store.create_webhook(scope, &new, &seed::audit(Action::Create)).await.unwrap();
    new.id
}

async fn update(store: &impl Store, scope: Scope, id: WebhookId, change: WebhookChange) {
    assert!(store.update_webhook(scope, id, &change, &seed::audit(Action::Update)).await.unwrap());
}

async fn found(store: &impl Store, scope: Scope, id: WebhookId) -> Option<Record> {
    store.find(scope, &WEBHOOKS, id.into()).await.unwrap()
}

async fn state(store: &impl Store, scope: Scope, id: WebhookId) -> (String, i64) {
    let record = found(store, scope, id).await.unwrap();
    let Value::Integer(failures) = record.get("circuit_failure_count") else { panic!("it is counted") };
    (record.get("circuit_state").as_text().unwrap().to_owned(), *failures)
}

/// The event of a new customer.
async fn customer_event(store: &impl Store, scope: Scope) -> RecordedEvent {
    let new = seed::new_customer(&format!("{}@example.com", CustomerId::generate(&OsRandom)), None);
    let event = seed::event(scope, EventBody::CustomerCreated { customer: new.id });
    store.create_customer(scope, &new, &event, &seed::audit(Action::Create)).await.unwrap();
    RecordedEvent { id: event.message.id, name: EventName::CustomerCreate, record: new.id.into() }
}

async fn add(store: &impl Store, scope: Scope, event: RecordedEvent, trigger: Option<&AuditEntry>) -> u64 {
    add_about(store, scope, event, Some(event.record.into()), trigger).await
}

/// Adds a callback for each webhook of the event, with the personal data of that customer.
async fn add_about(
    store: &impl Store,
    scope: Scope,
    event: RecordedEvent,
    customer: Option<CustomerId>,
    trigger: Option<&AuditEntry>,
) -> u64 {
    let subscriptions = store.subscriptions(scope, event.name).await.unwrap();
    let callback = |subscription| {
        let id = CallbackId::generate(&OsRandom);
        let payload = Payload::new("{}".to_owned());
        let payload = SealedPayload::seal(&payload, scope.organization, id, &seed::keys(), &OsRandom);
        NewCallback { id, subscription, payload }
    };
    let callbacks = subscriptions.into_iter().map(callback).collect();
    let traceparent = Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    store
        .add_callbacks(scope, &NewCallbacks { event, trigger, customer, traceparent, callbacks })
        .await
        .unwrap()
}

async fn claim(store: &impl Store) -> Vec<ClaimedCallback> {
    store.claim_callbacks(LEASE, PLENTY).await.unwrap()
}

/// Settles a claim. Returns whether that opened the circuit; `None` if it was not recorded.
async fn settle(store: &impl Store, callback: &ClaimedCallback, next: Next) -> Option<bool> {
    let (response_code, response_message) = (Some(500), "an answer".to_owned());
    let result = AttemptResult { response_code, response_message, next };
    let settled = store.settle_callback(callback.id, callback.attempt, &result).await.unwrap();
    settled.was_recorded.then_some(settled.opened_circuit)
}

async fn callbacks(store: &impl Store, scope: Scope) -> Vec<Record> {
    store.list(scope, &Listing::first_page(&EVENT_CALLBACKS)).await.unwrap().items
}
