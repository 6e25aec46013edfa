use proptest::{
    collection,
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use rekey_core::{
    customers::NewCustomer,
    events::{
        EventName,
        audit::{Action, AuditEntry},
        outbox::{NewEvent, OutboxMessage},
    },
    ids::{EventId, OrganizationId, RecordId},
    organizations::NewOrganization,
    random::OsRandom,
    resets::store::ResetRecord,
    resets::{NewReset, ResetOrigin},
    resources::{
        CUSTOMER_PASSWORD_RESETS, CUSTOMERS, DELIVERIES, EVENT_STORES, EVENTS, Resource, WEBHOOKS,
        record::Value,
    },
    scope::{Mode, Scope},
    secrets::TokenDigest,
    webhooks::NewWebhook,
};
use serde_json::json;
use time::OffsetDateTime;

use super::{
    KEYS, Row, World,
    draft::{Draft, Fate, draft},
    epoch, json_numbers,
};
use crate::{backdoor::Backdoor, seed, store::Store};

/// Customers and resets with values that stores might disagree about. Each store gets the same ids and times.
pub struct Sample {
    /// The scope of the records.
    pub scope: Scope,
    /// The rows that lists show.
    pub world: World,
    organization: NewOrganization,
    customers: Vec<(NewCustomer, Facts)>,
    resets: Vec<(NewReset, Facts)>,
    webhooks: Vec<(NewWebhook, Facts)>,
}

const CUSTOMERS_MADE: usize = 24;
const RESETS_MADE: usize = 60;
/// Made of as many drafts of customers.
const WEBHOOKS_MADE: usize = 8;
/// One topic has events in the sample, the other one none.
const TOPICS: [EventName; 2] = [EventName::CustomerCreate, EventName::CustomerDestroy];
/// Local parts that contain wildcards of LIKE, or that differ in one character.
const LOCALS: [&str; 6] = ["a", "a_b", "axb", "o'brien", "a.b+c", "{}"];

impl Sample {
    /// Returns the sample with that number: always the same, except for its random ids.
    #[must_use]
    pub fn new(number: u8) -> Self {
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[number; 32]);
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        let drafts = collection::vec(draft(CUSTOMERS_MADE), CUSTOMERS_MADE + RESETS_MADE);
        let mut of_customers = drafts.new_tree(&mut runner).unwrap().current();
        let of_resets = of_customers.split_off(CUSTOMERS_MADE);
        let organization = NewOrganization {
            id: OrganizationId::generate(&OsRandom),
            slug: format!("sample-{number}").parse().unwrap(),
            name: format!("Sample {number}"),
        };
        let mut sample = Self {
            scope: Scope { organization: organization.id, mode: Mode::Test },
            organization,
            customers: Vec::new(),
            resets: Vec::new(),
            webhooks: Vec::new(),
            world: World { rows: Vec::new() },
        };
        for draft in of_customers.iter().take(WEBHOOKS_MADE) {
            sample.add_webhook(draft.clone());
        }
        for draft in of_customers {
            sample.add_customer(draft);
        }
        // Each number once alone and once in an array, and each key with a number inside an object.
        let numbers = json_numbers().into_iter().cycle();
        for ((n, mut draft), number) in of_resets.into_iter().enumerate().zip(numbers) {
            let number = if n < RESETS_MADE / 2 { json!(number) } else { json!([number]) };
            draft.metadata.insert("n".to_owned(), number);
            draft.metadata.insert(KEYS[n % KEYS.len()].to_owned(), json!({KEYS[n % KEYS.len()]: 0.1}));
            sample.add_reset(draft);
        }
        sample
    }

    /// Returns the tokens of all resets: usable ones and unusable ones.
    pub fn tokens(&self) -> impl Iterator<Item = TokenDigest> {
        self.resets.iter().map(|(reset, _)| reset.token_digest)
    }

    fn add_customer(&mut self, draft: Draft) {
        let n = self.customers.len();
        let address = format!("{}@shop{}.example.com", LOCALS[n % LOCALS.len()], n / LOCALS.len());
        let has_password = draft.fate != Fate::Pending;
        let customer = NewCustomer {
            attributes: draft.of_customer(),
            ..seed::new_customer(&address, has_password.then(|| seed::hash("any")))
        };
        let record = draft.record(
            &CUSTOMERS,
            customer.id.into(),
            |_| None,
            |name| match name {
                "email" => seed::text(customer.email.as_str()),
                "has_password" => Value::Boolean(has_password),
                "anonymization_status" => draft.anonymization.map_or(Value::Null, seed::text),
                "anonymization_info" => draft
                    .anonymization
                    .map_or(Value::Null, |status| seed::object(&json!({ "status": status }))),
                _ => Value::Null,
            },
        );
        self.world.rows.push(Row { record, about: None, token: None });
        let facts = Facts::new(EventName::CustomerCreate, draft);
        self.add_event(&CUSTOMERS, customer.id.into(), &facts);
        self.add_audit_entry(&CUSTOMERS, customer.id.into(), &facts);
        self.customers.push((customer, facts));
    }

    fn add_reset(&mut self, draft: Draft) {
        let (customer, _) = &self.customers[draft.of];
        let email = customer.email.as_str();
        let (reset, _) = seed::new_reset(self.scope, email, ResetOrigin::Integration);
        let reset = NewReset { attributes: draft.common(), ..reset };
        let is_pending = draft.fate == Fate::Pending;
        let of = RecordId::from(customer.id);
        let record = draft.record(
            &CUSTOMER_PASSWORD_RESETS,
            reset.id.into(),
            |_| Some(of),
            |name| match name {
                "customer_email" => seed::text(email),
                "reset_password_at" => draft.fate.used_at().map_or(Value::Null, Value::Time),
                "reset_password_token" if is_pending => Value::Token(reset.sealed_token.clone()),
                _ => Value::Null,
            },
        );
        self.world.rows.push(Row { record, about: None, token: is_pending.then_some(reset.token_digest) });
        let facts = Facts::new(EventName::ResetCreate, draft);
        self.add_event(&CUSTOMER_PASSWORD_RESETS, reset.id.into(), &facts);
        self.add_audit_entry(&CUSTOMER_PASSWORD_RESETS, reset.id.into(), &facts);
        self.add_delivery(of, reset.id.into(), &facts);
        self.resets.push((reset, facts));
    }

    fn add_webhook(&mut self, draft: Draft) {
        let topic = TOPICS[self.webhooks.len() % TOPICS.len()];
        let webhook = NewWebhook { common: draft.common(), ..seed::new_webhook(self.scope, topic) };
        let (name, url) = (webhook.name(), webhook.callback_url.as_str());
        let record = draft.record(
            &WEBHOOKS,
            webhook.id.into(),
            |_| None,
            |attribute| match attribute {
                "name" => seed::text(&name),
                "topic" => seed::text(topic.as_str()),
                "callback_url" => seed::text(url),
                "include_resources" => Value::Texts(Vec::new()),
                "circuit_state" => seed::text("closed"),
                "circuit_failure_count" => Value::Integer(0),
                "shared_secret" => Value::SharedSecret(webhook.secret.clone()),
                "disabled_at" => draft.fate.used_at().map_or(Value::Null, Value::Time),
                _ => Value::Null,
            },
        );
        self.world.rows.push(Row { record, about: None, token: None });
        let facts = Facts::new(topic, draft);
        self.add_audit_entry(&WEBHOOKS, webhook.id.into(), &facts);
        self.webhooks.push((webhook, facts));
    }

    /// Adds the event of a new record.
    fn add_event(&mut self, of: &'static Resource, id: RecordId, facts: &Facts) {
        let Facts { event, draft, .. } = facts;
        let record = draft.record(
            &EVENTS,
            event.message.id.into(),
            |_| None,
            |name| match name {
                "name" => seed::text(event.message.name.as_str()),
                _ => Value::Null,
            },
        );
        self.world.rows.push(Row { record, about: Some((of, id)), token: None });
    }

    /// Adds the audit entry of a new record.
    fn add_audit_entry(&mut self, of: &'static Resource, id: RecordId, facts: &Facts) {
        let Facts { audit, draft, .. } = facts;
        let record = draft.record(
            &EVENT_STORES,
            audit.id.into(),
            |_| None,
            |name| match name {
                "resource_type" => seed::text(of.name),
                "resource_id" => seed::text(id.as_str()),
                "event" => seed::text(audit.action.as_str()),
                _ => Value::Null,
            },
        );
        self.world.rows.push(Row { record, about: Some((of, id)), token: None });
    }

    /// Adds the delivery of a new reset's mail.
    fn add_delivery(&mut self, customer: RecordId, reset: RecordId, facts: &Facts) {
        let Facts { event, draft, .. } = facts;
        let (status, code) = match draft.fate {
            Fate::Pending | Fate::Expired => ("queued", Value::Null),
            Fate::Used(_) => ("sent", Value::Integer(250)),
            Fate::Superseded => ("bounced", Value::Integer(550)),
        };
        let links = |column: &str| Some(if column == "reset_id" { reset } else { customer });
        let record = draft.record(&DELIVERIES, event.message.id.into(), links, |name| match name {
            "mail" => seed::text("reset_requested"),
            "status" => seed::text(status),
            "smtp_code" => code.clone(),
            "attempts" | "in_doubt" => Value::Integer(0),
            _ => Value::Null,
        });
        self.world.rows.push(Row { record, about: None, token: None });
    }

    /// Writes all records to a store.
    pub async fn write(&self, store: &impl Store, backdoor: &dyn Backdoor) {
        let audit = seed::operator_audit(Action::Create);
        store.create_organization(&self.organization, &audit).await.unwrap();
        for (customer, Facts { event, audit, .. }) in &self.customers {
            store.create_customer(self.scope, customer, event, audit).await.unwrap();
        }
        for (reset, Facts { event, audit, .. }) in &self.resets {
            let record = ResetRecord { reset, event, audit };
            store.create_reset(self.scope, &record).await.unwrap().expect("its customer is known");
        }
        for (webhook, Facts { audit, .. }) in &self.webhooks {
            store.create_webhook(self.scope, webhook, audit).await.unwrap();
        }
        let customers = self.customers.iter().map(|(customer, facts)| (customer.id.into(), facts));
        let resets = self.resets.iter().map(|(reset, facts)| (reset.id.into(), facts));
        let webhooks = self.webhooks.iter().map(|(webhook, facts)| (webhook.id.into(), facts));
        for (table, written) in [
            ("customers", customers.collect()),
            ("password_resets", resets.collect()),
            ("webhooks", webhooks.collect()),
        ] {
            set_times(backdoor, table, &written).await;
        }
        for (customer, Facts { draft, .. }) in &self.customers {
            let status =
                draft.anonymization.map_or_else(|| "NULL".to_owned(), |status| format!("'{status}'"));
            let set =
                format!("UPDATE customers SET anonymization_status = {status} WHERE id = '{}'", customer.id);
            backdoor.script(&set).await;
        }
        backdoor.text(DELIVER).await;
    }
}

/// Sets the deliveries' times and states by their events and resets ([`Sample::add_delivery`]).
const DELIVER: &str = "
    UPDATE deliveries SET created_at = (SELECT e.created_at FROM events e WHERE e.id = event_id),
        updated_at = (SELECT e.published_at FROM events e WHERE e.id = event_id),
        status = (
            SELECT CASE WHEN r.reset_password_at IS NOT NULL THEN 'sent' WHEN r.superseded_at IS NOT NULL THEN 'bounced'
                ELSE 'queued' END
            FROM password_resets r WHERE r.id = reset_id
        ),
        smtp_code = (
            SELECT CASE WHEN r.reset_password_at IS NOT NULL THEN 250 WHEN r.superseded_at IS NOT NULL THEN 550 END
            FROM password_resets r WHERE r.id = reset_id
        )
    RETURNING event_id";

/// The values that a new record is written with, and the times that it gets afterwards.
struct Facts {
    event: NewEvent,
    audit: AuditEntry,
    draft: Draft,
}

impl Facts {
    fn new(name: EventName, draft: Draft) -> Self {
        let event = OutboxMessage { id: EventId::generate(&OsRandom), name, payload: b"any".to_vec() };
        Self { event: NewEvent::unclaimed(event), audit: seed::audit(Action::Create), draft }
    }
}

/// Sets the times of a table's records, and of their events and audit entries, to those of their drafts.
async fn set_times(backdoor: &dyn Backdoor, table: &str, written: &Vec<(RecordId, &Facts)>) {
    let of_records = |time: fn(&Draft) -> Option<OffsetDateTime>| {
        written.iter().filter_map(|(id, facts)| Some((*id, time(&facts.draft)?))).collect::<Vec<_>>()
    };
    backdoor.set_times(table, "created_at", &of_records(|draft| Some(draft.created_at))).await;
    backdoor.set_times(table, "updated_at", &of_records(|draft| Some(draft.updated_at))).await;
    if table == "password_resets" {
        backdoor.set_times(table, "reset_password_at", &of_records(|draft| draft.fate.used_at())).await;
        backdoor
            .set_times(
                table,
                "superseded_at",
                &of_records(|draft| (draft.fate == Fate::Superseded).then(epoch)),
            )
            .await;
        backdoor
            .set_times(table, "expires_at", &of_records(|draft| (draft.fate == Fate::Expired).then(epoch)))
            .await;
    }
    if table == "webhooks" {
        backdoor.set_times(table, "disabled_at", &of_records(|draft| draft.fate.used_at())).await;
    }
    let of_events = |time: fn(&Draft) -> OffsetDateTime| {
        written
            .iter()
            .map(|(_, facts)| (facts.event.message.id.into(), time(&facts.draft)))
            .collect::<Vec<_>>()
    };
    backdoor.set_times("events", "created_at", &of_events(|draft| draft.created_at)).await;
    backdoor.text("UPDATE events SET payload = NULL, published_at = created_at WHERE payload IS NOT NULL RETURNING id").await;
    backdoor.set_times("events", "published_at", &of_events(|draft| draft.updated_at)).await;
    let of_log = written.iter().map(|(_, facts)| (facts.audit.id.into(), facts.draft.created_at));
    backdoor.set_times("audit_entries", "created_at", &of_log.collect::<Vec<_>>()).await;
}
