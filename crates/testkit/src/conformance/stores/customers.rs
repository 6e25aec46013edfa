//! Customers and their passwords.

use rekey_core::{
    ambient::OsEntropy,
    audit::Action,
    customer::NewCustomer,
    event::EventBody,
    ids::CustomerId,
    reset::Reference,
    store::{CreateError, Store},
};
use serde_json::json;

use super::{JOHN, StoreUnderTest, other_scopes, written};
use crate::seed;

pub async fn a_customer_is_created_with_its_event_and_its_audit_entry<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let metadata = json!({"vip": true, "tags": ["a", {"b": null}], "pi": 3.25, "big": 9_007_199_254_740_993_i64, "text": "naïve \"quotes\" \u{1f512}"});
    let reference = Reference {
        reference: Some("R-1".to_owned()),
        reference_origin: Some("back office".to_owned()),
        metadata: metadata.as_object().unwrap().clone(),
    };
    let new = NewCustomer { reference, ..seed::new_customer(JOHN, Some(seed::hash("first"))) };
    let event = seed::event(scope, EventBody::CustomerCreated { customer: new.id });
    let audit = seed::audit(Action::Create);

    let made = store.create_customer(scope, &new, &event, &audit).await.unwrap();
    assert_eq!(
        (made.id, &made.email, made.has_password, &made.reference),
        (new.id, &new.email, true, &new.reference)
    );
    assert_eq!(made.created_at, made.updated_at);
    assert_eq!(store.find_customer(scope, new.id).await.unwrap(), Some(made));

    let of_customer = format!(
        "mode = 'test' AND organization_id = '{}' AND resource_type = 'customers' AND resource_id = '{}'",
        scope.organization, new.id
    );
    let of_event = format!("id = '{}' AND name = 'customers.create' AND {of_customer}", event.id);
    assert_eq!(scene.backdoor().count("events", &of_event).await, 1);
    let of_audit = format!(
        "id = '{}' AND action = 'create' AND actor = 'client' AND application_id IS NOT NULL AND {of_customer}",
        audit.id
    );
    assert_eq!(scene.backdoor().count("audit_entries", &of_audit).await, 1);
}

pub async fn an_address_is_taken_only_in_its_scope_and_a_refusal_writes_nothing<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, None).await;
    assert!(!john.has_password);
    let before = written(scene.backdoor()).await;

    let again = seed::new_customer("John@Example.COM", Some(seed::hash("second")));
    let event = seed::event(scope, EventBody::CustomerCreated { customer: again.id });
    let refused = store.create_customer(scope, &again, &event, &seed::audit(Action::Create)).await;
    assert!(matches!(refused, Err(CreateError::Taken)));
    assert_eq!(written(scene.backdoor()).await, before);
    assert_eq!(scene.backdoor().count("customer_passwords", "true").await, 0);

    for other in other_scopes(store, scope).await {
        seed::customer(store, other, JOHN, None).await;
    }
}

pub async fn tenant_a_customer_is_found_in_its_scope_only<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, None).await;
    assert!(store.find_customer(scope, john.id).await.unwrap().is_some());
    assert!(store.find_customer(scope, CustomerId::generate(&OsEntropy)).await.unwrap().is_none());
    for other in other_scopes(store, scope).await {
        assert!(store.find_customer(other, john.id).await.unwrap().is_none());
    }
}

pub async fn credentials_are_found_by_address_in_their_scope<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, Some(seed::hash("first"))).await;
    let guest = seed::customer(store, scope, "guest@example.com", None).await;

    let found = store.find_credentials(scope, &john.email).await.unwrap().unwrap();
    assert_eq!((found.customer, found.password), (john.id, Some(seed::hash("first"))));
    let found = store.find_credentials(scope, &guest.email).await.unwrap().unwrap();
    assert_eq!((found.customer, found.password), (guest.id, None));
    assert!(store.find_credentials(scope, &seed::email("nobody@example.com")).await.unwrap().is_none());
    for other in other_scopes(store, scope).await {
        assert!(store.find_credentials(other, &john.email).await.unwrap().is_none());
    }
}

pub async fn a_rehash_replaces_only_the_hash_that_it_was_made_from<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, Some(seed::hash("old"))).await;
    let current =
        async || store.find_credentials(scope, &john.email).await.unwrap().unwrap().password.unwrap();

    for other in other_scopes(store, scope).await {
        store.rehash_password(other, john.id, &seed::hash("old"), &seed::hash("stranger's")).await.unwrap();
    }
    store.rehash_password(scope, john.id, &seed::hash("older"), &seed::hash("stale")).await.unwrap();
    assert_eq!(current().await, seed::hash("old"));
    store.rehash_password(scope, john.id, &seed::hash("old"), &seed::hash("stronger")).await.unwrap();
    assert_eq!(current().await, seed::hash("stronger"));
}
