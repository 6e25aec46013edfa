//! Uses of refresh tokens.

use rekey_core::{
    events::audit::Action,
    ids::{ApplicationId, CustomerId, SessionId},
    random::OsRandom,
    resets::ResetOrigin,
    scope::Scope,
    secrets::RefreshToken,
    sessions::{EndSessionOutcome, LiveSession, NewSession, Refresh, RefreshOutcome, TokenScope},
};
use time::Duration;

use super::{
    AUDIT_LOG, JOHN, StoreUnderTest, at_once, other_scopes,
    sessions::{MAX_AGE, is_live},
    use_up,
};
use crate::seed;
use crate::store::prelude::*;

/// The lifetime of the sessions here.
const TTL: Duration = Duration::weeks(2);
/// The leeway for used tokens, longer than any of these tests takes.
const LEEWAY: Duration = Duration::minutes(10);

pub async fn a_refresh_returns_the_next_token_with_the_full_lifetime<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let john = Login::of_john(store).await;
    let mut token = john.token.clone();
    for round in 0..3 {
        scene.backdoor().age("sessions", "expires_at", "true", TTL - Duration::minutes(5)).await;
        let next = RefreshToken::generate(&OsRandom);
        let prolonged = RefreshOutcome::Rotated(LiveSession {
            id: john.session,
            customer: john.customer,
            token_scope: "market:id:xYZkjABcde".parse().unwrap(),
            ttl: TTL,
        });
        assert_eq!(john.refresh(store, &token, &next).await, prolonged, "round {round}");
        assert!(is_live(store, john.scope, john.session).await);
        token = next;
    }
    assert_eq!(scene.backdoor().count("sessions", "true").await, 1);
    scene.backdoor().age("sessions", "expires_at", "true", TTL - Duration::minutes(5)).await;
    assert!(is_live(store, john.scope, john.session).await);
    scene.backdoor().age("sessions", "expires_at", "true", Duration::minutes(6)).await;
    assert!(!is_live(store, john.scope, john.session).await);
}

/// A12. The age counts from the sign-in, by the database's clock.
pub async fn a12_a_refresh_never_extends_a_session_beyond_its_maximum_age<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let john = Login::of_john(store).await;
    backdoor.age("sessions", "created_at", "true", MAX_AGE - Duration::minutes(5)).await;
    let next = RefreshToken::generate(&OsRandom);
    let RefreshOutcome::Rotated(session) = john.refresh(store, &john.token, &next).await else {
        panic!("the session is not too old")
    };
    assert!((Duration::minutes(4)..=Duration::minutes(5)).contains(&session.ttl), "{}", session.ttl);
    backdoor.age("sessions", "expires_at", "true", Duration::minutes(3)).await;
    assert!(is_live(store, john.scope, john.session).await);
    backdoor.age("sessions", "expires_at", "true", Duration::minutes(3)).await;
    assert!(!is_live(store, john.scope, john.session).await, "it expires at its maximum age");
    assert_eq!(john.try_refresh(store, &next).await, RefreshOutcome::Refused);

    // One that expires later, since it was opened under a higher maximum.
    let older = Login::open(store, john.scope, john.customer).await;
    backdoor.age("sessions", "created_at", "true", MAX_AGE).await;
    assert_eq!(older.try_refresh(store, &older.token).await, RefreshOutcome::Refused);
}

pub async fn a_used_token_that_comes_again_ends_its_session<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let john = Login::of_john(store).await;
    let other = Login::open(store, john.scope, john.customer).await;
    let [second, third] = [john.next(store, &john.token).await, RefreshToken::generate(&OsRandom)];
    assert!(matches!(john.refresh(store, &second, &third).await, RefreshOutcome::Rotated(_)));

    assert_eq!(john.try_refresh(store, &john.token).await, RefreshOutcome::Reused(john.session));
    assert!(!is_live(store, john.scope, john.session).await);
    for token in [&john.token, &second, &third] {
        assert_eq!(john.try_refresh(store, token).await, RefreshOutcome::Refused);
    }
    assert_eq!(scene.backdoor().count("used_refresh_tokens", "true").await, 0);
    assert!(is_live(store, john.scope, other.session).await, "his other log-in goes on");
    other.next(store, &other.token).await;
}

/// A11.
pub async fn a11_a_reused_token_is_audited_once<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let john = Login::of_john(store).await;
    let second = john.next(store, &john.token).await;
    let reused = "action = 'refresh_token_reused'";
    assert_eq!(backdoor.count(AUDIT_LOG, reused).await, 0);
    for token in [&john.token, &john.token, &second] {
        john.try_refresh(store, token).await;
    }
    assert_eq!(backdoor.count(AUDIT_LOG, reused).await, 1);
    let of_john = format!(
        "{reused} AND resource_type = 'customers' AND resource_id = '{0}' AND customer_id = '{0}'",
        john.customer
    );
    assert_eq!(backdoor.count(AUDIT_LOG, &of_john).await, 1);
}

pub async fn within_the_leeway_a_used_token_is_refused_and_the_session_continues<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let john = Login { leeway: LEEWAY, ..Login::of_john(store).await };
    let second = john.next(store, &john.token).await;
    assert_eq!(john.try_refresh(store, &john.token).await, RefreshOutcome::Refused);
    assert!(is_live(store, john.scope, john.session).await);
    john.next(store, &second).await;

    scene.backdoor().age("used_refresh_tokens", "used_at", "true", LEEWAY).await;
    assert_eq!(john.try_refresh(store, &john.token).await, RefreshOutcome::Reused(john.session));
    assert!(!is_live(store, john.scope, john.session).await);
}

pub async fn refresh_race_of_many_uses_exactly_one_wins<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let strict = Login::of_john(store).await;
    let lenient = Login { leeway: LEEWAY, ..Login::open(store, strict.scope, strict.customer).await };
    for (login, reuses) in [(&lenient, 0), (&strict, 1)] {
        let uses = (0..100).map(|_| {
            let (store, login) = (store.clone(), login.clone());
            async move {
                let next = RefreshToken::generate(&OsRandom);
                (login.refresh(&store, &login.token, &next).await, next)
            }
        });
        let outcomes = at_once(uses).await;
        let (won, lost): (Vec<_>, Vec<_>) =
            outcomes.into_iter().partition(|(outcome, _)| matches!(outcome, RefreshOutcome::Rotated(_)));
        assert_eq!((won.len(), lost.len()), (1, 99));
        let reused =
            lost.iter().filter(|(outcome, _)| *outcome == RefreshOutcome::Reused(login.session)).count();
        assert_eq!(reused, reuses, "a session can be ended once");
        let goes_on = is_live(store, login.scope, login.session).await;
        assert_eq!(goes_on, reuses == 0);
        if goes_on {
            login.next(store, &won[0].1).await;
        }
    }
}

pub async fn a_token_is_refused_elsewhere_and_stays_valid<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let john = Login::of_john(store).await;
    let second = john.next(store, &john.token).await;
    let mut elsewhere: Vec<_> =
        other_scopes(store, john.scope).await.map(|scope| Login { scope, ..john.clone() }).into();
    elsewhere.push(Login { application: ApplicationId::generate(&OsRandom), ..john.clone() });
    for login in elsewhere {
        for token in [&second, &john.token] {
            assert_eq!(login.try_refresh(store, token).await, RefreshOutcome::Refused);
        }
    }
    assert_eq!(john.try_refresh(store, &RefreshToken::generate(&OsRandom)).await, RefreshOutcome::Refused);
    assert!(is_live(store, john.scope, john.session).await);
    john.next(store, &second).await;
}

pub async fn a_token_is_refused_once_expired_or_under_the_next_password<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let john = Login::of_john(store).await;
    scene.backdoor().age("sessions", "expires_at", "true", TTL + Duration::seconds(1)).await;
    assert_eq!(john.try_refresh(store, &john.token).await, RefreshOutcome::Refused);

    let john = Login::open(store, john.scope, john.customer).await;
    let reset = seed::reset(store, john.scope, JOHN, ResetOrigin::Integration).await;
    use_up(store, &reset, "second").await;
    assert_eq!(john.try_refresh(store, &john.token).await, RefreshOutcome::Refused);
    assert_eq!(scene.backdoor().count("used_refresh_tokens", "true").await, 0);
}

pub async fn sessions_refreshed_while_the_password_changes_end_too<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let john = Login::of_john(store).await;
    let mut logins = vec![john.clone()];
    for _ in 0..30 {
        logins.push(Login::open(store, john.scope, john.customer).await);
    }
    let reset = seed::reset(store, john.scope, JOHN, ResetOrigin::Integration).await;
    let refreshes = logins.clone().into_iter().map(|login| {
        let store = store.clone();
        async move { login.try_refresh(&store, &login.token).await }
    });
    tokio::join!(at_once(refreshes), use_up(store, &reset, "second"));
    for login in logins {
        assert!(!is_live(store, login.scope, login.session).await);
    }
}

pub async fn a_used_token_is_forgotten_when_it_would_have_expired<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let john = Login::of_john(store).await;
    let second = john.next(store, &john.token).await;
    scene.backdoor().age("used_refresh_tokens", "expires_at", "true", TTL - Duration::minutes(5)).await;
    let third = john.next(store, &second).await;
    assert_eq!(scene.backdoor().count("used_refresh_tokens", "true").await, 2);

    scene.backdoor().age("used_refresh_tokens", "expires_at", "true", Duration::minutes(6)).await;
    assert_eq!(john.try_refresh(store, &john.token).await, RefreshOutcome::Refused);
    assert!(is_live(store, john.scope, john.session).await);
    john.next(store, &third).await;
    assert_eq!(scene.backdoor().count("used_refresh_tokens", "true").await, 2, "the first is forgotten");
}

pub async fn any_token_of_a_session_ends_it_through_its_own_client<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let first = Login::of_john(store).await;
    let second = Login::open(store, first.scope, first.customer).await;
    let used = first.token.clone();
    first.next(store, &used).await;
    let stranger = ApplicationId::generate(&OsRandom);
    let other_scopes = other_scopes(store, first.scope).await;
    for (login, token) in [(&first, &used), (&second, &second.token)] {
        let end = async |scope, application| {
            store.end_session_of_token(scope, application, &token.digest()).await.unwrap()
        };
        assert_eq!(end(login.scope, stranger).await, EndSessionOutcome::WrongClient);
        for scope in other_scopes {
            assert_eq!(end(scope, login.application).await, EndSessionOutcome::WrongClient);
        }
        assert!(is_live(store, login.scope, login.session).await);
        assert_eq!(end(login.scope, login.application).await, EndSessionOutcome::Ended);
        assert!(!is_live(store, login.scope, login.session).await);
        assert_eq!(end(login.scope, login.application).await, EndSessionOutcome::Unknown);
    }
}

/// A log-in of John, with everything to refresh it.
#[derive(Clone)]
struct Login {
    scope: Scope,
    customer: CustomerId,
    application: ApplicationId,
    session: SessionId,
    token: RefreshToken,
    leeway: Duration,
}

impl Login {
    /// Creates John with the password `first`, and logs him in.
    async fn of_john(store: &impl Store) -> Self {
        let scope = seed::scope(store, "shop").await;
        let john = seed::customer(store, scope, JOHN, Some(seed::hash("first"))).await;
        Self::open(store, scope, john.id).await
    }

    async fn open(store: &impl Sessions, scope: Scope, customer: CustomerId) -> Self {
        let login = Self {
            scope,
            customer,
            application: ApplicationId::generate(&OsRandom),
            session: SessionId::generate(&OsRandom),
            token: RefreshToken::generate(&OsRandom),
            leeway: Duration::ZERO,
        };
        let session = NewSession {
            id: login.session,
            customer,
            application: login.application,
            token_scope: &"market:id:xYZkjABcde".parse::<TokenScope>().unwrap(),
            refresh_token: &login.token.digest(),
            password: &seed::hash("first"),
            ttl: TTL,
        };
        assert!(store.open_session(scope, &session).await.unwrap());
        login
    }

    async fn refresh(
        &self,
        store: &impl Sessions,
        token: &RefreshToken,
        next: &RefreshToken,
    ) -> RefreshOutcome {
        let refresh = Refresh {
            application: self.application,
            presented: &token.digest(),
            next: &next.digest(),
            ttl: TTL,
            max_age: MAX_AGE,
            leeway: self.leeway,
            reuse: &seed::audit(Action::RefreshTokenReused),
        };
        store.refresh_session(self.scope, &refresh).await.unwrap()
    }

    async fn try_refresh(&self, store: &impl Sessions, token: &RefreshToken) -> RefreshOutcome {
        self.refresh(store, token, &RefreshToken::generate(&OsRandom)).await
    }

    /// Uses a token, which must be valid, and returns the next one.
    async fn next(&self, store: &impl Sessions, token: &RefreshToken) -> RefreshToken {
        let next = RefreshToken::generate(&OsRandom);
        let outcome = self.refresh(store, token, &next).await;
        assert!(matches!(outcome, RefreshOutcome::Rotated(_)), "{outcome:?}");
        next
    }
}
