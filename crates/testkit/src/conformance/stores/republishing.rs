//! Events that are published again because their mail is overdue.

use rekey_core::events::outbox::{ClaimedMessage, REPUBLISH_AFTER, Settlement};
use time::Duration;

use super::{
    StoreUnderTest,
    ledger::{LEASE, deferred, granted, job, john_asks, sent},
};
use crate::store::prelude::*;

/// Finding B7: whatever made the message vanish.
pub async fn b7_the_event_of_an_overdue_mail_is_published_again<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let (_, reset) = john_asks(store).await;
    let messages = store.claim_messages(LEASE, 10).await.unwrap();
    let message = messages.iter().find(|claimed| claimed.message.id == reset.event).unwrap().message.clone();
    let minute = Duration::MINUTE;
    for (attempt, times) in [(2, 1), (3, 2), (4, 4)] {
        let interval = REPUBLISH_AFTER * times;
        let published: Vec<_> =
            messages.iter().map(|claimed| Settlement::Published(claimed.message.id)).collect();
        store.settle_messages(&published).await.unwrap();
        for (after, is_due) in [(interval - minute, false), (minute * 2, true)] {
            for (table, column) in [("deliveries", "created_at"), ("events", "published_at")] {
                backdoor.age(table, column, "true", after).await;
            }
            assert_eq!(store.republish_overdue(10).await.unwrap(), u64::from(is_due), "after {interval}");
        }
        let again = store.claim_messages(LEASE, 10).await.unwrap();
        assert_eq!(again, [ClaimedMessage { message: message.clone(), attempt }]);
    }
}

/// One that is deferred, or that a mailer works on, has time left, and a settled one is never published again.
pub async fn only_overdue_mails_have_their_events_published_again<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let (scope, reset) = john_asks(store).await;
    let job = job(scope, &reset);
    for claimed in store.claim_messages(LEASE, 10).await.unwrap() {
        store.settle_messages(&[Settlement::Published(claimed.message.id)]).await.unwrap();
    }
    let (old, event) = (REPUBLISH_AFTER * 3, format!("id = '{}'", reset.event));
    backdoor.age("deliveries", "created_at", "true", old).await;
    backdoor.age("events", "published_at", "true", old).await;
    granted(store, &job).await;
    assert_eq!(store.republish_overdue(10).await.unwrap(), 0, "a mailer works on it");
    store.settle(reset.event, 1, &deferred("450 later")).await.unwrap();
    assert_eq!(store.republish_overdue(10).await.unwrap(), 0, "it is deferred");
    assert_eq!(backdoor.count("events", &format!("{event} AND payload IS NOT NULL")).await, 1);
    backdoor.age("deliveries", "next_attempt_at", "true", Duration::hours(2)).await;
    granted(store, &job).await;
    store.settle(reset.event, 2, &sent("250 ok")).await.unwrap();
    assert_eq!(store.republish_overdue(10).await.unwrap(), 0, "it is sent");
    let erased =
        format!("{event} AND payload IS NULL AND republish_after IS NULL AND published_at IS NOT NULL");
    assert_eq!(backdoor.count("events", &erased).await, 1);
}

/// The mailer may be quicker than the relay, which settles the message after the confirms of all queues.
pub async fn a_mail_that_is_settled_first_leaves_its_event_to_the_relay<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let (scope, reset) = john_asks(store).await;
    store.claim_messages(LEASE, 10).await.unwrap();
    granted(store, &job(scope, &reset)).await;
    store.settle(reset.event, 1, &sent("250 ok")).await.unwrap();
    // Another queue did not confirm.
    store.settle_messages(&[Settlement::Later(reset.event, Duration::ZERO)]).await.unwrap();
    let [again] = store.claim_messages(LEASE, 10).await.unwrap().try_into().unwrap();
    assert_eq!(again.message.id, reset.event);
    for late in [Settlement::Published(reset.event), Settlement::Later(reset.event, Duration::ZERO)] {
        store.settle_messages(&[late]).await.unwrap();
        let erased = format!("id = '{}' AND payload IS NULL AND published_at IS NOT NULL", reset.event);
        assert_eq!(backdoor.count("events", &erased).await, 1);
    }
    assert_eq!(store.claim_messages(LEASE, 10).await.unwrap(), []);
}
