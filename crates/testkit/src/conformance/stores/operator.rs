//! Organizations and API clients.

use rekey_core::{
    clients::{ClientChange, ClientKind, ClientPermissions, RegisteredClient},
    error::CreateError,
    ids::{ApplicationId, OrganizationId},
    organizations::NewOrganization,
    random::OsRandom,
};

use super::StoreUnderTest;
use crate::seed;
use crate::store::prelude::*;

pub async fn the_store_answers<F: StoreUnderTest>() {
    let scene = F::start().await;
    scene.store().ping().await.unwrap();
}

pub async fn an_organization_is_created_once_and_listed_by_slug<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let mut made = Vec::new();
    for slug in ["b", "a1", "a-b", "z", "a"] {
        made.push(seed::organization(store, slug).await);
    }
    let again = NewOrganization {
        id: OrganizationId::generate(&OsRandom),
        slug: "z".parse().unwrap(),
        name: "Other".to_owned(),
    };
    assert!(matches!(store.create_organization(&again).await, Err(CreateError::Taken)));

    made.sort_by(|a, b| a.slug.as_str().cmp(b.slug.as_str()));
    assert_eq!(store.organizations().await.unwrap(), made);
}

pub async fn an_api_client_is_registered_once_and_found_by_its_client_id<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let (integration, secret) = seed::api_client(store, scope, ClientKind::Integration, false).await;
    let (sales_channel, _) = seed::api_client(store, scope, ClientKind::SalesChannel, true).await;

    let found = store.find_api_client(&integration.client_id).await.unwrap().unwrap();
    assert_eq!(found.secret, Some(secret.digest()));
    assert_eq!(found.organization.slug.as_str(), "shop");
    assert_same(&found, &integration);
    let found = store.find_api_client(&sales_channel.client_id).await.unwrap().unwrap();
    assert_same(&found, &sales_channel);
    assert_eq!((found.secret, found.permissions.self_service), (None, true));
    assert!(store.find_api_client("nobody").await.unwrap().is_none());

    let all: Vec<_> = store.api_clients().await.unwrap().iter().map(|known| known.id).collect();
    assert_eq!(all, [integration.id, sales_channel.id]);

    let same_id = RegisteredClient { client_id: "another".to_owned(), ..integration.clone() };
    let same_client_id = RegisteredClient { id: ApplicationId::generate(&OsRandom), ..integration };
    for taken in [same_id, same_client_id] {
        assert!(matches!(store.create_api_client(&taken).await, Err(CreateError::Taken)));
    }
}

/// A3.
pub async fn a_clients_permissions_and_origins_are_changed_each_alone<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let (other, _) = seed::api_client(store, scope, ClientKind::SalesChannel, true).await;
    for (self_service, sign_in, sign_up) in
        [(false, false, false), (true, false, false), (false, true, false), (false, false, true)]
    {
        let permissions = ClientPermissions { self_service, sign_in, sign_up };
        let (client, _) = seed::api_client_with(store, scope, ClientKind::SalesChannel, permissions).await;
        let found = store.find_api_client(&client.client_id).await.unwrap().unwrap();
        assert_eq!(found.permissions, permissions);

        let opposite =
            ClientPermissions { self_service: !self_service, sign_in: !sign_in, sign_up: !sign_up };
        let change = ClientChange { permissions: Some(opposite), allowed_origins: None };
        assert!(store.update_api_client(&client.client_id, &change).await.unwrap());
        let origins = vec!["https://shop.example".parse().unwrap()];
        let change = ClientChange { permissions: None, allowed_origins: Some(origins.clone()) };
        assert!(store.update_api_client(&client.client_id, &change).await.unwrap());
        assert!(store.update_api_client(&client.client_id, &ClientChange::default()).await.unwrap());
        let found = store.find_api_client(&client.client_id).await.unwrap().unwrap();
        let expected = RegisteredClient { permissions: opposite, allowed_origins: origins, ..client };
        assert_same(&found, &expected);
        let none = ClientChange { allowed_origins: Some(Vec::new()), ..ClientChange::default() };
        assert!(store.update_api_client(&expected.client_id, &none).await.unwrap());
        let found = store.find_api_client(&expected.client_id).await.unwrap().unwrap();
        assert!(found.allowed_origins.is_empty());
    }
    assert_same(&store.find_api_client(&other.client_id).await.unwrap().unwrap(), &other);
    assert!(!store.update_api_client("nobody", &ClientChange::default()).await.unwrap());
}

pub async fn a_revoked_client_is_still_found_as_revoked<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let (client, _) = seed::api_client(store, scope, ClientKind::Integration, false).await;
    let (other, _) = seed::api_client(store, scope, ClientKind::Integration, false).await;

    assert!(!store.revoke_api_client("nobody").await.unwrap());
    assert!(store.revoke_api_client(&client.client_id).await.unwrap());
    let revoked_at = store.find_api_client(&client.client_id).await.unwrap().unwrap().revoked_at;
    assert!(revoked_at.is_some());
    assert!(store.revoke_api_client(&client.client_id).await.unwrap());
    assert_eq!(store.find_api_client(&client.client_id).await.unwrap().unwrap().revoked_at, revoked_at);
    assert_eq!(store.find_api_client(&other.client_id).await.unwrap().unwrap().revoked_at, None);
}

pub async fn a_clients_allowed_origins_are_kept_in_their_order<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let (bare, _) = seed::api_client(store, scope, ClientKind::SalesChannel, false).await;
    let origins = ["https://shop.example", "http://localhost:3000", "*"].map(|text| text.parse().unwrap());
    let client = RegisteredClient {
        id: ApplicationId::generate(&OsRandom),
        client_id: "another".to_owned(),
        allowed_origins: origins.to_vec(),
        ..bare.clone()
    };
    assert_eq!(store.create_api_client(&client).await.unwrap().allowed_origins, origins);
    let found = store.find_api_client("another").await.unwrap().unwrap();
    assert_eq!(found.allowed_origins, origins);
    let all: Vec<_> =
        store.api_clients().await.unwrap().into_iter().map(|known| known.allowed_origins).collect();
    assert_eq!(all, [Vec::new(), origins.to_vec()]);
}

fn assert_same(found: &RegisteredClient, registered: &RegisteredClient) {
    assert_eq!(format!("{found:?}"), format!("{registered:?}"));
    assert_eq!(found.secret, registered.secret);
}
