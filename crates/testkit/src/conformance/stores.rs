//! What every store, outbox and ledger does, on whatever database: [`crate::store_conformance`] makes these the tests of
//! an adapter. The cases are called after what they hold, and after the lines of the threat list that they guard.

pub mod customers;
pub mod import;
pub mod ledger;
pub mod operator;
pub mod outbox;
pub mod resets;
pub mod sessions;
pub mod tokens;

use async_trait::async_trait;
use futures_util::future::join_all;
use rekey_core::{
    access::{Mode, Scope},
    audit::Action,
    event::EventBody,
    import::Importer,
    ledger::Ledger,
    outbox::Outbox,
    password::PasswordHash,
    reset::{PasswordReset, ReferenceChange, TokenHolder},
    secret::ResetToken,
    store::{Completion, Store},
};

use crate::{
    backdoor::Backdoor,
    seed::{self, SeededReset},
};

/// An adapter on a database of its own, migrated and empty.
#[async_trait]
pub trait StoreUnderTest: Send + Sync + Sized {
    /// The adapter.
    type Store: Store + Outbox + Ledger + Importer + Clone;

    /// Sets everything up.
    async fn start() -> Self;

    /// The adapter.
    fn store(&self) -> &Self::Store;

    /// The way past it.
    fn backdoor(&self) -> &dyn Backdoor;
}

/// Makes the suite the tests of an adapter: `store_conformance!(TheFixture);` in a test file.
#[macro_export]
macro_rules! store_conformance {
    ($fixture:ty) => {
        $crate::store_conformance!(@ $fixture: operator:
            the_store_answers_and_tells_the_time,
            an_organization_is_created_once_and_listed_by_slug,
            an_api_client_is_registered_once_and_found_by_its_client_id,
            a_revoked_client_is_still_found_as_revoked,
        );
        $crate::store_conformance!(@ $fixture: customers:
            a_customer_is_created_with_its_event_and_its_audit_entry,
            an_address_is_taken_only_in_its_scope_and_a_refusal_writes_nothing,
            tenant_a_customer_is_found_in_its_scope_only,
            credentials_are_found_by_address_in_their_scope,
            a_rehash_replaces_only_the_hash_that_it_was_made_from,
        );
        $crate::store_conformance!(@ $fixture: import:
            imported_customers_are_written_whole_with_their_audit_entries_and_no_event,
            an_import_goes_on_with_its_key_until_it_is_finished,
            an_import_run_again_creates_nobody_twice_and_tells_the_same,
            a_taken_address_is_left_as_it_is,
            a_later_line_with_the_same_address_is_a_duplicate,
            a_customer_who_was_renamed_or_deleted_since_is_not_imported_again,
            imports_at_the_same_time_create_nobody_twice,
            taken_addresses_are_told_in_order,
            tenant_an_import_reaches_its_own_scope_only,
            a_batch_that_fails_writes_nothing,
        );
        $crate::store_conformance!(@ $fixture: sessions:
            a_session_lives_until_it_expires_and_in_its_scope_only,
            a_session_opens_only_under_the_password_that_was_verified,
            sessions_end_when_a_reset_is_used,
            sessions_opened_while_the_password_changes_end_too,
        );
        $crate::store_conformance!(@ $fixture: resets:
            a_reset_is_created_with_its_event_and_its_audit_entry,
            a_fact_that_fails_in_part_is_not_written_at_all,
            an_integration_gets_no_reset_for_an_unknown_address,
            enum_body_a_decoy_writes_what_a_reset_writes_and_is_nobodys,
            a_self_service_request_supersedes_older_ones_and_nothing_else,
            a_token_is_shown_only_while_it_can_be_used,
            a_list_is_newest_first_in_pages_and_always_tells_the_total,
            references_are_changed_cleared_and_kept,
            a_deleted_reset_leaves_its_event_and_its_audit_entry,
            tenant_no_other_scope_reaches_a_reset,
        );
        $crate::store_conformance!(@ $fixture: tokens:
            a_used_token_changes_everything_together,
            token_dead_in_every_way_is_refused_alike_and_writes_nothing,
            token_race_of_many_uses_exactly_one_wins,
            token_race_of_two_tokens_one_kills_the_other,
            tenant_a_token_works_for_its_own_holder_only,
        );
        $crate::store_conformance!(@ $fixture: outbox:
            messages_are_claimed_oldest_first_as_they_were_written,
            no_message_goes_to_two_claimers,
            a_lease_that_ends_gives_the_message_to_the_next,
            a_published_message_is_done_and_its_payload_gone,
            a_message_settled_for_later_comes_back_when_it_is_due,
            a_dead_message_is_parked_with_its_reason,
            many_messages_are_settled_together,
        );
        $crate::store_conformance!(@ $fixture: ledger:
            one_of_many_claimers_is_granted_the_mail,
            a_settled_mail_is_not_granted_again,
            a_deferred_mail_is_granted_again_without_doubt,
            a_claim_that_ran_out_is_taken_over_in_doubt,
            late_mails_are_discarded_and_recorded_as_such,
            a_mail_that_is_no_longer_wanted_on_a_retry_is_discarded,
            tenant_a_mail_of_another_scope_is_discarded,
            word_of_a_changed_password_is_granted_whatever_became_of_the_reset,
        );
    };
    (@ $fixture:ty: $module:ident: $($case:ident,)+) => {
        mod $module {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    $crate::conformance::stores::$module::$case::<$fixture>().await;
                }
            )+
        }
    };
}

const JOHN: &str = "john@example.com";

/// The same organization's other mode, and another organization: neither must reach the scope's records.
async fn other_scopes(store: &impl Store, scope: Scope) -> [Scope; 2] {
    let mode = match scope.mode {
        Mode::Test => Mode::Live,
        Mode::Live => Mode::Test,
    };
    let stranger = seed::organization(store, "stranger").await.id;
    [Scope { mode, ..scope }, Scope { organization: stranger, ..scope }]
}

/// Rows of the tables that facts are written to: resets, events, audit entries.
async fn written(backdoor: &dyn Backdoor) -> [u64; 3] {
    [
        backdoor.count("password_resets", "true").await,
        backdoor.count("events", "true").await,
        backdoor.count("audit_entries", "true").await,
    ]
}

/// Whom a seeded reset's token speaks for now.
async fn holder(store: &impl Store, reset: &SeededReset) -> Option<TokenHolder> {
    store.find_token_holder(reset.id, &reset.token.digest()).await.unwrap()
}

/// Uses a token.
async fn complete(
    store: &impl Store,
    holder: &TokenHolder,
    token: &ResetToken,
    password: &PasswordHash,
    change: &ReferenceChange,
) -> Option<PasswordReset> {
    let event =
        seed::event(holder.scope, EventBody::ResetUsed { reset: holder.reset, customer: holder.customer });
    let audit = seed::audit(Action::ResetPassword);
    let completion =
        Completion { holder, token: &token.digest(), password, change, event: &event, audit: &audit };
    store.complete_reset(&completion).await.unwrap()
}

/// Uses a seeded reset's token, which must be good.
async fn use_up(store: &impl Store, reset: &SeededReset, password: &str) -> PasswordReset {
    let holder = holder(store, reset).await.expect("the token is good");
    let used =
        complete(store, &holder, &reset.token, &seed::hash(password), &ReferenceChange::default()).await;
    used.expect("the token is still good")
}

/// Runs all of them at the same time, each as a task of its own.
async fn at_once<T: Send + 'static>(
    tasks: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let tasks: Vec<_> = tasks.into_iter().map(tokio::spawn).collect();
    join_all(tasks).await.into_iter().map(Result::unwrap).collect()
}
