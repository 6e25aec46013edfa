//! Uses of reset tokens.

use rekey_core::{
    attributes::CommonAttributes,
    events::{EventBody, audit::Action},
    ids::{CustomerId, OrganizationId, ResetId},
    random::OsRandom,
    resets::{ResetOrigin, TokenHolder},
    resources::{CUSTOMER_PASSWORD_RESETS, CUSTOMERS, record::Value},
    scope::Mode,
    secrets::ResetToken,
};
use time::Duration;

use super::{AUDIT_LOG, JOHN, StoreUnderTest, at_once, complete, found_reset, holder, use_up, written};
use crate::seed::{self, TOKEN_TTL};
use crate::store::prelude::*;

pub async fn a_used_token_changes_everything_together<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, None).await;
    seed::customer(store, scope, "jane@example.com", Some(seed::hash("hers"))).await;
    let hers = seed::reset(store, scope, "jane@example.com", ResetOrigin::Integration).await;
    let others = [
        seed::reset(store, scope, JOHN, ResetOrigin::Integration).await,
        seed::reset(store, scope, JOHN, ResetOrigin::SelfService).await,
    ];
    let reset = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
    let found = holder(store, &reset).await.unwrap();
    assert_eq!(
        (found.scope, found.reset, found.customer, &found.email),
        (scope, reset.id, john.id, &john.email)
    );
    let [resets, events, audits] = written(scene.backdoor()).await;

    let change = seed::reference("R-1");
    assert!(complete(store, &found, &reset.token, &seed::hash("new"), &change).await);
    let used = found_reset(store, scope, &reset).await.unwrap();
    let customer = CUSTOMER_PASSWORD_RESETS.relationship("customer").unwrap();
    assert_eq!((used.id(), used.linked(customer)), (reset.id.into(), Some(john.id.into())));
    assert_eq!(used.get("customer_email"), &seed::text(JOHN));
    assert_eq!(used.get("reset_password_token"), &Value::Null);
    assert!(used.get("reset_password_at").as_time().is_some());
    assert_eq!(used.get("reset_password_at"), used.get("updated_at"));
    assert_eq!(used.get("reference"), &seed::text("R-1"));

    let credentials = store.find_credentials(scope, &john.email).await.unwrap().unwrap();
    assert_eq!(credentials.password, Some(seed::hash("new")));
    let john = store.find(scope, &CUSTOMERS, john.id.into()).await.unwrap().unwrap();
    assert_eq!(john.get("has_password"), &Value::Boolean(true));
    for other in &others {
        assert!(holder(store, other).await.is_none(), "every other token of that customer is dead");
    }
    assert!(holder(store, &hers).await.is_some());
    assert_eq!(written(scene.backdoor()).await, [resets, events + 1, audits + 1]);
    let of_reset = format!("resource_type = 'customer_password_resets' AND resource_id = '{}'", reset.id);
    let of_event = format!("name = 'customer_password_resets.reset_password' AND {of_reset}");
    assert_eq!(scene.backdoor().count("events", &of_event).await, 1);
    assert_eq!(
        scene.backdoor().count(AUDIT_LOG, &format!("action = 'reset_password' AND {of_reset}")).await,
        1
    );
}

pub async fn token_dead_in_every_way_is_refused_alike_and_writes_nothing<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, Some(seed::hash("first"))).await;
    let reset = async |origin| seed::reset(store, scope, JOHN, origin).await;

    let used = reset(ResetOrigin::Integration).await;
    use_up(store, &used, "second").await;
    let killed_by_password = reset(ResetOrigin::Integration).await;
    let another = reset(ResetOrigin::Integration).await;
    use_up(store, &another, "third").await;
    let superseded = reset(ResetOrigin::SelfService).await;
    let [live, other] = [reset(ResetOrigin::SelfService).await, reset(ResetOrigin::Integration).await];
    let expired = reset(ResetOrigin::Integration).await;
    scene
        .backdoor()
        .age("password_resets", "expires_at", &format!("id = '{}'", expired.id), TOKEN_TTL + Duration::SECOND)
        .await;
    let deleted = reset(ResetOrigin::Integration).await;
    let event = seed::event(scope, EventBody::ResetDestroyed { reset: deleted.id });
    assert!(store.delete_reset(scope, deleted.id, &event, &seed::audit(Action::Destroy)).await.unwrap());
    let decoy = seed::reset(store, scope, "nobody@example.com", ResetOrigin::SelfService).await;

    let alive = holder(store, &live).await.unwrap();
    let before = written(scene.backdoor()).await;
    for (case, id, token) in [
        ("used", used.id, &used.token),
        ("killed by another's use", killed_by_password.id, &killed_by_password.token),
        ("superseded", superseded.id, &superseded.token),
        ("expired", expired.id, &expired.token),
        ("deleted", deleted.id, &deleted.token),
        ("a decoy's", decoy.id, &decoy.token),
        ("another reset's", live.id, &other.token),
        ("wrong", live.id, &ResetToken::generate(&OsRandom)),
        ("of no reset", ResetId::generate(&OsRandom), &live.token),
    ] {
        assert!(store.find_token_holder(id, &token.digest()).await.unwrap().is_none(), "{case}");
        let holder = TokenHolder { reset: id, ..alive.clone() };
        let nothing = CommonAttributes::default();
        assert!(!complete(store, &holder, token, &seed::hash("stolen"), &nothing).await, "{case}");
    }
    assert_eq!(written(scene.backdoor()).await, before);
    let credentials = store.find_credentials(scope, &john.email).await.unwrap().unwrap();
    assert_eq!(credentials.password, Some(seed::hash("third")));
    assert!(holder(store, &live).await.is_some());
}

pub async fn token_race_of_many_uses_exactly_one_wins<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, Some(seed::hash("first"))).await;
    let reset = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
    let [_, events, audits] = written(scene.backdoor()).await;
    let found = holder(store, &reset).await.unwrap();

    let uses = (0..200).map(|n| {
        let (store, found, token) = (store.clone(), found.clone(), reset.token.clone());
        async move {
            let password = seed::hash(&format!("of{n}"));
            complete(&store, &found, &token, &password, &CommonAttributes::default())
                .await
                .then_some(password)
        }
    });
    let winners: Vec<_> = at_once(uses).await.into_iter().flatten().collect();
    assert_eq!(winners.len(), 1);
    let credentials = store.find_credentials(scope, &john.email).await.unwrap().unwrap();
    assert_eq!(credentials.password.as_ref(), winners.first());
    let [_, events_after, audits_after] = written(scene.backdoor()).await;
    assert_eq!((events_after, audits_after), (events + 1, audits + 1));
}

pub async fn token_race_of_two_tokens_one_kills_the_other<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    for round in 0..20 {
        let address = format!("customer{round}@example.com");
        let customer = seed::customer(store, scope, &address, None).await;
        let mut uses = Vec::new();
        for n in 0..4 {
            let reset = seed::reset(store, scope, &address, ResetOrigin::Integration).await;
            let found = holder(store, &reset).await.unwrap();
            let store = store.clone();
            uses.push(async move {
                let password = seed::hash(&format!("of{n}"));
                complete(&store, &found, &reset.token, &password, &CommonAttributes::default())
                    .await
                    .then_some(password)
            });
        }
        let winners: Vec<_> = at_once(uses).await.into_iter().flatten().collect();
        assert_eq!(winners.len(), 1);
        let credentials = store.find_credentials(scope, &customer.email).await.unwrap().unwrap();
        assert_eq!(credentials.password.as_ref(), winners.first());
    }
}

pub async fn tenant_a_token_works_for_its_own_holder_only<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    let jane = seed::customer(store, scope, "jane@example.com", Some(seed::hash("hers"))).await;
    let reset = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
    let found = holder(store, &reset).await.unwrap();

    let mut others = vec![found.clone(); 4];
    others[0].scope.mode = Mode::Live;
    others[1].scope.organization = OrganizationId::generate(&OsRandom);
    others[2].customer = jane.id;
    others[3].customer = CustomerId::generate(&OsRandom);
    for other in &others {
        assert!(
            !complete(store, other, &reset.token, &seed::hash("new"), &CommonAttributes::default()).await
        );
    }
    let credentials = store.find_credentials(scope, &jane.email).await.unwrap().unwrap();
    assert_eq!(credentials.password, Some(seed::hash("hers")));
    assert!(complete(store, &found, &reset.token, &seed::hash("new"), &CommonAttributes::default()).await);
}
