//! The audit log.

use rekey_core::{
    caller::Actor,
    cleanup::PurgeKind,
    events::{
        EventBody,
        audit::{Action, AuditEntry, PersonalData},
    },
    ids::{ApplicationId, AuditId, CustomerId, SessionId},
    random::OsRandom,
    resets::ResetOrigin,
    resources::{EVENT_STORES, listing::Listing, record::Value},
    scope::Scope,
    secrets::AddressDigest,
    sessions::SignInRecord,
};
use serde_json::json;
use time::Duration;

use super::{AUDIT_LOG, JOHN, StoreUnderTest, at_once};
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
        [backdoor.count(AUDIT_LOG, "true").await, backdoor.count("audit_entries", "mode = 'test'").await],
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

/// An account in which somebody logs in.
#[derive(Clone, Copy)]
pub(super) struct Account {
    pub(super) scope: Scope,
    pub(super) address: &'static str,
}

impl Account {
    pub(super) async fn record(self, store: &impl Store, action: Action) {
        let Self { scope, address } = self;
        let email = seed::email(address);
        let account = AddressDigest::new(scope, &email, &seed::keys());
        let audit = AuditEntry { attributes: Vec::new(), ..seed::audit(action) };
        let record = SignInRecord { email: &email, account: &account, audit: &audit };
        store.record_sign_in(scope, &record).await.unwrap();
    }
}

/// Ends the counts of hours that are over, a few at a time; returns how many.
async fn end_hours(store: &impl Store) -> u64 {
    let mut ended = 0;
    loop {
        let ids: [_; 2] = std::array::from_fn(|_| AuditId::generate(&OsRandom));
        match store.end_sign_in_counts(Duration::minutes(61), &ids).await.unwrap() {
            0 => return ended,
            some => ended += some,
        }
    }
}

/// A11.
pub async fn a11_ten_log_ins_of_an_hour_have_their_own_entry_and_the_others_one<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let [john, jane] = [JOHN, "jane@example.com"].map(|address| Account { scope, address });
    let id = seed::customer(store, scope, JOHN, None).await.id.to_string();
    let deleted = seed::customer(store, scope, jane.address, None).await.id;
    let entries = async |action: &str, condition: &str| {
        let of_john =
            format!("resource_type = 'customers' AND resource_id = '{id}' AND customer_id = '{id}'");
        backdoor.count(AUDIT_LOG, &format!("{of_john} AND action = '{action}' AND {condition}")).await
    };
    let by_client =
        "actor = 'client' AND application_id IS NOT NULL AND address IS NOT NULL AND occurrences = 1";
    for n in 1..=14 {
        john.record(store, Action::SignInFailed).await;
        assert_eq!(entries("sign_in_failed", by_client).await, n.min(10));
        jane.record(store, Action::SignInThrottled).await;
    }
    for n in 1..=11 {
        john.record(store, Action::SignIn).await;
        assert_eq!(entries("sign_in", by_client).await, n.min(10));
    }
    john.record(store, Action::SignInThrottled).await;
    let event = seed::event(scope, EventBody::CustomerDestroyed { customer: deleted });
    assert!(store.delete_customer(scope, deleted, &event, &seed::audit(Action::Destroy)).await.unwrap());

    assert_eq!(end_hours(store).await, 0, "the hour lasts");
    // Hours that began two hours ago.
    backdoor.age("sign_in_counts", "hour_started_at", "true", Duration::hours(2)).await;
    assert_eq!((end_hours(store).await, end_hours(store).await), (4, 0));
    let together = |count: u32| {
        format!("actor = 'client' AND application_id IS NULL AND address IS NULL AND occurrences = {count}")
    };
    assert_eq!(
        (entries("sign_in_failed", "true").await, entries("sign_in_failed", &together(4)).await),
        (11, 1)
    );
    assert_eq!((entries("sign_in", "true").await, entries("sign_in", &together(1)).await), (11, 1));
    assert_eq!(entries("sign_in_throttled", by_client).await, 1);
    assert_eq!(backdoor.count(AUDIT_LOG, &format!("customer_id = '{deleted}' AND occurrences > 1")).await, 0);

    let read = async |column: &str| {
        let query = format!("SELECT {} FROM {AUDIT_LOG} WHERE occurrences = 4", backdoor.hex(column));
        hex::decode(backdoor.text(&query).await.unwrap()).unwrap()
    };
    let personal = PersonalData {
        resource_id: &id,
        customer: Some(&id),
        actor_customer: None,
        session: None,
        address: None,
    };
    assert_eq!(read("personal_digest").await, personal.digest(&read("salt").await));
    let entry = backdoor.text("SELECT id FROM audit_entries WHERE occurrences = 4").await.unwrap();
    let found = store.find(scope, &EVENT_STORES, entry.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(found.get("payload"), &seed::object(&json!({ "attributes": [], "occurrences": 4 })));
    let Value::Time(ended_at) = found.get("created_at") else { panic!("a time") };
    assert_eq!((ended_at.minute(), ended_at.second(), ended_at.nanosecond()), (0, 0, 0), "the hour's end");

    john.record(store, Action::SignInFailed).await;
    assert_eq!(entries("sign_in_failed", by_client).await, 11, "another hour");
}

/// A11.
pub async fn a11_log_ins_of_unknown_accounts_leave_decoys_only<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let other = Scope { organization: seed::organization(store, "other").await.id, ..scope };
    seed::customer(store, other, JOHN, None).await;
    let before = backdoor.count("audit_entries", "true").await;
    let nobody = Account { scope, address: JOHN };
    for action in [Action::SignInFailed, Action::SignInThrottled] {
        for _ in 0..13 {
            nobody.record(store, action).await;
        }
    }
    let decoys = "decoy_audit_entries JOIN decoy_audit_personal_data ON entry_id = id";
    let count = async |condition: &str| backdoor.count(decoys, condition).await;
    let like_johns =
        "resource_type = 'customers' AND actor = 'client' AND customer_id IS NULL AND address IS NOT NULL
        AND personal_digest IS NOT NULL AND occurrences = 1";
    assert_eq!(count(like_johns).await, 20);
    backdoor.age("sign_in_counts", "hour_started_at", "true", Duration::hours(2)).await;
    assert_eq!((end_hours(store).await, count("true").await), (2, 20));

    // They are deleted early, and those of resets with their resets.
    seed::reset(store, scope, "nobody@example.com", ResetOrigin::SelfService).await;
    assert_eq!(store.purge(PurgeKind::SignInDecoys, Duration::HOUR, 100).await.unwrap(), 0);
    backdoor.age("decoy_audit_entries", "created_at", "true", Duration::HOUR).await;
    assert_eq!(store.count_purgeable(PurgeKind::SignInDecoys, Duration::HOUR).await.unwrap(), 20);
    assert_eq!(store.purge(PurgeKind::SignInDecoys, Duration::HOUR, 100).await.unwrap(), 20);
    assert_eq!([count("true").await, backdoor.count("decoy_audit_personal_data", "true").await], [1, 1]);
    assert_eq!(backdoor.count("audit_entries", "true").await, before);
}

/// A11.
pub async fn a11_log_in_race_of_many_exactly_ten_have_an_entry<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    let failed = "action = 'sign_in_failed'";
    for (address, tables, counts) in [
        (JOHN, "audit_entries JOIN audit_personal_data ON entry_id = id", "customer_id <> ''"),
        (
            "nobody@example.com",
            "decoy_audit_entries JOIN decoy_audit_personal_data ON entry_id = id",
            "customer_id = ''",
        ),
    ] {
        // Were the hour to end meanwhile, there would be two counts.
        let log_ins = (0..50).map(|_| {
            let (store, account) = (store.clone(), Account { scope, address });
            async move { account.record(&store, Action::SignInFailed).await }
        });
        at_once(log_ins).await;
        let hours = backdoor.count("sign_in_counts", counts).await;
        assert_eq!(backdoor.count(tables, failed).await, 10 * hours);
        let sum = format!("SELECT CAST(sum(sign_in_count) AS TEXT) FROM sign_in_counts WHERE {counts}");
        assert_eq!(backdoor.text(&sum).await.as_deref(), Some("50"));
    }
}
