//! Deliveries in the API, and suppressed addresses.

use rekey_core::{
    clock::{Clock, SystemClock},
    customers::{CustomerChange, store::ChangeEvents},
    deliveries::{
        Discarded, Outcome, Reply,
        ledger::Claim,
        suppression::{Suppression, SuppressionFilter},
    },
    events::{
        EventBody,
        audit::{Action, AuditEntry},
    },
    ids::{CustomerId, EventId, RecordId},
    random::OsRandom,
    resets::ResetOrigin,
    resources::{
        CUSTOMER_PASSWORD_RESETS, CUSTOMERS, DELIVERIES, EVENT_STORES, Resource,
        listing::Listing,
        record::{Record, Value},
    },
    scope::{Mode, Scope},
};
use time::Duration;

use super::{
    JOHN, StoreUnderTest,
    ledger::{deferred, granted, job, john_asks, sent},
    other_scopes, password_event, use_up,
};
use crate::seed::{self, SeededReset};
use crate::store::prelude::*;

const NO_SUCH_USER: &str = "permanent error (550): 5.1.1 no such user";

pub async fn a_delivery_is_queued_with_each_event_that_leads_to_a_mail<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let (scope, reset) = john_asks(store).await;
    let customer = customer_of(store, scope, JOHN).await;
    use_up(store, &reset, "new").await;
    let change = CustomerChange { password: Some(seed::hash("newer")), ..CustomerChange::default() };
    let event = seed::event(scope, EventBody::CustomerPasswordCreated { customer, address: None });
    store
        .update_customer(scope, customer, &change, password_event(&event), &seed::audit(Action::Update))
        .await
        .unwrap();

    let listed = store.list(scope, &Listing::first_page(&DELIVERIES)).await.unwrap();
    let about: Vec<_> =
        listed.items.iter().map(|delivery| (text(delivery, "mail"), of_reset(delivery))).collect();
    let of_reset = Some(RecordId::from(reset.id));
    assert_eq!(
        about,
        [("password_changed", None), ("password_changed", of_reset), ("reset_requested", of_reset)]
    );
    for delivery in &listed.items {
        assert_eq!(link(delivery, "customer"), Some(customer.into()));
        let shown = ["status", "attempts", "in_doubt"].map(|name| delivery.get(name).clone());
        assert_eq!(shown, [seed::text("queued"), Value::Integer(0), Value::Integer(0)]);
        assert_eq!(delivery.get("created_at"), delivery.get("updated_at"));
        for name in ["smtp_code", "smtp_enhanced_code", "detail", "relay", "sent_at", "next_attempt_at"] {
            assert_eq!(*delivery.get(name), Value::Null, "{name}");
        }
    }
    assert_eq!(listed.items[0].id(), event.message.id.into());
    assert_eq!(listed.items[2].id(), reset.event.into());
}

pub async fn enum_body_a_decoys_delivery_is_written_alike_and_never_shown<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    let real = seed::reset(store, scope, JOHN, ResetOrigin::SelfService).await;
    let decoy = seed::reset(store, scope, "nobody@example.com", ResetOrigin::SelfService).await;
    for reset in [&real, &decoy] {
        let row = format!(
            "event_id = '{}' AND reset_id = '{}' AND mail = 'reset_requested' AND status = 'queued' AND attempts = 0",
            reset.event, reset.id
        );
        assert_eq!(backdoor.count("deliveries", &row).await, 1);
    }
    let only_real = async || {
        let listed = store.list(scope, &Listing::first_page(&DELIVERIES)).await.unwrap();
        assert_eq!(listed.items.iter().map(Record::id).collect::<Vec<_>>(), [real.event.into()]);
        assert_eq!(listed.total, Some(1));
        assert_eq!(found(store, scope, decoy.event).await, None);
        let of_decoy = related(store, scope, &CUSTOMER_PASSWORD_RESETS, decoy.id.into()).await;
        assert_eq!(of_decoy, []);
    };
    only_real().await;
    let claim = store.claim(&job(scope, &decoy), Duration::minutes(1)).await.unwrap();
    assert!(matches!(claim, Claim::Discarded(Discarded::Decoy)), "{claim:?}");
    only_real().await;
}

pub async fn a_delivery_shows_its_outcome<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let (scope, reset) = john_asks(store).await;
    let queued = found(store, scope, reset.event).await.unwrap();
    granted(store, &job(scope, &reset)).await;
    let claimed = found(store, scope, reset.event).await.unwrap();
    assert_eq!((text(&claimed, "status"), claimed.get("attempts")), ("queued", &Value::Integer(1)));
    assert_eq!(claimed.get("updated_at"), queued.get("updated_at"));

    assert!(store.settle(reset.event, 1, &deferred("450 busy")).await.unwrap());
    let later = found(store, scope, reset.event).await.unwrap();
    assert_eq!((text(&later, "status"), text(&later, "detail")), ("deferred", "450 busy"));
    assert_eq!(
        (later.get("smtp_code"), later.get("smtp_enhanced_code")),
        (&Value::Integer(450), &Value::Null)
    );
    let wait = time(&later, "next_attempt_at") - time(&later, "updated_at");
    assert_eq!((wait, later.get("sent_at")), (Duration::minutes(10), &Value::Null));
    assert!(time(&later, "updated_at") > time(&queued, "updated_at"));

    granted(store, &job(scope, &reset)).await;
    let again = found(store, scope, reset.event).await.unwrap();
    assert_eq!((text(&again, "status"), again.get("next_attempt_at")), ("deferred", &Value::Null));
    assert!(store.settle(reset.event, 2, &sent("250 2.0.0 taken")).await.unwrap());
    let done = found(store, scope, reset.event).await.unwrap();
    let texts = ["status", "smtp_enhanced_code", "detail", "relay"].map(|name| text(&done, name));
    assert_eq!(texts, ["sent", "2.0.0", "250 2.0.0 taken", "smtp.example.com"]);
    assert_eq!((done.get("smtp_code"), done.get("attempts")), (&Value::Integer(250), &Value::Integer(2)));
    assert_eq!(done.get("sent_at"), done.get("updated_at"));
    assert_eq!(*done.get("next_attempt_at"), Value::Null);
}

pub async fn deleted_records_are_no_longer_linked<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let (scope, reset) = john_asks(store).await;
    let customer = customer_of(store, scope, JOHN).await;
    let links = async || {
        let delivery = found(store, scope, reset.event).await.unwrap();
        (of_reset(&delivery), link(&delivery, "customer"))
    };
    let event = seed::event(scope, EventBody::ResetDestroyed { reset: reset.id });
    store.delete_reset(scope, reset.id, &event, &seed::audit(Action::Destroy)).await.unwrap();
    assert_eq!(links().await, (None, Some(customer.into())));
    delete_customer(store, scope, customer).await;
    assert_eq!(links().await, (None, None));
}

pub async fn tenant_a_delivery_is_found_in_its_scope_only<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let (scope, reset) = john_asks(store).await;
    let customer = customer_of(store, scope, JOHN).await;
    for other in other_scopes(store, scope).await {
        assert_eq!(found(store, other, reset.event).await, None);
        assert_eq!(store.list(other, &Listing::first_page(&DELIVERIES)).await.unwrap().total, Some(0));
        assert_eq!(related(store, other, &CUSTOMERS, customer.into()).await, []);
    }
    assert_eq!(related(store, scope, &CUSTOMERS, customer.into()).await, [reset.event.into()]);
}

pub async fn an_address_that_refused_a_mail_is_suppressed_until_that_is_lifted<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let (scope, bounced) = john_asks(store).await;
    refuse(store, scope, &bounced).await;
    let suppressions = all(store).await;
    let [suppression] = suppressions.as_slice() else { panic!("one: {suppressions:?}") };
    let Suppression { organization, mode, email, reason, smtp_code, delivery, created_at } = suppression;
    assert_eq!((organization.as_str(), *mode, email.as_str()), ("shop", Mode::Test, JOHN));
    assert_eq!((reason.as_str(), *smtp_code, *delivery), (NO_SUCH_USER, Some(550), bounced.event));
    assert!((*created_at - SystemClock.now()).abs() < Duration::MINUTE);

    // Neither a link nor a notification of a change is sent there.
    let reset = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
    for _ in 0..2 {
        let claim = store.claim(&job(scope, &reset), Duration::minutes(1)).await.unwrap();
        assert!(matches!(claim, Claim::Discarded(Discarded::Suppressed) | Claim::Settled), "{claim:?}");
    }
    let delivery = found(store, scope, reset.event).await.unwrap();
    let shown = (text(&delivery, "status"), text(&delivery, "detail"));
    assert_eq!(shown, ("suppressed", format!("address suppressed: {NO_SUCH_USER}").as_str()));
    assert_eq!(*delivery.get("attempts"), Value::Integer(0));

    assert!(lift(store, scope, JOHN).await);
    assert_eq!((lift(store, scope, JOHN).await, all(store).await), (false, Vec::new()));
    let next = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
    granted(store, &job(scope, &next)).await;
    let log = store.list(scope, &Listing::first_page(&EVENT_STORES)).await.unwrap().items;
    let lifted: Vec<_> = log.iter().filter(|entry| text(entry, "event") == "lift_suppression").collect();
    let [entry] = lifted.as_slice() else { panic!("one: {lifted:?}") };
    assert_eq!(
        (text(entry, "resource_type"), text(entry, "resource_id")),
        ("deliveries", bounced.event.as_str())
    );
    assert_eq!(*entry.get("who"), seed::object(&serde_json::json!({ "owner": { "type": "Operator" } })));
}

pub async fn another_address_is_not_suppressed<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let (scope, bounced) = john_asks(store).await;
    refuse(store, scope, &bounced).await;
    let customer = customer_of(store, scope, JOHN).await;
    let rename = async |from: &str, address: &str| {
        let change = seed::moved(from, address);
        let audit = seed::audit(Action::Update);
        assert!(
            store.update_customer(scope, customer, &change, ChangeEvents::default(), &audit).await.unwrap()
        );
        let reset = seed::reset(store, scope, address, ResetOrigin::Integration).await;
        store.claim(&job(scope, &reset), Duration::minutes(1)).await.unwrap()
    };
    assert!(matches!(rename(JOHN, "john@example.org").await, Claim::Granted(_)));
    assert!(
        matches!(rename("john@example.org", JOHN).await, Claim::Discarded(Discarded::Suppressed)),
        "it is the address that is"
    );
}

pub async fn a_deleted_customer_takes_the_suppression_along<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let (scope, bounced) = john_asks(store).await;
    refuse(store, scope, &bounced).await;
    seed::customer(store, scope, "jane@example.com", None).await;
    delete_customer(store, scope, customer_of(store, scope, "jane@example.com").await).await;
    assert_eq!(all(store).await.len(), 1);
    delete_customer(store, scope, customer_of(store, scope, JOHN).await).await;
    assert_eq!(all(store).await, []);
}

pub async fn no_address_of_a_deleted_customer_is_kept<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    // The address that it had when a mail bounced.
    let (scope, bounced) = john_asks(store).await;
    refuse(store, scope, &bounced).await;
    let customer = customer_of(store, scope, JOHN).await;
    let change = seed::moved(JOHN, "john@example.org");
    let audit = seed::audit(Action::Update);
    assert!(store.update_customer(scope, customer, &change, ChangeEvents::default(), &audit).await.unwrap());
    assert_eq!(all(store).await.len(), 1);
    delete_customer(store, scope, customer).await;
    assert_eq!(all(store).await, []);

    // The address from which a mail bounces afterwards.
    seed::customer(store, scope, JOHN, None).await;
    let late = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
    let attempt = granted(store, &job(scope, &late)).await.attempt;
    delete_customer(store, scope, customer_of(store, scope, JOHN).await).await;
    assert!(store.settle(late.event, attempt, &no_such_user()).await.unwrap());
    assert_eq!(all(store).await, []);
}

pub async fn tenant_an_address_is_suppressed_in_its_scope_only<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let (scope, bounced) = john_asks(store).await;
    refuse(store, scope, &bounced).await;
    for other in other_scopes(store, scope).await {
        seed::customer(store, other, JOHN, None).await;
        let reset = seed::reset(store, other, JOHN, ResetOrigin::Integration).await;
        granted(store, &job(other, &reset)).await;
        assert!(!lift(store, other, JOHN).await);
        let organization = Some(other.organization);
        let here = SuppressionFilter { organization, mode: Some(other.mode) };
        assert_eq!(store.suppressions(here).await.unwrap(), []);
    }
    for mode in [None, Some(scope.mode)] {
        for organization in [None, Some(scope.organization)] {
            assert_eq!(store.suppressions(SuppressionFilter { organization, mode }).await.unwrap().len(), 1);
        }
    }
}

/// Rejects the mail because of its address.
async fn refuse<S: Store + Ledger>(store: &S, scope: Scope, reset: &SeededReset) {
    let attempt = granted(store, &job(scope, reset)).await.attempt;
    let outcome = no_such_user();
    assert!(!store.settle(reset.event, attempt + 1, &outcome).await.unwrap());
    assert_eq!(all(store).await, [], "of a claim that is not there nothing is recorded");
    assert!(store.settle(reset.event, attempt, &outcome).await.unwrap());
    let delivery = found(store, scope, reset.event).await.unwrap();
    assert_eq!((text(&delivery, "status"), text(&delivery, "smtp_enhanced_code")), ("bounced", "5.1.1"));
}

/// Returns the outcome that suppresses the address.
fn no_such_user() -> Outcome {
    let reply = Some(Reply { code: 550, enhanced: Some("5.1.1".to_owned()) });
    Outcome::Bounced { reason: NO_SUCH_USER.to_owned(), reply, suppress: Some(seed::email(JOHN)) }
}

async fn lift(store: &impl Store, scope: Scope, address: &str) -> bool {
    let audit = AuditEntry::by_operator(Action::LiftSuppression, Vec::new(), &OsRandom);
    store.lift_suppression(scope, &seed::email(address), &audit).await.unwrap()
}

async fn all(store: &impl Store) -> Vec<Suppression> {
    store.suppressions(SuppressionFilter::default()).await.unwrap()
}

pub(super) async fn customer_of(store: &impl Store, scope: Scope, address: &str) -> CustomerId {
    store.find_credentials(scope, &seed::email(address)).await.unwrap().unwrap().customer
}

async fn delete_customer(store: &impl Store, scope: Scope, customer: CustomerId) {
    let event = seed::event(scope, EventBody::CustomerDestroyed { customer });
    assert!(store.delete_customer(scope, customer, &event, &seed::audit(Action::Destroy)).await.unwrap());
}

async fn found(store: &impl Store, scope: Scope, event: EventId) -> Option<Record> {
    store.find(scope, &DELIVERIES, event.into()).await.unwrap()
}

/// Returns the deliveries of a record's events.
async fn related(store: &impl Store, scope: Scope, owner: &'static Resource, id: RecordId) -> Vec<RecordId> {
    let relationship = owner.relationship("deliveries").unwrap();
    let related = store.related(scope, owner, relationship, &[id]).await.unwrap();
    related.into_iter().map(|related| related.record.id()).collect()
}

fn of_reset(delivery: &Record) -> Option<RecordId> {
    link(delivery, "customer_password_reset")
}

fn link(delivery: &Record, relationship: &str) -> Option<RecordId> {
    delivery.linked(DELIVERIES.relationship(relationship).unwrap())
}

fn text<'a>(record: &'a Record, attribute: &str) -> &'a str {
    record.get(attribute).as_text().unwrap()
}

fn time(record: &Record, attribute: &str) -> time::OffsetDateTime {
    record.get(attribute).as_time().unwrap()
}
