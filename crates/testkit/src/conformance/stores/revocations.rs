//! Revoked access tokens of clients.

use rekey_core::{
    ids::{AccessTokenId, ApplicationId},
    random::OsRandom,
};
use time::Duration;

use super::{StoreUnderTest, other_scopes};
use crate::seed;
use crate::store::prelude::*;

/// The remaining lifetime of the tokens here.
const REMAINING: Duration = Duration::hours(2);

pub async fn a_revoked_token_is_listed_for_its_client_until_it_expires<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let [client, stranger] = [ApplicationId::generate(&OsRandom), ApplicationId::generate(&OsRandom)];
    let mut tokens = [AccessTokenId::generate(&OsRandom), AccessTokenId::generate(&OsRandom)];
    tokens.sort_unstable();
    for token in [tokens[0], tokens[1], tokens[0]] {
        store.revoke_access_token(scope, client, token, REMAINING).await.unwrap();
    }
    let listed = async |scope, client| {
        let mut listed = store.revoked_access_tokens(scope, client).await.unwrap();
        listed.sort_unstable();
        listed
    };
    assert_eq!(listed(scope, client).await, tokens);
    assert_eq!(listed(scope, stranger).await, []);
    for other in other_scopes(store, scope).await {
        assert_eq!(listed(other, client).await, []);
    }
    let first = format!("id = '{}'", tokens[0]);
    let table = "revoked_access_tokens";
    scene.backdoor().age(table, "expires_at", &first, REMAINING - Duration::minutes(5)).await;
    assert_eq!(listed(scope, client).await, tokens);
    scene.backdoor().age(table, "expires_at", &first, Duration::minutes(6)).await;
    assert_eq!(listed(scope, client).await, [tokens[1]]);
}

pub async fn revocations_remove_expired_ones<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let client = ApplicationId::generate(&OsRandom);
    let revoke = async || {
        let token = AccessTokenId::generate(&OsRandom);
        store.revoke_access_token(scope, client, token, REMAINING).await.unwrap();
        token
    };
    for _ in 0..20 {
        revoke().await;
    }
    scene.backdoor().age("revoked_access_tokens", "expires_at", "true", REMAINING).await;
    let last = revoke().await;
    assert_eq!(scene.backdoor().count("revoked_access_tokens", "true").await, 1);
    assert_eq!(store.revoked_access_tokens(scope, client).await.unwrap(), [last]);
}
