//! "It wasn't me": resets that the recipient of the mail rejects.

use rekey_core::{
    attributes::CommonAttributes,
    events::{EventBody, audit::Action},
    ids::ResetId,
    resets::{RejectableReset, ResetOrigin, TokenState, store::ResetRejection},
    secrets::AddressDigest,
};
use time::Duration;

use super::{
    JOHN, StoreUnderTest, at_once, complete, holder,
    self_service::{QUOTA, ask},
    written,
};
use crate::seed::{self, TOKEN_TTL};
use crate::store::prelude::*;

const COOLDOWN: Duration = Duration::hours(1);

pub(super) async fn reject(store: &impl Store, of: &RejectableReset, cooldown: Duration) -> bool {
    let event = seed::event(of.scope, EventBody::ResetRejected { reset: of.reset });
    let audit = seed::audit(Action::Reject);
    let rejection = ResetRejection {
        reset: of,
        address_digest: AddressDigest::new(of.scope, &of.email, &seed::keys()),
        delay: cooldown - QUOTA.cooldown,
        event: &event,
        audit: &audit,
    };
    store.reject_reset(&rejection).await.unwrap()
}

pub(super) async fn found(store: &impl Store, reset: ResetId) -> RejectableReset {
    store.find_rejectable(reset).await.unwrap().unwrap()
}

pub async fn a_rejected_resets_token_is_dead_and_the_account_is_on_hold<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    // With a quota used before, and with an unused one.
    for origin in [ResetOrigin::SelfService, ResetOrigin::Integration] {
        let reset = seed::reset(store, scope, JOHN, origin).await;
        let of = found(store, reset.id).await;
        assert_eq!((of.scope, of.reset, of.email.as_str()), (scope, reset.id, JOHN));
        assert_eq!((of.organization.slug.as_str(), of.state), ("shop", TokenState::Pending));

        let [resets, events, audits] = written(backdoor).await;
        assert!(reject(store, &of, COOLDOWN).await);
        assert!(holder(store, &reset).await.is_none());
        assert_eq!(written(backdoor).await, [resets, events + 1, audits + 1]);
        let event = format!("name = 'customer_password_resets.disavow' AND resource_id = '{}'", reset.id);
        assert_eq!(backdoor.count("events", &event).await, 1);
        assert_eq!(found(store, reset.id).await.state, TokenState::Dead);

        let before = written(backdoor).await;
        assert!(!reject(store, &of, COOLDOWN).await, "once is enough");
        assert!(!ask(store, scope, JOHN).await, "held up");
        backdoor.age("reset_cooldowns", "last_reset_at", "true", COOLDOWN - Duration::minutes(1)).await;
        assert!(!ask(store, scope, JOHN).await, "held up still");
        assert_eq!(written(backdoor).await, before);
        backdoor.age("reset_cooldowns", "last_reset_at", "true", Duration::minutes(1)).await;
        assert!(ask(store, scope, JOHN).await, "not for ever");
        backdoor.age("reset_cooldowns", "last_reset_at", "true", QUOTA.window).await;
    }
}

pub async fn a_rejection_never_shortens_a_cooldown<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    assert!(ask(store, scope, JOHN).await);
    let reset = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
    assert!(reject(store, &found(store, reset.id).await, Duration::ZERO).await);
    assert!(!ask(store, scope, JOHN).await);
}

pub async fn used_expired_and_unknown_resets_are_not_rejected<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    let expired = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
    let only = format!("id = '{}'", expired.id);
    backdoor.age("password_resets", "expires_at", &only, TOKEN_TTL).await;
    let used = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
    let of = holder(store, &used).await.unwrap();
    assert!(complete(store, &of, &used.token, &seed::hash("new"), &CommonAttributes::default()).await);
    let decoy = seed::reset(store, scope, "nobody@example.com", ResetOrigin::SelfService).await;

    let before = written(backdoor).await;
    for (reset, state) in [(&expired, TokenState::Dead), (&used, TokenState::Used)] {
        let of = found(store, reset.id).await;
        assert_eq!(of.state, state);
        assert!(!reject(store, &of, COOLDOWN).await);
    }
    assert!(store.find_rejectable(decoy.id).await.unwrap().is_none());
    let other = RejectableReset { scope: seed::scope(store, "other").await, ..found(store, used.id).await };
    assert!(!reject(store, &other, COOLDOWN).await);
    assert_eq!(written(backdoor).await, before);
}

pub async fn one_of_simultaneous_rejections_and_uses_wins<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    let reset = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
    let (of, by) = (found(store, reset.id).await, holder(store, &reset).await.unwrap());
    let before = written(backdoor).await;
    let calls = (0..20).map(|n| {
        let (store, of, by, token) = (store.clone(), of.clone(), by.clone(), reset.token.clone());
        async move {
            if n % 2 == 0 {
                reject(&store, &of, COOLDOWN).await
            } else {
                complete(&store, &by, &token, &seed::hash("new"), &CommonAttributes::default()).await
            }
        }
    });
    let won = at_once(calls).await.into_iter().filter(|won| *won).count();
    assert_eq!(won, 1);
    let [resets, events, audits] = before;
    assert_eq!(written(backdoor).await, [resets, events + 1, audits + 1]);
}
