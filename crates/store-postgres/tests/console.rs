//! What the console reads and changes, under its own role, which only this store has.
#![cfg(test)]

use std::time::Duration;

use rekey_core::{
    deliveries::{
        AttemptOutcome, Outcome, Reply, Status,
        ledger::{Claim, Ledger},
        log::{DeliveryFilter, DeliveryLog, StepName},
        suppression::SuppressionStore,
    },
    error::CreateError,
    events::{
        EventName,
        audit::{Action, AuditEntry, chain::AuditChain, verify::verify},
    },
    ids::{OrganizationId, WebhookId},
    operators::{OperatorName, OperatorRole, OperatorSessions, OperatorStore},
    passwords::PasswordHash,
    random::OsRandom,
    resets::ResetOrigin,
    resources::{EVENT_STORES, catalog::Catalog, listing::Listing, record::Value},
    scope::{Mode, Scope},
    secrets::OperatorToken,
    webhooks::{replay::Since, store::WebhookStore},
};
use rekey_store_postgres::{CallbackFilter, MailCount, PostgresStore};
use rekey_testkit::{
    backdoor::{Backdoor, PostgresBackdoor},
    postgres::TestDatabase,
    seed::{self, SeededReset},
};

const JOHN: &str = "john@example.com";

#[tokio::test]
async fn a_session_ends_by_its_age_and_with_the_password_the_role_and_the_operator() {
    let stage = Stage::open().await;
    let (owner, console) = (&stage.owner, &stage.console);
    let (anna, first, second) = (name("anna"), hash("first"), hash("second"));
    owner.create_operator(anna, OperatorRole::Read, &first).await.unwrap();
    let again = owner.create_operator(anna, OperatorRole::Act, &first).await.unwrap_err();
    assert!(matches!(again, CreateError::Taken));
    assert_eq!(console.operator_password(anna).await.unwrap(), Some(first.clone()));
    assert_eq!(console.operator_password(name("bert")).await.unwrap(), None);
    let open = async |password: &PasswordHash| {
        let token = OperatorToken::generate(&OsRandom);
        let is_open = console.open_operator_session(anna, password, &token.digest()).await.unwrap();
        is_open.then_some(token)
    };
    let role_of = async |token: &OperatorToken| {
        let operator = console.use_operator_session(&token.digest()).await.unwrap();
        operator.map(|operator| operator.role)
    };
    assert!(open(&second).await.is_none(), "of another password");

    let session = open(&first).await.unwrap();
    assert_eq!(role_of(&session).await, Some(OperatorRole::Read));
    assert!(owner.update_operator_role(anna, OperatorRole::Act).await.unwrap());
    assert_eq!(role_of(&session).await, None, "the role is another");

    let session = open(&first).await.unwrap();
    assert_eq!(role_of(&session).await, Some(OperatorRole::Act));
    assert!(owner.replace_operator_password(anna, &second).await.unwrap());
    assert_eq!(role_of(&session).await, None, "the password is another");

    // Used 29 minutes ago each time, it lasts for 12 hours.
    let session = open(&second).await.unwrap();
    let age = async |column: &str, minutes| {
        stage.backdoor.age("operator_sessions", column, "true", time::Duration::minutes(minutes)).await;
    };
    age("created_at", 12 * 60 - 1).await;
    for _ in 0..2 {
        age("used_at", 29).await;
        assert!(role_of(&session).await.is_some());
    }
    age("created_at", 1).await;
    assert_eq!(role_of(&session).await, None, "12 hours old");
    let idle = open(&second).await.unwrap();
    assert_eq!(stage.backdoor.count("operator_sessions", "true").await, 1, "expired ones were deleted");
    age("used_at", 30).await;
    assert_eq!(role_of(&idle).await, None, "30 minutes idle");

    let (ended, last) = (open(&second).await.unwrap(), open(&second).await.unwrap());
    console.end_operator_session(&ended.digest()).await.unwrap();
    assert_eq!((role_of(&ended).await, role_of(&last).await.is_some()), (None, true));
    assert_eq!(owner.operators().await.unwrap().len(), 1);
    assert!(owner.delete_operator(anna).await.unwrap());
    assert_eq!(role_of(&last).await, None);
    assert!(!owner.delete_operator(anna).await.unwrap());
    assert!(!owner.update_operator_role(anna, OperatorRole::Act).await.unwrap());
    assert!(!owner.replace_operator_password(anna, &first).await.unwrap());
}

/// A11: the name is in the entry, and the entry in the chain.
#[tokio::test]
async fn what_an_operator_does_is_an_entry_with_the_name() {
    let stage = Stage::open().await;
    let (scope, console) = (stage.scope, &stage.console);
    let resent = stage.reset("jane@example.com").await;
    let bounced = stage.bounce().await;
    let by_anna = |action| AuditEntry::by_named_operator(Some(name("anna")), action, &OsRandom);
    let audit = by_anna(Action::Resend);
    assert!(console.revive_delivery(scope, resent.event, true, &audit).await.unwrap());
    assert!(console.record_dead_letter(resent.event, &by_anna(Action::ReplayDeadLetter)).await.unwrap());
    let lift = by_anna(Action::LiftSuppression);
    assert!(console.lift_suppression(scope, &seed::email(JOHN), &lift).await.unwrap());
    assert!(!console.lift_suppression(scope, &seed::email(JOHN), &lift).await.unwrap());

    let actions = async |event| {
        let steps = console.delivery_life(event).await.unwrap().unwrap().timeline();
        let by_operators = steps.into_iter().filter(|step| step.name == StepName::Operator);
        by_operators.map(|step| step.detail.unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(actions(resent.event).await, ["resend by anna", "replay_dead_letter by anna"]);
    assert_eq!(actions(bounced.event).await, ["lift_suppression by anna"]);

    let listed = stage.owner.list(scope, &Listing::first_page(&EVENT_STORES)).await.unwrap();
    let named = listed.items.iter().filter(|entry| {
        let Value::Object(who) = entry.get("who") else { panic!("who: {entry:?}") };
        who.get("owner") == Some(&serde_json::json!({ "id": "anna", "type": "Operator" }))
    });
    assert_eq!(named.count(), 3);
    stage.owner.chain_entries(scope, &seed::keys(), 100).await.unwrap();
    let verified = verify(&stage.owner, scope, Some(&seed::keys()), None).await.unwrap();
    assert_eq!(verified.broken, None);
    stage.backdoor.script("UPDATE audit_entries SET actor = 'operator' WHERE action = 'resend'").await;
    let changed = verify(&stage.owner, scope, Some(&seed::keys()), None).await.unwrap();
    assert!(changed.broken.is_some(), "who did it can't be changed");
}

#[tokio::test]
async fn the_console_sees_todays_mails_relays_and_suppressions() {
    let stage = Stage::open().await;
    let (scope, console) = (stage.scope, &stage.console);
    let bounced = stage.bounce().await;
    let deferred = stage.reset("jane@example.com").await;
    let outcome = Outcome::Deferred {
        reason: "mx.example:25: 451 4.7.1 later; other.example:25: refused".to_owned(),
        reply: None,
        after: time::Duration::MINUTE,
    };
    stage.settle(&deferred, &outcome).await;
    let old = stage.reset("jim@example.com").await;
    let is_old = format!("event_id = '{}'", old.event);
    stage.backdoor.age("deliveries", "created_at", &is_old, time::Duration::days(1)).await;
    let mut today = console.mails_today().await.unwrap();
    today.sort_by_key(|count| count.status.as_str());
    let one = |status| MailCount { mode: scope.mode, status, count: 1 };
    assert_eq!(today, [one(Status::Bounced), one(Status::Deferred)]);

    let replies = console.relay_replies().await.unwrap();
    let replies: Vec<_> =
        replies.iter().map(|reply| (reply.relay.as_str(), reply.outcome, reply.delivery)).collect();
    assert_eq!(replies, [("mx.example:25", AttemptOutcome::Deferred, deferred.event)]);
    let relay = "mx.example:25".to_owned();
    let reply = Some(Reply { code: 250, enhanced: None });
    stage.settle(&deferred, &Outcome::Sent { response: "250 ok".to_owned(), reply, relay }).await;
    assert_eq!(console.relay_replies().await.unwrap().len(), 2, "its last success and failure");

    for (start, found) in [("", 1), ("john@", 1), (JOHN, 1), ("jane", 0), ("%", 0)] {
        assert_eq!(console.find_suppressions(start, 10).await.unwrap().len(), found, "{start}");
    }
    let ids = [bounced.event.as_str(), "AAAAAAAAAA", "any text"];
    assert_eq!(console.known_deliveries(&ids).await.unwrap(), [bounced.event.as_str()]);
    let listed = console.deliveries(&DeliveryFilter::default(), 10).await.unwrap();
    assert_eq!(listed.len(), 3);
    let of_john = DeliveryFilter { address: Some(seed::email(JOHN)), ..DeliveryFilter::default() };
    assert_eq!(console.deliveries(&of_john, 10).await.unwrap().len(), 1);
    assert_eq!(console.waiting_deliveries(time::Duration::ZERO, 10).await.unwrap().len(), 1);
    assert_eq!(console.is_event(old.event, b"forged").await.unwrap(), Some(false));
}

#[tokio::test]
async fn the_console_sees_webhooks_and_what_they_are_sent_and_closes_circuits() {
    let stage = Stage::open().await;
    let (scope, console) = (stage.scope, &stage.console);
    let [healthy, failing] =
        [EventName::ResetCreate, EventName::CustomerCreate].map(|topic| seed::new_webhook(scope, topic));
    for webhook in [&healthy, &failing] {
        stage.owner.create_webhook(scope, webhook, &seed::audit(Action::Create)).await.unwrap();
    }
    let open = "UPDATE webhooks SET circuit_opened_at = now(), circuit_failure_count = 30 WHERE topic = 'customers.create'";
    stage.backdoor.script(open).await;
    let listed = console.logged_webhooks(Some(scope.organization), 10).await.unwrap();
    assert_eq!(listed.iter().map(|webhook| webhook.id).collect::<Vec<_>>(), [failing.id, healthy.id]);
    assert_eq!((listed[0].failures, listed[0].circuit_opened_at.is_some()), (30, true));
    assert_eq!(console.logged_webhooks(None, 1).await.unwrap().len(), 1);
    let elsewhere = OrganizationId::generate(&OsRandom);
    assert!(console.logged_webhooks(Some(elsewhere), 10).await.unwrap().is_empty());
    assert_eq!(console.logged_webhook(WebhookId::generate(&OsRandom)).await.unwrap(), None);

    let states = [
        ("waiting", "now()", "NULL", "''"),
        ("failed", "NULL", "'503'", "''"),
        ("delivered", "NULL", "'200'", "''"),
        ("erased", "NULL", "'200'", "NULL"),
    ];
    for (n, (name, due_at, code, payload)) in states.into_iter().enumerate() {
        let add = format!(
            "INSERT INTO event_callbacks (id, organization_id, mode, webhook_id, event_id, trigger_id, topic, resource_id, callback_url,
                 sealed_payload, due_at, response_code, response_message, created_at)
             VALUES ('CALLBACK{n:02}', '{}', 'live', '{}', 'CALLBACK{n:02}', '', 'customers.create', '{name}', '', {payload}, {due_at}, {code}, 'an answer',
                 now() - interval '{n} hours')",
            scope.organization, failing.id
        );
        stage.backdoor.script(&add).await;
    }
    let filter = CallbackFilter { webhook: Some(failing.id), state: None, since: Since::default() };
    let seen = async |filter: &CallbackFilter| {
        let found = console.logged_callbacks(scope, filter, 10).await.unwrap();
        found.iter().map(|callback| callback.state.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(seen(&filter).await, states.map(|(name, ..)| name));
    for (state, ..) in states {
        assert_eq!(seen(&CallbackFilter { state: state.parse().ok(), ..filter }).await, [state]);
    }
    let of_an_hour = Since::Ago(time::Duration::minutes(90));
    assert_eq!(
        seen(&CallbackFilter { webhook: None, since: of_an_hour, ..filter }).await,
        ["waiting", "failed"]
    );
    assert!(seen(&CallbackFilter { webhook: Some(healthy.id), ..filter }).await.is_empty());
    let test = Scope { mode: Mode::Test, ..scope };
    assert!(console.logged_callbacks(test, &filter, 10).await.unwrap().is_empty());

    let audit = AuditEntry {
        attributes: vec!["_reset_circuit"],
        ..AuditEntry::by_named_operator(Some(name("anna")), Action::Update, &OsRandom)
    };
    assert!(!console.reset_circuit(test, failing.id, &audit).await.unwrap());
    assert!(console.reset_circuit(scope, failing.id, &audit).await.unwrap());
    let closed = console.logged_webhook(failing.id).await.unwrap().unwrap();
    assert_eq!((closed.failures, closed.circuit_opened_at), (0, None));
    let entry = "actor = 'operator:anna' AND resource_type = 'webhooks' AND attributes = '{_reset_circuit}'";
    assert_eq!(stage.backdoor.count("audit_entries", entry).await, 1);
}

/// A database with a shop, as its owner and as the console see it.
struct Stage {
    owner: PostgresStore,
    console: PostgresStore,
    backdoor: PostgresBackdoor,
    scope: Scope,
    _database: TestDatabase,
}

impl Stage {
    async fn open() -> Self {
        let database = TestDatabase::create().await;
        database.create_roles().await;
        let connect = |url: &str| PostgresStore::connect(url, 2, Duration::from_secs(30)).unwrap();
        let owner = connect(&database.url());
        owner.migrate().await.unwrap();
        let scope = Scope { mode: Mode::Live, ..seed::scope(&owner, "shop").await };
        Self {
            console: connect(&database.url_as("rekey_console")),
            backdoor: PostgresBackdoor::open(&database.url()),
            owner,
            scope,
            _database: database,
        }
    }

    /// Requests a reset for a new customer.
    async fn reset(&self, address: &str) -> SeededReset {
        seed::customer(&self.owner, self.scope, address, None).await;
        seed::reset(&self.owner, self.scope, address, ResetOrigin::Integration).await
    }

    async fn bounce(&self) -> SeededReset {
        let reset = self.reset(JOHN).await;
        let reply = Some(Reply { code: 550, enhanced: Some("5.1.1".to_owned()) });
        let suppress = Some(seed::email(JOHN));
        let reason = "550 5.1.1 no such user".to_owned();
        self.settle(&reset, &Outcome::Bounced { reason, reply, suppress }).await;
        reset
    }

    async fn settle(&self, reset: &SeededReset, outcome: &Outcome) {
        let job = seed::reset_mail(self.scope, reset.event, reset.id);
        let Claim::Granted(claimed) = self.owner.claim(&job, time::Duration::MINUTE).await.unwrap() else {
            panic!("it is not granted")
        };
        assert!(self.owner.settle(reset.event, claimed.claim, outcome).await.unwrap());
    }
}

fn name(text: &str) -> OperatorName {
    text.parse().unwrap()
}

fn hash(text: &str) -> PasswordHash {
    seed::hash(text)
}
