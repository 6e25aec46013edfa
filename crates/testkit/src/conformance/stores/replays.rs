//! Replays of what webhooks were sent, or were not.

use rekey_core::{
    events::{EventBody, EventName, audit::Action},
    ids::{CallbackId, CustomerId},
    random::OsRandom,
    scope::Scope,
    webhooks::{
        queue::{AttemptResult, ClaimedCallback, Next},
        replay::{MAX_REPLAYED, Replay, ReplayError, Replayed, Since},
    },
};
use time::Duration;

use super::{
    AUDIT_LOG, StoreUnderTest, at_once, other_scopes,
    webhooks::{add, claim, customer_event, webhook},
};
use crate::{seed, store::prelude::*};

const FAILED: Replay = Replay {
    webhook: None,
    since: Since::Ago(Duration::HOUR),
    with_delivered: false,
    max: MAX_REPLAYED,
    is_dry_run: false,
};

pub async fn what_has_ended_is_replayed_with_its_payload_and_all_attempts<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    webhook(store, scope, EventName::CustomerCreate).await;
    for (code, next) in [
        (Some(500), Next::GivenUp),
        // Its address is refused.
        (None, Next::GivenUp),
        (Some(204), Next::Delivered),
    ] {
        let event = customer_event(store, scope).await;
        add(store, scope, event, None).await;
        backdoor.script("UPDATE event_callbacks SET attempts = 9 WHERE due_at IS NOT NULL").await;
        let first = claim(store).await.remove(0);
        assert_eq!(first.attempt, 10);
        end(store, &first, code, next).await;
        let audit = seed::audit(Action::Replay);
        store.replay_callback(scope, first.id, &audit).await.unwrap();
        let entry = format!(
            "id = '{}' AND resource_type = 'event_callbacks' AND resource_id = '{}'",
            audit.id, first.id
        );
        assert_eq!(backdoor.count(AUDIT_LOG, &entry).await, 1);
        let again = claim(store).await.remove(0);
        assert_eq!((again.id, again.attempt, again.event), (first.id, 1, first.event));
        assert_eq!(again.payload.as_bytes(), first.payload.as_bytes());
        end(store, &again, Some(200), Next::Delivered).await;
    }
}

pub async fn what_can_not_be_sent_is_not_replayed<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let id = webhook(store, scope, EventName::CustomerCreate).await;
    let refusal = async |id: CallbackId| {
        store.replay_callback(scope, id, &seed::audit(Action::Replay)).await.unwrap_err()
    };
    let unknown = CallbackId::generate(&OsRandom);
    assert!(matches!(refusal(unknown).await, ReplayError::Unknown(_)));

    let event = customer_event(store, scope).await;
    add(store, scope, event, None).await;
    let callback = claim(store).await.remove(0);
    assert!(matches!(refusal(callback.id).await, ReplayError::Waiting(_)), "it is under way");
    assert_eq!(replay(store, scope, FAILED).await, (0, false));
    end(store, &callback, Some(500), Next::Retry(Duration::HOUR)).await;
    assert!(matches!(refusal(callback.id).await, ReplayError::Waiting(_)), "it waits");
    assert_eq!(replay(store, scope, FAILED).await, (0, false));
    let due_later =
        format!("due_at > {} AND attempts = 1", backdoor.earlier("updated_at", -Duration::MINUTE));
    assert_eq!(backdoor.count("event_callbacks", &due_later).await, 1, "it was left alone");

    backdoor.age("event_callbacks", "due_at", "true", Duration::HOUR).await;
    let callback = claim(store).await.remove(0);
    end(store, &callback, Some(500), Next::GivenUp).await;
    let customer = CustomerId::from(event.record);
    let destroyed = seed::event(scope, EventBody::CustomerDestroyed { customer });
    assert!(store.delete_customer(scope, customer, &destroyed, &seed::audit(Action::Destroy)).await.unwrap());
    assert!(matches!(refusal(callback.id).await, ReplayError::Erased(_)));
    assert_eq!(replay(store, scope, Replay { with_delivered: true, ..FAILED }).await, (0, false));

    let orphan = fail(store, scope).await;
    assert!(store.delete_webhook(scope, id, &seed::audit(Action::Destroy)).await.unwrap());
    assert!(matches!(refusal(orphan).await, ReplayError::NoWebhook(_)));
    assert_eq!(replay(store, scope, FAILED).await, (0, false));
    assert_eq!(backdoor.count("audit_entries", "action = 'replay'").await, 0, "nothing was changed");
}

pub async fn those_that_failed_are_replayed_from_a_time_on_up_to_a_bound<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let id = webhook(store, scope, EventName::CustomerCreate).await;
    let mut failed = Vec::new();
    for minutes in [90, 50, 40, 30, 20] {
        let callback = fail(store, scope).await;
        let one = format!("id = '{callback}'");
        backdoor.age("event_callbacks", "created_at", &one, Duration::minutes(minutes)).await;
        failed.push(callback);
    }
    let event = customer_event(store, scope).await;
    add(store, scope, event, None).await;
    let delivered = claim(store).await.remove(0);
    end(store, &delivered, Some(200), Next::Delivered).await;

    let of_webhook = Replay { webhook: Some(id), ..FAILED };
    let counted = Replay { is_dry_run: true, ..of_webhook };
    assert_eq!(replay(store, scope, counted).await, (4, false), "one is older");
    assert_eq!(replay(store, scope, Replay { max: 3, ..counted }).await, (3, true));
    assert!(claim(store).await.is_empty(), "they were only counted");
    assert_eq!(backdoor.count("audit_entries", "action = 'replay'").await, 0);

    let audit = seed::audit(Action::Replay);
    let bounded = store.replay_callbacks(scope, &Replay { max: 2, ..of_webhook }, &audit).await.unwrap();
    assert_eq!(bounded.count, 2);
    let entry = format!("id = '{}' AND resource_type = 'webhooks' AND resource_id = '{id}'", audit.id);
    assert_eq!(backdoor.count(AUDIT_LOG, &entry).await, 1);
    assert_eq!(claimed_ids(store).await, sorted(&failed[1..3]), "the oldest first");

    let rest = Replay { since: Since::At(bounded.next.unwrap()), ..FAILED };
    let audit = seed::audit(Action::Replay);
    assert_eq!(
        store.replay_callbacks(scope, &rest, &audit).await.unwrap(),
        Replayed { count: 2, next: None }
    );
    let entry = format!("id = entry_id AND id = '{}' AND resource_id = '{}'", audit.id, scope.organization);
    let of_organization = format!("{entry} AND resource_type = 'organizations'");
    assert_eq!(backdoor.count("audit_entries, audit_personal_data", &of_organization).await, 1);
    assert_eq!(claimed_ids(store).await, sorted(&failed[3..]));

    let all = Replay { with_delivered: true, since: Since::default(), ..FAILED };
    assert_eq!(replay(store, scope, all).await, (2, false));
    assert_eq!(claimed_ids(store).await, sorted(&[failed[0], delivered.id]));
}

pub async fn replays_stay_in_their_scope<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let [id, other] = [EventName::CustomerCreate, EventName::CustomerDestroy];
    let (id, other) = (webhook(store, scope, id).await, webhook(store, scope, other).await);
    let failed = fail(store, scope).await;
    for stranger in other_scopes(store, scope).await {
        let refused = store.replay_callback(stranger, failed, &seed::audit(Action::Replay)).await;
        assert!(matches!(refused, Err(ReplayError::Unknown(_))), "{refused:?}");
        for webhook in [None, Some(id)] {
            assert_eq!(replay(store, stranger, Replay { webhook, ..FAILED }).await, (0, false));
        }
    }
    assert_eq!(replay(store, scope, Replay { webhook: Some(other), ..FAILED }).await, (0, false));
    assert_eq!(replay(store, scope, FAILED).await, (1, false));
}

pub async fn replay_race_of_many_each_callback_is_replayed_once<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    webhook(store, scope, EventName::CustomerCreate).await;
    for _ in 0..10 {
        fail(store, scope).await;
    }
    let replays = (0..4).map(|_| {
        let store = store.clone();
        async move { replay(&store, scope, FAILED).await.0 }
    });
    assert_eq!(at_once(replays).await.iter().sum::<u64>(), 10);
    assert_eq!(claim(store).await.len(), 10);
}

/// Returns how many were replayed, and whether there were more.
async fn replay(store: &impl Store, scope: Scope, replay: Replay) -> (u64, bool) {
    let replayed = store.replay_callbacks(scope, &replay, &seed::audit(Action::Replay)).await.unwrap();
    (replayed.count, replayed.next.is_some())
}

/// Makes a callback that was given up.
async fn fail(store: &impl Store, scope: Scope) -> CallbackId {
    let event = customer_event(store, scope).await;
    add(store, scope, event, None).await;
    let callback = claim(store).await.remove(0);
    end(store, &callback, Some(503), Next::GivenUp).await;
    callback.id
}

async fn end(store: &impl Store, callback: &ClaimedCallback, response_code: Option<u16>, next: Next) {
    let result = AttemptResult { response_code, response_message: "an answer".to_owned(), next };
    assert!(store.settle_callback(callback.id, callback.attempt, &result).await.unwrap().was_recorded);
}

async fn claimed_ids(store: &impl Store) -> Vec<CallbackId> {
    sorted(&claim(store).await.iter().map(|callback| callback.id).collect::<Vec<_>>())
}

fn sorted(ids: &[CallbackId]) -> Vec<CallbackId> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids
}
