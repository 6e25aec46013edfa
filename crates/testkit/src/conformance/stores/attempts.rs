//! The attempts at mails, which operators read.

use rekey_core::{
    cleanup::PurgeKind,
    deliveries::{CLAIM_RAN_OUT, MAX_ATTEMPTS, Outcome, ledger::Claim},
    events::outbox::Settlement,
    ids::EventId,
    resets::ResetOrigin,
};
use time::Duration;

use super::{
    JOHN, StoreUnderTest,
    ledger::{LEASE, deferred, granted, job, john_asks, sent, status_of},
};
use crate::{backdoor::Backdoor, seed, store::prelude::*};

pub async fn each_settled_attempt_is_recorded_with_its_reply<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let (scope, reset) = john_asks(store).await;
    let after = Duration::MINUTE;
    for (claim, outcome) in (1..).zip([
        deferred("450 later"),
        Outcome::Held { reason: "no relay".to_owned(), after },
        Outcome::InDoubt { reason: "no reply".to_owned(), after },
        sent("250 2.0.0 taken"),
    ]) {
        assert_eq!(granted(store, &job(scope, &reset)).await.claim, claim);
        assert!(store.settle(reset.event, claim, &outcome).await.unwrap());
        assert!(!store.settle(reset.event, claim, &deferred("again")).await.unwrap());
    }
    assert_eq!(
        attempts(backdoor, reset.event).await,
        "1 deferred - 450 - 450 later; 2 held - - - no relay; 3 in_doubt - - - no reply; 4 sent smtp.example.com 250 2.0.0 \
         250 2.0.0 taken"
    );
    assert_eq!(backdoor.count("delivery_attempts", "started_at <= ended_at").await, 4);
}

pub async fn a_claim_that_ran_out_is_an_attempt_in_doubt_until_its_mail_was_sent<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let (scope, reset) = john_asks(store).await;
    granted(store, &job(scope, &reset)).await;
    assert_eq!(backdoor.count("delivery_attempts", "true").await, 0);
    backdoor.age("deliveries", "lease_until", "true", LEASE + Duration::SECOND).await;
    granted(store, &job(scope, &reset)).await;
    let in_doubt = format!("1 in_doubt - - - {CLAIM_RAN_OUT}");
    assert_eq!(attempts(backdoor, reset.event).await, in_doubt);
    let started = "SELECT CAST(started_at AS TEXT) FROM delivery_attempts";
    let first = backdoor.text(started).await;
    assert!(first.is_some());
    // The first claimer has sent it after all.
    assert!(store.settle(reset.event, 1, &sent("250 ok")).await.unwrap());
    assert_eq!(attempts(backdoor, reset.event).await, "1 sent smtp.example.com 250 2.0.0 250 ok");
    assert_eq!(backdoor.text(started).await, first);
}

pub async fn the_first_attempts_and_the_latest_are_kept<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let (scope, reset) = john_asks(store).await;
    let last = MAX_ATTEMPTS + 2;
    for claim in 1..=last {
        granted(store, &job(scope, &reset)).await;
        assert!(store.settle(reset.event, claim, &deferred("450 later")).await.unwrap());
    }
    assert_eq!(backdoor.count("delivery_attempts", "true").await, u64::from(MAX_ATTEMPTS));
    let latest = format!("place = {MAX_ATTEMPTS} AND claim = {last}");
    assert_eq!(backdoor.count("delivery_attempts", &latest).await, 1);
    let first = format!("place = claim AND claim < {MAX_ATTEMPTS}");
    assert_eq!(backdoor.count("delivery_attempts", &first).await, u64::from(MAX_ATTEMPTS) - 1);
}

pub async fn attempts_are_deleted_with_their_delivery<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let (scope, reset) = john_asks(store).await;
    granted(store, &job(scope, &reset)).await;
    assert!(store.settle(reset.event, 1, &sent("250 ok")).await.unwrap());
    let age = Duration::days(90);
    backdoor.age("deliveries", "created_at", "true", age).await;
    assert_eq!(store.purge(PurgeKind::Deliveries, age, 10).await.unwrap(), 1);
    assert_eq!(backdoor.count("delivery_attempts", "true").await, 0);
}

/// Whoever may publish can send any bytes under any id: only a message that is the event says something about its mail.
pub async fn a_rejected_message_fails_its_own_mail_and_no_other<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let (scope, reset) = john_asks(store).await;
    let claimed = store.claim_messages(LEASE, 10).await.unwrap();
    let message = |id| claimed.iter().find(|claimed| claimed.message.id == id).unwrap().message.clone();
    let payload = message(reset.event).payload;
    let other = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;

    let mut edited = payload.clone();
    edited[20] ^= 1;
    for (event, payload) in [(reset.event, &edited), (other.event, &payload), (reset.event, &Vec::new())] {
        assert!(!store.reject(event, payload, "forged").await.unwrap());
    }
    assert_eq!(backdoor.count("deliveries", "status = 'queued' AND detail IS NULL").await, 2);
    assert_eq!(backdoor.count("delivery_attempts", "true").await, 0);

    assert!(store.reject(reset.event, &payload, "wrong key").await.unwrap());
    assert!(!store.reject(reset.event, &payload, "again").await.unwrap(), "it is settled");
    assert_eq!(status_of(backdoor, reset.event).await, "failed");
    assert_eq!(attempts(backdoor, reset.event).await, "1 failed - - - wrong key");
    assert!(matches!(store.claim(&job(scope, &reset), LEASE).await.unwrap(), Claim::Settled));
    // An operator may have it sent again.
    store.settle_messages(&[Settlement::Published(reset.event)]).await.unwrap();
    let kept = format!("id = '{}' AND payload IS NOT NULL", reset.event);
    assert_eq!(backdoor.count("events", &kept).await, 1);
    assert_eq!(status_of(backdoor, other.event).await, "queued");
}

/// As when a mailer panics.
pub async fn a_claim_whose_message_is_rejected_ends_in_doubt<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let (scope, reset) = john_asks(store).await;
    let claimed = store.claim_messages(LEASE, 10).await.unwrap();
    let message = &claimed.iter().find(|claimed| claimed.message.id == reset.event).unwrap().message;
    granted(store, &job(scope, &reset)).await;
    assert!(store.reject(reset.event, &message.payload, "panicked").await.unwrap());
    let row = "status = 'failed' AND in_doubt = 1 AND lease_until IS NULL AND detail = 'panicked'";
    assert_eq!(backdoor.count("deliveries", row).await, 1);
    assert_eq!(attempts(backdoor, reset.event).await, "1 failed - - - panicked");
    // It had sent the mail before.
    assert!(store.settle(reset.event, 1, &sent("250 ok")).await.unwrap());
    assert_eq!(status_of(backdoor, reset.event).await, "sent");
}

/// Returns the attempts at a mail in their order: claim, outcome, relay, codes and detail.
async fn attempts(backdoor: &dyn Backdoor, event: EventId) -> String {
    let mut attempts = Vec::new();
    for place in 1..=MAX_ATTEMPTS {
        let query = format!(
            "SELECT claim || ' ' || outcome || ' ' || COALESCE(relay, '-') || ' ' || COALESCE(CAST(smtp_code AS TEXT), '-') || ' '
                 || COALESCE(smtp_enhanced_code, '-') || ' ' || COALESCE(detail, '-')
             FROM delivery_attempts WHERE event_id = '{event}' AND place = {place}"
        );
        attempts.extend(backdoor.text(&query).await);
    }
    attempts.join("; ")
}
