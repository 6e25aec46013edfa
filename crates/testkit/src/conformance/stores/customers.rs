//! Customers and their passwords.

use rekey_core::{
    attributes::Patch,
    customers::{CustomerChange, NewCustomer, email_change::EmailTries, store::ChangeEvents},
    error::CreateError,
    events::{EventBody, audit::Action},
    ids::CustomerId,
    random::OsRandom,
    resets::ResetOrigin,
    resources::{CUSTOMERS, record::Value},
    scope::Scope,
};
use serde_json::json;
use time::Duration;

use super::{
    AUDIT_LOG, JOHN, StoreUnderTest, at_once, found_reset, holder, other_scopes, password_event, written,
};
use crate::seed;
use crate::store::prelude::*;

pub async fn a_customer_is_created_with_its_event_and_its_audit_entry<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let metadata = json!({"vip": true, "tags": ["a", {"b": null}], "pi": 3.25, "big": 9_007_199_254_740_993_i64, "text": "naïve \"quotes\" \u{1f512}"});
    let mut attributes = seed::customer_reference("R-1");
    attributes.common.reference_origin = Patch::Set("back office".to_owned());
    attributes.common.metadata = metadata.as_object().cloned();
    let new = NewCustomer { attributes, ..seed::new_customer(JOHN, Some(seed::hash("first"))) };
    let event = seed::event(scope, EventBody::CustomerCreated { customer: new.id });
    let audit = seed::audit(Action::Create);

    store.create_customer(scope, &new, &event, &audit).await.unwrap();
    let made = store.find(scope, &CUSTOMERS, new.id.into()).await.unwrap().unwrap();
    assert_eq!(made.id(), new.id.into());
    for (attribute, value) in [
        ("email", seed::text(JOHN)),
        ("has_password", Value::Boolean(true)),
        ("reference", seed::text("R-1")),
        ("reference_origin", seed::text("back office")),
        ("metadata", seed::object(&metadata)),
    ] {
        assert_eq!(made.get(attribute), &value, "{attribute}");
    }
    assert!(made.get("created_at").as_time().is_some());
    assert_eq!(made.get("created_at"), made.get("updated_at"));

    let of_customer = format!(
        "mode = 'test' AND organization_id = '{}' AND resource_type = 'customers' AND resource_id = '{}'",
        scope.organization, new.id
    );
    let of_event = format!("id = '{}' AND name = 'customers.create' AND {of_customer}", event.message.id);
    assert_eq!(scene.backdoor().count("events", &of_event).await, 1);
    let of_audit = format!(
        "id = '{}' AND action = 'create' AND actor = 'client' AND application_id IS NOT NULL AND {of_customer}",
        audit.id
    );
    assert_eq!(scene.backdoor().count(AUDIT_LOG, &of_audit).await, 1);
}

pub async fn an_address_is_taken_only_in_its_scope_and_a_refusal_writes_nothing<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, None).await;
    assert_eq!(john.record.get("has_password"), &Value::Boolean(false));
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
    assert!(store.find(scope, &CUSTOMERS, john.id.into()).await.unwrap().is_some());
    assert!(store.find(scope, &CUSTOMERS, CustomerId::generate(&OsRandom).into()).await.unwrap().is_none());
    for other in other_scopes(store, scope).await {
        assert!(store.find(other, &CUSTOMERS, john.id.into()).await.unwrap().is_none());
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

pub async fn a_changed_customer_leaves_its_audit_entry_and_its_event<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, None).await;
    let [resets, events, audits] = written(scene.backdoor()).await;
    let change = CustomerChange {
        email: Some(seed::email_change(JOHN, "johnny@example.com").0),
        password: Some(seed::hash("new")),
        attributes: seed::customer_reference("R-2"),
        ..CustomerChange::default()
    };
    let event = seed::event(scope, EventBody::CustomerPasswordCreated { customer: john.id, address: None });
    let audit = seed::audit(Action::Update);

    assert!(store.update_customer(scope, john.id, &change, password_event(&event), &audit).await.unwrap());
    let changed = store.find(scope, &CUSTOMERS, john.id.into()).await.unwrap().unwrap();
    assert_eq!(changed.get("email"), &seed::text("johnny@example.com"));
    assert_eq!(changed.get("has_password"), &Value::Boolean(true));
    assert_eq!(changed.get("reference"), &seed::text("R-2"));
    assert!(changed.get("updated_at").as_time() > changed.get("created_at").as_time());
    let credentials =
        store.find_credentials(scope, &seed::email("johnny@example.com")).await.unwrap().unwrap();
    assert_eq!(credentials.password, Some(seed::hash("new")));
    assert_eq!(written(scene.backdoor()).await, [resets, events + 1, audits + 1]);
    let of_event = format!(
        "id = '{}' AND name = 'customers.create_password' AND resource_id = '{}'",
        event.message.id, john.id
    );
    assert_eq!(scene.backdoor().count("events", &of_event).await, 1);

    let nothing = CustomerChange::default();
    let audit = seed::audit(Action::Update);
    assert!(store.update_customer(scope, john.id, &nothing, ChangeEvents::default(), &audit).await.unwrap());
    assert_eq!(store.find(scope, &CUSTOMERS, john.id.into()).await.unwrap(), Some(changed));
    assert_eq!(written(scene.backdoor()).await, [resets, events + 1, audits + 1]);
}

pub async fn a_changed_address_or_password_kills_the_pending_tokens<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, None).await;
    seed::customer(store, scope, "jane@example.com", None).await;
    let hers = seed::reset(store, scope, "jane@example.com", ResetOrigin::Integration).await;
    let changes = [
        (CustomerChange { password: Some(seed::hash("new")), ..CustomerChange::default() }, false),
        (CustomerChange { attributes: seed::customer_reference("R-2"), ..CustomerChange::default() }, true),
        // The last one: from here on the address is another.
        (seed::moved(JOHN, "johnny@example.com"), false),
    ];
    for (change, survives) in changes {
        let reset = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
        let audit = seed::audit(Action::Update);
        assert!(
            store.update_customer(scope, john.id, &change, ChangeEvents::default(), &audit).await.unwrap()
        );
        assert_eq!(holder(store, &reset).await.is_some(), survives);
        let shown = found_reset(store, scope, &reset).await.unwrap();
        assert_eq!(shown.get("reset_password_token").as_token().is_some(), survives);
    }
    assert!(holder(store, &hers).await.is_some());
}

async fn count_email_try(
    store: &impl Store,
    scope: Scope,
    id: CustomerId,
    limit: EmailTries,
) -> Option<Duration> {
    let audit = seed::audit(Action::EmailChangeThrottled);
    store.count_email_try(scope, id, limit, &audit).await.unwrap()
}

/// A11.
pub async fn a11_the_first_try_too_many_is_audited<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, None).await.id;
    let limit = EmailTries { budget: 2, window: Duration::DAY };
    let throttled =
        format!("action = 'email_change_throttled' AND resource_id = '{john}' AND customer_id = '{john}'");
    for window in 0..2 {
        for expected in [0, 0, 1, 1, 1] {
            count_email_try(store, scope, john, limit).await;
            assert_eq!(backdoor.count(AUDIT_LOG, &throttled).await, window + expected);
        }
        backdoor.age("email_change_tries", "window_started_at", "true", Duration::DAY).await;
    }
}

pub async fn a3_tries_to_change_an_address_are_counted_and_the_wait_is_returned<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let [john, jane] = [
        seed::customer(store, scope, JOHN, None).await,
        seed::customer(store, scope, "jane@example.com", None).await,
    ];
    let limit = EmailTries { budget: 3, window: Duration::DAY };
    let attempt = {
        let store = store.clone();
        move || {
            let store = store.clone();
            async move { count_email_try(&store, scope, john.id, limit).await }
        }
    };
    // Of simultaneous tries no more pass than there are left.
    let waits = at_once((0..8).map(|_| attempt())).await;
    assert_eq!(waits.iter().filter(|wait| wait.is_none()).count(), 3);
    let wait = waits.into_iter().flatten().min().unwrap();
    assert!(wait > Duration::hours(23) && wait <= Duration::DAY, "{wait}");

    assert_eq!(count_email_try(store, scope, jane.id, limit).await, None);
    for other in other_scopes(store, scope).await {
        assert_eq!(count_email_try(store, other, john.id, limit).await, None);
    }
    assert_eq!(backdoor.count("email_change_tries", "true").await, 2);
    backdoor.age("email_change_tries", "window_started_at", "true", Duration::hours(12)).await;
    let wait = attempt().await.unwrap();
    assert!(wait > Duration::hours(11) && wait <= Duration::hours(12), "{wait}");
    backdoor.age("email_change_tries", "window_started_at", "true", Duration::hours(12)).await;
    for _ in 0..3 {
        assert_eq!(attempt().await, None);
    }
    assert!(attempt().await.is_some());
}

pub async fn another_customers_address_is_taken_and_nothing_is_changed<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, Some(seed::hash("first"))).await;
    seed::customer(store, scope, "jane@example.com", None).await;
    let before = written(scene.backdoor()).await;
    let change = CustomerChange {
        email: Some(seed::email_change(JOHN, "jane@example.com").0),
        password: Some(seed::hash("new")),
        ..CustomerChange::default()
    };
    let refused = store
        .update_customer(scope, john.id, &change, ChangeEvents::default(), &seed::audit(Action::Update))
        .await;
    assert!(matches!(refused, Err(CreateError::Taken)));
    assert_eq!(written(scene.backdoor()).await, before);
    let credentials = store.find_credentials(scope, &john.email).await.unwrap().unwrap();
    assert_eq!(credentials.password, Some(seed::hash("first")));
    let same = seed::moved(JOHN, JOHN);
    assert!(
        store
            .update_customer(scope, john.id, &same, ChangeEvents::default(), &seed::audit(Action::Update))
            .await
            .is_ok()
    );
}

pub async fn a_deleted_customer_takes_all_that_is_theirs_along<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, Some(seed::hash("first"))).await;
    seed::customer(store, scope, "jane@example.com", None).await;
    let reset = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
    let hers = seed::reset(store, scope, "jane@example.com", ResetOrigin::Integration).await;
    let [_, events, audits] = written(backdoor).await;
    let event = seed::event(scope, EventBody::CustomerDestroyed { customer: john.id });

    assert!(store.delete_customer(scope, john.id, &event, &seed::audit(Action::Destroy)).await.unwrap());
    assert!(store.find(scope, &CUSTOMERS, john.id.into()).await.unwrap().is_none());
    assert!(found_reset(store, scope, &reset).await.is_none());
    assert!(holder(store, &reset).await.is_none());
    assert!(holder(store, &hers).await.is_some());
    assert_eq!(written(backdoor).await, [1, events + 1, audits + 1]);
    assert_eq!(backdoor.count("customer_passwords", "true").await, 0);
    let of_event = format!("id = '{}' AND name = 'customers.destroy'", event.message.id);
    assert_eq!(backdoor.count("events", &of_event).await, 1);

    let again = seed::event(scope, EventBody::CustomerDestroyed { customer: john.id });
    assert!(!store.delete_customer(scope, john.id, &again, &seed::audit(Action::Destroy)).await.unwrap());
    seed::customer(store, scope, JOHN, None).await;
}

pub async fn tenant_no_other_scope_changes_a_customer<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, Some(seed::hash("first"))).await;
    let others = other_scopes(store, scope).await;
    let before = written(scene.backdoor()).await;
    let change = CustomerChange { password: Some(seed::hash("stolen")), ..CustomerChange::default() };
    for other in others {
        let event = seed::event(other, EventBody::CustomerDestroyed { customer: john.id });
        let audit = seed::audit(Action::Update);
        assert!(
            !store.update_customer(other, john.id, &change, password_event(&event), &audit).await.unwrap()
        );
        assert!(!store.delete_customer(other, john.id, &event, &audit).await.unwrap());
    }
    assert_eq!(written(scene.backdoor()).await, before);
    let credentials = store.find_credentials(scope, &john.email).await.unwrap().unwrap();
    assert_eq!(credentials.password, Some(seed::hash("first")));
}
