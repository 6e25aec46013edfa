//! The quota of self-service resets.

use rekey_core::{
    events::audit::Action,
    resets::store::ResetRecord,
    resets::{NewReset, ResetOrigin, ResetQuota},
};
use time::Duration;

use super::{JOHN, StoreUnderTest, at_once, holder, written};
use crate::seed;
use crate::store::prelude::*;

/// Longer than any of these tests takes.
const COOLDOWN: Duration = Duration::minutes(10);

pub(super) const QUOTA: ResetQuota =
    ResetQuota { cooldown: COOLDOWN, budget: 3, window: Duration::hours(24) };

/// Requests a reset, and returns whether one was created.
pub(super) async fn ask(store: &impl Store, scope: rekey_core::scope::Scope, address: &str) -> bool {
    let (reset, _) = seed::new_reset(scope, address, ResetOrigin::SelfService);
    let reset = NewReset { quota: QUOTA, ..reset };
    let event = seed::reset_created(scope, &reset);
    let record = ResetRecord { reset: &reset, event: &event, audit: &seed::audit(Action::Create) };
    store.create_reset(scope, &record).await.unwrap().is_some()
}

pub async fn mail_bomb_inside_the_cooldown_nothing_is_created<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    for address in [JOHN, "nobody@example.com"] {
        assert!(ask(store, scope, address).await);
        let before = written(backdoor).await;
        let subaddress = address.replace('@', "+shop@");
        for again in [address, &address.to_uppercase(), &subaddress] {
            assert!(!ask(store, scope, again).await, "{again}");
        }
        assert_eq!(written(backdoor).await, before);
    }
    let by_integration = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
    assert!(holder(store, &by_integration).await.is_some(), "a back office waits for nobody");
    backdoor.age("reset_quotas", "last_reset_at", "true", COOLDOWN).await;
    assert!(ask(store, scope, JOHN).await);
    assert!(ask(store, scope, "nobody+shop@example.com").await);
}

pub async fn mail_bomb_a_window_has_its_budget_and_the_next_one_its_own<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    for address in [JOHN, "nobody@example.com"] {
        for _window in 0..2 {
            let mut made = 0;
            for _ in 0..6 {
                made += u32::from(ask(store, scope, address).await);
                backdoor.age("reset_quotas", "last_reset_at", "true", COOLDOWN).await;
            }
            assert_eq!(made, QUOTA.budget, "{address}");
            backdoor.age("reset_quotas", "window_started_at", "true", QUOTA.window).await;
        }
    }
}

pub async fn mail_bomb_simultaneous_requests_create_one<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    let requests = (0..50).map(|n| {
        let (store, address) = (store.clone(), format!("john+{n}@example.com"));
        async move { ask(&store, scope, &address).await }
    });
    let made = at_once(requests).await;
    assert_eq!(made.iter().filter(|made| **made).count(), 1);
}
