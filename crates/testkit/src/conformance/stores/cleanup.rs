//! The removal of old records.

use rekey_core::resets::ResetOrigin;
use time::Duration;

use super::{JOHN, StoreUnderTest, found_reset, holder, ledger::job, written};
use crate::seed;
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
    for address in ["old@example.com", "older@example.com"] {
        seed::reset(store, scope, address, ResetOrigin::SelfService).await;
    }
    backdoor.age("reset_quotas", "last_reset_at", "true", AGE).await;
    seed::reset(store, scope, "young@example.com", ResetOrigin::SelfService).await;
    assert_eq!(store.forget_quotas(AGE).await.unwrap(), 2);
    assert_eq!(backdoor.count("reset_quotas", "true").await, 1);
}
