//! Organizations, API clients, and the keys of the API.

use std::sync::Arc;

use rekey_core::{
    clients::{ClientChange, ClientKind, ClientPermissions, RegisteredClient},
    error::CreateError,
    events::audit::{Action, AuditEntry},
    ids::{ApplicationId, OrganizationId},
    key_rotation::{KeyKind, KeyRecorder},
    organizations::{NewOrganization, Organization},
    random::OsRandom,
    secrets::ClientSecret,
};

use super::{StoreUnderTest, at_once, other_scopes};
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
    assert!(matches!(
        store.create_organization(&again, &seed::operator_audit(Action::Create)).await,
        Err(CreateError::Taken)
    ));

    made.sort_by(|a, b| a.slug.as_str().cmp(b.slug.as_str()));
    assert_eq!(store.organizations().await.unwrap(), made);
}

pub async fn an_organization_is_renamed_with_its_audit_entry<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let (shop, other) = (seed::organization(store, "shop").await, seed::organization(store, "other").await);
    let name = "Another Name".parse().unwrap();
    let rename =
        async |id| store.rename_organization(id, &name, &seed::operator_audit(Action::Update)).await.unwrap();
    assert!(rename(shop.id).await);
    assert!(!rename(OrganizationId::generate(&OsRandom)).await);
    let renamed = Organization { name: name.to_string(), ..shop };
    assert_eq!(store.organizations().await.unwrap(), [other, renamed]);
    let entries = "resource_type = 'organizations' AND action = 'update' AND actor = 'operator'";
    assert_eq!(backdoor.count("audit_entries", entries).await, 1);
}

pub async fn a_clients_name_and_secret_are_replaced<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let (client, _) = seed::api_client(store, scope, ClientKind::Integration, false).await;
    let (other, _) = seed::api_client(store, scope, ClientKind::Integration, false).await;
    let secret = ClientSecret::generate(&OsRandom).digest();
    let change = ClientChange {
        name: Some("Another Name".parse().unwrap()),
        secret: Some(secret),
        ..ClientChange::default()
    };
    let audit = seed::operator_audit(Action::Update);
    assert!(store.update_api_client(scope, client.id, &change, &audit).await.unwrap());
    let found = store.find_api_client(&client.client_id).await.unwrap().unwrap();
    assert_eq!((found.name.as_str(), &found.secret), ("Another Name", &Some(secret)));
    let unchanged = store.find_api_client(&other.client_id).await.unwrap().unwrap();
    assert_eq!((unchanged.name, unchanged.secret), (other.name, other.secret));
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
        let refused = store.create_api_client(&taken, &seed::operator_audit(Action::Create)).await;
        assert!(matches!(refused, Err(CreateError::Taken)));
    }
}

/// A3.
pub async fn a_clients_permissions_and_origins_are_changed_each_alone<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let (other, _) = seed::api_client(store, scope, ClientKind::SalesChannel, true).await;
    let update = async |client: &RegisteredClient, change| {
        let audit = seed::operator_audit(Action::Update);
        store.update_api_client(client.scope, client.id, &change, &audit).await.unwrap()
    };
    for (self_service, sign_in, sign_up) in
        [(false, false, false), (true, false, false), (false, true, false), (false, false, true)]
    {
        let permissions = ClientPermissions { self_service, sign_in, sign_up };
        let (client, _) = seed::api_client_with(store, scope, ClientKind::SalesChannel, permissions).await;
        let found = store.find_api_client(&client.client_id).await.unwrap().unwrap();
        assert_eq!(found.permissions, permissions);

        let opposite =
            ClientPermissions { self_service: !self_service, sign_in: !sign_in, sign_up: !sign_up };
        let change = ClientChange { permissions: Some(opposite), ..ClientChange::default() };
        assert!(update(&client, change).await);
        let origins = vec!["https://shop.example".parse().unwrap()];
        let change = ClientChange { allowed_origins: Some(origins.clone()), ..ClientChange::default() };
        assert!(update(&client, change).await);
        assert!(update(&client, ClientChange::default()).await);
        let found = store.find_api_client(&client.client_id).await.unwrap().unwrap();
        let expected = RegisteredClient { permissions: opposite, allowed_origins: origins, ..client };
        assert_same(&found, &expected);
        let none = ClientChange { allowed_origins: Some(Vec::new()), ..ClientChange::default() };
        assert!(update(&expected, none).await);
        let found = store.find_api_client(&expected.client_id).await.unwrap().unwrap();
        assert!(found.allowed_origins.is_empty());
    }
    assert_same(&store.find_api_client(&other.client_id).await.unwrap().unwrap(), &other);
    let nobody = RegisteredClient { id: ApplicationId::generate(&OsRandom), ..other };
    assert!(!update(&nobody, ClientChange::default()).await);
}

pub async fn a_revoked_client_is_still_found_as_revoked<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let (client, _) = seed::api_client(store, scope, ClientKind::Integration, false).await;
    let (other, _) = seed::api_client(store, scope, ClientKind::Integration, false).await;

    let revoke = async |scope, id| {
        store.revoke_api_client(scope, id, &seed::operator_audit(Action::Revoke)).await.unwrap()
    };
    assert!(!revoke(scope, ApplicationId::generate(&OsRandom)).await);
    for other in other_scopes(store, scope).await {
        assert!(!revoke(other, client.id).await);
    }
    assert!(revoke(scope, client.id).await);
    let revoked_at = store.find_api_client(&client.client_id).await.unwrap().unwrap().revoked_at;
    assert!(revoked_at.is_some());
    assert!(!revoke(scope, client.id).await, "it is revoked");
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
    let created = store.create_api_client(&client, &seed::operator_audit(Action::Create)).await.unwrap();
    assert_eq!(created.allowed_origins, origins);
    let found = store.find_api_client("another").await.unwrap().unwrap();
    assert_eq!(found.allowed_origins, origins);
    let all: Vec<_> =
        store.api_clients().await.unwrap().into_iter().map(|known| known.allowed_origins).collect();
    assert_eq!(all, [Vec::new(), origins.to_vec()]);
}

/// A11. A change that is not made leaves no entry.
pub async fn a11_changes_of_clients_are_audited<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let organization =
        format!("resource_id = '{}' AND mode = 'live' AND action = 'create'", scope.organization);
    assert_eq!(
        backdoor.count(OPERATED, &format!("resource_type = 'organizations' AND {organization}")).await,
        1
    );
    let (client, _) = seed::api_client(store, scope, ClientKind::SalesChannel, false).await;
    let audit = |action| AuditEntry::by_operator(action, vec!["permissions"], &OsRandom);
    let change = ClientChange { permissions: Some(ClientPermissions::default()), ..ClientChange::default() };
    assert!(store.update_api_client(scope, client.id, &change, &audit(Action::Update)).await.unwrap());
    for is_first in [true, false] {
        let revoked = store.revoke_api_client(scope, client.id, &audit(Action::Revoke)).await.unwrap();
        assert_eq!(revoked, is_first);
    }
    for other in other_scopes(store, scope).await {
        assert!(!store.update_api_client(other, client.id, &change, &audit(Action::Update)).await.unwrap());
    }
    let of_client = format!(
        "resource_type = 'api_clients' AND resource_id = '{}' AND organization_id = '{}' AND mode = 'test' AND customer_id IS NULL",
        client.id, scope.organization
    );
    for action in ["create", "update", "revoke"] {
        assert_eq!(
            backdoor.count(OPERATED, &format!("{of_client} AND action = '{action}'")).await,
            1,
            "{action}"
        );
    }
    assert_eq!(backdoor.count(OPERATED, "resource_type = 'api_clients'").await, 3);
}

/// A11. Several replicas start at once.
pub async fn a11_rotated_keys_are_audited_once_in_each_scope<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    for slug in ["one", "two"] {
        seed::organization(store, slug).await;
    }
    let start = async |signing: &[&str]| {
        let recorder = KeyRecorder {
            store: Arc::new(store.clone()),
            random: Arc::new(OsRandom),
            keys: [(KeyKind::SigningKeys, signing), (KeyKind::SealingKeys, &["k1"])]
                .map(|(kind, ids)| (kind, ids.iter().map(|id| (*id).to_owned()).collect())),
        };
        let starts = (0..8).map(|_| {
            let recorder = recorder.clone();
            async move { recorder.run().await }
        });
        at_once(starts).await;
        let rotated = "action = 'rotate_keys' AND actor = 'operator'";
        assert_eq!(
            backdoor.count(OPERATED, &format!("{rotated} AND resource_type <> 'signing_keys'")).await,
            0
        );
        backdoor.count(OPERATED, &format!("{rotated} AND resource_id = '{}'", signing[0])).await
    };
    assert_eq!(start(&["s1"]).await, 0, "the first start has rotated nothing");
    assert_eq!(store.known_keys(KeyKind::SigningKeys).await.unwrap(), Some(vec!["s1".to_owned()]));
    assert_eq!(start(&["s1"]).await, 0);
    assert_eq!(start(&["s2", "s1"]).await, 4, "two organizations, two modes");
    assert_eq!(start(&["s2", "s1"]).await, 4);
    assert_eq!(start(&["s2"]).await, 8, "s1 was removed");
    let scopes = "SELECT CAST(count(DISTINCT organization_id || mode) AS TEXT) FROM audit_entries WHERE action = 'rotate_keys'";
    assert_eq!(backdoor.text(scopes).await.as_deref(), Some("4"));
}

/// The audit entries with their personal fields.
const OPERATED: &str = "audit_entries JOIN audit_personal_data ON entry_id = id";

fn assert_same(found: &RegisteredClient, registered: &RegisteredClient) {
    assert_eq!(format!("{found:?}"), format!("{registered:?}"));
    assert_eq!(found.secret, registered.secret);
}
