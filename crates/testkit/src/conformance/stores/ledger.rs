//! The delivery ledger, as the mailer uses it.

use rekey_core::{
    access::Scope,
    ambient::OsEntropy,
    audit::Action,
    delivery::{Assignment, Discarded, MailJob, MailKind, Outcome},
    event::EventBody,
    ids::{CustomerId, EventId, ResetId},
    ledger::{Claim, Ledger},
    reset::ResetOrigin,
    store::Store,
};
use time::Duration;

use super::{JOHN, StoreUnderTest, at_once, other_scopes, use_up};
use crate::{
    backdoor::Backdoor,
    seed::{self, SeededReset, TOKEN_LIFE},
};

/// Longer than any of these tests takes.
const LEASE: Duration = Duration::minutes(10);

pub async fn one_of_many_claimers_is_granted_the_mail<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let (scope, reset) = john_asks(store).await;
    let job = job(scope, &reset);
    let claims = (0..40).map(|_| {
        let store = store.clone();
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
    assert_eq!(assignment.recipient.as_str(), JOHN);
    assert_eq!(assignment.organization, store.organizations().await.unwrap()[0]);
    assert_eq!(assignment.expires_at, Some(reset.created.created_at + TOKEN_LIFE));
    assert_eq!((assignment.attempt, assignment.in_doubt), (1, false));
    let row = format!("event_id = '{}' AND kind = 'reset_requested' AND state = 'sending'", reset.event);
    assert_eq!(scene.backdoor().count("deliveries", &row).await, 1);
}

pub async fn a_settled_mail_is_not_granted_again<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    for (outcome, state) in [
        (Outcome::Sent { response: "250 ok".to_owned() }, "sent"),
        (Outcome::Bounced { reason: "550 no".to_owned() }, "bounced"),
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
        assert_eq!(state_of(scene.backdoor(), reset.event).await, state);
        let later = Outcome::Deferred { reason: "too late".to_owned() };
        assert!(!store.settle(reset.event, attempt, &later).await.unwrap());
        assert!(matches!(store.claim(&job, LEASE).await.unwrap(), Claim::Settled));
    }
    assert_eq!(scene.backdoor().count("deliveries", "detail IN ('250 ok', '550 no', 'no key')").await, 3);
}

pub async fn a_deferred_mail_is_granted_again_without_doubt<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let (scope, reset) = john_asks(store).await;
    let job = job(scope, &reset);
    for attempt in 1..=3 {
        let assignment = granted(store, &job).await;
        assert_eq!((assignment.attempt, assignment.in_doubt), (attempt, false));
        let deferred = Outcome::Deferred { reason: "450 later".to_owned() };
        assert!(store.settle(reset.event, attempt, &deferred).await.unwrap());
        assert_eq!(state_of(scene.backdoor(), reset.event).await, "deferred");
    }
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

    // The first claimer wakes up: what it failed to do is no news, what it did is.
    for outcome in [
        Outcome::Deferred { reason: String::new() },
        Outcome::Bounced { reason: String::new() },
        Outcome::Failed { reason: String::new() },
    ] {
        assert!(!store.settle(reset.event, 1, &outcome).await.unwrap());
    }
    assert!(matches!(store.claim(&job, LEASE).await.unwrap(), Claim::Busy(_)));
    assert!(store.settle(reset.event, 1, &Outcome::Sent { response: "250".to_owned() }).await.unwrap());
    assert_eq!(state_of(scene.backdoor(), reset.event).await, "sent");
    assert!(matches!(store.claim(&job, LEASE).await.unwrap(), Claim::Settled));
    assert!(!store.settle(reset.event, 2, &Outcome::Deferred { reason: String::new() }).await.unwrap());
    assert_eq!(state_of(scene.backdoor(), reset.event).await, "sent");
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
        .age(
            "password_resets",
            "expires_at",
            &format!("id = '{}'", expired.id),
            TOKEN_LIFE + Duration::SECOND,
        )
        .await;
    let deleted = reset(ResetOrigin::Integration).await;
    let event = seed::event(scope, EventBody::ResetDestroyed { reset: deleted.id });
    store.delete_reset(scope, deleted.id, &event, &seed::audit(Action::Destroy)).await.unwrap();
    let decoy = seed::reset(store, scope, "nobody@example.com", ResetOrigin::SelfService).await;
    let gone = MailJob {
        event: EventId::generate(&OsEntropy),
        scope,
        kind: MailKind::PasswordChanged(CustomerId::generate(&OsEntropy)),
    };

    for (job, reason) in [
        (job(scope, &used), Discarded::Stale),
        (job(scope, &superseded), Discarded::Stale),
        (job(scope, &expired), Discarded::Stale),
        (job(scope, &deleted), Discarded::Stale),
        (job(scope, &decoy), Discarded::Decoy),
        (gone, Discarded::NoCustomer),
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
    assert!(store.settle(reset.event, 1, &Outcome::Deferred { reason: String::new() }).await.unwrap());
    use_up(store, &reset, "new").await;
    discarded(store, scene.backdoor(), &job, Discarded::Stale).await;
}

pub async fn tenant_a_mail_of_another_scope_is_discarded<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let (scope, reset) = john_asks(store).await;
    let customer = store.find_credentials(scope, &seed::email(JOHN)).await.unwrap().unwrap().customer;
    for other in other_scopes(store, scope).await {
        let of_reset = MailJob {
            event: EventId::generate(&OsEntropy),
            scope: other,
            kind: MailKind::ResetRequested(reset.id),
        };
        discarded(store, scene.backdoor(), &of_reset, Discarded::Stale).await;
        let of_customer = MailJob {
            event: EventId::generate(&OsEntropy),
            scope: other,
            kind: MailKind::PasswordChanged(customer),
        };
        discarded(store, scene.backdoor(), &of_customer, Discarded::NoCustomer).await;
    }
    let unknown = MailJob {
        event: EventId::generate(&OsEntropy),
        scope,
        kind: MailKind::ResetRequested(ResetId::generate(&OsEntropy)),
    };
    discarded(store, scene.backdoor(), &unknown, Discarded::Stale).await;
    granted(store, &job(scope, &reset)).await;
}

pub async fn word_of_a_changed_password_is_granted_whatever_became_of_the_reset<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let (scope, reset) = john_asks(store).await;
    use_up(store, &reset, "new").await;
    let customer = store.find_credentials(scope, &seed::email(JOHN)).await.unwrap().unwrap().customer;
    let event = seed::event(scope, EventBody::ResetDestroyed { reset: reset.id });
    store.delete_reset(scope, reset.id, &event, &seed::audit(Action::Destroy)).await.unwrap();

    let job =
        MailJob { event: EventId::generate(&OsEntropy), scope, kind: MailKind::PasswordChanged(customer) };
    let assignment = granted(store, &job).await;
    assert_eq!((assignment.recipient.as_str(), assignment.expires_at), (JOHN, None));
    let row = format!("event_id = '{}' AND kind = 'password_changed'", job.event);
    assert_eq!(scene.backdoor().count("deliveries", &row).await, 1);
}

async fn john_asks(store: &impl Store) -> (Scope, SeededReset) {
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    let reset = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
    (scope, reset)
}

fn job(scope: Scope, reset: &SeededReset) -> MailJob {
    MailJob { event: reset.event, scope, kind: MailKind::ResetRequested(reset.id) }
}

async fn granted(store: &impl Ledger, job: &MailJob) -> Assignment {
    match store.claim(job, LEASE).await.unwrap() {
        Claim::Granted(assignment) => *assignment,
        other => panic!("{other:?}"),
    }
}

/// The mail is discarded for that reason, and stays so.
async fn discarded(store: &impl Ledger, backdoor: &dyn Backdoor, job: &MailJob, reason: Discarded) {
    match store.claim(job, LEASE).await.unwrap() {
        Claim::Discarded(given) => assert_eq!(given, reason),
        other => panic!("{other:?}"),
    }
    let row =
        format!("event_id = '{}' AND state = 'discarded' AND detail = '{}'", job.event, reason.as_str());
    assert_eq!(backdoor.count("deliveries", &row).await, 1);
    assert!(matches!(store.claim(job, LEASE).await.unwrap(), Claim::Settled));
}

async fn state_of(backdoor: &dyn Backdoor, event: EventId) -> String {
    backdoor.text(&format!("SELECT state FROM deliveries WHERE event_id = '{event}'")).await.unwrap()
}
