//! A1: the throttle of guesses at passwords.

use rekey_core::{
    attributes::CommonAttributes,
    resets::ResetOrigin,
    scope::Scope,
    sessions::guesses::{
        FREE_GUESSES, GuessCharge, GuessCounter, GuessSource, KEEP_GUESSES, MAX_ACCOUNTS_OF_A_NETWORK,
        MAX_DELAY, MAX_KNOWN_NETWORKS,
    },
};
use time::Duration;

use super::{JOHN, StoreUnderTest, at_once, complete, holder};
use crate::store::prelude::*;
use crate::{backdoor::Backdoor, seed};

const BUDGET: u32 = 20;
const HOME: &str = "2001:db8::1";
const STRANGER: &str = "192.0.2.1";

fn source(scope: Scope, address: &str, client: &str) -> GuessSource {
    GuessSource::new(scope, &seed::email(address), Some(client.parse().unwrap()), &seed::keys())
}

async fn charge(store: &impl Store, source: &GuessSource) -> GuessCharge {
    store.charge_guess(source, BUDGET).await.unwrap()
}

/// Lets all waits end.
async fn wait(backdoor: &dyn Backdoor) {
    backdoor.age("guess_counters", "last_guess_at", "true", MAX_DELAY).await;
}

/// Guesses wrongly until the counter is locked.
async fn lock(store: &impl Store, backdoor: &dyn Backdoor, source: &GuessSource) {
    while let GuessCharge::Charged(_) = charge(store, source).await {
        wait(backdoor).await;
    }
    assert_eq!(charge(store, source).await, GuessCharge::Locked);
}

async fn sign_in(store: &impl Store, source: &GuessSource) -> GuessCounter {
    let GuessCharge::Charged(counter) = charge(store, source).await else { panic!("it must wait") };
    store.accept_guess(source, counter).await.unwrap();
    counter
}

pub async fn login_guess_wrong_passwords_in_a_row_wait_longer_and_then_lock<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    for address in [JOHN, "nobody@example.com"] {
        let source = source(scope, address, STRANGER);
        for _ in 0..FREE_GUESSES {
            assert_eq!(charge(store, &source).await, GuessCharge::Charged(GuessCounter::Others));
        }
        let mut delay = Duration::SECOND;
        for _ in FREE_GUESSES..BUDGET {
            for again in [&source, &self::source(scope, &address.to_uppercase(), HOME)] {
                let GuessCharge::TooEarly(left) = charge(store, again).await else { panic!("{delay}") };
                assert!(left <= delay && left >= delay - Duration::seconds(30), "{left} of {delay}");
            }
            backdoor.age("guess_counters", "last_guess_at", "true", delay).await;
            assert_eq!(charge(store, &source).await, GuessCharge::Charged(GuessCounter::Others));
            delay = MAX_DELAY.min(delay * 2);
        }
        assert_eq!(charge(store, &source).await, GuessCharge::Locked);
        wait(backdoor).await;
        assert_eq!(charge(store, &source).await, GuessCharge::Locked);
    }
    let other = seed::scope(store, "other").await;
    let elsewhere = source(other, JOHN, STRANGER);
    assert_eq!(charge(store, &elsewhere).await, GuessCharge::Charged(GuessCounter::Others));
}

pub async fn login_guess_simultaneous_guesses_are_counted_each<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let source = source(seed::scope(store, "shop").await, JOHN, STRANGER);
    let charges = at_once((0..100).map(|_| {
        let store = store.clone();
        async move { charge(&store, &source).await }
    }))
    .await;
    let allowed = charges.iter().filter(|charge| matches!(charge, GuessCharge::Charged(_))).count();
    // One more for each second that this takes.
    assert!((5..15).contains(&allowed), "{allowed}");
}

pub async fn login_guess_a_right_password_zeroes_its_own_counter<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let source = source(seed::scope(store, "shop").await, JOHN, STRANGER);
    for _ in 0..3 {
        for _ in 1..FREE_GUESSES {
            charge(store, &source).await;
        }
        sign_in(store, &source).await;
    }
    assert_eq!(backdoor.count("guess_counters", "guess_count = 0").await, 2, "its own, and the common one");
    // Without a network there is only the common one.
    let unknown = GuessSource { network: None, ..source };
    assert_eq!(sign_in(store, &unknown).await, GuessCounter::Others);
    assert_eq!(backdoor.count("guess_counters", "true").await, 2);
}

pub async fn login_guess_a_guess_that_was_not_compared_is_returned<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let source = source(seed::scope(store, "shop").await, JOHN, HOME);
    for counter in [GuessCounter::Others, GuessCounter::KnownNetwork] {
        for _ in 0..BUDGET {
            assert_eq!(charge(store, &source).await, GuessCharge::Charged(counter));
            store.return_guess(&source, counter).await.unwrap();
        }
        sign_in(store, &source).await;
    }
}

/// Whoever has such an account must not zero the counter of another one.
pub async fn login_guess_addresses_that_differ_after_a_plus_are_counted_apart<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let (john, other) = (source(scope, JOHN, STRANGER), source(scope, "john+1@example.com", STRANGER));
    lock(store, backdoor, &john).await;
    for _ in 0..3 {
        sign_in(store, &other).await;
    }
    assert_eq!(charge(store, &john).await, GuessCharge::Locked);
}

pub async fn login_guess_strangers_do_not_hold_up_a_known_network<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let (home, stranger) = (source(scope, JOHN, HOME), source(scope, JOHN, STRANGER));
    assert_eq!(sign_in(store, &home).await, GuessCounter::Others, "it becomes known by this");
    lock(store, backdoor, &stranger).await;
    assert_eq!(sign_in(store, &home).await, GuessCounter::KnownNetwork);
    assert_eq!(charge(store, &stranger).await, GuessCharge::Locked, "as before");
    lock(store, backdoor, &home).await;
}

pub async fn login_guess_a_network_of_many_accounts_is_known_to_none<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let account = |n: u32| source(scope, &format!("customer{n}@example.com"), HOME);
    for n in 0..MAX_ACCOUNTS_OF_A_NETWORK {
        sign_in(store, &account(n)).await;
    }
    assert_eq!(sign_in(store, &account(0)).await, GuessCounter::KnownNetwork);
    for n in MAX_ACCOUNTS_OF_A_NETWORK..20 {
        assert_eq!(sign_in(store, &account(n)).await, GuessCounter::Others);
    }
    assert_eq!(sign_in(store, &account(0)).await, GuessCounter::Others);
    let kept = u64::from(MAX_ACCOUNTS_OF_A_NETWORK) + 1;
    assert_eq!(backdoor.count("guess_counters", "signed_in_at IS NOT NULL").await, kept);
}

pub async fn login_guess_the_networks_used_last_are_known<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let network = |n: u32| source(scope, JOHN, &format!("192.0.2.{n}"));
    for n in 0..=MAX_KNOWN_NETWORKS {
        sign_in(store, &network(n)).await;
        backdoor.age("guess_counters", "signed_in_at", "true", Duration::MINUTE).await;
    }
    let kept = u64::from(MAX_KNOWN_NETWORKS);
    assert_eq!(backdoor.count("guess_counters", "signed_in_at IS NOT NULL").await, kept);
    assert_eq!(sign_in(store, &network(1)).await, GuessCounter::KnownNetwork);
    assert_eq!(sign_in(store, &network(0)).await, GuessCounter::Others);
}

pub async fn login_guess_a_reset_by_mail_ends_the_lock<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    let (home, stranger) = (source(scope, JOHN, HOME), source(scope, JOHN, STRANGER));
    let jane = source(scope, "jane@example.com", STRANGER);
    sign_in(store, &home).await;
    for source in [&home, &stranger, &jane] {
        lock(store, backdoor, source).await;
    }
    let reset = seed::reset(store, scope, JOHN, ResetOrigin::SelfService).await;
    let holder = holder(store, &reset).await.unwrap();
    assert!(complete(store, &holder, &reset.token, &seed::hash("new"), &CommonAttributes::default()).await);
    assert_eq!(sign_in(store, &stranger).await, GuessCounter::Others);
    assert_eq!(sign_in(store, &home).await, GuessCounter::KnownNetwork);
    assert_eq!(charge(store, &jane).await, GuessCharge::Locked);
}

pub async fn login_guess_counts_are_kept_for_their_time<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    sign_in(store, &source(scope, JOHN, HOME)).await;
    backdoor.age("guess_counters", "last_guess_at", "true", KEEP_GUESSES).await;
    charge(store, &source(scope, "jane@example.com", HOME)).await;
    for forgotten in [1, 1, 0] {
        assert_eq!(store.forget_guesses(KEEP_GUESSES, 1).await.unwrap(), forgotten);
    }
    assert_eq!(backdoor.count("guess_counters", "true").await, 1);
}
