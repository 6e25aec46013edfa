//! Log-ins.

use rekey_core::{
    events::audit::Action,
    ids::{ApplicationId, CustomerId, SessionId},
    passwords::PasswordHash,
    random::OsRandom,
    resets::ResetOrigin,
    scope::Scope,
    secrets::RefreshToken,
    sessions::{NewSession, Refresh, RefreshOutcome, TokenScope},
};
use time::Duration;

use super::{JOHN, StoreUnderTest, at_once, other_scopes, use_up};
use crate::seed;
use crate::store::prelude::*;

/// The lifetime of the sessions here.
const TTL: Duration = Duration::weeks(2);
/// Their maximum age.
pub(super) const MAX_AGE: Duration = Duration::days(90);

pub async fn a_session_lives_until_it_expires_and_in_its_scope_only<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, Some(seed::hash("first"))).await;
    let session = open(store, scope, john.id, &seed::hash("first")).await.unwrap();

    assert!(is_live(store, scope, session).await);
    assert!(!is_live(store, scope, SessionId::generate(&OsRandom)).await);
    for other in other_scopes(store, scope).await {
        assert!(!is_live(store, other, session).await);
    }
    scene.backdoor().age("sessions", "expires_at", "true", TTL - Duration::minutes(5)).await;
    assert!(is_live(store, scope, session).await);
    scene.backdoor().age("sessions", "expires_at", "true", Duration::minutes(6)).await;
    assert!(!is_live(store, scope, session).await);
}

pub async fn a_session_opens_only_under_the_password_that_was_verified<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, Some(seed::hash("first"))).await;
    let guest = seed::customer(store, scope, "guest@example.com", None).await;

    assert!(open(store, scope, john.id, &seed::hash("second")).await.is_none());
    assert!(open(store, scope, guest.id, &seed::hash("first")).await.is_none());
    for other in other_scopes(store, scope).await {
        assert!(open(store, other, john.id, &seed::hash("first")).await.is_none());
    }
    assert_eq!(scene.backdoor().count("sessions", "true").await, 0);

    let session = open(store, scope, john.id, &seed::hash("first")).await.unwrap();
    store.rehash_password(scope, john.id, &seed::hash("first"), &seed::hash("rehashed")).await.unwrap();
    assert!(is_live(store, scope, session).await, "a rehash is no new password");
}

/// A4. The age counts from the sign-in, whatever refreshes follow, by the database's clock.
pub async fn a4_a_session_is_fresh_for_a_time_after_its_sign_in<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, Some(seed::hash("first"))).await;
    let token = RefreshToken::generate(&OsRandom);
    let (id, application) = (SessionId::generate(&OsRandom), ApplicationId::generate(&OsRandom));
    let session = NewSession {
        id,
        customer: john.id,
        application,
        token_scope: &TokenScope::default(),
        refresh_token: &token.digest(),
        password: &seed::hash("first"),
        ttl: TTL,
    };
    assert!(store.open_session(scope, &session).await.unwrap());
    let max_age = Duration::minutes(15);
    let is_fresh = async || store.session_is_live(scope, id, max_age).await.unwrap();
    assert!(is_fresh().await);
    for other in other_scopes(store, scope).await {
        assert!(!store.session_is_live(other, id, max_age).await.unwrap());
    }
    assert!(!store.session_is_live(scope, SessionId::generate(&OsRandom), max_age).await.unwrap());

    backdoor.age("sessions", "created_at", "true", Duration::minutes(14)).await;
    assert!(is_fresh().await);
    backdoor.age("sessions", "created_at", "true", Duration::minutes(2)).await;
    assert!(!is_fresh().await);
    assert!(store.session_is_live(scope, id, Duration::HOUR).await.unwrap());
    let refresh = Refresh {
        application,
        presented: &token.digest(),
        next: &RefreshToken::generate(&OsRandom).digest(),
        ttl: TTL,
        max_age: MAX_AGE,
        leeway: Duration::ZERO,
        reuse: &seed::audit(Action::RefreshTokenReused),
    };
    let refreshed = store.refresh_session(scope, &refresh).await.unwrap();
    assert!(matches!(refreshed, RefreshOutcome::Rotated(_)));
    assert!(!is_fresh().await, "a refresh is no sign-in");

    let again = open(store, scope, john.id, &seed::hash("first")).await.unwrap();
    assert!(store.session_is_live(scope, again, max_age).await.unwrap());
    store.end_session(scope, again).await.unwrap();
    assert!(!store.session_is_live(scope, again, max_age).await.unwrap());
}

pub async fn sessions_end_when_a_reset_is_used<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, Some(seed::hash("first"))).await;
    let jane = seed::customer(store, scope, "jane@example.com", Some(seed::hash("hers"))).await;
    let his = [
        open(store, scope, john.id, &seed::hash("first")).await,
        open(store, scope, john.id, &seed::hash("first")).await,
    ];
    let hers = open(store, scope, jane.id, &seed::hash("hers")).await.unwrap();

    let reset = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
    assert!(is_live(store, scope, his[0].unwrap()).await, "asking for a reset ends nothing");
    use_up(store, &reset, "second").await;
    for session in his {
        assert!(!is_live(store, scope, session.unwrap()).await);
    }
    assert!(is_live(store, scope, hers).await);
    let new = open(store, scope, john.id, &seed::hash("second")).await.unwrap();
    assert!(is_live(store, scope, new).await);

    // The same password chosen again counts as a new one.
    let reset = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
    use_up(store, &reset, "second").await;
    assert!(!is_live(store, scope, new).await);
}

pub async fn sessions_opened_while_the_password_changes_end_too<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, Some(seed::hash("first"))).await;
    let reset = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;

    let log_ins = (0..40).map(|_| {
        let store = store.clone();
        async move { open(&store, scope, john.id, &seed::hash("first")).await }
    });
    let (opened, _) = tokio::join!(at_once(log_ins), use_up(store, &reset, "second"));
    for session in opened.into_iter().flatten() {
        assert!(!is_live(store, scope, session).await);
    }
}

pub async fn a_session_is_ended_in_its_scope_only<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, Some(seed::hash("first"))).await;
    let ended = open(store, scope, john.id, &seed::hash("first")).await.unwrap();
    let other = open(store, scope, john.id, &seed::hash("first")).await.unwrap();

    for elsewhere in other_scopes(store, scope).await {
        store.end_session(elsewhere, ended).await.unwrap();
    }
    assert!(is_live(store, scope, ended).await);
    for _ in 0..2 {
        store.end_session(scope, ended).await.unwrap();
        assert!(!is_live(store, scope, ended).await);
    }
    assert!(is_live(store, scope, other).await);
}

pub async fn log_ins_remove_expired_sessions<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, Some(seed::hash("first"))).await;
    for _ in 0..15 {
        open(store, scope, john.id, &seed::hash("first")).await.unwrap();
    }
    scene.backdoor().age("sessions", "expires_at", "true", TTL + Duration::seconds(1)).await;
    let first = open(store, scope, john.id, &seed::hash("first")).await.unwrap();
    let second = open(store, scope, john.id, &seed::hash("first")).await.unwrap();
    assert_eq!(scene.backdoor().count("sessions", "true").await, 2, "each log-in clears up to ten");
    for session in [first, second] {
        assert!(is_live(store, scope, session).await);
    }
}

/// A12. By the database's clock, from the sign-in, and also where the setting was higher when the session was opened.
pub async fn a12_a_session_ends_at_its_maximum_age<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, Some(seed::hash("first"))).await;
    let session = open(store, scope, john.id, &seed::hash("first")).await.unwrap();
    backdoor.age("sessions", "created_at", "true", MAX_AGE - Duration::minutes(5)).await;
    assert!(is_live(store, scope, session).await);
    assert!(!store.session_is_live(scope, session, MAX_AGE - Duration::minutes(6)).await.unwrap());
    backdoor.age("sessions", "created_at", "true", Duration::minutes(6)).await;
    assert!(!is_live(store, scope, session).await);
}

pub(super) async fn is_live(store: &impl Sessions, scope: Scope, session: SessionId) -> bool {
    store.session_is_live(scope, session, MAX_AGE).await.unwrap()
}

pub(super) async fn open(
    store: &impl Sessions,
    scope: Scope,
    customer: CustomerId,
    password: &PasswordHash,
) -> Option<SessionId> {
    let id = SessionId::generate(&OsRandom);
    let session = NewSession {
        id,
        customer,
        application: ApplicationId::generate(&OsRandom),
        token_scope: &TokenScope::default(),
        refresh_token: &RefreshToken::generate(&OsRandom).digest(),
        password,
        ttl: TTL,
    };
    store.open_session(scope, &session).await.unwrap().then_some(id)
}
