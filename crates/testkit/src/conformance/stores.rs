//! The suite of every store, on any database: [`crate::store_conformance`] makes it the tests of an adapter. A case's name says what
//! it tests, with the name of the threat that it covers, if any, as a prefix.

pub mod attempts;
pub mod audit;
pub mod audit_chain;
pub mod callbacks;
pub mod circuit_mails;
pub mod cleanup;
pub mod codes;
pub mod customers;
pub mod deliveries;
pub mod delivery_log;
pub mod email_changes;
pub mod erasure;
pub mod gauges;
pub mod guesses;
pub mod idempotency;
pub mod import;
pub mod imported_hashes;
pub mod ledger;
pub mod limits;
pub mod lists;
pub mod notices;
pub mod operator;
pub mod outbox;
pub mod refreshes;
pub mod rejections;
pub mod relay;
pub mod replays;
pub mod reports;
pub mod republishing;
pub mod resets;
pub mod revocations;
pub mod self_service;
pub mod sessions;
pub mod tokens;
pub mod webhooks;

mod suite;

use async_trait::async_trait;
use futures_util::future::join_all;
use rekey_core::{
    attributes::CommonAttributes,
    customers::store::ChangeEvents,
    events::{EventBody, audit::Action, outbox::NewEvent},
    passwords::PasswordHash,
    resets::{TokenHolder, store::Completion},
    resources::{CUSTOMER_PASSWORD_RESETS, record::Record},
    scope::{Mode, Scope},
    secrets::{AddressDigest, ResetToken},
};

use crate::{
    backdoor::Backdoor,
    seed::{self, SeededReset},
    store::prelude::*,
};

/// An adapter on a migrated, empty database of its own.
#[async_trait]
pub trait StoreUnderTest: Send + Sync + Sized {
    /// The adapter's type.
    type Store: Store + Clone;

    /// Creates the database.
    async fn start() -> Self;

    /// The adapter.
    fn store(&self) -> &Self::Store;

    /// Direct access to the database.
    fn backdoor(&self) -> &dyn Backdoor;
}

const JOHN: &str = "john@example.com";

/// The scopes that must not reach this scope's records: the same organization's other mode, and another organization.
async fn other_scopes(store: &impl Store, scope: Scope) -> [Scope; 2] {
    let mode = match scope.mode {
        Mode::Test => Mode::Live,
        Mode::Live => Mode::Test,
    };
    let stranger = seed::organization(store, "stranger").await.id;
    [Scope { mode, ..scope }, Scope { organization: stranger, ..scope }]
}

/// The audit entries with their personal fields, without those about organizations and clients.
const AUDIT_LOG: &str = "audit_entries JOIN audit_personal_data ON entry_id = id AND resource_type NOT IN ('organizations', 'api_clients')";

/// Counts the rows of the tables that facts are written to: resets, events, audit entries with those of decoys.
async fn written(backdoor: &dyn Backdoor) -> [u64; 3] {
    [
        backdoor.count("password_resets", "true").await,
        backdoor.count("events", "true").await,
        backdoor.count(AUDIT_LOG, "true").await + backdoor.count("decoy_audit_entries", "true").await,
    ]
}

/// Reads a seeded reset from the store.
async fn found_reset(store: &impl Store, scope: Scope, reset: &SeededReset) -> Option<Record> {
    store.find(scope, &CUSTOMER_PASSWORD_RESETS, reset.id.into()).await.unwrap()
}

/// Looks up the holder of a seeded reset's token.
async fn holder(store: &impl Store, reset: &SeededReset) -> Option<TokenHolder> {
    store.find_token_holder(reset.id, &reset.token.digest()).await.unwrap()
}

/// Uses a token; false when it can't be.
async fn complete(
    store: &impl Store,
    holder: &TokenHolder,
    token: &ResetToken,
    password: &PasswordHash,
    changes: &CommonAttributes,
) -> bool {
    let event = seed::event(
        holder.scope,
        EventBody::ResetUsed { reset: holder.reset, customer: holder.customer, address: None },
    );
    let audit = seed::audit(Action::ResetPassword);
    let completion = Completion {
        holder,
        address_digest: AddressDigest::new(holder.scope, &holder.email, &seed::keys()),
        token: &token.digest(),
        password,
        changes,
        event: &event,
        audit: &audit,
    };
    store.complete_reset(&completion).await.unwrap()
}

/// The events of a change of the password.
fn password_event(event: &NewEvent) -> ChangeEvents<'_> {
    ChangeEvents { password: Some(event), ..ChangeEvents::default() }
}

/// Uses a seeded reset's token, which must be valid.
async fn use_up(store: &impl Store, reset: &SeededReset, password: &str) -> Record {
    let holder = holder(store, reset).await.expect("the token is good");
    let password = seed::hash(password);
    let is_used = complete(store, &holder, &reset.token, &password, &CommonAttributes::default()).await;
    assert!(is_used, "the token is still good");
    found_reset(store, holder.scope, reset).await.unwrap()
}

/// Runs all futures at the same time, each as a task of its own.
async fn at_once<T: Send + 'static>(
    tasks: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let tasks: Vec<_> = tasks.into_iter().map(tokio::spawn).collect();
    join_all(tasks).await.into_iter().map(Result::unwrap).collect()
}
