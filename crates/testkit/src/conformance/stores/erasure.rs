//! A13: the anonymization of customers, and what is left of those that were deleted or anonymized.

mod life;

use std::sync::Arc;

use rekey_core::{
    clock::SystemClock,
    customers::{
        CustomerChange,
        anonymization::{AnonymizationRequest, DueAnonymization},
        store::ChangeEvents,
    },
    deliveries::{
        Discarded, MailJob, Outcome,
        ledger::{Claim, Ledger},
    },
    events::{
        EventBody,
        audit::{Action, AuditEntry},
        outbox::Settlement,
        recorder::EventRecorder,
        relay_queue::RelayQueue,
    },
    ids::CustomerId,
    random::OsRandom,
    resets::ResetOrigin,
    resources::{
        CUSTOMERS,
        record::{Record, Value},
    },
    scope::Scope,
};
use serde_json::json;
use time::Duration;

use self::life::{Life, live};
use super::{
    AUDIT_LOG, JOHN, StoreUnderTest, holder,
    ledger::{LEASE, changed, granted, job},
    other_scopes, written,
};
use crate::{backdoor::Backdoor, seed, store::prelude::*};

/// The delay of requests here.
const DELAY: Duration = Duration::hours(24);
/// When customers with something that waits are looked at again.
const RETRY: Duration = Duration::minutes(10);
/// The customer's last address.
const JOHNNY: &str = "johnny@example.org";
/// The network address of every audit entry: see [`seed::audit`].
const NETWORK_ADDRESS: &str = "2001:db8::7";

pub async fn a13_a_request_waits_and_can_be_cancelled<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, None).await;
    assert_eq!(status(&john.record), None);
    let id = john.id;

    assert!(!ask(store, scope, id, AnonymizationRequest::Cancel).await, "there is none");
    assert!(ask(store, scope, id, AnonymizationRequest::Request).await);
    let requested = found(store, scope, id).await;
    assert_eq!(status(&requested), Some("requested"));
    backdoor.age("customers", "anonymization_requested_at", "true", Duration::HOUR).await;
    let first = found(store, scope, id).await;
    assert!(ask(store, scope, id, AnonymizationRequest::Request).await);
    let again = found(store, scope, id).await;
    assert_eq!(again.get("anonymization_info"), first.get("anonymization_info"), "the first request counts");
    for other in other_scopes(store, scope).await {
        assert!(!ask(store, other, id, AnonymizationRequest::Cancel).await);
    }

    let events = "name = 'customers.anonymization_cancelled'";
    assert_eq!(backdoor.count("events", events).await, 0);
    assert!(ask(store, scope, id, AnonymizationRequest::Cancel).await);
    assert_eq!(status(&found(store, scope, id).await), Some("cancelled"));
    assert_eq!(backdoor.count("events", events).await, 1);
    let logged = format!("resource_id = '{id}' AND action = 'update' AND customer_id IS NULL");
    assert_eq!(backdoor.count(AUDIT_LOG, &logged).await, 3);
    let before = written(backdoor).await;
    assert!(!ask(store, scope, id, AnonymizationRequest::Cancel).await, "once is enough");
    assert_eq!(written(backdoor).await, before);
    assert_eq!(due(store).await, []);

    assert!(ask(store, scope, id, AnonymizationRequest::Request).await);
    assert_eq!(status(&found(store, scope, id).await), Some("requested"));
}

pub async fn a13_requests_are_carried_out_once_they_are_old_enough<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let john = live(store, backdoor, scope).await.customer;
    let jane = seed::customer(store, scope, "jane@example.com", Some(seed::hash("hers"))).await;
    let hers = seed::reset(store, scope, "jane@example.com", ResetOrigin::Integration).await;
    for id in [john, jane.id] {
        assert!(ask(store, scope, id, AnonymizationRequest::Request).await);
    }
    assert_eq!(due(store).await, [], "they are young");
    backdoor.age("customers", "anonymization_requested_at", "true", DELAY).await;
    let found_due = due(store).await;
    assert_eq!(found_due.len(), 2);
    assert_eq!(store.due_anonymizations(DELAY, 1).await.unwrap().len(), 1);
    let prepared: Vec<_> = found_due.iter().map(|due| due.prepare(&recorder())).collect();
    // Hers is cancelled in between.
    assert!(ask(store, scope, jane.id, AnonymizationRequest::Cancel).await);
    assert_eq!(store.anonymize(DELAY, &prepared).await.unwrap(), 1);
    assert_eq!(store.anonymize(DELAY, &prepared).await.unwrap(), 0);

    let gone = found(store, scope, john).await;
    assert_eq!(status(&gone), Some("completed"));
    let address = gone.get("email").as_text().unwrap();
    assert!(address.ends_with("@anonymized.invalid"), "{address}");
    assert_eq!(seed::email(address).as_str(), address);
    for attribute in ["locale", "reference", "reference_origin"] {
        assert_eq!(gone.get(attribute).as_text(), None, "{attribute}");
    }
    assert_eq!(gone.get("metadata"), &seed::object(&json!({})));
    assert_eq!(gone.get("has_password"), &Value::Boolean(false));
    let of_john = format!("customer_id = '{john}'");
    for table in ["sessions", "email_changes", "email_change_tries", "password_resets"] {
        assert_eq!(backdoor.count(table, &of_john).await, 0, "{table}");
    }
    let ended = format!("{of_john} AND hash IS NULL AND generation > 1");
    assert_eq!(backdoor.count("customer_passwords", &ended).await, 1);
    for name in ["customers.anonymization_started", "customers.anonymization_completed"] {
        let event = format!("name = '{name}' AND resource_id = '{john}'");
        assert_eq!(backdoor.count("events", &event).await, 1, "{name}");
    }
    assert!(!ask(store, scope, john, AnonymizationRequest::Request).await);
    assert!(!ask(store, scope, john, AnonymizationRequest::Cancel).await);

    let same = found(store, scope, jane.id).await;
    assert_eq!((status(&same), same.get("email")), (Some("cancelled"), &seed::text("jane@example.com")));
    assert!(holder(store, &hers).await.is_some());
}

/// A11. The API's role can queue any customer.
pub async fn a13_a_queued_customer_that_is_not_gone_keeps_everything<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, None).await.id;
    seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
    let jane = seed::customer(store, scope, "jane@example.com", None).await.id;
    let event = seed::event(scope, EventBody::CustomerDestroyed { customer: jane });
    assert!(store.delete_customer(scope, jane, &event, &seed::audit(Action::Destroy)).await.unwrap());
    backdoor.script("UPDATE events SET payload = NULL, published_at = created_at").await;
    backdoor.script("UPDATE deliveries SET status = 'sent'").await;
    backdoor.script(&format!("UPDATE erasures SET customer_id = '{john}'")).await;

    let before = (written(backdoor).await, backdoor.count(AUDIT_LOG, "true").await);
    assert_eq!(store.erase(RETRY, 10).await.unwrap(), 0);
    assert_eq!((written(backdoor).await, backdoor.count(AUDIT_LOG, "true").await), before);
}

pub async fn a13_no_mail_goes_to_an_anonymized_customer<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, None).await;
    let claimed = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
    let attempt = granted(store, &job(scope, &claimed)).await.attempt;
    anonymize(store, backdoor, scope, john.id).await;
    // A notice that comes late names the address of its time.
    let notice = MailJob { recipient: Some(seed::email(JOHN)), ..changed(scope, Some(claimed.id), john.id) };
    let refused = store.claim(&notice, LEASE).await.unwrap();
    assert!(matches!(refused, Claim::Discarded(Discarded::CustomerDeleted)), "{refused:?}");
    // The mail that was being sent is refused because of its address.
    let suppress = Some(seed::email(JOHN));
    let outcome = Outcome::Bounced { reason: format!("550 {JOHN}: unknown"), reply: None, suppress };
    assert!(store.settle(claimed.event, attempt, &outcome).await.unwrap());
    assert_eq!(backdoor.count("suppressions", "true").await, 0);
    publish_all(store).await;
    assert_eq!(store.erase(RETRY, 10).await.unwrap(), 1);
    assert_eq!(backdoor.count("erasures", "true").await, 0);
    assert_eq!(backdoor.traces(JOHN).await, Vec::<String>::new());
}

pub async fn a13_of_a_deleted_customer_only_the_deletion_is_left<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let life = live(store, backdoor, scope).await;
    let jane = seed::customer(store, scope, "jane@example.com", Some(seed::hash("hers"))).await;
    let hers = seed::reset(store, scope, "jane@example.com", ResetOrigin::Integration).await;
    store.claim(&job(scope, &hers), LEASE).await.unwrap();
    let of_jane = format!("customer_id = '{}'", jane.id);
    let elsewhere = format!("UPDATE audit_personal_data SET address = '192.0.2.1' WHERE {of_jane}");
    backdoor.script(&elsewhere).await;
    for trace in [JOHN, NETWORK_ADDRESS] {
        assert!(!backdoor.traces(trace).await.is_empty(), "there was something to erase");
    }
    let event = seed::event(scope, EventBody::CustomerDestroyed { customer: life.customer });
    let audit = AuditEntry { address: None, ..seed::audit(Action::Destroy) };
    assert!(store.delete_customer(scope, life.customer, &event, &audit).await.unwrap());

    // A mail and events wait: they stay, and so does the entry in the queue.
    assert_eq!(store.erase(RETRY, 10).await.unwrap(), 1);
    assert_eq!(store.erase(RETRY, 10).await.unwrap(), 0, "it is looked at later");
    let waiting = format!("event_id = '{}' AND status = 'queued'", life.waiting.event);
    assert_eq!(backdoor.count("deliveries", &waiting).await, 1);
    assert!(backdoor.count("events", "published_at IS NULL").await > 1);
    discard_mails(store, backdoor, scope, life.customer).await;
    publish_all(store).await;
    backdoor.age("erasures", "due_at", "true", RETRY).await;
    assert_eq!(store.erase(RETRY, 10).await.unwrap(), 1);
    assert_eq!(backdoor.count("erasures", "true").await, 0);

    assert_no_trace(backdoor, &life).await;
    assert_eq!(
        backdoor.traces(life.customer.as_str()).await,
        ["audit_personal_data.resource_id", "events.resource_id"]
    );
    let kept = format!("resource_id = '{}' AND name <> 'customers.destroy'", life.customer);
    assert_eq!(backdoor.count("events", &kept).await, 0);
    assert_eq!(logged(backdoor, life.customer).await, ["destroy"]);

    // Another customer's records stay.
    assert!(holder(store, &hers).await.is_some());
    assert_eq!(backdoor.count("deliveries", &of_jane).await, 1);
    assert_eq!(backdoor.count("audit_personal_data", &of_jane).await, 2);
    assert_eq!(backdoor.count("events", &format!("resource_id = '{}'", hers.id)).await, 1);
}

pub async fn a13_of_an_anonymized_customer_only_its_id_is_left<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let life = live(store, backdoor, scope).await;
    anonymize(store, backdoor, scope, life.customer).await;
    discard_mails(store, backdoor, scope, life.customer).await;
    publish_all(store).await;
    assert_eq!(store.erase(RETRY, 10).await.unwrap(), 1);
    assert_eq!(backdoor.count("erasures", "true").await, 0);

    assert_no_trace(backdoor, &life).await;
    assert_eq!(
        backdoor.traces(life.customer.as_str()).await,
        [
            "audit_personal_data.resource_id",
            "customer_passwords.customer_id",
            "customers.id",
            "events.resource_id"
        ]
    );
    let kept = format!("resource_id = '{}' AND name NOT LIKE 'customers.anonymization_%'", life.customer);
    assert_eq!(backdoor.count("events", &kept).await, 0);
    assert_eq!(logged(backdoor, life.customer).await, ["anonymize", "update"]);
}

/// Requests the customer's anonymization, and carries it out.
async fn anonymize<S: Store + Clone>(store: &S, backdoor: &dyn Backdoor, scope: Scope, customer: CustomerId) {
    assert!(ask(store, scope, customer, AnonymizationRequest::Request).await);
    backdoor.age("customers", "anonymization_requested_at", "true", DELAY).await;
    let prepared: Vec<_> = due(store).await.iter().map(|due| due.prepare(&recorder())).collect();
    assert_eq!(store.anonymize(DELAY, &prepared).await.unwrap(), 1);
}

async fn ask(store: &impl Store, scope: Scope, customer: CustomerId, asked: AnonymizationRequest) -> bool {
    let change = CustomerChange { anonymization: Some(asked), ..CustomerChange::default() };
    let event = seed::event(scope, EventBody::CustomerAnonymizationCancelled { customer });
    let anonymization = (asked == AnonymizationRequest::Cancel).then_some(&event);
    let events = ChangeEvents { anonymization, ..ChangeEvents::default() };
    let audit =
        AuditEntry { attributes: vec![asked.attribute()], address: None, ..seed::audit(Action::Update) };
    store.update_customer(scope, customer, &change, events, &audit).await.unwrap()
}

async fn due(store: &impl Store) -> Vec<DueAnonymization> {
    store.due_anonymizations(DELAY, 10).await.unwrap()
}

async fn found(store: &impl Store, scope: Scope, customer: CustomerId) -> Record {
    store.find(scope, &CUSTOMERS, customer.into()).await.unwrap().unwrap()
}

fn status(customer: &Record) -> Option<&str> {
    customer.get("anonymization_status").as_text()
}

fn recorder() -> EventRecorder {
    EventRecorder {
        keys: seed::keys(),
        clock: Arc::new(SystemClock),
        random: Arc::new(OsRandom),
        relay_queue: RelayQueue::without_relay(),
    }
}

/// Publishes all events.
async fn publish_all(store: &impl Store) {
    let claimed = store.claim_messages(Duration::minutes(1), 100).await.unwrap();
    let settled: Vec<_> = claimed.iter().map(|claimed| Settlement::Published(claimed.message.id)).collect();
    store.settle_messages(&settled).await.unwrap();
}

/// Lets the mailer find that no mail to the customer is wanted any more.
async fn discard_mails(store: &impl Store, backdoor: &dyn Backdoor, scope: Scope, customer: CustomerId) {
    let waiting = format!(
        "SELECT event_id FROM deliveries WHERE customer_id = '{customer}' AND status = 'queued' LIMIT 1"
    );
    while let Some(event) = backdoor.text(&waiting).await {
        let mail = MailJob { event: event.parse().unwrap(), ..changed(scope, None, customer) };
        let refused = store.claim(&mail, LEASE).await.unwrap();
        assert!(matches!(refused, Claim::Discarded(Discarded::CustomerDeleted)), "{refused:?}");
    }
}

/// Returns the actions that the audit log has about a customer. Its other entries have no personal fields any more.
async fn logged(backdoor: &dyn Backdoor, customer: CustomerId) -> Vec<String> {
    assert!(backdoor.count("audit_entries", "true").await > 5);
    let actions = |action: &str| format!("resource_id = '{customer}' AND action = '{action}'");
    let mut logged = Vec::new();
    for action in ["anonymize", "create", "destroy", "update"] {
        for _ in 0..backdoor.count(AUDIT_LOG, &actions(action)).await {
            logged.push(action.to_owned());
        }
    }
    logged
}

/// Asserts that no table has an address or a reset of the customer.
async fn assert_no_trace(backdoor: &dyn Backdoor, life: &Life) {
    for address in [JOHN, JOHNNY, NETWORK_ADDRESS] {
        assert_eq!(backdoor.traces(address).await, Vec::<String>::new(), "{address}");
    }
    for reset in &life.resets {
        assert_eq!(backdoor.traces(reset.id.as_str()).await, Vec::<String>::new());
    }
}
