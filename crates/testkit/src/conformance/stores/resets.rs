//! Creating, reading, changing and deleting resets.

use rekey_core::{
    attributes::{CommonAttributes, Patch},
    events::{EventBody, audit::Action},
    ids::ResetId,
    random::OsRandom,
    resets::{NewReset, ResetOrigin, store::ResetRecord},
    resources::{CUSTOMER_PASSWORD_RESETS, listing::Listing, record::Value},
    scope::Scope,
};
use serde_json::json;
use time::Duration;

use super::{AUDIT_LOG, JOHN, StoreUnderTest, found_reset, holder, other_scopes, use_up, written};
use crate::seed::{self, SeededReset, TOKEN_TTL};
use crate::store::prelude::*;

pub async fn a_reset_is_created_with_its_event_and_its_audit_entry<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, None).await;
    let (reset, token) = seed::new_reset(scope, JOHN, ResetOrigin::Integration);
    let attributes =
        CommonAttributes { metadata: json!({"a": [1]}).as_object().cloned(), ..seed::reference("R-1") };
    let reset = NewReset { attributes, ..reset };
    let event = seed::reset_created(scope, &reset);
    let audit = seed::audit(Action::Create);

    let created = store
        .create_reset(scope, &ResetRecord { reset: &reset, event: &event, audit: &audit })
        .await
        .unwrap()
        .unwrap();
    let found = store.find(scope, &CUSTOMER_PASSWORD_RESETS, reset.id.into()).await.unwrap().unwrap();
    assert_eq!(created.record.as_ref(), Some(&found));
    let customer = CUSTOMER_PASSWORD_RESETS.relationship("customer").unwrap();
    assert_eq!((found.id(), found.linked(customer)), (reset.id.into(), Some(john.id.into())));
    for (attribute, value) in [
        ("id", seed::text(reset.id.as_str())),
        ("customer_email", seed::text(JOHN)),
        ("created_at", Value::Time(created.created_at)),
        ("updated_at", Value::Time(created.created_at)),
        ("reset_password_at", Value::Null),
        ("reference", seed::text("R-1")),
        ("reference_origin", Value::Null),
        ("metadata", seed::object(&json!({"a": [1]}))),
    ] {
        assert_eq!(found.get(attribute), &value, "{attribute}");
    }
    let sealed = found.get("reset_password_token").as_token().unwrap();
    assert_eq!(sealed.unseal(scope.organization, reset.id, &seed::keys()).unwrap().expose(), token.expose());

    let of_reset = format!(
        "mode = 'test' AND organization_id = '{}' AND resource_type = 'customer_password_resets' AND resource_id = '{}'",
        scope.organization, reset.id
    );
    let of_event =
        format!("id = '{}' AND name = 'customer_password_resets.create' AND {of_reset}", event.message.id);
    assert_eq!(scene.backdoor().count("events", &of_event).await, 1);
    let of_audit = format!("id = '{}' AND action = 'create' AND {of_reset}", audit.id);
    assert_eq!(scene.backdoor().count(AUDIT_LOG, &of_audit).await, 1);
}

pub async fn a_fact_that_fails_in_part_is_not_written_at_all<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, Some(seed::hash("first"))).await;
    let first = seed::reset(store, scope, JOHN, ResetOrigin::SelfService).await;
    let before = written(scene.backdoor()).await;

    // The ids of the event and of the audit entry exist already, so the last part of the fact fails.
    let (reset, _) = seed::new_reset(scope, JOHN, ResetOrigin::SelfService);
    let mut event = seed::reset_created(scope, &reset);
    let mut audit = seed::audit(Action::Create);
    event.message.id = first.event;
    assert!(
        store
            .create_reset(scope, &ResetRecord { reset: &reset, event: &event, audit: &audit })
            .await
            .is_err()
    );
    let event = seed::reset_created(scope, &reset);
    audit.id = scene.backdoor().text("SELECT id FROM audit_entries LIMIT 1").await.unwrap().parse().unwrap();
    assert!(
        store
            .create_reset(scope, &ResetRecord { reset: &reset, event: &event, audit: &audit })
            .await
            .is_err()
    );
    assert!(store.delete_reset(scope, first.id, &event, &audit).await.is_err());
    let change = seed::reference("R-1");
    assert!(store.update_reset(scope, first.id, &change, &audit).await.is_err());

    assert_eq!(written(scene.backdoor()).await, before);
    assert_eq!(found_reset(store, scope, &first).await.unwrap().get("reference"), &Value::Null);
    assert!(holder(store, &first).await.is_some(), "nothing was superseded");
}

pub async fn an_integration_gets_no_reset_for_an_unknown_address<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    let others = other_scopes(store, scope).await;
    let before = written(scene.backdoor()).await;
    assert!(seed::try_reset(store, scope, "nobody@example.com", ResetOrigin::Integration).await.is_none());
    for other in others {
        assert!(seed::try_reset(store, other, JOHN, ResetOrigin::Integration).await.is_none());
    }
    assert_eq!(written(scene.backdoor()).await, before);
}

pub async fn enum_body_a_decoy_writes_what_a_reset_writes_and_is_nobodys<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    let mut effects = Vec::new();
    for address in [JOHN, "nobody@example.com"] {
        let before = written(backdoor).await;
        for _ in 0..3 {
            seed::reset(store, scope, address, ResetOrigin::SelfService).await;
        }
        let after = written(backdoor).await;
        let superseded = backdoor.count("password_resets", "superseded_at IS NOT NULL").await;
        effects.push(([0, 1, 2].map(|table| after[table] - before[table]), superseded));
    }
    let [(for_john, superseded), (for_nobody, superseded_in_all)] = effects[..] else { unreachable!() };
    assert_eq!((for_john, superseded), ([3, 3, 3], 2));
    assert_eq!((for_nobody, superseded_in_all), ([3, 3, 3], 4));

    let decoy = seed::reset(store, scope, "nobody@example.com", ResetOrigin::SelfService).await;
    assert_eq!(decoy.created.record, None);
    let before = written(backdoor).await;
    assert!(found_reset(store, scope, &decoy).await.is_none());
    assert!(holder(store, &decoy).await.is_none());
    assert_eq!(
        store.list(scope, &Listing::first_page(&CUSTOMER_PASSWORD_RESETS)).await.unwrap().total,
        Some(3)
    );
    assert!(!try_to_change(store, scope, &decoy).await);
    assert_eq!(written(backdoor).await, before);
}

pub async fn a_self_service_request_supersedes_older_ones_and_nothing_else<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    seed::customer(store, scope, "jane@example.com", None).await;
    let [other_mode, stranger] = other_scopes(store, scope).await;
    for other in [other_mode, stranger] {
        seed::customer(store, other, JOHN, None).await;
    }
    let mut unaffected = vec![
        seed::reset(store, scope, "jane@example.com", ResetOrigin::SelfService).await,
        seed::reset(store, scope, JOHN, ResetOrigin::Integration).await,
        seed::reset(store, other_mode, JOHN, ResetOrigin::SelfService).await,
        seed::reset(store, stranger, JOHN, ResetOrigin::SelfService).await,
    ];
    let older = seed::reset(store, scope, JOHN, ResetOrigin::SelfService).await;
    unaffected.push(seed::reset(store, scope, JOHN, ResetOrigin::Integration).await);
    assert!(holder(store, &older).await.is_some(), "an integration's reset supersedes nothing");
    unaffected.push(seed::reset(store, scope, JOHN, ResetOrigin::SelfService).await);

    assert!(holder(store, &older).await.is_none());
    for reset in &unaffected {
        assert!(holder(store, reset).await.is_some());
    }
}

pub async fn a_token_is_shown_only_while_it_can_be_used<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    let shown = async |reset: &SeededReset| {
        let found = found_reset(store, scope, reset).await.unwrap();
        let page = store.list(scope, &Listing::first_page(&CUSTOMER_PASSWORD_RESETS)).await.unwrap();
        let listed = page.items.into_iter().find(|listed| listed.id() == reset.id.into()).unwrap();
        assert_eq!(found, listed);
        for change in [CommonAttributes::default(), seed::reference("R")] {
            let audit = seed::audit(Action::Update);
            assert!(store.update_reset(scope, reset.id, &change, &audit).await.unwrap());
        }
        let changed = found_reset(store, scope, reset).await.unwrap();
        assert_eq!(changed.get("reset_password_token"), found.get("reset_password_token"));
        found.get("reset_password_token").as_token().is_some()
    };
    let superseded = seed::reset(store, scope, JOHN, ResetOrigin::SelfService).await;
    assert!(shown(&superseded).await);
    seed::reset(store, scope, JOHN, ResetOrigin::SelfService).await;
    assert!(!shown(&superseded).await);

    let expiring = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
    scene
        .backdoor()
        .age(
            "password_resets",
            "expires_at",
            &format!("id = '{}'", expiring.id),
            TOKEN_TTL - Duration::minutes(5),
        )
        .await;
    assert!(shown(&expiring).await);
    scene
        .backdoor()
        .age(
            "password_resets",
            "expires_at",
            &format!("id = '{}'", expiring.id),
            Duration::minutes(5) + Duration::SECOND,
        )
        .await;
    assert!(!shown(&expiring).await);

    let used = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
    assert_eq!(use_up(store, &used, "new").await.get("reset_password_token"), &Value::Null);
    assert!(!shown(&used).await);
}

pub async fn plain_attributes_are_changed_cleared_and_kept<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    let reset = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
    let plain = ["reference", "reference_origin", "metadata"];
    let metadata = json!({"a": {"b": [1, 2.5, null, "x"]}});
    let values = [seed::text("R-1"), seed::text("back office"), seed::object(&metadata)];
    let all = CommonAttributes {
        reference_origin: Patch::Set("back office".to_owned()),
        metadata: metadata.as_object().cloned(),
        ..seed::reference("R-1")
    };
    let audit = seed::audit(Action::Update);
    assert!(store.update_reset(scope, reset.id, &all, &audit).await.unwrap());
    let changed = found_reset(store, scope, &reset).await.unwrap();
    assert_eq!(plain.map(|attribute| changed.get(attribute).clone()), values);
    assert!(changed.get("updated_at").as_time() > changed.get("created_at").as_time());
    let of_audit = format!("id = '{}' AND action = 'update' AND resource_id = '{}'", audit.id, reset.id);
    assert_eq!(scene.backdoor().count(AUDIT_LOG, &of_audit).await, 1);

    let clear = CommonAttributes { reference: Patch::Clear, ..CommonAttributes::default() };
    assert!(store.update_reset(scope, reset.id, &clear, &seed::audit(Action::Update)).await.unwrap());
    let changed = found_reset(store, scope, &reset).await.unwrap();
    let [_, origin, metadata] = values;
    assert_eq!(plain.map(|attribute| changed.get(attribute).clone()), [Value::Null, origin, metadata]);

    let before = written(scene.backdoor()).await;
    let nothing = CommonAttributes::default();
    assert!(store.update_reset(scope, reset.id, &nothing, &seed::audit(Action::Update)).await.unwrap());
    assert_eq!(found_reset(store, scope, &reset).await.unwrap(), changed);
    assert_eq!(written(scene.backdoor()).await, before, "nothing happened, so nothing is recorded");
    let unknown =
        store.update_reset(scope, ResetId::generate(&OsRandom), &all, &seed::audit(Action::Update)).await;
    assert!(!unknown.unwrap());
    assert_eq!(written(scene.backdoor()).await, before);
}

pub async fn a_deleted_reset_leaves_its_event_and_its_audit_entry<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    let reset = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
    let [resets, events, audits] = written(scene.backdoor()).await;
    let event = seed::event(scope, EventBody::ResetDestroyed { reset: reset.id });

    assert!(store.delete_reset(scope, reset.id, &event, &seed::audit(Action::Destroy)).await.unwrap());
    assert_eq!(written(scene.backdoor()).await, [resets - 1, events + 1, audits + 1]);
    let of_event = format!(
        "id = '{}' AND name = 'customer_password_resets.destroy' AND resource_id = '{}'",
        event.message.id, reset.id
    );
    assert_eq!(scene.backdoor().count("events", &of_event).await, 1);
    assert!(found_reset(store, scope, &reset).await.is_none());
    assert!(holder(store, &reset).await.is_none());

    let again = seed::event(scope, EventBody::ResetDestroyed { reset: reset.id });
    assert!(!store.delete_reset(scope, reset.id, &again, &seed::audit(Action::Destroy)).await.unwrap());
    assert_eq!(written(scene.backdoor()).await, [resets - 1, events + 1, audits + 1]);
}

pub async fn tenant_no_other_scope_reaches_a_reset<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    let reset = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
    let others = other_scopes(store, scope).await;
    let before = written(scene.backdoor()).await;
    for other in others {
        assert!(found_reset(store, other, &reset).await.is_none());
        assert!(!try_to_change(store, other, &reset).await);
    }
    assert_eq!(written(scene.backdoor()).await, before);
    assert_eq!(found_reset(store, scope, &reset).await.unwrap().get("reference"), &Value::Null);
    assert!(try_to_change(store, scope, &reset).await);
}

/// Whether an update or the deletion finds the reset in that scope.
async fn try_to_change(store: &impl Store, scope: Scope, reset: &SeededReset) -> bool {
    let change = seed::reference("R-1");
    let updated = store.update_reset(scope, reset.id, &change, &seed::audit(Action::Update)).await.unwrap();
    let event = seed::event(scope, EventBody::ResetDestroyed { reset: reset.id });
    let deleted = store.delete_reset(scope, reset.id, &event, &seed::audit(Action::Destroy)).await.unwrap();
    updated || deleted
}
