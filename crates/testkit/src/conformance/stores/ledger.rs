//! The delivery ledger, as the mailer uses it.

use rekey_core::{
    deliveries::{
        ClaimedDelivery, Discarded, Expiry, MailJob, MailName, Outcome, Recipient, Reply, ledger::Claim,
    },
    events::{EventBody, audit::Action},
    ids::{CustomerId, EventId, RecordId, ResetId},
    random::OsRandom,
    resets::ResetOrigin,
    resources::DELIVERIES,
    scope::Scope,
};
use time::Duration;

use super::{JOHN, StoreUnderTest, at_once, other_scopes, use_up};
use crate::store::prelude::*;
use crate::{
    backdoor::Backdoor,
    seed::{self, SeededReset, TOKEN_TTL},
};

/// Longer than any of these tests takes.
pub(super) const LEASE: Duration = Duration::minutes(10);

pub async fn one_of_many_claimers_is_granted_the_mail<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let (scope, reset) = john_asks(store).await;
    let job = job(scope, &reset);
    let claims = (0..40).map(|_| {
        let (store, job) = (store.clone(), job.clone());
        async move { store.claim(&job, LEASE).await.unwrap() }
    });
    let mut granted = Vec::new();
    for claim in at_once(claims).await {
        match claim {
            Claim::Granted(assignment) => granted.push(assignment),
            Claim::Busy(after) => assert!(after > LEASE - Duration::minutes(2) && after <= LEASE, "{after}"),
            other => panic!("{other:?}"),
        }
    }
    let [assignment] = granted.try_into().unwrap();
    assert_eq!(assignment.recipient, Recipient::Customer { email: seed::email(JOHN), locale: None });
    assert_eq!(assignment.organization, store.organizations().await.unwrap()[0]);
    assert_eq!(assignment.expiry.unwrap().at, reset.created.created_at + TOKEN_TTL);
    assert_eq!((assignment.attempt, assignment.in_doubt), (1, false));
    let row = format!("event_id = '{}' AND attempts = 1 AND lease_until IS NOT NULL", reset.event);
    assert_eq!(scene.backdoor().count("deliveries", &row).await, 1);
    assert_eq!(status_of(scene.backdoor(), reset.event).await, "queued");
}

/// B11: a mailer's clock may differ from the database's.
pub async fn the_database_says_how_old_a_mail_is_and_how_long_its_link_works<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let (scope, reset) = john_asks(store).await;
    let earlier = Duration::hours(2);
    backdoor.age("password_resets", "expires_at", "true", earlier).await;
    backdoor.age("deliveries", "created_at", "true", earlier).await;
    let claimed = granted(store, &job(scope, &reset)).await;
    let Expiry { at, remaining } = claimed.expiry.unwrap();
    assert_eq!(at, reset.created.created_at + TOKEN_TTL - earlier);
    let slack = Duration::minutes(10);
    assert!((TOKEN_TTL - earlier - slack..=TOKEN_TTL - earlier).contains(&remaining), "{remaining}");
    assert!((earlier..earlier + slack).contains(&claimed.age), "{}", claimed.age);
}

pub async fn a_settled_mail_is_not_granted_again<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    for (outcome, status) in [
        (sent("250 ok"), "sent"),
        (bounced("550 no"), "bounced"),
        (Outcome::Expired { reason: "too late".to_owned() }, "expired"),
        (Outcome::Failed { reason: "no key".to_owned() }, "failed"),
    ] {
        let reset = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
        let job = job(scope, &reset);
        assert!(!store.settle(reset.event, 1, &outcome).await.unwrap(), "nothing was claimed");
        let attempt = granted(store, &job).await.attempt;
        assert!(
            !store.settle(reset.event, attempt + 1, &outcome).await.unwrap(),
            "no such attempt was granted"
        );
        assert!(store.settle(reset.event, attempt, &outcome).await.unwrap());
        assert!(matches!(store.claim(&job, LEASE).await.unwrap(), Claim::Settled));
        assert_eq!(status_of(scene.backdoor(), reset.event).await, status);
        assert!(!store.settle(reset.event, attempt, &deferred("too late")).await.unwrap());
        assert!(matches!(store.claim(&job, LEASE).await.unwrap(), Claim::Settled));
    }
    let details = "detail IN ('250 ok', '550 no', 'too late', 'no key') AND lease_until IS NULL";
    assert_eq!(scene.backdoor().count("deliveries", details).await, 4);
}

pub async fn a_deferred_mail_is_granted_again_without_doubt<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let (scope, reset) = john_asks(store).await;
    let job = job(scope, &reset);
    for attempt in 1..=3 {
        let assignment = granted(store, &job).await;
        assert_eq!((assignment.attempt, assignment.in_doubt), (attempt, false));
        assert!(store.settle(reset.event, attempt, &deferred("450 later")).await.unwrap());
        assert_eq!(status_of(scene.backdoor(), reset.event).await, "deferred");
    }
}

pub async fn a_mail_that_was_held_has_spent_no_attempt<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let (scope, reset) = john_asks(store).await;
    let job = job(scope, &reset);
    let held = Outcome::Held { reason: "no relay".to_owned(), after: Duration::minutes(1) };
    for claim in 1..=3 {
        let claimed = granted(store, &job).await;
        assert_eq!((claimed.claim, claimed.attempt), (claim, 1));
        assert!(store.settle(reset.event, claim, &held).await.unwrap());
        assert!(!store.settle(reset.event, claim, &held).await.unwrap(), "it is settled once");
        let row =
            "status = 'deferred' AND attempts = 0 AND detail = 'no relay' AND next_attempt_at IS NOT NULL";
        assert_eq!(scene.backdoor().count("deliveries", row).await, 1);
    }
    // One that is settled again, because the reply was lost, is not taken for the next one.
    let claimed = granted(store, &job).await;
    assert!(!store.settle(reset.event, 3, &held).await.unwrap());
    assert!(store.settle(reset.event, claimed.claim, &deferred("450")).await.unwrap());
    assert_eq!(granted(store, &job).await.attempt, 2);
}

pub async fn an_attempt_that_ended_without_a_reply_is_counted_in_doubt<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let (scope, reset) = john_asks(store).await;
    let job = job(scope, &reset);
    let in_doubt = Outcome::InDoubt { reason: "no answer".to_owned(), after: Duration::minutes(1) };
    for attempt in 1..=2 {
        let assignment = granted(store, &job).await;
        assert_eq!((assignment.attempt, assignment.in_doubt), (attempt, attempt > 1));
        assert!(store.settle(reset.event, attempt, &in_doubt).await.unwrap());
        let row = format!(
            "status = 'deferred' AND attempts = {attempt} AND in_doubt = {attempt} AND detail = 'no answer'"
        );
        assert_eq!(scene.backdoor().count("deliveries", &row).await, 1);
    }
    assert!(store.settle(reset.event, granted(store, &job).await.attempt, &sent("")).await.unwrap());
    assert_eq!(scene.backdoor().count("deliveries", "status = 'sent' AND in_doubt = 2").await, 1);
}

pub async fn a_claim_that_ran_out_is_taken_over_in_doubt<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let (scope, reset) = john_asks(store).await;
    let job = job(scope, &reset);
    granted(store, &job).await;
    scene.backdoor().age("deliveries", "lease_until", "true", LEASE - Duration::minutes(2)).await;
    assert!(matches!(store.claim(&job, LEASE).await.unwrap(), Claim::Busy(_)));
    scene.backdoor().age("deliveries", "lease_until", "true", Duration::minutes(3)).await;
    let second = granted(store, &job).await;
    assert_eq!((second.attempt, second.in_doubt), (2, true));
    assert_eq!(scene.backdoor().count("deliveries", "in_doubt = 1").await, 1);

    // The first claimer continues: its failure changes nothing, its success does.
    for outcome in [
        deferred(""),
        bounced(""),
        Outcome::Expired { reason: String::new() },
        Outcome::Failed { reason: String::new() },
    ] {
        assert!(!store.settle(reset.event, 1, &outcome).await.unwrap());
    }
    assert!(matches!(store.claim(&job, LEASE).await.unwrap(), Claim::Busy(_)));
    assert!(store.settle(reset.event, 1, &sent("250")).await.unwrap());
    assert_eq!(status_of(scene.backdoor(), reset.event).await, "sent");
    assert!(matches!(store.claim(&job, LEASE).await.unwrap(), Claim::Settled));
    assert!(!store.settle(reset.event, 2, &deferred("")).await.unwrap());
    assert_eq!(status_of(scene.backdoor(), reset.event).await, "sent");
}

pub async fn late_mails_are_discarded_and_recorded_as_such<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    let reset = async |origin| seed::reset(store, scope, JOHN, origin).await;

    let used = reset(ResetOrigin::Integration).await;
    use_up(store, &used, "new").await;
    let superseded = reset(ResetOrigin::SelfService).await;
    reset(ResetOrigin::SelfService).await;
    let expired = reset(ResetOrigin::Integration).await;
    scene
        .backdoor()
        .age("password_resets", "expires_at", &format!("id = '{}'", expired.id), TOKEN_TTL + Duration::SECOND)
        .await;
    let deleted = reset(ResetOrigin::Integration).await;
    let event = seed::event(scope, EventBody::ResetDestroyed { reset: deleted.id });
    store.delete_reset(scope, deleted.id, &event, &seed::audit(Action::Destroy)).await.unwrap();
    let decoy = seed::reset(store, scope, "nobody@example.com", ResetOrigin::SelfService).await;
    let gone = changed(scope, None, CustomerId::generate(&OsRandom));

    for (job, reason) in [
        (job(scope, &used), Discarded::ResetUsed),
        (job(scope, &superseded), Discarded::ResetSuperseded),
        (job(scope, &expired), Discarded::ResetExpired),
        (job(scope, &deleted), Discarded::ResetDeleted),
        (job(scope, &decoy), Discarded::Decoy),
        (gone, Discarded::CustomerDeleted),
    ] {
        discarded(store, scene.backdoor(), &job, reason).await;
    }
}

pub async fn a_mail_that_is_no_longer_wanted_on_a_retry_is_discarded<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let (scope, reset) = john_asks(store).await;
    let job = job(scope, &reset);
    granted(store, &job).await;
    assert!(store.settle(reset.event, 1, &deferred("")).await.unwrap());
    use_up(store, &reset, "new").await;
    discarded(store, scene.backdoor(), &job, Discarded::ResetUsed).await;
}

pub async fn tenant_a_mail_of_another_scope_is_discarded<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let (scope, reset) = john_asks(store).await;
    let customer = store.find_credentials(scope, &seed::email(JOHN)).await.unwrap().unwrap().customer;
    for other in other_scopes(store, scope).await {
        let of_reset = another_job(other, reset.id);
        discarded(store, scene.backdoor(), &of_reset, Discarded::ResetDeleted).await;
        let of_customer = changed(other, None, customer);
        discarded(store, scene.backdoor(), &of_customer, Discarded::CustomerDeleted).await;
    }
    let unknown = another_job(scope, ResetId::generate(&OsRandom));
    discarded(store, scene.backdoor(), &unknown, Discarded::ResetDeleted).await;
    granted(store, &job(scope, &reset)).await;
}

pub async fn a_notification_of_a_changed_password_is_granted_whatever_the_resets_state<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let (scope, reset) = john_asks(store).await;
    use_up(store, &reset, "new").await;
    let customer = store.find_credentials(scope, &seed::email(JOHN)).await.unwrap().unwrap().customer;
    let event = seed::event(scope, EventBody::ResetDestroyed { reset: reset.id });
    store.delete_reset(scope, reset.id, &event, &seed::audit(Action::Destroy)).await.unwrap();

    for reset in [None, Some(reset.id)] {
        let job = changed(scope, reset, customer);
        let assignment = granted(store, &job).await;
        assert_eq!(assignment.recipient.email(), Some(&seed::email(JOHN)));
        assert_eq!(assignment.expiry, None);
        let row = format!("event_id = '{}' AND mail = 'password_changed' AND attempts = 1", job.event);
        assert_eq!(scene.backdoor().count("deliveries", &row).await, 1);
    }
}

pub async fn an_unknown_address_gets_a_mail_where_the_job_says_so<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let (scope, real) = john_asks(store).await;
    let ask = async || seed::reset(store, scope, "nobody@example.com", ResetOrigin::SelfService).await;
    let answered = |reset: &SeededReset| MailJob { answer_unknown: true, ..job(scope, reset) };

    let (superseded, pending) = (ask().await, ask().await);
    discarded(store, scene.backdoor(), &answered(&superseded), Discarded::ResetSuperseded).await;
    let assignment = granted(store, &answered(&pending)).await;
    assert_eq!((&assignment.recipient, assignment.expiry), (&Recipient::Unknown, None));
    assert_eq!(assignment.organization, store.organizations().await.unwrap()[0]);
    let row = format!("event_id = '{}' AND mail = 'no_account' AND customer_id IS NULL", pending.event);
    assert_eq!(scene.backdoor().count("deliveries", &row).await, 1);
    assert!(store.settle(pending.event, 1, &sent("250")).await.unwrap());
    // A known address gets the link as before.
    let assignment = granted(store, &answered(&real)).await;
    assert_eq!(assignment.recipient.email(), Some(&seed::email(JOHN)));
    assert!(assignment.expiry.is_some());
}

pub async fn a_customers_language_comes_with_the_mail<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let (scope, reset) = john_asks(store).await;
    scene.backdoor().text("UPDATE customers SET locale = 'pt-BR' RETURNING id").await;
    let locale = Some("pt-BR".parse().unwrap());
    let assignment = granted(store, &job(scope, &reset)).await;
    assert_eq!(assignment.recipient, Recipient::Customer { email: seed::email(JOHN), locale });
}

pub async fn a_mail_whose_event_an_older_version_wrote_is_recorded_by_its_claim<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let (scope, reset) = john_asks(store).await;
    let shown = async || store.find(scope, &DELIVERIES, RecordId::from(reset.event)).await.unwrap();
    let before = shown().await.unwrap();
    scene.backdoor().text("DELETE FROM deliveries RETURNING event_id").await;
    assert_eq!(shown().await, None);
    assert_eq!(granted(store, &job(scope, &reset)).await.attempt, 1);
    let after = shown().await.unwrap();
    for name in ["customer", "customer_password_reset"] {
        let relationship = DELIVERIES.relationship(name).unwrap();
        assert!(after.linked(relationship).is_some());
        assert_eq!(after.linked(relationship), before.linked(relationship));
    }
    assert_eq!(after.get("mail"), before.get("mail"));
}

pub(super) async fn john_asks(store: &impl Store) -> (Scope, SeededReset) {
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    let reset = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
    (scope, reset)
}

pub(super) fn job(scope: Scope, reset: &SeededReset) -> MailJob {
    seed::reset_mail(scope, reset.event, reset.id)
}

/// A mail whose event was never written.
fn another_job(scope: Scope, reset: ResetId) -> MailJob {
    seed::reset_mail(scope, EventId::generate(&OsRandom), reset)
}

pub(super) fn changed(scope: Scope, reset: Option<ResetId>, customer: CustomerId) -> MailJob {
    let event = EventId::generate(&OsRandom);
    MailJob {
        event,
        scope,
        mail: MailName::PasswordChanged,
        reset,
        customer: Some(customer),
        ..seed::reset_mail(scope, event, ResetId::generate(&OsRandom))
    }
}

pub(super) fn sent(response: &str) -> Outcome {
    let reply = Some(Reply { code: 250, enhanced: Some("2.0.0".to_owned()) });
    Outcome::Sent { response: response.to_owned(), reply, relay: "smtp.example.com".to_owned() }
}

pub(super) fn deferred(reason: &str) -> Outcome {
    let reply = Some(Reply { code: 450, enhanced: None });
    Outcome::Deferred { reason: reason.to_owned(), reply, after: Duration::minutes(10) }
}

fn bounced(reason: &str) -> Outcome {
    Outcome::Bounced { reason: reason.to_owned(), reply: None, suppress: None }
}

pub(super) async fn granted(store: &impl Ledger, job: &MailJob) -> ClaimedDelivery {
    match store.claim(job, LEASE).await.unwrap() {
        Claim::Granted(assignment) => *assignment,
        other => panic!("{other:?}"),
    }
}

/// Asserts that the mail is discarded for that reason, permanently.
async fn discarded(store: &impl Ledger, backdoor: &dyn Backdoor, job: &MailJob, reason: Discarded) {
    match store.claim(job, LEASE).await.unwrap() {
        Claim::Discarded(given) => assert_eq!(given, reason),
        other => panic!("{other:?}"),
    }
    let row = format!(
        "event_id = '{}' AND status = '{}' AND detail = '{}' AND lease_until IS NULL",
        job.event,
        reason.status().as_str(),
        reason.as_str()
    );
    assert_eq!(backdoor.count("deliveries", &row).await, 1);
    assert!(matches!(store.claim(job, LEASE).await.unwrap(), Claim::Settled));
}

pub(super) async fn status_of(backdoor: &dyn Backdoor, event: EventId) -> String {
    backdoor.text(&format!("SELECT status FROM deliveries WHERE event_id = '{event}'")).await.unwrap()
}
