//! The quota of self-service resets.

use rekey_core::{
    deliveries::{
        Discarded, MailJob, Outcome,
        ledger::{Claim, Ledger},
    },
    events::audit::Action,
    resets::store::ResetRecord,
    resets::{EXTRA_MAIL_INTERVAL, NewReset, ResetOrigin, ResetQuota},
    scope::Scope,
    secrets::AddressDigest,
};
use time::Duration;

use super::{JOHN, StoreUnderTest, at_once, holder, written};
use crate::store::prelude::*;
use crate::{backdoor::Backdoor, seed};

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
        for again in [address, &address.to_uppercase()] {
            assert!(!ask(store, scope, again).await, "{again}");
        }
        assert_eq!(written(backdoor).await, before);
    }
    let by_integration = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
    assert!(holder(store, &by_integration).await.is_some(), "a back office waits for nobody");
    backdoor.age("reset_cooldowns", "last_reset_at", "true", COOLDOWN).await;
    assert!(ask(store, scope, JOHN).await);
}

pub async fn mail_bomb_a_window_has_its_budget_of_mails_and_the_next_one_its_own<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    for (address, within, beyond) in
        [(JOHN, "sent", "suppressed"), ("nobody@example.com", "discarded", "discarded")]
    {
        for _window in 0..2 {
            let mut mails = Vec::new();
            for _ in 0..6 {
                let [resets, events, audits] = written(backdoor).await;
                mails.push(mailed(store, backdoor, scope, address).await);
                assert_eq!(written(backdoor).await, [resets + 1, events + 1, audits + 1], "the same work");
            }
            assert_eq!(mails, [within, within, within, beyond, beyond, beyond], "{address}");
            backdoor.age("mail_quotas", "window_started_at", "true", QUOTA.window).await;
        }
    }
}

/// A2.
pub async fn beyond_its_budget_an_account_is_sent_a_mail_an_hour_and_its_last_link_works<
    F: StoreUnderTest,
>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    for _ in 0..QUOTA.budget {
        assert_eq!(mailed(store, backdoor, scope, JOHN).await, "sent");
    }
    for _hour in 0..3 {
        let pending = "superseded_at IS NULL AND reset_password_at IS NULL";
        assert_eq!(mailed(store, backdoor, scope, JOHN).await, "suppressed");
        assert_eq!(backdoor.count("password_resets", pending).await, 1, "that of the last mail");
        backdoor.age("mail_quotas", "last_mail_at", "true", EXTRA_MAIL_INTERVAL).await;
        assert_eq!(mailed(store, backdoor, scope, JOHN).await, "sent");
    }
}

/// A2: strangers' requests for addresses that only differ after a `+` and that nobody has.
pub async fn quota_theft_decoys_use_up_nothing<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    for _ in 0..=QUOTA.budget {
        assert_eq!(mailed(store, backdoor, scope, "john+1@example.com").await, "discarded");
        let mut job = request(store, scope, "john+2@example.com").await.unwrap();
        job.answer_unknown = true;
        mail(store, &job, &sent()).await;
    }
    let own = "mail = 'no_account' AND mail_count = 3";
    assert_eq!(backdoor.count("mail_quotas", own).await, 1, "those mails are counted by themselves");
    assert!(ask(store, scope, "john+3@example.com").await, "a moment before");
    for _ in 0..QUOTA.budget {
        assert_eq!(mailed(store, backdoor, scope, JOHN).await, "sent");
    }
}

/// A2: strangers sign up with other suffixes of the owner's address, and have mails sent there, as many as they can.
pub async fn quota_theft_accounts_at_other_suffixes_use_up_nothing_of_the_owner<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let own = [JOHN, "john+shop@example.com"];
    for address in own {
        seed::customer(store, scope, address, None).await;
    }
    backdoor.script("UPDATE customers SET email_confirmed_at = created_at WHERE email LIKE 'john+%'").await;
    let foreign = ["john+1@example.com", "john+2@example.com", "john+3@example.com"];
    for address in foreign {
        seed::customer(store, scope, address, None).await;
    }
    let mut mails = Vec::new();
    for address in foreign.iter().cycle().take(6) {
        mails.push(mailed(store, backdoor, scope, address).await);
    }
    assert_eq!(mails, ["sent", "sent", "sent", "suppressed", "suppressed", "suppressed"]);
    for address in own {
        for _ in 0..QUOTA.budget {
            assert_eq!(mailed(store, backdoor, scope, address).await, "sent", "{address}");
        }
        assert_eq!(mailed(store, backdoor, scope, address).await, "suppressed", "{address}");
    }
}

/// A2: mails that really go out to the addresses of one account.
pub async fn mail_bomb_addresses_of_an_account_share_its_budget<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let addresses: Vec<_> = (0..20).map(|n| format!("john+{n}@example.com")).collect();
    let mut jobs = Vec::new();
    for address in &addresses {
        seed::customer(store, scope, address, None).await;
        jobs.push(request(store, scope, address).await.unwrap());
    }
    let claims = at_once(jobs.clone().into_iter().map(|job| {
        let store = store.clone();
        async move { store.claim(&job, Duration::minutes(1)).await.unwrap() }
    }))
    .await;
    let granted = claims.iter().filter(|claim| matches!(claim, Claim::Granted(_))).count();
    assert_eq!(granted, 3);
    let over = claims.iter().filter(|claim| matches!(claim, Claim::Discarded(Discarded::OverBudget))).count();
    assert_eq!(over, 17);
    let suppressed =
        "status = 'suppressed' AND detail = 'over the account''s mail budget' AND NOT is_counted";
    assert_eq!(backdoor.count("deliveries", suppressed).await, 17);

    // Nothing brings them back.
    for (table, column) in
        [("deliveries", "created_at"), ("deliveries", "lease_until"), ("events", "created_at")]
    {
        backdoor.age(table, column, "true", Duration::hours(4)).await;
    }
    backdoor.age("mail_quotas", "last_mail_at", "true", Duration::hours(4)).await;
    assert!(store.republish_overdue(100).await.unwrap() <= 3);
    for (job, claim) in jobs.iter().zip(&claims) {
        if matches!(claim, Claim::Discarded(_)) {
            assert!(matches!(store.claim(job, Duration::minutes(1)).await.unwrap(), Claim::Settled));
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
    let failed = Outcome::Failed { reason: "no mailbox".to_owned() };
    let bounced = Outcome::Bounced { reason: "550 no".to_owned(), reply: None, suppress: None };
    for outcome in [Some(deferred), None, Some(held), None, None, Some(failed), Some(bounced)] {
        let job = request(store, scope, JOHN).await.unwrap();
        if let Some(outcome) = outcome {
            assert_eq!(mail(store, &job, &outcome).await, outcome.settled().status.as_str());
        }
        backdoor.age("reset_cooldowns", "last_reset_at", "true", COOLDOWN).await;
    }
    // The relay is repaired. A mail that is being sent counts, and so does one that may have been sent.
    let mut jobs = Vec::new();
    for _ in 0..QUOTA.budget {
        let job = request(store, scope, JOHN).await.unwrap();
        assert!(matches!(store.claim(&job, Duration::minutes(1)).await.unwrap(), Claim::Granted(_)));
        backdoor.age("reset_cooldowns", "last_reset_at", "true", COOLDOWN).await;
        jobs.push(job);
    }
    let in_doubt = Outcome::InDoubt { reason: "no reply".to_owned(), after: Duration::ZERO };
    let expired = Outcome::Expired { reason: "too late".to_owned() };
    for (job, outcome) in jobs.iter().zip([&in_doubt, &sent(), &expired]) {
        assert!(store.settle(job.event, 1, outcome).await.unwrap());
    }
    assert_eq!(mailed(store, backdoor, scope, JOHN).await, "sent", "in the place of the expired one");
    assert_eq!(mailed(store, backdoor, scope, JOHN).await, "suppressed");
    let third = jobs.first().unwrap();
    assert!(matches!(store.claim(third, Duration::minutes(1)).await.unwrap(), Claim::Discarded(_)));
    assert_eq!(mailed(store, backdoor, scope, JOHN).await, "suppressed", "it may have been sent");
}

/// A13: the digest of an address is made with a key, and outlives a change of keys.
pub async fn a_request_supersedes_the_links_of_older_keys<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    let older = seed::reset(store, scope, JOHN, ResetOrigin::SelfService).await;
    backdoor.age("reset_cooldowns", "last_reset_at", "true", COOLDOWN).await;
    let (reset, _) = seed::new_reset(scope, JOHN, ResetOrigin::SelfService);
    let rotated = seed::other_keys("new");
    let digests = [AddressDigest::new(scope, &reset.customer_email, &rotated), reset.address_digests[0]];
    let reset = NewReset { address_digests: digests.to_vec(), ..reset };
    let event = seed::reset_created(scope, &reset);
    let record = ResetRecord { reset: &reset, event: &event, audit: &seed::audit(Action::Create) };
    assert!(store.create_reset(scope, &record).await.unwrap().is_some());
    assert!(holder(store, &older).await.is_none());
}

/// Requests a reset, handles its mail, and lets the cooldown pass. Returns the status of its delivery.
async fn mailed(store: &impl Store, backdoor: &dyn Backdoor, scope: Scope, address: &str) -> &'static str {
    let job = request(store, scope, address).await.unwrap();
    backdoor.age("reset_cooldowns", "last_reset_at", "true", COOLDOWN).await;
    mail(store, &job, &sent()).await
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
        let (store, address) =
            (store.clone(), if n % 2 == 0 { JOHN.to_owned() } else { JOHN.to_uppercase() });
        async move { ask(&store, scope, &address).await }
    });
    let made = at_once(requests).await;
    assert_eq!(made.iter().filter(|made| **made).count(), 1);
}
