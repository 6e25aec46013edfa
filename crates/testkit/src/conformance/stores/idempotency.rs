//! Idempotency keys and stored responses.

use rekey_core::{
    customers::NewCustomer,
    error::CreateError,
    events::{EventBody, audit::Action},
    idempotency::{Claimed, KeyClaim, Owner},
    ids::{ApplicationId, CustomerId, RecordId, ResetId},
    random::OsRandom,
    resets::ResetOrigin,
    resets::store::ResetRecord,
    scope::Scope,
    secrets::{Fingerprint, KeyDigest, SealedAnswer},
};
use time::Duration;

use super::{JOHN, StoreUnderTest, at_once, other_scopes, written};
use crate::seed;
use crate::store::prelude::*;

/// Longer than any of these tests takes, also after some minutes of it have passed.
const LEASE: Duration = Duration::minutes(10);
const TTL: Duration = Duration::DAY;

pub async fn one_of_many_simultaneous_calls_is_granted_the_key<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let key = digest(scope, "k");
    let calls = (0..40).map(|_| {
        let store = store.clone();
        async move { claim(&store, scope, &key, "body").await }
    });
    let claims = at_once(calls).await;
    let granted = claims.iter().filter(|claim| matches!(claim, Claimed::Granted { .. })).count();
    assert_eq!(granted, 1);
    assert_eq!(claims.iter().filter(|claim| **claim == Claimed::Running).count(), 39);
}

pub async fn a_response_is_stored_until_the_key_is_forgotten<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let (key, answer) = (digest(scope, "k"), SealedAnswer::from_bytes(vec![0, 1, 0xff]));
    let (first, attempt) = granted(store, scope, &key, "body").await;
    assert!(store.settle_key(scope, &key, attempt, Some(&answer)).await.unwrap());
    assert_eq!(claim(store, scope, &key, "body").await, Claimed::Answered(answer.clone()));
    assert_eq!(claim(store, scope, &key, "another body").await, Claimed::OtherRequest);

    scene.backdoor().age("idempotency_keys", "expires_at", "true", TTL - Duration::minutes(5)).await;
    assert_eq!(claim(store, scope, &key, "body").await, Claimed::Answered(answer));
    scene.backdoor().age("idempotency_keys", "expires_at", "true", Duration::minutes(6)).await;
    let (second, _) = granted(store, scope, &key, "another body").await;
    assert_ne!(first, second, "a forgotten key is a new one");
    assert_eq!(claim(store, scope, &key, "another body").await, Claimed::Running);
    assert_eq!(claim(store, scope, &key, "body").await, Claimed::OtherRequest);
}

pub async fn a_freed_key_is_granted_again_for_the_same_record<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let key = digest(scope, "k");
    let (first, attempt) = granted(store, scope, &key, "body").await;
    assert!(store.settle_key(scope, &key, attempt, None).await.unwrap());
    let (again, attempt) = granted(store, scope, &key, "body").await;
    assert_eq!((again, attempt), (first, 2));
    // It is free for another request, too, which creates another record.
    assert!(store.settle_key(scope, &key, attempt, None).await.unwrap());
    let (other, _) = granted(store, scope, &key, "another body").await;
    assert_ne!(other, first);
}

pub async fn a_call_whose_process_died_runs_again_for_the_same_record<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let (key, late, kept) =
        (digest(scope, "k"), SealedAnswer::from_bytes(vec![1]), SealedAnswer::from_bytes(vec![2]));
    let (first, dead) = granted(store, scope, &key, "body").await;
    scene.backdoor().age("idempotency_keys", "lease_until", "true", LEASE - Duration::minutes(5)).await;
    assert_eq!(claim(store, scope, &key, "body").await, Claimed::Running);
    scene.backdoor().age("idempotency_keys", "lease_until", "true", Duration::minutes(6)).await;
    assert_eq!(claim(store, scope, &key, "another body").await, Claimed::OtherRequest);
    let (again, attempt) = granted(store, scope, &key, "body").await;
    assert_eq!(again, first);

    // The first process was only slow: its answer comes too late, in both orders.
    assert!(!store.settle_key(scope, &key, dead, Some(&late)).await.unwrap());
    assert!(store.settle_key(scope, &key, attempt, Some(&kept)).await.unwrap());
    assert!(!store.settle_key(scope, &key, dead, Some(&late)).await.unwrap());
    assert!(!store.settle_key(scope, &key, attempt, None).await.unwrap(), "an answer is settled once");
    assert_eq!(claim(store, scope, &key, "body").await, Claimed::Answered(kept));
}

pub async fn a_lease_never_outlasts_its_key<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let key = digest(scope, "k");
    let (_, attempt) = granted(store, scope, &key, "body").await;
    assert!(store.settle_key(scope, &key, attempt, None).await.unwrap());
    scene.backdoor().age("idempotency_keys", "expires_at", "true", TTL - Duration::minutes(5)).await;
    let _ = granted(store, scope, &key, "body").await;
    scene.backdoor().age("idempotency_keys", "expires_at", "true", Duration::minutes(6)).await;
    assert_eq!(claim(store, scope, &key, "body").await, Claimed::Running, "it still runs");
}

pub async fn a_request_made_under_an_older_key_of_the_ring_is_the_same<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let key = digest(scope, "k");
    let (first, attempt) = granted(store, scope, &key, "body").await;
    assert!(store.settle_key(scope, &key, attempt, None).await.unwrap());
    let rotated = [fingerprint("body under the new key"), fingerprint("body")];
    let Claimed::Granted { record, attempt } = claim_with(store, scope, &key, &rotated).await else {
        panic!("it is free")
    };
    assert_eq!(record, first);
    let answer = SealedAnswer::from_bytes(vec![1]);
    assert!(store.settle_key(scope, &key, attempt, Some(&answer)).await.unwrap());
    assert_eq!(claim_with(store, scope, &key, &rotated).await, Claimed::Answered(answer));
}

pub async fn tenant_a_key_is_its_owners_only<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let owner = owner(scope);
    let key = owner.digest(&"k".parse().unwrap());
    let (_, attempt) = granted(store, scope, &key, "body").await;
    let customer = Some(CustomerId::generate(&OsRandom));
    let theirs = Owner { customer, ..owner }.digest(&"k".parse().unwrap());
    let _ = granted(store, scope, &theirs, "another body").await;
    for other in other_scopes(store, scope).await {
        let theirs = Owner { scope: other, ..owner }.digest(&"k".parse().unwrap());
        let _ = granted(store, other, &theirs, "another body").await;
        assert!(!store.settle_key(other, &key, attempt, None).await.unwrap());
    }
    assert_eq!(claim(store, scope, &key, "body").await, Claimed::Running);
}

pub async fn forgotten_keys_are_removed_a_few_at_a_time<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    for name in 0..20 {
        let _ = granted(store, scope, &digest(scope, &name.to_string()), "body").await;
    }
    scene.backdoor().age("idempotency_keys", "expires_at", "true", TTL + Duration::SECOND).await;
    let mut left = Vec::new();
    for name in ["a", "b", "c", "d"] {
        let key = digest(scope, name);
        let (_, attempt) = granted(store, scope, &key, "body").await;
        assert!(store.settle_key(scope, &key, attempt, None).await.unwrap());
        left.push(scene.backdoor().count("idempotency_keys", "true").await);
    }
    assert_eq!(left, [20 - 8 + 1, 20 - 16 + 2, 3, 4]);
}

pub async fn a_record_is_created_once_however_often_its_call_runs<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    for (address, origin) in [
        (JOHN, ResetOrigin::Integration),
        (JOHN, ResetOrigin::SelfService),
        ("nobody@example.com", ResetOrigin::SelfService),
    ] {
        let record = RecordId::generate(&OsRandom);
        let create = async || {
            let (mut reset, _) = seed::new_reset(scope, address, origin);
            reset.id = ResetId::from(record);
            let event = seed::reset_created(scope, &reset);
            let audit = seed::audit(Action::Create);
            store.create_reset(scope, &ResetRecord { reset: &reset, event: &event, audit: &audit }).await
        };
        assert!(create().await.unwrap().is_some());
        let before = written(scene.backdoor()).await;
        assert!(matches!(create().await, Err(CreateError::Taken)), "{origin:?}");
        assert_eq!(written(scene.backdoor()).await, before);
    }
    let id = CustomerId::from(RecordId::generate(&OsRandom));
    let create = async |address| {
        let customer = NewCustomer { id, ..seed::new_customer(address, None) };
        let event = seed::event(scope, EventBody::CustomerCreated { customer: id });
        store.create_customer(scope, &customer, &event, &seed::audit(Action::Create)).await
    };
    create("jane@example.com").await.unwrap();
    let before = written(scene.backdoor()).await;
    for address in ["jane@example.com", "joan@example.com"] {
        assert!(matches!(create(address).await, Err(CreateError::Taken)), "{address}");
    }
    assert_eq!(written(scene.backdoor()).await, before);
}

fn owner(scope: Scope) -> Owner {
    Owner { scope, application: ApplicationId::generate(&OsRandom), customer: None }
}

/// The digest of some client's key.
fn digest(scope: Scope, key: &str) -> KeyDigest {
    owner(scope).digest(&key.parse().unwrap())
}

fn fingerprint(request: &str) -> Fingerprint {
    Fingerprint::all(&[request.as_bytes()], &seed::keys())[0]
}

async fn claim(store: &impl AnswerStore, scope: Scope, key: &KeyDigest, request: &str) -> Claimed {
    claim_with(store, scope, key, &[fingerprint(request)]).await
}

async fn claim_with(
    store: &impl AnswerStore,
    scope: Scope,
    key: &KeyDigest,
    fingerprints: &[Fingerprint],
) -> Claimed {
    let record = RecordId::generate(&OsRandom);
    let claim = KeyClaim { key, fingerprints, record, lease: LEASE, ttl: TTL };
    store.claim_key(scope, &claim).await.unwrap()
}

/// Claims a key, which must be free.
async fn granted(store: &impl AnswerStore, scope: Scope, key: &KeyDigest, request: &str) -> (RecordId, u32) {
    match claim(store, scope, key, request).await {
        Claimed::Granted { record, attempt } => (record, attempt),
        other => panic!("{other:?}"),
    }
}
