//! The outbox, as the relay uses it.

use std::collections::HashSet;

use rekey_core::{
    events::outbox::{ClaimedMessage, OutboxMessage, Settlement},
    ids::EventId,
    resets::store::ResetRecord,
    resets::{NewReset, ResetOrigin},
};
use time::Duration;

use super::{JOHN, StoreUnderTest, at_once};
use crate::seed;
use crate::store::prelude::*;

/// Longer than any of these tests takes.
const LEASE: Duration = Duration::minutes(10);

pub async fn messages_are_claimed_oldest_first_as_they_were_written<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    assert_eq!(store.claim_messages(LEASE, 10).await.unwrap(), []);
    let mut messages = fill(store, 6).await;
    // The last one written becomes the oldest.
    let last = messages.pop().unwrap();
    scene.backdoor().age("events", "available_at", &format!("id = '{}'", last.id), Duration::hours(1)).await;
    messages.insert(0, last);

    let expected: Vec<_> =
        messages.into_iter().map(|message| ClaimedMessage { message, attempt: 1 }).collect();
    assert_eq!(store.claim_messages(LEASE, 4).await.unwrap(), expected[..4]);
    assert_eq!(store.claim_messages(LEASE, 4).await.unwrap(), expected[4..]);
    assert_eq!(store.claim_messages(LEASE, 4).await.unwrap(), []);
}

pub async fn no_message_goes_to_two_claimers<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let messages = fill(store, 120).await;
    let claimers = (0..16).map(|_| {
        let store = store.clone();
        async move {
            let mut mine = Vec::new();
            loop {
                let claimed = store.claim_messages(LEASE, 3).await.unwrap();
                assert!(claimed.len() <= 3);
                if claimed.is_empty() {
                    break mine;
                }
                mine.extend(claimed.into_iter().map(|claim| claim.message.id));
                assert!(mine.len() <= 120, "a message came twice");
            }
        }
    });
    let claimed: Vec<EventId> = at_once(claimers).await.into_iter().flatten().collect();
    assert_eq!(claimed.len(), messages.len());
    assert_eq!(
        claimed.into_iter().collect::<HashSet<_>>(),
        messages.iter().map(|message| message.id).collect()
    );
}

pub async fn a_lease_that_ends_gives_the_message_to_the_next<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let [message] = fill(store, 1).await.try_into().unwrap();
    for attempt in 1..=3 {
        let claimed = store.claim_messages(LEASE, 10).await.unwrap();
        assert_eq!(claimed, [ClaimedMessage { message: message.clone(), attempt }]);
        scene.backdoor().age("events", "available_at", "true", LEASE - Duration::minutes(2)).await;
        assert_eq!(store.claim_messages(LEASE, 10).await.unwrap(), []);
        scene.backdoor().age("events", "available_at", "true", Duration::minutes(3)).await;
    }
}

pub async fn a_published_message_without_a_mail_is_done_and_its_payload_gone<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    let [ClaimedMessage { message, .. }] = store.claim_messages(LEASE, 10).await.unwrap().try_into().unwrap();
    store.settle_messages(&[Settlement::Published(message.id)]).await.unwrap();
    let done = format!("id = '{}' AND payload IS NULL AND published_at IS NOT NULL", message.id);
    assert_eq!(scene.backdoor().count("events", &done).await, 1);

    // A claimer that fails after its lease does not bring it back.
    let late = [
        Settlement::Later(message.id, Duration::ZERO),
        Settlement::Dead(message.id, "late".to_owned()),
        Settlement::Published(message.id),
    ];
    store.settle_messages(&late).await.unwrap();
    assert_eq!(scene.backdoor().count("events", &format!("{done} AND dead_at IS NULL")).await, 1);
    scene.backdoor().age("events", "available_at", "true", LEASE * 2).await;
    assert_eq!(store.claim_messages(LEASE, 10).await.unwrap(), []);
}

pub async fn a_message_settled_for_later_comes_back_when_it_is_due<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let [message] = fill(store, 1).await.try_into().unwrap();
    store.claim_messages(LEASE, 1).await.unwrap();
    store.settle_messages(&[Settlement::Later(message.id, Duration::hours(1))]).await.unwrap();
    scene.backdoor().age("events", "available_at", "true", Duration::minutes(58)).await;
    assert_eq!(store.claim_messages(LEASE, 1).await.unwrap(), []);
    scene.backdoor().age("events", "available_at", "true", Duration::minutes(3)).await;
    assert_eq!(
        store.claim_messages(LEASE, 1).await.unwrap(),
        [ClaimedMessage { message: message.clone(), attempt: 2 }]
    );
    store.settle_messages(&[Settlement::Later(message.id, Duration::ZERO)]).await.unwrap();
    assert_eq!(store.claim_messages(LEASE, 1).await.unwrap(), [ClaimedMessage { message, attempt: 3 }]);
}

pub async fn a_dead_message_is_parked_with_its_reason<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let [message] = fill(store, 1).await.try_into().unwrap();
    store.claim_messages(LEASE, 1).await.unwrap();
    store.settle_messages(&[Settlement::Dead(message.id, "it's \"poison\"".to_owned())]).await.unwrap();
    let reason = format!(
        "SELECT dead_reason FROM events WHERE id = '{}' AND payload IS NOT NULL AND dead_at IS NOT NULL",
        message.id
    );
    assert_eq!(scene.backdoor().text(&reason).await.as_deref(), Some("it's \"poison\""));
    store.settle_messages(&[Settlement::Later(message.id, Duration::ZERO)]).await.unwrap();
    scene.backdoor().age("events", "available_at", "true", LEASE * 2).await;
    assert_eq!(store.claim_messages(LEASE, 10).await.unwrap(), []);
}

pub async fn many_messages_are_settled_together<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    store.settle_messages(&[]).await.unwrap();
    let messages = fill(store, 9).await;
    let unknown = seed::opaque_message(messages[0].name);
    store.claim_messages(LEASE, 9).await.unwrap();
    let mut settlements: Vec<_> = messages
        .iter()
        .enumerate()
        .map(|(n, message)| match n % 3 {
            0 => Settlement::Published(message.id),
            1 => Settlement::Later(message.id, Duration::ZERO),
            _ => Settlement::Dead(message.id, format!("reason {n}")),
        })
        .collect();
    settlements.push(Settlement::Published(unknown.id));
    store.settle_messages(&settlements).await.unwrap();

    assert_eq!(
        scene.backdoor().count("events", "published_at IS NOT NULL AND name <> 'customers.create'").await,
        3
    );
    assert_eq!(scene.backdoor().count("events", "dead_reason LIKE 'reason %'").await, 3);
    let again: HashSet<_> =
        store.claim_messages(LEASE, 9).await.unwrap().into_iter().map(|claim| claim.message.id).collect();
    assert_eq!(again, [1, 4, 7].map(|n| messages[n].id).into());
}

/// Writes `count` events, each with a reset of its own, and returns their messages in order.
async fn fill(store: &impl Store, count: usize) -> Vec<OutboxMessage> {
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    for claimed in store.claim_messages(LEASE, 10).await.unwrap() {
        store.settle_messages(&[Settlement::Published(claimed.message.id)]).await.unwrap();
    }
    let mut messages = Vec::new();
    for _ in 0..count {
        let (reset, _): (NewReset, _) = seed::new_reset(scope, JOHN, ResetOrigin::Integration);
        let event = seed::reset_created(scope, &reset);
        let audit = seed::audit(rekey_core::events::audit::Action::Create);
        store
            .create_reset(scope, &ResetRecord { reset: &reset, event: &event, audit: &audit })
            .await
            .unwrap()
            .unwrap();
        messages.push(event.message);
    }
    messages
}
