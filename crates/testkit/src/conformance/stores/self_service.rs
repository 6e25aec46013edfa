//! The quota of self-service resets.

use rekey_core::{
    deliveries::{
        MailJob, Outcome,
        ledger::{Claim, Ledger},
    },
    events::audit::Action,
    resets::store::ResetRecord,
    resets::{NewReset, ResetOrigin, ResetQuota},
    scope::Scope,
};
use time::Duration;

use super::{JOHN, StoreUnderTest, at_once, holder, written};
use crate::seed;
use crate::store::prelude::*;

/// Longer than any of these tests takes.
const COOLDOWN: Duration = Duration::minutes(10);

pub(super) const QUOTA: ResetQuota =
    ResetQuota { cooldown: COOLDOWN, budget: 3, window: Duration::hours(24) };

/// Requests a reset. Returns it if one was created.
async fn request(store: &impl Store, scope: Scope, address: &str) -> Option<MailJob> {
    let (reset, _) = seed::new_reset(scope, address, ResetOrigin::SelfService);
    let reset = NewReset { quota: QUOTA, ..reset };
    let event = seed::reset_created(scope, &reset);
    let record = ResetRecord { reset: &reset, event: &event, audit: &seed::audit(Action::Create) };
    let created = store.create_reset(scope, &record).await.unwrap();
    created.map(|_| seed::reset_mail(scope, event.message.id, reset.id))
}

/// Requests a reset, and returns whether one was created.
pub(super) async fn ask(store: &impl Store, scope: Scope, address: &str) -> bool {
    request(store, scope, address).await.is_some()
}

pub async fn mail_bomb_inside_the_cooldown_nothing_is_created<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    for address in [JOHN, "nobody@example.com"] {
        assert!(ask(store, scope, address).await);
        let before = written(backdoor).await;
        let subaddress = address.replace('@', "+shop@");
        for again in [address, &address.to_uppercase(), &subaddress] {
            assert!(!ask(store, scope, again).await, "{again}");
        }
        assert_eq!(written(backdoor).await, before);
    }
    let by_integration = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
    assert!(holder(store, &by_integration).await.is_some(), "a back office waits for nobody");
    backdoor.age("reset_quotas", "last_reset_at", "true", COOLDOWN).await;
    assert!(ask(store, scope, JOHN).await);
    assert!(ask(store, scope, "nobody+shop@example.com").await);
}

pub async fn mail_bomb_a_window_has_its_budget_of_mails_and_the_next_one_its_own<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    for (address, expected) in [(JOHN, "sent"), ("nobody@example.com", "discarded")] {
        for _window in 0..2 {
            let mut mails = Vec::new();
            for _ in 0..6 {
                let [resets, events, audits] = written(backdoor).await;
                let job = request(store, scope, address).await.unwrap();
                assert_eq!(written(backdoor).await, [resets + 1, events + 1, audits + 1], "the same work");
                mails.push(mail(store, &job, &sent()).await);
                backdoor.age("reset_quotas", "last_reset_at", "true", COOLDOWN).await;
            }
            let beyond = "expired";
            assert_eq!(mails, [expected, expected, expected, beyond, beyond, beyond], "{address}");
            backdoor.age("reset_quotas", "window_started_at", "true", QUOTA.window).await;
        }
    }
}

/// B3: neither a mail that waits nor one that can't be sent uses up the budget, whatever their number.
pub async fn mails_that_never_went_out_use_up_no_budget<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    let deferred = Outcome::Deferred { reason: "denied".to_owned(), reply: None, after: Duration::SECOND };
    let held = Outcome::Held { reason: "no relay".to_owned(), after: Duration::SECOND };
    for outcome in [Some(deferred), None, Some(held), None, None] {
        let job = request(store, scope, JOHN).await.unwrap();
        if let Some(outcome) = outcome {
            assert_eq!(mail(store, &job, &outcome).await, "deferred");
        }
        backdoor.age("reset_quotas", "last_reset_at", "true", COOLDOWN).await;
    }
    // The relay is repaired. A mail that is being sent counts, and so does one of another address of the account.
    for address in [JOHN, "john+shop@example.com", JOHN] {
        let job = request(store, scope, address).await.unwrap();
        let claim = store.claim(&job, Duration::minutes(1)).await.unwrap();
        assert_eq!(matches!(claim, Claim::Granted(_)), address == JOHN, "{claim:?}");
        backdoor.age("reset_quotas", "last_reset_at", "true", COOLDOWN).await;
    }
    let job = request(store, scope, JOHN).await.unwrap();
    assert_eq!(mail(store, &job, &sent()).await, "expired", "the fourth is beyond the budget");
}

/// Handles a mail as a mailer does, and returns the status of its delivery.
async fn mail(store: &impl Store, job: &MailJob, outcome: &Outcome) -> &'static str {
    match store.claim(job, Duration::minutes(1)).await.unwrap() {
        Claim::Granted(delivery) => {
            assert!(store.settle(job.event, delivery.attempt, outcome).await.unwrap());
            outcome.settled().status.as_str()
        }
        Claim::Discarded(why) => why.status().as_str(),
        other => panic!("{other:?}"),
    }
}

fn sent() -> Outcome {
    Outcome::Sent { response: "250 taken".to_owned(), reply: None, relay: "relay".to_owned() }
}

pub async fn mail_bomb_simultaneous_requests_create_one<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    let requests = (0..50).map(|n| {
        let (store, address) = (store.clone(), format!("john+{n}@example.com"));
        async move { ask(&store, scope, &address).await }
    });
    let made = at_once(requests).await;
    assert_eq!(made.iter().filter(|made| **made).count(), 1);
}
