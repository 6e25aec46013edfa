//! Resets as they are created, shown, changed and deleted.

use rekey_core::{
    access::Scope,
    ambient::OsEntropy,
    audit::Action,
    event::EventBody,
    ids::ResetId,
    listing::{Listing, Page},
    reset::{NewReset, Reference, ReferenceChange, ResetOrigin},
    store::{ResetRecord, Store},
};
use serde_json::json;
use time::Duration;

use super::{JOHN, StoreUnderTest, holder, other_scopes, use_up, written};
use crate::seed::{self, SeededReset, TOKEN_LIFE};

pub async fn a_reset_is_created_with_its_event_and_its_audit_entry<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, None).await;
    let (reset, token) = seed::new_reset(scope, JOHN, ResetOrigin::Integration);
    let reference = Reference {
        reference: Some("R-1".to_owned()),
        metadata: json!({"a": [1]}).as_object().unwrap().clone(),
        ..Reference::default()
    };
    let reset = NewReset { reference, ..reset };
    let event = seed::reset_created(scope, &reset);
    let audit = seed::audit(Action::Create);

    let created = store
        .create_reset(scope, &ResetRecord { reset: &reset, event: &event, audit: &audit })
        .await
        .unwrap()
        .unwrap();
    assert_eq!(created.customer, Some(john.id));
    assert_eq!(created.expires_at - created.created_at, TOKEN_LIFE);

    let found = store.find_reset(scope, reset.id).await.unwrap().unwrap();
    assert_eq!((found.id, found.customer, &found.customer_email), (reset.id, john.id, &john.email));
    assert_eq!(
        (found.created_at, found.updated_at, found.expires_at),
        (created.created_at, created.created_at, created.expires_at)
    );
    assert_eq!((found.reset_password_at, &found.reference), (None, &reset.reference));
    let sealed = found.token.unwrap();
    assert_eq!(sealed.unseal(scope.organization, reset.id, &seed::keys()).unwrap().expose(), token.expose());

    let of_reset = format!(
        "mode = 'test' AND organization_id = '{}' AND resource_type = 'customer_password_resets' AND resource_id = '{}'",
        scope.organization, reset.id
    );
    let of_event = format!("id = '{}' AND name = 'customer_password_resets.create' AND {of_reset}", event.id);
    assert_eq!(scene.backdoor().count("events", &of_event).await, 1);
    let of_audit = format!("id = '{}' AND action = 'create' AND {of_reset}", audit.id);
    assert_eq!(scene.backdoor().count("audit_entries", &of_audit).await, 1);
}

pub async fn a_fact_that_fails_in_part_is_not_written_at_all<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, Some(seed::hash("first"))).await;
    let first = seed::reset(store, scope, JOHN, ResetOrigin::SelfService).await;
    let before = written(scene.backdoor()).await;

    // The event's id, and then the audit entry's, are those of records that exist: the last part of the fact fails.
    let (reset, _) = seed::new_reset(scope, JOHN, ResetOrigin::SelfService);
    let mut event = seed::reset_created(scope, &reset);
    let mut audit = seed::audit(Action::Create);
    event.id = first.event;
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
    let change = ReferenceChange { reference: Some(Some("R-1".to_owned())), ..ReferenceChange::default() };
    assert!(store.update_reset(scope, first.id, &change, &audit).await.is_err());

    assert_eq!(written(scene.backdoor()).await, before);
    assert_eq!(store.find_reset(scope, first.id).await.unwrap().unwrap().reference, Reference::default());
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
    assert_eq!(decoy.created.customer, None);
    assert_eq!(decoy.created.expires_at - decoy.created.created_at, TOKEN_LIFE);
    let before = written(backdoor).await;
    assert!(store.find_reset(scope, decoy.id).await.unwrap().is_none());
    assert!(holder(store, &decoy).await.is_none());
    assert_eq!(store.list_resets(scope, &Listing::default()).await.unwrap().total, 3);
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
        let found = store.find_reset(scope, reset.id).await.unwrap().unwrap();
        let page = store.list_resets(scope, &Listing::default()).await.unwrap();
        let listed = page.items.into_iter().find(|listed| listed.id == reset.id).unwrap();
        assert_eq!(found, listed);
        let unchanged = store
            .update_reset(scope, reset.id, &ReferenceChange::default(), &seed::audit(Action::Update))
            .await;
        assert_eq!(unchanged.unwrap().as_ref(), Some(&found));
        let change = ReferenceChange { reference: Some(Some("R".to_owned())), ..ReferenceChange::default() };
        let changed = store
            .update_reset(scope, reset.id, &change, &seed::audit(Action::Update))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(changed.token, found.token);
        found.token.is_some()
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
            TOKEN_LIFE - Duration::minutes(5),
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
    assert_eq!(use_up(store, &used, "new").await.token, None);
    assert!(!shown(&used).await);
}

pub async fn a_list_is_newest_first_in_pages_and_always_tells_the_total<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    let page = async |number, size| {
        let listed = store.list_resets(scope, &Listing { page: Page { number, size } }).await.unwrap();
        (listed.items.iter().map(|reset| reset.id).collect::<Vec<_>>(), listed.total)
    };
    assert_eq!(page(1, 10).await, (vec![], 0));
    let mut made = Vec::new();
    for _ in 0..6 {
        made.push(seed::reset(store, scope, JOHN, ResetOrigin::Integration).await);
    }
    // Three of the same moment are told apart by their ids.
    let same = format!(
        "UPDATE password_resets SET created_at = (SELECT max(created_at) FROM password_resets) WHERE id IN ('{}', '{}') RETURNING id",
        made[3].id, made[4].id
    );
    scene.backdoor().text(&same).await;
    let mut expected: Vec<ResetId> = made.iter().map(|reset| reset.id).collect();
    expected[3..].sort_unstable();
    expected[..3].reverse();
    expected.rotate_left(3);

    assert_eq!(page(1, 10).await, (expected.clone(), 6));
    assert_eq!(page(1, 4).await, (expected[..4].to_vec(), 6));
    assert_eq!(page(2, 4).await, (expected[4..].to_vec(), 6));
    assert_eq!(page(2, 3).await, (expected[3..].to_vec(), 6));
    assert_eq!(page(3, 3).await, (vec![], 6));
    assert_eq!(page(u32::MAX, Page::MAX_SIZE).await, (vec![], 6));
}

pub async fn references_are_changed_cleared_and_kept<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    let reset = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
    let metadata = json!({"a": {"b": [1, 2.5, null, "x"]}}).as_object().unwrap().clone();
    let all = ReferenceChange {
        reference: Some(Some("R-1".to_owned())),
        reference_origin: Some(Some("back office".to_owned())),
        metadata: Some(metadata.clone()),
    };
    let audit = seed::audit(Action::Update);
    let changed = store.update_reset(scope, reset.id, &all, &audit).await.unwrap().unwrap();
    let expected = Reference {
        reference: Some("R-1".to_owned()),
        reference_origin: Some("back office".to_owned()),
        metadata,
    };
    assert_eq!(changed.reference, expected);
    assert!(changed.updated_at > changed.created_at);
    assert_eq!(store.find_reset(scope, reset.id).await.unwrap().unwrap(), changed);
    let of_audit = format!("id = '{}' AND action = 'update' AND resource_id = '{}'", audit.id, reset.id);
    assert_eq!(scene.backdoor().count("audit_entries", &of_audit).await, 1);

    let clear = ReferenceChange { reference: Some(None), ..ReferenceChange::default() };
    let changed =
        store.update_reset(scope, reset.id, &clear, &seed::audit(Action::Update)).await.unwrap().unwrap();
    assert_eq!(changed.reference, Reference { reference: None, ..expected });

    let before = written(scene.backdoor()).await;
    let nothing = ReferenceChange::default();
    let unchanged =
        store.update_reset(scope, reset.id, &nothing, &seed::audit(Action::Update)).await.unwrap().unwrap();
    assert_eq!(unchanged, changed);
    assert_eq!(written(scene.backdoor()).await, before, "nothing happened, so nothing is recorded");
    let unknown =
        store.update_reset(scope, ResetId::generate(&OsEntropy), &all, &seed::audit(Action::Update)).await;
    assert!(unknown.unwrap().is_none());
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
        event.id, reset.id
    );
    assert_eq!(scene.backdoor().count("events", &of_event).await, 1);
    assert!(store.find_reset(scope, reset.id).await.unwrap().is_none());
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
        assert!(store.find_reset(other, reset.id).await.unwrap().is_none());
        let listed = store.list_resets(other, &Listing::default()).await.unwrap();
        assert_eq!((listed.items.len(), listed.total), (0, 0));
        assert!(!try_to_change(store, other, &reset).await);
    }
    assert_eq!(written(scene.backdoor()).await, before);
    assert_eq!(store.find_reset(scope, reset.id).await.unwrap().unwrap().reference, Reference::default());
    assert!(try_to_change(store, scope, &reset).await);
}

/// Whether an update, or the deletion, of the reset finds it in that scope.
async fn try_to_change(store: &impl Store, scope: Scope, reset: &SeededReset) -> bool {
    let change = ReferenceChange { reference: Some(Some("R-1".to_owned())), ..ReferenceChange::default() };
    let updated = store.update_reset(scope, reset.id, &change, &seed::audit(Action::Update)).await.unwrap();
    let event = seed::event(scope, EventBody::ResetDestroyed { reset: reset.id });
    let deleted = store.delete_reset(scope, reset.id, &event, &seed::audit(Action::Destroy)).await.unwrap();
    updated.is_some() || deleted
}
