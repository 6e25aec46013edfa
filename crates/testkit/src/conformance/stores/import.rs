//! Imports of many customers at a time, also repeated after a crash.

use std::sync::Arc;

use rekey_core::{
    clock::{Clock, SystemClock},
    customers::import::{
        DryRun, Import, ImportKey, ImportRecord, ImportedCustomer, Outcome, Reference, SourceDigest,
    },
    ids::{AuditId, CustomerId},
    passwords::PasswordHash,
    random::OsRandom,
    resources::{
        CUSTOMERS,
        record::{Record, Value},
    },
    scope::Scope,
};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{AUDIT_LOG, JOHN, StoreUnderTest, at_once, other_scopes, written};
use crate::seed;
use crate::store::prelude::*;

pub async fn imported_customers_are_written_whole_with_their_audit_entries_and_no_event<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let import = import(store, scope);
    let metadata = json!({"vip": true, "deep": [{"é": null}], "text": "a,\"b\"\n\u{1f512}", "n": 9_007_199_254_740_993_i64});
    let reference = Reference {
        reference: Some("R-1, \"first\"".to_owned()),
        reference_origin: Some("{NULL}".to_owned()),
        metadata: metadata.as_object().unwrap().clone(),
    };
    let john = ImportedCustomer {
        password: Some(seed::hash("old")),
        locale: Some("pt-BR".parse().unwrap()),
        reference,
        ..customer(1, JOHN)
    };
    let outcomes = import.write(vec![john, customer(2, "jane@example.com")]).await.unwrap();
    assert_eq!(outcomes, [Outcome::Created; 2]);

    let credentials = store.find_credentials(scope, &seed::email(JOHN)).await.unwrap().unwrap();
    assert_eq!(credentials.password, Some(seed::hash("old")));
    let found = found(store, scope, credentials.customer).await.unwrap();
    for (attribute, value) in [
        ("email", seed::text(JOHN)),
        ("reference", seed::text("R-1, \"first\"")),
        ("reference_origin", seed::text("{NULL}")),
        ("metadata", seed::object(&metadata)),
        ("locale", seed::text("pt-BR")),
    ] {
        assert_eq!(found.get(attribute), &value, "{attribute}");
    }
    assert_eq!(found.get("created_at"), found.get("updated_at"));
    let age = SystemClock.now() - found.get("created_at").as_time().unwrap();
    assert!(age.abs() < time::Duration::minutes(5), "{age}");
    let audit = format!(
        "resource_type = 'customers' AND resource_id = '{}' AND action = 'create' AND actor = 'operator' \
         AND application_id IS NULL AND mode = 'test' AND organization_id = '{}'",
        found.id(),
        scope.organization
    );
    assert_eq!(backdoor.count(AUDIT_LOG, &audit).await, 1);
    let attributes = backdoor
        .text(&format!("SELECT CAST(attributes AS text) FROM {AUDIT_LOG} WHERE {audit}"))
        .await
        .unwrap();
    for attribute in ["email", "password", "reference", "reference_origin", "metadata", "locale"] {
        assert!(attributes.contains(attribute), "{attributes}");
    }

    let jane = store.find_credentials(scope, &seed::email("jane@example.com")).await.unwrap().unwrap();
    assert_eq!(jane.password, None);
    let jane = self::found(store, scope, jane.customer).await.unwrap();
    for (attribute, value) in [
        ("has_password", Value::Boolean(false)),
        ("reference", Value::Null),
        ("metadata", seed::object(&json!({}))),
        ("locale", Value::Null),
    ] {
        assert_eq!(jane.get(attribute), &value, "{attribute}");
    }
    assert_eq!(written(backdoor).await, [0, 0, 2], "resets, events, audit entries");
}

pub async fn an_import_keeps_its_key_until_it_is_finished<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let [first, second, third] = [0; 3].map(|_| ImportKey::generate(&OsRandom));
    let started = store.begin_import(scope, &source("a"), &first).await.unwrap();
    assert_eq!((started.key.as_bytes(), started.is_resumed), (first.as_bytes(), false));
    let again = store.begin_import(scope, &source("a"), &second).await.unwrap();
    assert_eq!((again.key.as_bytes(), again.is_resumed), (first.as_bytes(), true));

    for (scope, name) in
        other_scopes(store, scope).await.map(|other| (other, "a")).into_iter().chain([(scope, "b")])
    {
        let other = store.begin_import(scope, &source(name), &second).await.unwrap();
        assert_eq!((other.key.as_bytes(), other.is_resumed), (second.as_bytes(), false));
    }
    store.finish_import(scope, &source("a")).await.unwrap();
    store.finish_import(scope, &source("a")).await.unwrap();
    let next = store.begin_import(scope, &source("a"), &third).await.unwrap();
    assert_eq!((next.key.as_bytes(), next.is_resumed), (third.as_bytes(), false));
    assert!(store.begin_import(scope, &source("b"), &third).await.unwrap().is_resumed);
}

pub async fn an_import_run_again_creates_nobody_twice_and_returns_the_same<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    let import = import(store, scope);
    let lines = || {
        (1..=50)
            .map(|line| customer(line, &address(line)))
            .chain([customer(51, JOHN), customer(52, &address(7))])
    };
    let mut expected = vec![Outcome::Created; 50];
    expected.extend([Outcome::Taken, Outcome::Duplicate]);

    assert_eq!(import.write(lines().take(20).collect()).await.unwrap(), expected[..20]);
    // Killed here and run again, with other batches.
    for _ in 0..2 {
        let (first, rest): (Vec<_>, Vec<_>) = lines().partition(|line| line.line <= 33);
        assert_eq!(import.write(first).await.unwrap(), expected[..33]);
        assert_eq!(import.write(rest).await.unwrap(), expected[33..]);
    }
    assert_eq!(scene.backdoor().count("customers", "true").await, 51);
    assert_eq!(scene.backdoor().count(AUDIT_LOG, "actor = 'operator'").await, 50);
}

pub async fn a_taken_address_is_left_as_it_is<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, Some(seed::hash("his own"))).await;
    let before = written(scene.backdoor()).await;
    let reference = Reference { reference: Some("R-2".to_owned()), ..Reference::default() };
    let line = ImportedCustomer {
        password: Some(seed::hash("imported")),
        reference,
        ..customer(1, "John@Example.COM")
    };
    assert_eq!(import(store, scope).write(vec![line]).await.unwrap(), [Outcome::Taken]);
    assert_eq!(found(store, scope, john.id).await, Some(john.record));
    let credentials = store.find_credentials(scope, &john.email).await.unwrap().unwrap();
    assert_eq!(credentials.password, Some(seed::hash("his own")));
    assert_eq!(written(scene.backdoor()).await, before);
}

pub async fn a_later_line_with_the_same_address_is_a_duplicate<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let taken = seed::customer(store, scope, "taken@example.com", None).await;
    let import = import(store, scope);
    let with_password =
        |line| ImportedCustomer { password: Some(seed::hash("second")), ..customer(line, JOHN) };
    let batch = vec![
        customer(1, JOHN),
        with_password(2),
        customer(3, taken.email.as_str()),
        customer(4, taken.email.as_str()),
    ];
    let (created, duplicate, taken) = (Outcome::Created, Outcome::Duplicate, Outcome::Taken);
    assert_eq!(import.write(batch).await.unwrap(), [created, duplicate, taken, taken]);
    assert_eq!(
        import.write(vec![with_password(5), customer(6, "new@example.com")]).await.unwrap(),
        [duplicate, created]
    );
    let john = store.find_credentials(scope, &seed::email(JOHN)).await.unwrap().unwrap();
    assert_eq!(john.password, None, "the first line had none");
}

pub async fn a_customer_who_was_renamed_or_deleted_since_is_not_imported_again<F: StoreUnderTest>() {
    let scene = F::start().await;
    let (store, backdoor) = (scene.store(), scene.backdoor());
    let scope = seed::scope(store, "shop").await;
    let import = import(store, scope);
    let lines = || vec![customer(1, JOHN), customer(2, "jane@example.com")];
    assert_eq!(import.write(lines()).await.unwrap(), [Outcome::Created; 2]);
    backdoor.text(&format!("UPDATE customers SET email = 'new@example.com' WHERE email = '{JOHN}'")).await;
    backdoor.text("DELETE FROM customers WHERE email = 'jane@example.com'").await;
    assert_eq!(import.write(lines()).await.unwrap(), [Outcome::Created; 2]);
    assert_eq!(backdoor.count("customers", "email = 'new@example.com'").await, 1);
    assert_eq!(backdoor.count("customers", "true").await, 1);
}

pub async fn imports_at_the_same_time_create_nobody_twice<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let key = ImportKey::generate(&OsRandom);
    let runs = [3, 7, 9, 11].into_iter().enumerate().map(|(run, step): (usize, u64)| {
        let key = if run < 2 { key.clone() } else { ImportKey::generate(&OsRandom) };
        let import = Import { importer: Arc::new(store.clone()), scope, key, updates_passwords: false };
        async move {
            let mut outcomes = Vec::new();
            for batch in 0..5 {
                // Each run has its own order within the batch: the steps have no common factor with 40.
                let lines = (0..40).map(|n| batch * 40 + (n * step) % 40 + 1);
                let batch = lines.map(|line| customer(line, &address(line))).collect();
                outcomes.extend(import.write(batch).await.unwrap());
            }
            outcomes
        }
    });
    let outcomes = at_once(runs).await;
    assert_eq!(scene.backdoor().count("customers", "true").await, 200);
    assert_eq!(scene.backdoor().count(AUDIT_LOG, "true").await, 200);
    let created = |run: usize| outcomes[run].iter().filter(|outcome| **outcome == Outcome::Created).count();
    assert_eq!(created(0), created(1), "the two are one import");
    assert_eq!(created(0) + created(2) + created(3), 200);
    assert!(outcomes.iter().flatten().all(|outcome| *outcome != Outcome::Duplicate));
}

pub async fn a_preview_returns_what_an_import_would_do_in_order<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    for n in (1..=30).step_by(3) {
        let hash = (n % 2 == 0).then(|| seed::hash("own"));
        seed::customer(store, scope, &address(n), hash).await;
    }
    let records: Vec<_> = (1..=30).rev().map(|n| record(&address(n), Some(seed::hash("new")))).collect();
    for updates_passwords in [false, true] {
        let expected = |n| match (n % 3 == 1, n % 2 == 0) {
            (false, _) => Outcome::Created,
            (true, false) if updates_passwords => Outcome::Updated,
            (true, _) => Outcome::Taken,
        };
        let expected: Vec<_> = (1..=30).rev().map(expected).collect();
        assert_eq!(store.preview_import(scope, &records, updates_passwords).await.unwrap(), expected);
    }
    assert!(store.preview_import(scope, &[], true).await.unwrap().is_empty());
    assert_eq!(scene.backdoor().count("customers", "true").await, 10);
}

pub async fn a_dry_run_says_what_an_import_would_do_and_writes_nothing<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    let dry = Import {
        importer: Arc::new(DryRun::new(store.clone())),
        updates_passwords: true,
        ..import(store, scope)
    };
    let john = ImportedCustomer { password: Some(seed::hash("new")), ..customer(1, JOHN) };
    let jane = |line| customer(line, "jane@example.com");
    let batch = vec![john.clone(), jane(2), ImportedCustomer { line: 3, ..john.clone() }];
    assert_eq!(dry.write(batch).await.unwrap(), [Outcome::Updated, Outcome::Created, Outcome::Duplicate]);
    // Also an address of an earlier batch is one that comes twice.
    assert_eq!(
        dry.write(vec![jane(4), customer(5, "joe@example.com")]).await.unwrap(),
        [Outcome::Duplicate, Outcome::Created]
    );
    let records = [record("jane@example.com", None), record("jane@example.com", None)];
    let preview = dry.importer.preview_import(scope, &records, true).await.unwrap();
    assert_eq!(preview, store.preview_import(scope, &records, true).await.unwrap());
    assert!(!preview.is_empty());
    assert_eq!(scene.backdoor().count("customers", "true").await, 1);
}

pub async fn tenant_an_import_reaches_its_own_scope_only<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let others = other_scopes(store, scope).await;
    for other in others {
        seed::customer(store, other, JOHN, Some(seed::hash("a stranger's"))).await;
    }
    let john = seed::email(JOHN);
    let preview = async || {
        let record = record(JOHN, Some(seed::hash("new")));
        store.preview_import(scope, &[record], true).await.unwrap()
    };
    assert_eq!(preview().await, [Outcome::Created]);
    let updating = Import { updates_passwords: true, ..import(store, scope) };
    assert_eq!(updating.write(vec![customer(1, JOHN)]).await.unwrap(), [Outcome::Created]);
    assert_eq!(preview().await, [Outcome::Updated]);
    for other in others {
        let theirs = store.find_credentials(other, &john).await.unwrap().unwrap();
        assert_eq!(theirs.password, Some(seed::hash("a stranger's")));
    }
}

pub async fn a_batch_that_fails_writes_nothing<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let record = |address: &str, audit| ImportRecord { audit, ..record(address, Some(seed::hash("old"))) };
    // Two records with the same audit entry's id: the second one can't be written.
    let audit = AuditId::generate(&OsRandom);
    let records = [record(JOHN, audit), record("jane@example.com", audit)];
    store.import_customers(scope, &records, false).await.unwrap_err();
    assert_eq!(scene.backdoor().count("customers", "true").await, 0);
    assert_eq!(written(scene.backdoor()).await, [0; 3]);
    assert!(store.import_customers(scope, &[], true).await.unwrap().is_empty());
    let id: CustomerId = records[0].customer.id;
    assert!(found(store, scope, id).await.is_none());
}

async fn found(store: &impl Store, scope: Scope, id: CustomerId) -> Option<Record> {
    store.find(scope, &CUSTOMERS, id.into()).await.unwrap()
}

pub(super) fn import(store: &(impl Importer + Clone), scope: Scope) -> Import {
    let key = ImportKey::generate(&OsRandom);
    Import { importer: Arc::new(store.clone()), scope, key, updates_passwords: false }
}

pub(super) fn customer(line: u64, address: &str) -> ImportedCustomer {
    ImportedCustomer {
        line,
        email: seed::email(address),
        password: None,
        reference: Reference::default(),
        locale: None,
    }
}

pub(super) fn record(address: &str, password: Option<PasswordHash>) -> ImportRecord {
    ImportRecord {
        customer: seed::new_customer(address, password),
        audit: AuditId::generate(&OsRandom),
        attributes: vec!["email"],
    }
}

pub(super) fn address(n: u64) -> String {
    format!("customer-{n}@example.com")
}

fn source(content: &str) -> SourceDigest {
    SourceDigest::new(Sha256::new_with_prefix(content))
}
