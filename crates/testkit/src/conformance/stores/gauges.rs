//! What is measured in the database.

use std::sync::Arc;

use rekey_core::{
    events::{EventName, outbox::Settlement},
    gauges::{KeyAges, UnsentMails, WebhookBacklog},
    key_rotation::{KeyKind, KeyRecorder},
    random::OsRandom,
    webhooks::{WebhookChange, queue::Next},
};
use time::Duration;

use super::{
    StoreUnderTest,
    ledger::{LEASE, deferred, granted, job, john_asks, sent},
    webhooks::{add, claim, customer_event, settle, update, webhook},
};
use crate::{seed, store::prelude::*};

const HOUR: Duration = Duration::HOUR;

pub async fn events_wait_until_they_are_published<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let none = store.outbox_backlog().await.unwrap();
    assert_eq!((none.waiting, none.oldest_age), (0, Duration::ZERO));
    let (_, reset) = john_asks(store).await;
    scene.backdoor().age("events", "created_at", &format!("id = '{}'", reset.event), HOUR).await;
    let claimed = store.claim_messages(LEASE, 100).await.unwrap();
    let waiting = store.outbox_backlog().await.unwrap();
    assert_eq!(waiting.waiting, u64::try_from(claimed.len()).unwrap(), "claimed ones wait, too");
    assert!(waiting.oldest_age >= HOUR && waiting.oldest_age < HOUR * 2, "{waiting:?}");
    store.settle_messages(&[Settlement::Published(reset.event)]).await.unwrap();
    let others = store.outbox_backlog().await.unwrap();
    assert_eq!(others.waiting, waiting.waiting - 1);
    assert!(others.oldest_age < HOUR, "{others:?}");
}

pub async fn mails_are_unsent_until_they_are_settled<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let none = UnsentMails { queued: 0, deferred: 0, oldest_age: Duration::ZERO };
    assert_eq!(store.unsent_mails().await.unwrap(), none);
    let (scope, reset) = john_asks(store).await;
    scene.backdoor().age("deliveries", "created_at", "true", HOUR).await;
    let queued = store.unsent_mails().await.unwrap();
    assert_eq!((queued.queued, queued.deferred), (1, 0));
    assert!(queued.oldest_age >= HOUR && queued.oldest_age < HOUR * 2, "{queued:?}");
    granted(store, &job(scope, &reset)).await;
    store.settle(reset.event, 1, &deferred("450 later")).await.unwrap();
    let waiting = store.unsent_mails().await.unwrap();
    assert_eq!((waiting.queued, waiting.deferred), (0, 1));
    scene.backdoor().age("deliveries", "next_attempt_at", "true", HOUR).await;
    granted(store, &job(scope, &reset)).await;
    store.settle(reset.event, 2, &sent("250 ok")).await.unwrap();
    assert_eq!(store.unsent_mails().await.unwrap(), none);
}

pub async fn callbacks_are_due_until_they_are_settled<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let none = WebhookBacklog { due: 0, oldest_due_age: Duration::ZERO, open_circuits: 0 };
    assert_eq!(store.webhook_backlog().await.unwrap(), none);
    let scope = seed::scope(store, "shop").await;
    let id = webhook(store, scope, EventName::CustomerCreate).await;
    for _ in 0..2 {
        let event = customer_event(store, scope).await;
        add(store, scope, event, None).await;
    }
    let claimed = claim(store).await;
    let older = format!("id = '{}'", claimed[0].id);
    backdoor.age("event_callbacks", "due_at", &older, HOUR).await;
    let due = store.webhook_backlog().await.unwrap();
    assert_eq!((due.due, due.open_circuits), (2, 0), "those that are being made, too");
    assert!(due.oldest_due_age >= HOUR && due.oldest_due_age < HOUR * 2, "{due:?}");
    let open = format!("UPDATE webhooks SET circuit_opened_at = created_at WHERE id = '{id}'");
    backdoor.script(&open).await;
    assert_eq!(store.webhook_backlog().await.unwrap(), WebhookBacklog { open_circuits: 1, ..none });
    update(store, scope, id, WebhookChange { is_disabled: Some(true), ..WebhookChange::default() }).await;
    assert_eq!(store.webhook_backlog().await.unwrap(), none);
    let repaired =
        WebhookChange { is_disabled: Some(false), resets_circuit: true, ..WebhookChange::default() };
    update(store, scope, id, repaired).await;
    settle(store, &claimed[0], Next::Retry(HOUR)).await;
    let due = store.webhook_backlog().await.unwrap();
    assert!(due.due == 1 && due.oldest_due_age < HOUR, "a later attempt is not due: {due:?}");
    settle(store, &claimed[1], Next::Delivered).await;
    assert_eq!(store.webhook_backlog().await.unwrap(), none);
}

pub async fn a_key_is_as_old_as_its_first_use_whatever_follows_it<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    assert_eq!(store.key_ages().await.unwrap(), KeyAges::default());
    let start = async |signing: &[&str]| {
        let ids = signing.iter().map(|id| (*id).to_owned()).collect();
        let keys = [(KeyKind::SigningKeys, ids), (KeyKind::SealingKeys, vec!["k1".to_owned()])];
        KeyRecorder { store: Arc::new(store.clone()), random: Arc::new(OsRandom), keys }.run().await;
        let ages = store.key_ages().await.unwrap();
        (ages.signing.unwrap() >= HOUR, ages.sealing.unwrap() >= HOUR)
    };
    assert_eq!(start(&["s1"]).await, (false, false));
    scene.backdoor().age("known_keys", "current_since", "true", HOUR).await;
    assert_eq!(start(&["s1", "s2"]).await, (true, true), "another key verifies, too");
    assert_eq!(start(&["s2", "s1"]).await, (false, true), "another key signs");
}
