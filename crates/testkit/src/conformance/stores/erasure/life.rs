//! A customer that has left records of every kind.

use rekey_core::{
    attributes::Patch,
    customers::{CustomerChange, email_change::EmailTries, store::ChangeEvents},
    deliveries::Outcome,
    events::{EventBody, audit::Action},
    idempotency::{KeyClaim, Owner},
    ids::{ApplicationId, CustomerId},
    random::OsRandom,
    resets::ResetOrigin,
    scope::Scope,
    secrets::Fingerprint,
};
use serde_json::json;
use time::Duration;

use super::{JOHNNY, publish_all};
use crate::{
    backdoor::Backdoor,
    conformance::stores::{
        JOHN, audit, email_changes,
        ledger::{LEASE, granted, job, sent},
        rejections, sessions, use_up,
    },
    seed::{self, SeededReset},
    store::prelude::*,
};

/// A customer with all records that a customer can have.
pub(super) struct Life {
    pub(super) customer: CustomerId,
    pub(super) resets: Vec<SeededReset>,
    /// The reset with a mail that waits.
    pub(super) waiting: SeededReset,
}

/// Lets a customer do all that leaves records: it signs in, uses, rejects and deletes resets, has its mails sent and refused, and has
/// another address at the end.
pub(super) async fn live<S: Store + Clone>(store: &S, backdoor: &dyn Backdoor, scope: Scope) -> Life {
    let john = seed::customer(store, scope, JOHN, Some(seed::hash("first"))).await;
    let mut attributes = seed::customer_reference(JOHN);
    attributes.locale = Patch::Set("de".parse().unwrap());
    attributes.common.metadata = json!({ "mail": JOHN }).as_object().cloned();
    let change = CustomerChange { attributes, ..CustomerChange::default() };
    let audit = seed::audit(Action::Update);
    assert!(store.update_customer(scope, john.id, &change, ChangeEvents::default(), &audit).await.unwrap());
    answer(store, scope, john.id).await;

    let mut resets = Vec::new();
    for _ in 0..4 {
        resets.push(seed::reset(store, scope, JOHN, ResetOrigin::Integration).await);
    }
    let [used, rejected, deleted, refused] = &resets[..] else { unreachable!() };
    for (reset, outcome) in [
        (used, sent(&format!("250 queued for {JOHN}"))),
        (rejected, sent("250 ok")),
        (deleted, sent("250 ok")),
        (
            refused,
            Outcome::Bounced {
                reason: format!("550 {JOHN}"),
                reply: None,
                suppress: Some(seed::email(JOHN)),
            },
        ),
    ] {
        let attempt = granted(store, &job(scope, reset)).await.attempt;
        assert!(store.settle(reset.event, attempt, &outcome).await.unwrap());
    }
    publish_all(store).await;
    assert!(rejections::reject(store, &rejections::found(store, rejected.id).await, Duration::HOUR).await);
    let destroyed = seed::event(scope, EventBody::ResetDestroyed { reset: deleted.id });
    assert!(store.delete_reset(scope, deleted.id, &destroyed, &seed::audit(Action::Destroy)).await.unwrap());
    use_up(store, used, "second").await;

    let session = sessions::open(store, scope, john.id, &seed::hash("second")).await;
    session.expect("the password is right");
    audit::Account { scope, address: JOHN }.record(store, Action::SignIn).await;
    let tries = EmailTries { budget: 5, window: Duration::DAY };
    let throttled = seed::audit(Action::EmailChangeThrottled);
    store.count_email_try(scope, john.id, tries, &throttled).await.unwrap();
    email_changes::change(store, scope, john.id, JOHN, JOHNNY).await;
    let waiting = seed::reset(store, scope, JOHNNY, ResetOrigin::Integration).await;
    resets.push(waiting.clone());
    for table in [
        "sessions",
        "sign_in_counts",
        "email_changes",
        "email_change_tries",
        "suppressions",
        "idempotency_keys",
    ] {
        assert_eq!(backdoor.count(table, "true").await, 1, "{table}");
    }
    Life { customer: john.id, resets, waiting }
}

/// Stores an answer about the customer's creation, which is encrypted.
async fn answer(store: &impl AnswerStore, scope: Scope, customer: CustomerId) {
    let owner = Owner { scope, application: ApplicationId::generate(&OsRandom), customer: None };
    let fingerprints = Fingerprint::all(&[b"body".as_slice()], &seed::keys());
    let key = owner.digest(&"key".parse().unwrap());
    let claim = KeyClaim {
        key: &key,
        fingerprints: &fingerprints,
        record: customer.into(),
        lease: LEASE,
        ttl: Duration::DAY,
    };
    store.claim_key(scope, &claim).await.unwrap();
}
