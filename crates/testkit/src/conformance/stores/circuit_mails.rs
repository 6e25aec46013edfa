//! The mails about circuits that opened.

use rekey_core::{
    events::{EventName, audit::Action},
    ids::WebhookId,
    scope::Scope,
    webhooks::{
        MAX_FAILURES, WebhookChange,
        circuit_mails::OpenCircuit,
        queue::{AttemptResult, Next},
    },
};
use time::Duration;

use super::{
    StoreUnderTest, at_once,
    webhooks::{LEASE, add, claim, customer_event, update, webhook},
};
use crate::{backdoor::Backdoor, seed, store::prelude::*};

/// Opens the circuit by one more failed attempt.
async fn open(store: &impl Store, backdoor: &dyn Backdoor, scope: Scope, id: WebhookId) {
    let nearly =
        format!("UPDATE webhooks SET circuit_failure_count = {} WHERE id = '{id}'", MAX_FAILURES - 1);
    backdoor.script(&nearly).await;
    add(store, scope, customer_event(store, scope).await, None).await;
    let callback = claim(store).await.remove(0);
    let result = AttemptResult {
        response_code: Some(503),
        response_message: "anna@example.com can't be stored".to_owned(),
        next: Next::GivenUp,
    };
    let settled = store.settle_callback(callback.id, callback.attempt, &result).await.unwrap();
    assert!(settled.opened_circuit);
}

async fn next(store: &impl Store) -> Option<OpenCircuit> {
    store.claim_circuit_mail(LEASE).await.unwrap()
}

async fn reset(store: &impl Store, scope: Scope, id: WebhookId) {
    update(store, scope, id, WebhookChange { resets_circuit: true, ..WebhookChange::default() }).await;
}

pub async fn each_opening_of_a_circuit_leads_to_one_mail<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let id = webhook(store, scope, EventName::CustomerCreate).await;
    assert_eq!(next(store).await, None);
    open(store, backdoor, scope, id).await;
    let claims = (0..5).map(|_| {
        let store = store.clone();
        async move { next(&store).await }
    });
    let claimed: Vec<_> = at_once(claims).await.into_iter().flatten().collect();
    let [first] = claimed.as_slice() else { panic!("one of many gets it: {claimed:?}") };
    assert_eq!((first.webhook, first.scope, first.slug.as_str()), (id, scope, "shop"));
    assert_eq!((&first.name, first.topic), (&format!("Webhook {id}"), EventName::CustomerCreate));
    assert_eq!(
        (first.callback_url.host(), first.failure_count),
        ("receiver.example".to_owned(), MAX_FAILURES)
    );
    assert_eq!(first.cause, "status 503", "an answer may have personal data");

    let due = async |by| backdoor.age("webhooks", "circuit_mail_due_at", "true", by).await;
    due(LEASE).await;
    assert_eq!(next(store).await.as_ref(), Some(first), "what claimed it died");
    store.settle_circuit_mail(id, first.opened_at, Some(Duration::HOUR)).await.unwrap();
    due(LEASE).await;
    assert_eq!(next(store).await, None, "the next attempt is later");
    due(Duration::HOUR).await;
    assert_eq!(next(store).await.as_ref(), Some(first));
    store.settle_circuit_mail(id, first.opened_at, None).await.unwrap();
    // Another claim of it is settled late.
    store.settle_circuit_mail(id, first.opened_at, Some(Duration::MINUTE)).await.unwrap();
    due(Duration::DAY).await;
    assert_eq!(next(store).await, None, "it was sent");

    reset(store, scope, id).await;
    open(store, backdoor, scope, id).await;
    // What claimed the former mail comes late.
    store.settle_circuit_mail(id, first.opened_at, None).await.unwrap();
    let second = next(store).await.unwrap();
    assert!(second.opened_at > first.opened_at && second.webhook == id, "{second:?}");
}

pub async fn a_mail_is_tried_less_often_the_longer_a_circuit_is_open<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let id = webhook(store, scope, EventName::CustomerCreate).await;
    open(store, backdoor, scope, id).await;
    backdoor.age("webhooks", "circuit_opened_at", "true", Duration::DAY).await;
    let claimed = next(store).await.unwrap();
    store.settle_circuit_mail(id, claimed.opened_at, Some(Duration::MINUTE)).await.unwrap();
    backdoor.age("webhooks", "circuit_mail_due_at", "true", Duration::hours(11)).await;
    assert_eq!(next(store).await, None);
    backdoor.age("webhooks", "circuit_mail_due_at", "true", Duration::hours(2)).await;
    assert_eq!(next(store).await, Some(claimed));
}

pub async fn a_circuit_that_was_reset_or_disabled_leads_to_no_mail<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let id = webhook(store, scope, EventName::CustomerCreate).await;
    open(store, backdoor, scope, id).await;
    update(store, scope, id, WebhookChange { is_disabled: Some(true), ..WebhookChange::default() }).await;
    assert_eq!(next(store).await, None);
    update(store, scope, id, WebhookChange { is_disabled: Some(false), ..WebhookChange::default() }).await;
    reset(store, scope, id).await;
    assert_eq!(next(store).await, None);
    open(store, backdoor, scope, id).await;
    assert!(store.delete_webhook(scope, id, &seed::audit(Action::Destroy)).await.unwrap());
    assert_eq!(next(store).await, None);
}
