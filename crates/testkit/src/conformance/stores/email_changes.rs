//! Changes of addresses, which the former address can undo.

use rekey_core::{
    customers::{
        CustomerChange,
        email_change::{EMAIL_UNDO_TTL, EmailChange, EmailUndo, RecordedEmailChange, UndoState},
        import::Outcome,
        store::ChangeEvents,
    },
    error::CreateError,
    events::{EmailChanged, EventBody, audit::Action, outbox::NewEvent},
    ids::{CustomerId, EmailChangeId, EventId},
    random::OsRandom,
    resets::{ResetOrigin, store::ResetRecord},
    resources::{CUSTOMERS, record::Value},
    scope::Scope,
    secrets::{SealedAddress, SealedUndoToken, UndoToken},
};
use time::Duration;

use super::{
    AUDIT_LOG, JOHN, StoreUnderTest, at_once, holder,
    import::{customer, import},
    other_scopes,
    sessions::{is_live, open},
    use_up, written,
};
use crate::seed;
use crate::store::prelude::*;

const NEW: &str = "thief@example.com";
const LAST: &str = "last@example.com";

/// A change that was made, with its token.
#[derive(Clone)]
pub(super) struct Made {
    id: EmailChangeId,
    token: UndoToken,
    event: EventId,
}

fn moved_event(scope: Scope, customer: CustomerId, email: &EmailChange, token: &UndoToken) -> NewEvent {
    let (organization, keys) = (scope.organization, seed::keys());
    let body = EventBody::CustomerEmailChanged(EmailChanged {
        customer,
        change: email.id,
        token: SealedUndoToken::seal(token, organization, email.id, &keys, &OsRandom),
        address: SealedAddress::seal(&email.old, organization, email.id, &keys, &OsRandom),
    });
    seed::event(scope, body)
}

/// Changes the address, and returns the change; `None` if nothing was changed.
async fn try_change(
    store: &impl Store,
    scope: Scope,
    customer: CustomerId,
    from: &str,
    to: &str,
) -> Result<Option<Made>, CreateError> {
    let (email, token) = seed::email_change(from, to);
    let (id, event) = (email.id, moved_event(scope, customer, &email, &token));
    let change = CustomerChange { email: Some(email), ..CustomerChange::default() };
    let events = ChangeEvents { email: Some(&event), ..ChangeEvents::default() };
    let audit = seed::audit(Action::Update);
    let changed = store.update_customer(scope, customer, &change, events, &audit).await?;
    Ok(changed.then_some(Made { id, token, event: event.message.id }))
}

pub(super) async fn change(
    store: &impl Store,
    scope: Scope,
    customer: CustomerId,
    from: &str,
    to: &str,
) -> Made {
    try_change(store, scope, customer, from, to).await.unwrap().expect("the address is changed")
}

/// Undoes the change; false if nothing was written.
pub(super) async fn undo(store: &impl Store, made: &Made) -> bool {
    let token = made.token.digest();
    let Some(found) = store.find_email_change(made.id, &token).await.unwrap() else { return false };
    let restored = EventBody::CustomerEmailRestored { customer: found.customer };
    let (reset, _) = seed::new_reset(found.scope, found.old.as_str(), ResetOrigin::Integration);
    let undo = EmailUndo {
        change: &found,
        token: &token,
        event: &seed::event(found.scope, restored),
        audit: &seed::audit(Action::RestoreEmail),
        reset: ResetRecord {
            reset: &reset,
            event: &seed::reset_created(found.scope, &reset),
            audit: &seed::audit(Action::Create),
        },
    };
    store.undo_email_change(&undo).await.unwrap()
}

/// The same, again while the address is changed at the same moment.
async fn undo_at_last(store: &impl Store, made: &Made) -> bool {
    loop {
        let undone = undo(store, made).await;
        if undone || state(store, made).await != UndoState::Pending {
            return undone;
        }
    }
}

async fn state(store: &impl Store, made: &Made) -> UndoState {
    store.find_email_change(made.id, &made.token.digest()).await.unwrap().unwrap().state
}

async fn address(store: &impl Store, scope: Scope, customer: CustomerId) -> String {
    let found = store.find(scope, &CUSTOMERS, customer.into()).await.unwrap().unwrap();
    found.get("email").as_text().unwrap().to_owned()
}

/// Whether a new customer gets the address.
async fn can_sign_up(store: &impl Store, scope: Scope, address: &str) -> bool {
    let new = seed::new_customer(address, None);
    let event = seed::event(scope, EventBody::CustomerCreated { customer: new.id });
    match store.create_customer(scope, &new, &event, &seed::audit(Action::Create)).await {
        Ok(()) => true,
        Err(CreateError::Taken) => false,
        Err(error) => panic!("{error}"),
    }
}

pub async fn a4_a_change_of_an_address_is_recorded_with_its_event_and_its_mail<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, Some(seed::hash("first"))).await;
    let [resets, events, audits] = written(backdoor).await;
    let made = change(store, scope, john.id, JOHN, NEW).await;

    assert_eq!(address(store, scope, john.id).await, NEW);
    assert_eq!(written(backdoor).await, [resets, events + 1, audits + 1]);
    let delivery = format!(
        "event_id = '{}' AND mail = 'email_changed' AND customer_id = '{}' AND status = 'queued'",
        made.event, john.id
    );
    assert_eq!(backdoor.count("deliveries", &delivery).await, 1);
    let found = store.find_email_change(made.id, &made.token.digest()).await.unwrap().unwrap();
    assert_eq!((found.id, found.scope, found.customer), (made.id, scope, john.id));
    assert_eq!((found.old.as_str(), found.current.as_str(), found.state), (JOHN, NEW, UndoState::Pending));
    assert_eq!(found.organization.slug.as_str(), "shop");

    // Both at once leave two events, and the notice of the password goes out, too.
    let (email, _) = seed::email_change(NEW, LAST);
    let body = EventBody::CustomerPasswordCreated { customer: john.id, address: None };
    let (password, moved) = (seed::event(scope, body), moved_event(scope, john.id, &email, &made.token));
    let both = CustomerChange {
        email: Some(email),
        password: Some(seed::hash("second")),
        ..CustomerChange::default()
    };
    let events_of_both =
        ChangeEvents { password: Some(&password), email: Some(&moved), ..ChangeEvents::default() };
    let audit = seed::audit(Action::Update);
    assert!(store.update_customer(scope, john.id, &both, events_of_both, &audit).await.unwrap());
    assert_eq!(written(backdoor).await, [resets, events + 3, audits + 2]);
}

pub async fn a4_a_change_from_another_address_changes_nothing<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, None).await;
    let before = written(scene.backdoor()).await;
    assert!(try_change(store, scope, john.id, "former@example.com", NEW).await.unwrap().is_none());
    for other in other_scopes(store, scope).await {
        assert!(try_change(store, other, john.id, JOHN, NEW).await.unwrap().is_none());
    }
    assert_eq!(written(scene.backdoor()).await, before);
    assert_eq!(scene.backdoor().count("email_changes", "true").await, 0);
    assert_eq!(address(store, scope, john.id).await, JOHN);
}

pub async fn a4_a_former_address_is_reserved_until_the_change_can_no_longer_be_undone<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, None).await;
    let jane = seed::customer(store, scope, "jane@example.com", None).await;
    change(store, scope, john.id, JOHN, NEW).await;

    assert!(!can_sign_up(store, scope, JOHN).await);
    let moved = try_change(store, scope, jane.id, "jane@example.com", JOHN).await;
    assert!(matches!(moved, Err(CreateError::Taken)));
    assert_eq!(address(store, scope, jane.id).await, "jane@example.com");
    let records = [JOHN, "free@example.com"].map(|address| super::import::record(address, None));
    let preview = store.preview_import(scope, &records, true).await.unwrap();
    assert_eq!(preview, [Outcome::Taken, Outcome::Created]);
    let lines = vec![customer(1, JOHN), customer(2, "free@example.com")];
    let outcomes = import(store, scope).write(lines).await.unwrap();
    assert_eq!(outcomes, [Outcome::Taken, Outcome::Created]);
    for other in other_scopes(store, scope).await {
        assert!(can_sign_up(store, other, JOHN).await);
    }
    // It is the customer's own: both ways.
    change(store, scope, john.id, NEW, JOHN).await;
    assert!(!can_sign_up(store, scope, NEW).await);
    change(store, scope, john.id, JOHN, LAST).await;

    backdoor.age("email_changes", "expires_at", "true", EMAIL_UNDO_TTL - Duration::minutes(5)).await;
    assert!(!can_sign_up(store, scope, JOHN).await);
    backdoor.age("email_changes", "expires_at", "true", Duration::minutes(6)).await;
    assert!(can_sign_up(store, scope, JOHN).await);
    change(store, scope, jane.id, "jane@example.com", NEW).await;

    // A deleted customer leaves no reservation.
    let event = seed::event(scope, EventBody::CustomerDestroyed { customer: jane.id });
    assert!(store.delete_customer(scope, jane.id, &event, &seed::audit(Action::Destroy)).await.unwrap());
    assert!(can_sign_up(store, scope, "jane@example.com").await);
}

pub async fn a4_reservation_race_a_former_address_goes_to_nobody_else<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    for round in 0..20 {
        let (from, to) = (format!("john{round}@example.com"), format!("thief{round}@example.com"));
        let john = seed::customer(store, scope, &from, None).await.id;
        let tasks = (0..6).map(|task| {
            let (store, from, to) = (store.clone(), from.clone(), to.clone());
            async move {
                if task == 2 {
                    change(&store, scope, john, &from, &to).await;
                    false
                } else {
                    can_sign_up(&store, scope, &from).await
                }
            }
        });
        assert_eq!(at_once(tasks).await, [false; 6], "round {round}");
    }
}

pub async fn a4_an_undone_change_gives_the_account_back<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, Some(seed::hash("first"))).await;
    let jane = seed::customer(store, scope, "jane@example.com", Some(seed::hash("hers"))).await;
    let hers = open(store, scope, jane.id, &seed::hash("hers")).await.unwrap();
    let made = change(store, scope, john.id, JOHN, NEW).await;
    let session = open(store, scope, john.id, &seed::hash("first")).await.unwrap();
    let pending = seed::reset(store, scope, NEW, ResetOrigin::SelfService).await;
    let [resets, events, audits] = written(backdoor).await;

    assert!(undo(store, &made).await);
    assert_eq!(address(store, scope, john.id).await, JOHN);
    let found = store.find(scope, &CUSTOMERS, john.id.into()).await.unwrap().unwrap();
    assert_eq!(found.get("has_password"), &Value::Boolean(false));
    let credentials = store.find_credentials(scope, &john.email).await.unwrap().unwrap();
    assert_eq!((credentials.customer, credentials.password), (john.id, None));
    assert!(store.find_credentials(scope, &seed::email(NEW)).await.unwrap().is_none());
    assert!(!is_live(store, scope, session).await);
    assert!(holder(store, &pending).await.is_none());
    assert!(is_live(store, scope, hers).await);

    assert_eq!(written(backdoor).await, [resets + 1, events + 2, audits + 2]);
    let of_customer = format!("resource_type = 'customers' AND resource_id = '{}'", john.id);
    let restored = format!("name = 'customers.restore_email' AND {of_customer}");
    assert_eq!(backdoor.count("events", &restored).await, 1);
    let audit = format!("action = 'restore_email' AND {of_customer}");
    assert_eq!(backdoor.count(AUDIT_LOG, &audit).await, 1);
    // The restored address gets a link that works.
    let mailed = format!(
        "mail = 'reset_requested' AND customer_id = '{}' AND status = 'queued' AND reset_id IN (
             SELECT id FROM password_resets WHERE customer_id = '{}' AND superseded_at IS NULL AND reset_password_at IS NULL)",
        john.id, john.id
    );
    assert_eq!(backdoor.count("deliveries", &mailed).await, 1);
    assert_eq!(
        backdoor
            .count("audit_entries", "action = 'create' AND resource_type = 'customer_password_resets'")
            .await,
        2
    );
    assert!(can_sign_up(store, scope, NEW).await, "the thief's address was never reserved");

    assert_eq!(state(store, &made).await, UndoState::Undone);
    let before = written(backdoor).await;
    assert!(!undo(store, &made).await);
    assert_eq!(written(backdoor).await, before);
}

pub async fn a4_no_session_of_an_ended_password_lives_again<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, Some(seed::hash("first"))).await;
    let made = change(store, scope, john.id, JOHN, NEW).await;
    let session = open(store, scope, john.id, &seed::hash("first")).await.unwrap();
    assert!(undo(store, &made).await);
    assert!(open(store, scope, john.id, &seed::hash("first")).await.is_none());
    let reset = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
    use_up(store, &reset, "second").await;
    assert!(!is_live(store, scope, session).await);
    assert!(open(store, scope, john.id, &seed::hash("second")).await.is_some());

    // A customer without a password has none to end.
    let guest = seed::customer(store, scope, "guest@example.com", None).await;
    let made = change(store, scope, guest.id, "guest@example.com", LAST).await;
    assert!(undo(store, &made).await);
    assert_eq!(address(store, scope, guest.id).await, "guest@example.com");
}

pub async fn a4_token_dead_in_every_way_undoes_nothing<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, Some(seed::hash("first"))).await;
    let jane = seed::customer(store, scope, "jane@example.com", None).await;
    let made = change(store, scope, john.id, JOHN, NEW).await;
    let hers = change(store, scope, jane.id, "jane@example.com", LAST).await;
    let before = written(backdoor).await;

    let wrong = Made { token: UndoToken::generate(&OsRandom), ..made.clone() };
    let another = Made { token: hers.token.clone(), ..made.clone() };
    let unknown = Made { id: EmailChangeId::generate(&OsRandom), ..made.clone() };
    for forged in [&wrong, &another, &unknown] {
        assert!(store.find_email_change(forged.id, &forged.token.digest()).await.unwrap().is_none());
        assert!(!undo(store, forged).await);
    }
    // An address that was changed since it was read, and a token that was replaced since.
    let found = store.find_email_change(made.id, &made.token.digest()).await.unwrap().unwrap();
    let event = seed::event(scope, EventBody::CustomerEmailRestored { customer: john.id });
    let (reset, _) = seed::new_reset(scope, JOHN, ResetOrigin::Integration);
    let created = seed::reset_created(scope, &reset);
    let audit = seed::audit(Action::RestoreEmail);
    let stale = RecordedEmailChange { current: seed::email(JOHN), ..found.clone() };
    for (change, token) in [(&stale, made.token.digest()), (&found, hers.token.digest())] {
        let reset = ResetRecord { reset: &reset, event: &created, audit: &seed::audit(Action::Create) };
        let undo = EmailUndo { change, token: &token, event: &event, audit: &audit, reset };
        assert!(!store.undo_email_change(&undo).await.unwrap());
    }
    let of_john = format!("id = '{}'", made.id);
    backdoor.age("email_changes", "expires_at", &of_john, EMAIL_UNDO_TTL - Duration::minutes(5)).await;
    assert_eq!(state(store, &made).await, UndoState::Pending);
    backdoor.age("email_changes", "expires_at", &of_john, Duration::minutes(6)).await;
    assert_eq!(state(store, &made).await, UndoState::Dead);
    assert!(!undo(store, &made).await);
    assert_eq!(address(store, scope, john.id).await, NEW);
    assert_eq!(written(backdoor).await, before);
    let credentials = store.find_credentials(scope, &seed::email(NEW)).await.unwrap().unwrap();
    assert_eq!(credentials.password, Some(seed::hash("first")));
}

pub async fn a4_of_a_chain_of_changes_the_earliest_undo_ends_the_later_ones<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, Some(seed::hash("first"))).await.id;
    let first = change(store, scope, john, JOHN, NEW).await;
    let second = change(store, scope, john, NEW, "other@example.com").await;
    let third = change(store, scope, john, "other@example.com", LAST).await;
    for made in [&first, &second, &third] {
        assert_eq!(state(store, made).await, UndoState::Pending);
    }
    assert!(undo(store, &second).await);
    assert_eq!(address(store, scope, john).await, NEW);
    assert_eq!(state(store, &third).await, UndoState::Dead);
    assert!(!undo(store, &third).await);
    assert!(can_sign_up(store, scope, "other@example.com").await, "it is free again");

    assert_eq!(state(store, &first).await, UndoState::Pending);
    let fourth = change(store, scope, john, NEW, LAST).await;
    assert!(undo(store, &first).await);
    assert_eq!(address(store, scope, john).await, JOHN);
    assert_eq!(state(store, &fourth).await, UndoState::Dead);
    assert_eq!(state(store, &second).await, UndoState::Undone);
    assert!(can_sign_up(store, scope, NEW).await);
    // A change after that has a token of its own.
    let fifth = change(store, scope, john, JOHN, "moved@example.com").await;
    assert!(undo(store, &fifth).await);
}

pub async fn a4_token_race_of_many_undos_exactly_one_wins<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, Some(seed::hash("first"))).await.id;
    let first = change(store, scope, john, JOHN, NEW).await;
    let second = change(store, scope, john, NEW, LAST).await;
    let [resets, events, _] = written(backdoor).await;
    let tasks = (0..20).map(|task| {
        let (store, made) = (store.clone(), if task % 2 == 0 { first.clone() } else { second.clone() });
        async move { (task % 2, undo_at_last(&store, &made).await) }
    });
    let won = at_once(tasks).await.into_iter().filter(|(_, won)| *won).map(|(which, _)| which);
    let mut won: Vec<_> = won.collect();
    won.sort_unstable();
    // The second may be undone before the first; after it, it can't.
    assert!([&[0][..], &[0, 1]].contains(&won.as_slice()), "{won:?}");
    assert_eq!(address(store, scope, john).await, JOHN);
    let wins = u64::try_from(won.len()).unwrap();
    assert_eq!(written(backdoor).await[..2], [resets + wins, events + 2 * wins]);
}
