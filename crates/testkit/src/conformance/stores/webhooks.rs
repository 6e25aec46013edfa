//! Webhooks, and what they are sent.

use std::slice;

use rekey_core::{
    attributes::{CommonAttributes, Patch},
    events::{
        EventBody, EventName,
        audit::{Action, AuditEntry},
    },
    ids::{CallbackId, CustomerId, WebhookId},
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
        MAX_WEBHOOKS, NewWebhook, WebhookChange,
        queue::{AttemptResult, ClaimLimits, ClaimedCallback, Next},
        store::{FORMER_SECRET_TTL, NewCallback, NewCallbacks, RecordedEvent, WriteWebhookError},
    },
};
use serde_json::json;
use time::Duration;

use super::{AUDIT_LOG, JOHN, StoreUnderTest, other_scopes};
use crate::{seed, store::prelude::*};

/// Longer than any test takes.
pub(super) const LEASE: Duration = Duration::minutes(1);
/// More than any test has.
pub(super) const PLENTY: ClaimLimits =
    ClaimLimits { total: 1_000, per_webhook: 1_000, per_organization: 1_000 };

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

pub(super) async fn webhook(store: &impl Store, scope: Scope, topic: EventName) -> WebhookId {
    let new = seed::new_webhook(scope, topic);
    store.create_webhook(scope, &new, &seed::audit(Action::Create)).await.unwrap();
    new.id
}

pub(super) async fn update(store: &impl Store, scope: Scope, id: WebhookId, change: WebhookChange) {
    assert!(store.update_webhook(scope, id, &change, &seed::audit(Action::Update)).await.unwrap());
}

pub(super) async fn found(store: &impl Store, scope: Scope, id: WebhookId) -> Option<Record> {
    store.find(scope, &WEBHOOKS, id.into()).await.unwrap()
}

pub(super) async fn state(store: &impl Store, scope: Scope, id: WebhookId) -> (String, i64) {
    let record = found(store, scope, id).await.unwrap();
    let Value::Integer(failures) = record.get("circuit_failure_count") else { panic!("it is counted") };
    (record.get("circuit_state").as_text().unwrap().to_owned(), *failures)
}

/// The event of a new customer.
pub(super) async fn customer_event(store: &impl Store, scope: Scope) -> RecordedEvent {
    let new = seed::new_customer(&format!("{}@example.com", CustomerId::generate(&OsRandom)), None);
    let event = seed::event(scope, EventBody::CustomerCreated { customer: new.id });
    store.create_customer(scope, &new, &event, &seed::audit(Action::Create)).await.unwrap();
    RecordedEvent { id: event.message.id, name: EventName::CustomerCreate, record: new.id.into() }
}

pub(super) async fn add(
    store: &impl Store,
    scope: Scope,
    event: RecordedEvent,
    trigger: Option<&AuditEntry>,
) -> u64 {
    add_about(store, scope, event, Some(event.record.into()), trigger).await
}

/// Adds a callback for each webhook of the event, with the personal data of that customer.
pub(super) async fn add_about(
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

pub(super) async fn claim(store: &impl Store) -> Vec<ClaimedCallback> {
    store.claim_callbacks(LEASE, PLENTY).await.unwrap()
}

/// Settles a claim. Returns whether that opened the circuit; `None` if it was not recorded.
pub(super) async fn settle(store: &impl Store, callback: &ClaimedCallback, next: Next) -> Option<bool> {
    let (response_code, response_message) = (Some(500), "an answer".to_owned());
    let result = AttemptResult { response_code, response_message, next };
    let settled = store.settle_callback(callback.id, callback.attempt, &result).await.unwrap();
    settled.was_recorded.then_some(settled.opened_circuit)
}

pub(super) async fn callbacks(store: &impl Store, scope: Scope) -> Vec<Record> {
    store.list(scope, &Listing::first_page(&EVENT_CALLBACKS)).await.unwrap().items
}
