//! The audit log.

use rekey_core::{
    caller::Actor,
    events::{
        EventBody,
        audit::{Action, AuditEntry, PersonalData},
    },
    ids::{ApplicationId, CustomerId, SessionId},
    random::OsRandom,
    resets::ResetOrigin,
    resources::{EVENT_STORES, listing::Listing, record::Value},
};

use super::{AUDIT_LOG, JOHN, StoreUnderTest};
use crate::seed;
use crate::store::prelude::*;

/// A11. The fields can be erased later, and as long as they are kept, the entry proves that they are those that were written.
pub async fn a11_an_entry_has_the_digest_of_its_personal_fields<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, None).await;
    let reset = seed::reset(store, scope, JOHN, ResetOrigin::SelfService).await;
    let session = (john.id, SessionId::generate(&OsRandom));
    let actor = Actor::Customer(ApplicationId::generate(&OsRandom), session.0, session.1);
    let update = AuditEntry { actor, session: Some(session), ..seed::audit(Action::Update) };
    assert!(store.update_reset(scope, reset.id, &seed::reference("R-1"), &update).await.unwrap());
    let event = seed::event(scope, EventBody::CustomerDestroyed { customer: john.id });
    let deletion = seed::audit(Action::Destroy);
    assert!(store.delete_customer(scope, john.id, &event, &deletion).await.unwrap());

    let (reset, john) = (reset.id.to_string(), john.id.to_string());
    let of_customer = PersonalData {
        resource_id: &john,
        customer: Some(&john),
        actor_customer: None,
        session: None,
        address: None,
    };
    let address = Some("2001:db8::7");
    let (customer, session) = (session.0.to_string(), session.1.to_string());
    let of_reset = PersonalData { resource_id: &reset, address, ..of_customer };
    for (condition, personal) in [
        (
            "resource_type = 'customers' AND action = 'create'".to_owned(),
            PersonalData { address, ..of_customer },
        ),
        ("resource_type = 'customer_password_resets' AND action = 'create'".to_owned(), of_reset),
        (
            format!("id = '{}'", update.id),
            PersonalData { actor_customer: Some(&customer), session: Some(&session), ..of_reset },
        ),
        (format!("id = '{}'", deletion.id), PersonalData { customer: None, address, ..of_customer }),
    ] {
        let read = async |column: &str| {
            let query = format!("SELECT {} FROM {AUDIT_LOG} WHERE {condition}", backdoor.hex(column));
            hex::decode(backdoor.text(&query).await.expect(&condition)).unwrap()
        };
        let salt = read("salt").await;
        assert_eq!(read("personal_digest").await, personal.digest(&salt), "{condition}");
        assert_ne!(personal.digest(&salt), PersonalData { resource_id: "X", ..personal }.digest(&salt));
    }
}

/// A11. The log of a shop says nothing about addresses that have no account.
pub async fn a11_a_decoy_has_its_entry_in_tables_of_its_own<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let decoy = seed::reset(store, scope, JOHN, ResetOrigin::SelfService).await;
    assert_eq!(
        [backdoor.count(AUDIT_LOG, "true").await, backdoor.count("audit_entries", "true").await],
        [0, 0]
    );
    let of_decoy = format!("resource_id = '{}' AND customer_id IS NULL", decoy.id);
    let decoys = "decoy_audit_entries JOIN decoy_audit_personal_data ON entry_id = id";
    assert_eq!(backdoor.count(decoys, &of_decoy).await, 1);
    let columns = |table: &str| {
        format!(
            "SELECT CAST(count(*) AS TEXT) FROM {table} WHERE id IS NOT NULL AND personal_digest IS NOT NULL
                 AND resource_type = 'customer_password_resets' AND action = 'create' AND actor = 'client'"
        )
    };
    assert_eq!(backdoor.text(&columns("decoy_audit_entries")).await.as_deref(), Some("1"));
}

/// A11. What is left of an entry is still listed.
pub async fn a11_an_entry_is_shown_without_its_erased_fields<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let john: CustomerId = seed::customer(store, scope, JOHN, None).await.id;
    let list = async || {
        let page = store.list(scope, &Listing::first_page(&EVENT_STORES)).await.unwrap();
        let [entry] = page.items.try_into().unwrap();
        ["resource_type", "event", "resource_id", "ip_address"].map(|name| entry.get(name).clone())
    };
    let [kind, action] = ["customers", "create"].map(seed::text);
    let address = seed::text("2001:db8::7");
    assert_eq!(list().await, [kind.clone(), action.clone(), seed::text(john.as_str()), address]);
    backdoor.script("DELETE FROM audit_personal_data").await;
    assert_eq!(list().await, [kind, action, Value::Null, Value::Null]);
}
