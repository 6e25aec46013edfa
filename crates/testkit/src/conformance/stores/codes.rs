//! Guesses of short codes.

use rekey_core::{
    deliveries::ledger::Claim,
    events::audit::{Action, AuditEntry},
    ids::ResetId,
    random::OsRandom,
    resets::store::ResetRecord,
    resets::{CodeRules, NewReset, Redeemed, ResetOrigin},
    scope::{Mode, Scope},
    secrets::{ResetCode, ResetToken},
    sessions::guesses::KEEP_GUESSES,
};
use time::Duration;

use super::{AUDIT_LOG, JOHN, StoreUnderTest, at_once, complete};
use crate::seed::{self, TOKEN_TTL};
use crate::store::prelude::*;

const RULES: CodeRules = CodeRules { budget: 10, window: Duration::hours(24) };
const NOBODY: &str = "nobody@example.com";

/// A reset and its code.
struct Coded {
    scope: Scope,
    reset: NewReset,
    token: ResetToken,
    code: ResetCode,
}

async fn coded(store: &impl Store, scope: Scope, address: &str, origin: ResetOrigin) -> Coded {
    let (reset, token) = seed::new_reset(scope, address, origin);
    let (reset, code) = seed::with_code(scope, reset, RULES);
    let event = seed::reset_created(scope, &reset);
    let record = ResetRecord { reset: &reset, event: &event, audit: &seed::audit(Action::Create) };
    assert!(store.create_reset(scope, &record).await.unwrap().is_some());
    Coded { scope, reset, token, code }
}

/// That many audit entries.
fn audits(count: usize) -> Vec<AuditEntry> {
    (0..count).map(|_| seed::audit(Action::CodeThrottled)).collect()
}

impl Coded {
    /// Guesses this code.
    async fn guess(&self, store: &impl Store) -> Option<Redeemed> {
        self.guess_as(store, &self.code).await
    }

    /// Guesses another code for this reset.
    async fn miss(&self, store: &impl Store) -> Option<Redeemed> {
        self.guess_as(store, &ResetCode::generate(&OsRandom)).await
    }

    async fn guess_as(&self, store: &impl Store, code: &ResetCode) -> Option<Redeemed> {
        let digests = code.digests(self.reset.id, &seed::keys());
        store.redeem_code(Some(self.scope), &[self.reset.id], &digests, &audits(1)).await.unwrap()
    }

    /// The expected result of a correct guess.
    fn redeemed(&self) -> Redeemed {
        Redeemed { reset: self.reset.id, scope: self.scope, sealed_token: self.reset.sealed_token.clone() }
    }

    async fn link_works(&self, store: &impl Store) -> bool {
        store.find_token_holder(self.reset.id, &self.token.digest()).await.unwrap().is_some()
    }
}

pub async fn a_right_code_leads_to_its_own_token_in_any_scope_that_is_its_own<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let elsewhere = seed::scope(store, "other").await;
    seed::customer(store, scope, JOHN, None).await;
    for origin in [ResetOrigin::Integration, ResetOrigin::SelfService] {
        let coded = coded(store, scope, JOHN, origin).await;
        let found = coded.guess(store).await.unwrap();
        assert_eq!(found, coded.redeemed());
        let digests = coded.code.digests(coded.reset.id, &seed::keys());
        let scopes =
            [(None, true), (Some(elsewhere), false), (Some(Scope { mode: Mode::Live, ..scope }), false)];
        for (scope, is_its_own) in scopes {
            let found = store.redeem_code(scope, &[coded.reset.id], &digests, &audits(1)).await.unwrap();
            assert_eq!(found.is_some(), is_its_own, "{scope:?}");
        }
        // A removed key, and then the one that the code was created with.
        let digests = [ResetCode::generate(&OsRandom), coded.code.clone()]
            .map(|code| code.digest(coded.reset.id, &seed::keys()));
        assert!(store.redeem_code(None, &[coded.reset.id], &digests, &audits(1)).await.unwrap().is_some());
        assert!(coded.miss(store).await.is_none());
        assert!(coded.link_works(store).await);
    }
}

pub async fn token_dead_a_code_is_refused_in_every_way_alike<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let mut cases = Vec::new();
    for name in ["superseded", "used", "expired", "another reset's", "of no code"] {
        let address = format!("{}@example.com", name.replace([' ', '\''], "-"));
        seed::customer(store, scope, &address, None).await;
        cases.push((name, coded(store, scope, &address, ResetOrigin::SelfService).await, address));
    }
    let decoy = coded(store, scope, NOBODY, ResetOrigin::SelfService).await;
    for (name, case, address) in &mut cases {
        match *name {
            "superseded" => {
                coded(store, scope, address, ResetOrigin::SelfService).await;
            }
            "used" => {
                let digest = case.token.digest();
                let holder = store.find_token_holder(case.reset.id, &digest).await.unwrap().unwrap();
                let changes = rekey_core::attributes::CommonAttributes::default();
                assert!(complete(store, &holder, &case.token, &seed::hash("new"), &changes).await);
            }
            "expired" => {
                let this = format!("id = '{}'", case.reset.id);
                backdoor.age("password_resets", "expires_at", &this, TOKEN_TTL + Duration::SECOND).await;
            }
            "another reset's" => case.code = decoy.code.clone(),
            _ => case.reset.id = ResetId::generate(&OsRandom),
        }
        assert!(case.guess(store).await.is_none(), "{name}");
    }
    let plain = seed::reset(store, scope, "used@example.com", ResetOrigin::Integration).await;
    let digests = decoy.code.digests(plain.id, &seed::keys());
    assert!(
        store.redeem_code(None, &[plain.id], &digests, &audits(1)).await.unwrap().is_none(),
        "it has no code"
    );
    assert_eq!(
        backdoor.count("guess_counters", "guess_count = 1").await,
        4,
        "what is over is charged like what is not"
    );
}

pub async fn guesses_are_counted_by_account_and_the_last_one_kills_the_codes<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    seed::customer(store, scope, "john+shop@example.com", None).await;
    seed::customer(store, scope, "jane@example.com", None).await;
    let first = coded(store, scope, JOHN, ResetOrigin::Integration).await;
    let second = coded(store, scope, "john+shop@example.com", ResetOrigin::SelfService).await;
    let hers = coded(store, scope, "jane@example.com", ResetOrigin::SelfService).await;
    for _ in 0..4 {
        assert!(first.miss(store).await.is_none());
        assert!(second.miss(store).await.is_none());
    }
    assert!(first.guess(store).await.is_some(), "the ninth");
    assert!(second.guess(store).await.is_some(), "the tenth and last is compared too");
    for coded in [&first, &second] {
        assert!(coded.guess(store).await.is_none());
        assert!(coded.link_works(store).await, "guesses never disable the link");
    }
    assert_eq!(scene.backdoor().count("password_resets", "code_digest IS NOT NULL").await, 1);
    let later = coded(store, scope, JOHN, ResetOrigin::Integration).await;
    assert!(later.guess(store).await.is_none(), "nor does a later reset's work");
    assert!(!mails_a_code(store, &later).await);
    assert!(hers.guess(store).await.is_some());
    assert!(mails_a_code(store, &hers).await);
}

/// Whether the mailer's job has the code.
async fn mails_a_code(store: &impl Ledger, coded: &Coded) -> bool {
    let event = seed::reset_created(coded.scope, &coded.reset).message.id;
    let job = seed::reset_mail(coded.scope, event, coded.reset.id);
    match store.claim(&job, Duration::minutes(1)).await.unwrap() {
        Claim::Granted(assignment) => assignment.has_code,
        other => panic!("{other:?}"),
    }
}

pub async fn guesses_are_forgotten_with_their_window<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    let before = coded(store, scope, JOHN, ResetOrigin::Integration).await;
    for _ in 0..RULES.budget {
        before.miss(store).await;
    }
    backdoor.age("guess_counters", "window_started_at", "true", RULES.window).await;
    assert!(before.guess(store).await.is_none(), "a dead code stays dead");
    let after = coded(store, scope, JOHN, ResetOrigin::Integration).await;
    assert!(after.guess(store).await.is_some());
    assert_eq!(backdoor.count("guess_counters", "guess_count = 2").await, 1);

    assert_eq!(store.forget_guesses(KEEP_GUESSES, 10).await.unwrap(), 0);
    backdoor.age("guess_counters", "last_guess_at", "true", KEEP_GUESSES).await;
    assert_eq!(store.forget_guesses(KEEP_GUESSES, 10).await.unwrap(), 1);
}

/// Guesses this code for all of these resets.
async fn guess_at(store: &impl Store, resets: &[&Coded], code: &ResetCode) -> Option<Redeemed> {
    let ids: Vec<_> = resets.iter().map(|coded| coded.reset.id).collect();
    let digests: Vec<_> = ids.iter().flat_map(|&id| code.digests(id, &seed::keys())).collect();
    store.redeem_code(None, &ids, &digests, &audits(ids.len())).await.unwrap()
}

pub async fn a_code_guessed_at_several_resets_is_one_guess_of_each_account<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    let first = coded(store, scope, JOHN, ResetOrigin::Integration).await;
    let second = coded(store, scope, JOHN, ResetOrigin::Integration).await;
    // Superseded by the next one, as on another request.
    let older = coded(store, scope, JOHN, ResetOrigin::SelfService).await;
    let newer = coded(store, scope, JOHN, ResetOrigin::SelfService).await;
    let mistyped = coded(store, scope, NOBODY, ResetOrigin::SelfService).await;
    let all = [&newer, &mistyped, &older, &second, &first];
    for guesses in 1..RULES.budget {
        assert!(guess_at(store, &all, &ResetCode::generate(&OsRandom)).await.is_none());
        assert_eq!(backdoor.count("guess_counters", &format!("guess_count = {guesses}")).await, 2);
    }
    assert!(guess_at(store, &[], &second.code).await.is_none());
    let last = guess_at(store, &all, &second.code).await;
    assert_eq!(last, Some(second.redeemed()), "the tenth and last, at whichever reset it is right");
    assert_eq!(backdoor.count("password_resets", "code_digest IS NOT NULL").await, 0);
    for coded in all {
        assert!(coded.guess(store).await.is_none());
    }
}

/// The accounts are guessed in both orders: a store that locked them in the order of the call would deadlock.
pub async fn guess_race_guesses_at_the_same_accounts_wait_for_each_other<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let one = coded(store, scope, NOBODY, ResetOrigin::SelfService).await.reset.id;
    let other = coded(store, scope, "none@example.com", ResetOrigin::SelfService).await.reset.id;
    let guesses = (0..200).map(|n| {
        let (store, resets) = (store.clone(), if n % 2 == 0 { [one, other] } else { [other, one] });
        let digests = ResetCode::generate(&OsRandom).digests(one, &seed::keys());
        async move { store.redeem_code(None, &resets, &digests, &audits(2)).await.unwrap() }
    });
    assert!(at_once(guesses).await.iter().all(Option::is_none));
    assert_eq!(scene.backdoor().count("guess_counters", "guess_count = 200").await, 2);
}

pub async fn guess_race_no_more_are_compared_than_the_budget<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    let coded = coded(store, scope, JOHN, ResetOrigin::SelfService).await;
    let digests = coded.code.digests(coded.reset.id, &seed::keys());
    // Correct ones, since only those show that they were compared.
    let guesses = (0..200).map(|_| {
        let (store, id, digests) = (store.clone(), coded.reset.id, digests.clone());
        async move { store.redeem_code(None, &[id], &digests, &audits(1)).await.unwrap().is_some() }
    });
    let right = at_once(guesses).await.into_iter().filter(|found| *found).count();
    assert!((1..=10).contains(&right), "{right}");
    assert_eq!(scene.backdoor().count("guess_counters", "guess_count = 200").await, 1);
    assert_eq!(scene.backdoor().count("password_resets", "code_digest IS NOT NULL").await, 0);
    assert!(coded.link_works(store).await);
}

pub async fn enum_body_decoys_have_codes_as_real_resets_have<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    let whole = "code_digest IS NOT NULL AND account_digest IS NOT NULL AND code_guess_budget = 10 AND code_window_seconds = 86400";
    for (index, address) in [(1, JOHN), (2, NOBODY)] {
        let coded = coded(store, scope, address, ResetOrigin::SelfService).await;
        assert_eq!(backdoor.count("password_resets", whole).await, index);
        assert!(coded.miss(store).await.is_none());
        assert_eq!(backdoor.count("guess_counters", "guess_count = 1").await, index);
    }
}

/// A11.
/// A11. A stranger guesses at a decoy of the same account.
pub async fn a11_guesses_at_another_suffix_are_in_the_owners_log<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, None).await.id;
    let own = coded(store, scope, JOHN, ResetOrigin::SelfService).await;
    let decoy = coded(store, scope, &JOHN.replace('@', "+1@"), ResetOrigin::SelfService).await;
    for _ in 0..=RULES.budget {
        assert!(guess_at(store, &[&decoy], &ResetCode::generate(&OsRandom)).await.is_none());
    }
    let throttled =
        format!("action = 'code_throttled' AND customer_id = '{john}' AND resource_id = '{}'", own.reset.id);
    assert_eq!(backdoor.count(AUDIT_LOG, &throttled).await, 1);
    assert_eq!(backdoor.count("decoy_audit_entries", "action = 'code_throttled'").await, 0);
}

pub async fn a11_used_up_guesses_are_audited_once_for_each_account<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, None).await.id;
    let jane = seed::customer(store, scope, "jane@example.com", None).await.id;
    let resets = [
        coded(store, scope, NOBODY, ResetOrigin::SelfService).await,
        coded(store, scope, JOHN, ResetOrigin::Integration).await,
        coded(store, scope, JOHN, ResetOrigin::Integration).await,
        coded(store, scope, "jane@example.com", ResetOrigin::SelfService).await,
    ];
    let all: Vec<_> = resets.iter().collect();
    let throttled = "action = 'code_throttled' AND resource_type = 'customer_password_resets'";
    let decoys = "decoy_audit_entries JOIN decoy_audit_personal_data ON entry_id = id";
    for guesses in 1..=RULES.budget + 3 {
        assert!(guess_at(store, &all, &ResetCode::generate(&OsRandom)).await.is_none());
        let expected = u64::from(guesses >= RULES.budget);
        for (log, of) in [
            (AUDIT_LOG, format!("customer_id = '{john}'")),
            (AUDIT_LOG, format!("customer_id = '{jane}' AND resource_id = '{}'", resets[3].reset.id)),
            (decoys, format!("resource_id = '{}' AND customer_id IS NULL", resets[0].reset.id)),
        ] {
            let of = format!(
                "{throttled} AND {of} AND organization_id = '{}' AND mode = 'test'",
                scope.organization
            );
            assert_eq!(backdoor.count(log, &of).await, expected, "{guesses}: {of}");
        }
    }
    assert_eq!(backdoor.count(AUDIT_LOG, throttled).await + backdoor.count(decoys, throttled).await, 3);
    // The decoy's goes with it.
    backdoor.age("password_resets", "created_at", "true", Duration::DAY).await;
    assert_eq!(store.forget_decoys(Duration::DAY, 10).await.unwrap(), 1);
    assert_eq!([backdoor.count(decoys, "true").await, backdoor.count(AUDIT_LOG, throttled).await], [0, 2]);
}
