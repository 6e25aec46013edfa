//! Hashes of other systems: which an organization has, and how a later import replaces them.

use rekey_core::{
    customers::{
        CustomerChange,
        import::{Import, ImportedCustomer, Outcome},
        store::ChangeEvents,
    },
    events::audit::Action,
    passwords::{PasswordHash, SchemeName},
    resets::ResetOrigin,
};

use super::{
    JOHN, StoreUnderTest,
    email_changes::{change, undo},
    holder,
    import::{address, customer, import, record},
    other_scopes,
};
use crate::seed;
use crate::store::prelude::*;

/// C4.
pub async fn an_update_replaces_the_hashes_that_nobody_has_logged_in_with<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let hash_of = async |n| {
        let found = store.find_credentials(scope, &seed::email(&address(n))).await.unwrap().unwrap();
        found.password
    };
    let with = |n, text: &str| ImportedCustomer {
        password: (!text.is_empty()).then(|| seed::hash(text)),
        ..customer(n, &address(n))
    };
    let first =
        vec![with(1, "old"), with(2, "old"), with(3, ""), with(4, "old"), with(5, "same"), with(6, "old")];
    assert_eq!(import(store, scope).write(first).await.unwrap(), [Outcome::Created; 6]);
    let second = store.find_credentials(scope, &seed::email(&address(2))).await.unwrap().unwrap();
    store.rehash_password(scope, second.customer, &seed::hash("old"), &seed::hash("own")).await.unwrap();

    let updating = Import { updates_passwords: true, ..import(store, scope) };
    let again = || {
        vec![
            with(1, "new"),
            with(2, "new"),
            with(3, "new"),
            with(4, ""),
            with(5, "same"),
            with(7, "new"),
            ImportedCustomer { line: 8, ..with(1, "newer") },
        ]
    };
    let expected = [
        Outcome::Updated,
        Outcome::Taken,
        Outcome::Updated,
        Outcome::Taken,
        Outcome::Taken,
        Outcome::Created,
        Outcome::Duplicate,
    ];
    assert_eq!(updating.write(again()).await.unwrap(), expected);
    for (n, hash) in [(1, "new"), (2, "own"), (3, "new"), (4, "old"), (5, "same"), (6, "old"), (7, "new")] {
        assert_eq!(hash_of(n).await, Some(seed::hash(hash)), "{n}");
    }
    let updates = "action = 'update' AND actor = 'operator' AND CAST(attributes AS text) LIKE '%password%'";
    assert_eq!(backdoor.count("audit_entries", updates).await, 2);
    // Killed here and run again: the log-in since is not undone.
    let third = store.find_credentials(scope, &seed::email(&address(3))).await.unwrap().unwrap();
    assert!(third.scheme.unwrap().is_imported());
    store.rehash_password(scope, third.customer, &seed::hash("new"), &seed::hash("own")).await.unwrap();
    assert_eq!(updating.write(again()).await.unwrap(), expected);
    assert_eq!(hash_of(3).await, Some(seed::hash("own")));
    assert_eq!(backdoor.count("audit_entries", updates).await, 2);
}

/// A7. The schemes follow the hashes, whoever sets them.
pub async fn an_organizations_schemes_are_those_of_its_hashes<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let organization = scope.organization;
    let schemes = async || {
        let mut found: Vec<SchemeName> = Vec::new();
        while let Some(next) = store.next_scheme(organization, found.last()).await.unwrap() {
            let made = [SchemeName::own(&next.sample), SchemeName::imported(&next.sample)];
            assert!(made.contains(&next.name), "{:?}", next.name);
            found.push(next.name);
        }
        found
    };
    assert_eq!(schemes().await, []);
    let costly = PasswordHash::from_phc("$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA".to_owned());
    let bcrypt = PasswordHash::from_phc("$2b$12$saltandhash".to_owned());
    let lines = [(1, &costly), (2, &bcrypt), (3, &bcrypt)]
        .map(|(n, hash)| ImportedCustomer { password: Some(hash.clone()), ..customer(n, &address(n)) });
    import(store, scope).write(lines.to_vec()).await.unwrap();
    let own = seed::hash("mine");
    seed::customer(store, scope, JOHN, Some(own.clone())).await;
    for other in
        other_scopes(store, scope).await.into_iter().filter(|other| other.organization != organization)
    {
        let pbkdf2 = PasswordHash::from_phc("$pbkdf2-sha256$i=1000$c2FsdA$aGFzaA".to_owned());
        let line = ImportedCustomer { password: Some(pbkdf2), ..customer(1, JOHN) };
        import(store, other).write(vec![line]).await.unwrap();
    }
    let [imported_costly, imported_bcrypt] = [&costly, &bcrypt].map(SchemeName::imported);
    let expected = [imported_bcrypt.clone(), imported_costly.clone(), SchemeName::own(&own)];
    assert_eq!(schemes().await, expected);

    let find = async |n| store.find_credentials(scope, &seed::email(&address(n))).await.unwrap().unwrap();
    let first = find(1).await;
    assert_eq!(first.scheme, Some(imported_costly));
    store.rehash_password(scope, first.customer, &costly, &own).await.unwrap();
    assert_eq!(find(1).await.scheme, Some(SchemeName::own(&own)));
    assert_eq!(schemes().await, [imported_bcrypt, SchemeName::own(&own)]);
    for n in [2, 3] {
        let change = CustomerChange { password: Some(costly.clone()), ..CustomerChange::default() };
        let audit = seed::audit(Action::Update);
        let customer = find(n).await.customer;
        assert!(
            store.update_customer(scope, customer, &change, ChangeEvents::default(), &audit).await.unwrap()
        );
    }
    assert_eq!(schemes().await, [SchemeName::own(&own), SchemeName::own(&costly)]);
}

/// An undone change of the address leaves no hash, so no scheme, and no import brings the hash back.
pub async fn an_ended_password_has_no_scheme_and_no_import_restores_it<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let line = |n| ImportedCustomer { password: Some(seed::hash("old")), ..customer(n, &address(n)) };
    assert_eq!(import(store, scope).write(vec![line(1)]).await.unwrap(), [Outcome::Created]);
    let find = async || store.find_credentials(scope, &seed::email(&address(1))).await.unwrap().unwrap();
    let customer = find().await.customer;
    let made = change(store, scope, customer, &address(1), "thief@example.com").await;
    assert!(store.next_scheme(scope.organization, None).await.unwrap().is_some());

    assert!(undo(store, &made).await);
    assert!(store.next_scheme(scope.organization, None).await.unwrap().is_none());
    let ended = find().await;
    assert_eq!((ended.password, ended.scheme), (None, None));

    let records = [record(&address(1), Some(seed::hash("old")))];
    assert_eq!(store.preview_import(scope, &records, true).await.unwrap(), [Outcome::Taken]);
    let updating = Import { updates_passwords: true, ..import(store, scope) };
    assert_eq!(updating.write(vec![line(1), line(2)]).await.unwrap(), [Outcome::Taken, Outcome::Created]);
    assert_eq!(find().await.password, None);
    // Another customer's hash is found past that row.
    assert!(store.next_scheme(scope.organization, None).await.unwrap().is_some());
}

/// A changed password ends the customer's pending tokens, whoever changes it.
pub async fn an_updated_hash_ends_the_pending_tokens_of_its_customer_only<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let lines = |text: &str| {
        [1, 2].map(|n| ImportedCustomer {
            password: Some(seed::hash(if n == 1 { text } else { "same" })),
            ..customer(n, &address(n))
        })
    };
    let plain = import(store, scope);
    assert_eq!(plain.write(lines("old").to_vec()).await.unwrap(), [Outcome::Created; 2]);
    let resets = [
        seed::reset(store, scope, &address(1), ResetOrigin::SelfService).await,
        seed::reset(store, scope, &address(1), ResetOrigin::Integration).await,
        seed::reset(store, scope, &address(2), ResetOrigin::Integration).await,
    ];
    let is_pending = async || {
        let mut found = Vec::new();
        for reset in &resets {
            found.push(holder(store, reset).await.is_some());
        }
        found
    };
    let again = import(store, scope).write(lines("new").to_vec()).await.unwrap();
    assert_eq!(again, [Outcome::Taken; 2]);
    assert_eq!(is_pending().await, [true; 3]);
    let updating = Import { updates_passwords: true, ..import(store, scope) };
    assert_eq!(updating.write(lines("new").to_vec()).await.unwrap(), [Outcome::Updated, Outcome::Taken]);
    assert_eq!(is_pending().await, [false, false, true]);
}
