//! Notices of changed passwords and addresses: where they go, and their quotas. No sequence of public calls sends more mails to an
//! address whose owner never confirmed it.

use rekey_core::{
    customers::{
        CustomerChange,
        email_change::{EmailUndo, RecordedEmailChange},
        store::ChangeEvents,
    },
    deliveries::{
        Discarded, MailJob, MailName, NOTICE_BUDGET, NOTICE_WINDOW, Outcome, UNCONFIRMED_NOTICE_WINDOW,
        ledger::Claim,
    },
    events::{EmailChanged, EventBody, audit::Action},
    ids::{CustomerId, ResetId},
    random::OsRandom,
    resets::{ResetOrigin, store::ResetRecord},
    scope::Scope,
    secrets::{AccountDigest, SealedAddress, SealedUndoToken, UndoToken},
};
use time::Duration;

use super::{
    JOHN, StoreUnderTest, at_once,
    deliveries::customer_of,
    ledger::{changed, granted, job, john_asks, sent, status_of},
    use_up,
};
use crate::seed;
use crate::store::prelude::*;

const LEASE: Duration = Duration::minutes(10);

/// Sets the customer's password, as its own PATCH does, and returns the notice's mail.
async fn set_password(store: &impl Store, scope: Scope, customer: CustomerId, address: &str) -> MailJob {
    let change = CustomerChange { password: Some(seed::hash("next")), ..CustomerChange::default() };
    let event = seed::event(scope, EventBody::CustomerPasswordCreated { customer, address: None });
    let account = AccountDigest::new(scope, &seed::email(address), &seed::keys());
    let events = ChangeEvents { password: Some(&event), account: Some(&account), ..ChangeEvents::default() };
    let audit = seed::audit(Action::Update);
    assert!(store.update_customer(scope, customer, &change, events, &audit).await.unwrap());
    MailJob {
        mail: MailName::PasswordChanged,
        reset: None,
        customer: Some(customer),
        recipient: Some(seed::email(address)),
        ..seed::reset_mail(scope, event.message.id, ResetId::generate(&OsRandom))
    }
}

/// Changes the address, and returns the notice's mail and the change with its token.
async fn change_address(
    store: &impl Store,
    scope: Scope,
    customer: CustomerId,
    from: &str,
    to: &str,
) -> (MailJob, RecordedEmailChange, UndoToken) {
    let (email, token) = seed::email_change(from, to);
    let id = email.id;
    let body = EventBody::CustomerEmailChanged(EmailChanged {
        customer,
        change: id,
        token: SealedUndoToken::seal(&token, scope.organization, id, &seed::keys(), &OsRandom),
        address: SealedAddress::seal(&email.old, scope.organization, id, &seed::keys(), &OsRandom),
    });
    let event = seed::event(scope, body);
    let account = AccountDigest::of_address(scope, &email.old, &seed::keys());
    let change = CustomerChange { email: Some(email), ..CustomerChange::default() };
    let events = ChangeEvents { email: Some(&event), account: Some(&account), ..ChangeEvents::default() };
    let audit = seed::audit(Action::Update);
    assert!(store.update_customer(scope, customer, &change, events, &audit).await.unwrap());
    let found = store.find_email_change(id, &token.digest()).await.unwrap().unwrap();
    let job = MailJob {
        mail: MailName::EmailChanged,
        reset: None,
        customer: Some(customer),
        recipient: Some(seed::email(from)),
        ..seed::reset_mail(scope, event.message.id, ResetId::generate(&OsRandom))
    };
    (job, found, token)
}

/// Sends the mail, if it may be sent.
async fn is_sent(store: &impl Store, job: &MailJob) -> bool {
    match store.claim(job, LEASE).await.unwrap() {
        Claim::Granted(mail) => {
            assert!(store.settle(job.event, mail.claim, &sent("ok")).await.unwrap());
            true
        }
        Claim::Discarded(Discarded::OverBudget) => false,
        other => panic!("{other:?}"),
    }
}

async fn sign_up(store: &impl Store, scope: Scope, address: &str) -> CustomerId {
    seed::customer(store, scope, address, Some(seed::hash("first"))).await.id
}

/// A4. A mail whose event names an address goes there, and only a suppression of that address stops it.
pub async fn a4_a_mail_goes_to_the_address_that_its_event_names<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let (scope, reset) = john_asks(store).await;
    let customer = customer_of(store, scope, JOHN).await;
    let named = |address: &str| MailJob {
        mail: MailName::EmailChanged,
        recipient: Some(seed::email(address)),
        ..changed(scope, None, customer)
    };
    let found = granted(store, &named("former@example.com")).await;
    assert_eq!(found.recipient.email(), Some(&seed::email("former@example.com")));
    assert_eq!(
        granted(store, &changed(scope, None, customer)).await.recipient.email(),
        Some(&seed::email(JOHN))
    );

    let refused = granted(store, &job(scope, &reset)).await;
    let outcome = Outcome::Bounced {
        reason: "no such user".to_owned(),
        reply: None,
        suppress: Some(seed::email("former@example.com")),
    };
    assert!(store.settle(reset.event, refused.claim, &outcome).await.unwrap());
    let job = named("former@example.com");
    assert!(matches!(store.claim(&job, LEASE).await.unwrap(), Claim::Discarded(Discarded::Suppressed)));
    assert_eq!(status_of(backdoor, job.event).await, "suppressed");
    granted(store, &changed(scope, None, customer)).await;
    granted(store, &named("another@example.com")).await;
}

pub async fn a5_an_unconfirmed_address_gets_one_notice_of_a_kind<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let mut customer = sign_up(store, scope, JOHN).await;
    let mut mails = 0;
    // Whoever signed up sets the password again and again, also after deleting the account, and by other addresses of the mailbox.
    for round in 0..4 {
        for _ in 0..3 {
            mails += u32::from(is_sent(store, &set_password(store, scope, customer, JOHN).await).await);
        }
        backdoor.age("mail_quotas", "last_mail_at", "true", Duration::hours(2)).await;
        let tagged = JOHN.replace('@', &format!("+{round}@"));
        let other = sign_up(store, scope, &tagged).await;
        mails += u32::from(is_sent(store, &set_password(store, scope, other, &tagged).await).await);
        let event = seed::event(scope, EventBody::CustomerDestroyed { customer });
        assert!(store.delete_customer(scope, customer, &event, &seed::audit(Action::Destroy)).await.unwrap());
        customer = sign_up(store, scope, JOHN).await;
    }
    assert_eq!(mails, 1);
    // Nor can strangers who have another address of the mailbox use up the notice of a changed address.
    let other = sign_up(store, scope, "john+thief@example.com").await;
    let (job, ..) = change_address(store, scope, other, "john+thief@example.com", "any@example.com").await;
    assert!(is_sent(store, &job).await);
    let (job, ..) = change_address(store, scope, customer, JOHN, "thief@example.com").await;
    assert!(is_sent(store, &job).await);
    let (job, ..) = change_address(store, scope, customer, "thief@example.com", JOHN).await;
    assert!(is_sent(store, &job).await, "to another address");
    let (job, ..) = change_address(store, scope, customer, JOHN, "thief@example.com").await;
    assert!(!is_sent(store, &job).await);

    backdoor.age("mail_quotas", "window_started_at", "true", UNCONFIRMED_NOTICE_WINDOW).await;
    assert!(is_sent(store, &set_password(store, scope, customer, JOHN).await).await);
    // One that was not sent after all is not counted.
    backdoor.age("mail_quotas", "window_started_at", "true", UNCONFIRMED_NOTICE_WINDOW).await;
    let job = set_password(store, scope, customer, JOHN).await;
    let Claim::Granted(mail) = store.claim(&job, LEASE).await.unwrap() else { panic!("it may be sent") };
    let bounced = Outcome::Bounced { reason: "no".to_owned(), reply: None, suppress: None };
    assert!(store.settle(job.event, mail.claim, &bounced).await.unwrap());
    assert!(is_sent(store, &set_password(store, scope, customer, JOHN).await).await);
}

pub async fn a5_a_confirmed_address_gets_a_budget_of_notices_and_then_one_an_hour<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let customer = sign_up(store, scope, JOHN).await;
    use_up(store, &seed::reset(store, scope, JOHN, ResetOrigin::SelfService).await, "second").await;
    for _ in 0..NOTICE_BUDGET {
        assert!(is_sent(store, &set_password(store, scope, customer, JOHN).await).await);
    }
    assert!(!is_sent(store, &set_password(store, scope, customer, JOHN).await).await);
    for _ in 0..2 {
        backdoor.age("mail_quotas", "last_mail_at", "true", Duration::HOUR).await;
        assert!(is_sent(store, &set_password(store, scope, customer, JOHN).await).await);
        assert!(!is_sent(store, &set_password(store, scope, customer, JOHN).await).await);
    }
    backdoor.age("mail_quotas", "window_started_at", "true", NOTICE_WINDOW).await;
    assert!(is_sent(store, &set_password(store, scope, customer, JOHN).await).await);
}

pub async fn a5_another_address_is_not_confirmed_and_a_restored_one_is<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let customer = sign_up(store, scope, JOHN).await;
    let confirmed = async || backdoor.count("customers", "email_confirmed_at IS NOT NULL").await;
    assert_eq!(confirmed().await, 0);
    use_up(store, &seed::reset(store, scope, JOHN, ResetOrigin::SelfService).await, "second").await;
    assert_eq!(confirmed().await, 1);
    set_password(store, scope, customer, JOHN).await;
    assert_eq!(confirmed().await, 1, "a password says nothing of the address");

    let (job, found, token) = change_address(store, scope, customer, JOHN, "new@example.com").await;
    assert_eq!(confirmed().await, 0);
    assert!(is_sent(store, &job).await);
    let new = async || set_password(store, scope, customer, "new@example.com").await;
    assert!(is_sent(store, &new().await).await);
    assert!(!is_sent(store, &new().await).await);

    let (reset, _) = seed::new_reset(scope, JOHN, ResetOrigin::Integration);
    let undo = EmailUndo {
        change: &found,
        token: &token.digest(),
        event: &seed::event(scope, EventBody::CustomerEmailRestored { customer }),
        audit: &seed::audit(Action::RestoreEmail),
        reset: ResetRecord {
            reset: &reset,
            event: &seed::reset_created(scope, &reset),
            audit: &seed::audit(Action::Create),
        },
    };
    assert!(store.undo_email_change(&undo).await.unwrap());
    assert_eq!(confirmed().await, 1, "its owner has used a link that was mailed to it");
}

pub async fn a5_notice_race_an_unconfirmed_address_gets_one<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let customer = sign_up(store, scope, JOHN).await;
    let mut jobs = Vec::new();
    for _ in 0..20 {
        jobs.push(set_password(store, scope, customer, JOHN).await);
    }
    let tasks = jobs.into_iter().map(|job| {
        let store = store.clone();
        async move { is_sent(&store, &job).await }
    });
    assert_eq!(at_once(tasks).await.into_iter().filter(|sent| *sent).count(), 1);
}
