//! The list of all cases.

/// Makes the suite the tests of an adapter: `store_conformance!(TheFixture);` in a test file.
#[macro_export]
macro_rules! store_conformance {
    ($fixture:ty) => {
        $crate::store_conformance!(@ $fixture: operator:
            the_store_answers,
            an_organization_is_created_once_and_listed_by_slug,
            an_organization_is_renamed_with_its_audit_entry,
            a_clients_name_and_secret_are_replaced,
            an_api_client_is_registered_once_and_found_by_its_client_id,
            a_clients_permissions_and_origins_are_changed_each_alone,
            a_revoked_client_is_still_found_as_revoked,
            a_clients_allowed_origins_are_kept_in_their_order,
            a11_changes_of_clients_are_audited,
            a11_rotated_keys_are_audited_once_in_each_scope,
        );
        $crate::store_conformance!(@ $fixture: customers:
            a_customer_is_created_with_its_event_and_its_audit_entry,
            an_address_is_taken_only_in_its_scope_and_a_refusal_writes_nothing,
            tenant_a_customer_is_found_in_its_scope_only,
            credentials_are_found_by_address_in_their_scope,
            a_rehash_replaces_only_the_hash_that_it_was_made_from,
            a_changed_customer_leaves_its_audit_entry_and_its_event,
            a_changed_address_or_password_kills_the_pending_tokens,
            a3_tries_to_change_an_address_are_counted_and_the_wait_is_returned,
            a11_the_first_try_too_many_is_audited,
            another_customers_address_is_taken_and_nothing_is_changed,
            a_deleted_customer_takes_all_that_is_theirs_along,
            tenant_no_other_scope_changes_a_customer,
        );
        $crate::store_conformance!(@ $fixture: email_changes:
            a4_a_change_of_an_address_is_recorded_with_its_event_and_its_mail,
            a4_a_change_from_another_address_changes_nothing,
            a4_a_former_address_is_reserved_until_the_change_can_no_longer_be_undone,
            a4_reservation_race_a_former_address_goes_to_nobody_else,
            a4_an_undone_change_gives_the_account_back,
            a4_no_session_of_an_ended_password_lives_again,
            a4_token_dead_in_every_way_undoes_nothing,
            a4_of_a_chain_of_changes_the_earliest_undo_ends_the_later_ones,
            a4_token_race_of_many_undos_exactly_one_wins,
        );
        $crate::store_conformance!(@ $fixture: audit:
            a11_an_entry_has_the_digest_of_its_personal_fields,
            a11_a_decoy_has_its_entry_in_tables_of_its_own,
            a11_an_entry_is_shown_without_its_erased_fields,
            a11_ten_log_ins_of_an_hour_have_their_own_entry_and_the_others_one,
            a11_log_ins_of_unknown_accounts_leave_decoys_only,
            a11_log_in_race_of_many_exactly_ten_have_an_entry,
        );
        $crate::store_conformance!(@ $fixture: audit_chain:
            a11_every_entry_is_chained_once_in_its_scope,
            a11_an_entry_that_comes_late_is_chained_at_the_end,
            a11_tampering_of_every_kind_is_found_at_its_link,
            a11_the_chainer_chains_what_waits_in_every_scope,
            a11_no_entry_is_chained_to_a_forged_link,
            a11_links_of_a_retired_key_are_reported_as_unchecked,
            a11_a_purge_takes_the_beginning_and_leaves_a_checkpoint,
            a11_a_purge_meanwhile_is_no_fault,
            a13_erased_fields_leave_the_chain_as_it_is,
        );
        $crate::store_conformance!(@ $fixture: codes:
            a_right_code_leads_to_its_own_token_in_any_scope_that_is_its_own,
            token_dead_a_code_is_refused_in_every_way_alike,
            guesses_are_counted_by_account_and_the_last_one_kills_the_codes,
            guesses_are_forgotten_with_their_window,
            a_code_guessed_at_several_resets_is_one_guess_of_each_account,
            guess_race_guesses_at_the_same_accounts_wait_for_each_other,
            guess_race_no_more_are_compared_than_the_budget,
            enum_body_decoys_have_codes_as_real_resets_have,
            a11_used_up_guesses_are_audited_once_for_each_account,
            a11_guesses_at_another_suffix_are_in_the_owners_log,
        );
        $crate::store_conformance!(@ $fixture: imported_hashes:
            an_update_replaces_the_hashes_that_nobody_has_logged_in_with,
            an_organizations_schemes_are_those_of_its_hashes,
            an_ended_password_has_no_scheme_and_no_import_restores_it,
            an_updated_hash_ends_the_pending_tokens_of_its_customer_only,
        );
        $crate::store_conformance!(@ $fixture: import:
            imported_customers_are_written_whole_with_their_audit_entries_and_no_event,
            an_import_keeps_its_key_until_it_is_finished,
            an_import_run_again_creates_nobody_twice_and_returns_the_same,
            a_taken_address_is_left_as_it_is,
            a_later_line_with_the_same_address_is_a_duplicate,
            a_customer_who_was_renamed_or_deleted_since_is_not_imported_again,
            imports_at_the_same_time_create_nobody_twice,
            a_preview_returns_what_an_import_would_do_in_order,
            a_dry_run_says_what_an_import_would_do_and_writes_nothing,
            tenant_an_import_reaches_its_own_scope_only,
            a_batch_that_fails_writes_nothing,
        );
        $crate::store_conformance!(@ $fixture: sessions:
            a_session_lives_until_it_expires_and_in_its_scope_only,
            a_session_opens_only_under_the_password_that_was_verified,
            sessions_end_when_a_reset_is_used,
            sessions_opened_while_the_password_changes_end_too,
            a_session_is_ended_in_its_scope_only,
            log_ins_remove_expired_sessions,
            a4_a_session_is_fresh_for_a_time_after_its_sign_in,
            a12_a_session_ends_at_its_maximum_age,
        );
        $crate::store_conformance!(@ $fixture: refreshes:
            a_refresh_returns_the_next_token_with_the_full_lifetime,
            a12_a_refresh_never_extends_a_session_beyond_its_maximum_age,
            a_used_token_that_comes_again_ends_its_session,
            a11_a_reused_token_is_audited_once,
            within_the_leeway_a_used_token_is_refused_and_the_session_continues,
            refresh_race_of_many_uses_exactly_one_wins,
            a_token_is_refused_elsewhere_and_stays_valid,
            a_token_is_refused_once_expired_or_under_the_next_password,
            sessions_refreshed_while_the_password_changes_end_too,
            a_used_token_is_forgotten_when_it_would_have_expired,
            any_token_of_a_session_ends_it_through_its_own_client,
        );
        $crate::store_conformance!(@ $fixture: notices:
            a4_a_mail_goes_to_the_address_that_its_event_names,
            a5_an_unconfirmed_address_gets_one_notice_of_a_kind,
            a5_a_confirmed_address_gets_a_budget_of_notices_and_then_one_an_hour,
            a5_another_address_is_not_confirmed_and_a_restored_one_is,
            a5_notice_race_an_unconfirmed_address_gets_one,
        );
        $crate::store_conformance!(@ $fixture: relay:
            a_new_event_is_published_without_a_claim,
            a_new_event_is_for_its_own_process_until_its_lease_ends,
            a_new_event_whose_lease_ends_in_the_queue_is_left_to_the_next_claim,
            b4_without_a_connection_events_are_inserted_unclaimed_and_left_alone,
            a_batch_is_claimed_ahead_and_not_published_after_its_lease,
            a_settling_that_fails_delays_only_its_own_messages,
            events_that_do_not_fit_into_the_queue_are_claimed_at_once,
            a_graceful_stop_gives_the_claims_back,
        );
        $crate::store_conformance!(@ $fixture: revocations:
            a_revoked_token_is_listed_for_its_client_until_it_expires,
            revocations_remove_expired_ones,
        );
        $crate::store_conformance!(@ $fixture: resets:
            a_reset_is_created_with_its_event_and_its_audit_entry,
            a_fact_that_fails_in_part_is_not_written_at_all,
            an_integration_gets_no_reset_for_an_unknown_address,
            enum_body_a_decoy_writes_what_a_reset_writes_and_is_nobodys,
            a_self_service_request_supersedes_older_ones_and_nothing_else,
            a_token_is_shown_only_while_it_can_be_used,
            plain_attributes_are_changed_cleared_and_kept,
            a_deleted_reset_leaves_its_event_and_its_audit_entry,
            tenant_no_other_scope_reaches_a_reset,
        );
        $crate::store_conformance!(@ $fixture: self_service:
            mail_bomb_inside_the_cooldown_nothing_is_created,
            mail_bomb_a_window_has_its_budget_of_mails_and_the_next_one_its_own,
            beyond_its_budget_an_account_is_sent_a_mail_an_hour_and_its_last_link_works,
            quota_theft_decoys_use_up_nothing,
            quota_theft_accounts_at_other_suffixes_use_up_nothing_of_the_owner,
            mail_bomb_addresses_of_an_account_share_its_budget,
            mails_that_never_went_out_use_up_no_budget,
            a_request_supersedes_the_links_of_older_keys,
            mail_bomb_simultaneous_requests_create_one,
        );
        $crate::store_conformance!(@ $fixture: guesses:
            login_guess_wrong_passwords_in_a_row_wait_longer_and_then_lock,
            login_guess_simultaneous_guesses_are_counted_each,
            login_guess_a_right_password_zeroes_its_own_counter,
            login_guess_a_guess_that_was_not_compared_is_returned,
            login_guess_addresses_that_differ_after_a_plus_are_counted_apart,
            login_guess_strangers_do_not_hold_up_a_known_network,
            login_guess_a_network_of_many_accounts_is_known_to_none,
            login_guess_the_networks_used_last_are_known,
            login_guess_a_reset_by_mail_ends_the_lock,
            login_guess_counts_are_kept_for_their_time,
        );
        $crate::store_conformance!(@ $fixture: rejections:
            a_rejected_resets_token_is_dead_and_the_account_is_on_hold,
            a_rejection_never_shortens_a_cooldown,
            used_expired_and_unknown_resets_are_not_rejected,
            one_of_simultaneous_rejections_and_uses_wins,
        );
        $crate::store_conformance!(@ $fixture: lists:
            a_list_is_newest_first_in_pages_and_always_has_the_total,
            places_in_a_list_lead_through_all_of_it_in_every_order,
            filters_follow_relationships_in_both_directions,
            a_token_is_found_only_while_it_can_be_used,
            related_records_come_with_the_records_they_belong_to,
            the_audit_log_shows_who_and_from_where_and_no_value,
            tenant_no_list_shows_another_scopes_records,
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
            a_published_message_without_a_mail_is_done_and_its_payload_gone,
            a_message_settled_for_later_comes_back_when_it_is_due,
            a_dead_message_is_parked_with_its_reason,
            many_messages_are_settled_together,
        );
        $crate::store_conformance!(@ $fixture: gauges:
            events_wait_until_they_are_published,
            mails_are_unsent_until_they_are_settled,
            callbacks_are_due_until_they_are_settled,
            a_key_is_as_old_as_its_first_use_whatever_follows_it,
        );
        $crate::store_conformance!(@ $fixture: ledger:
            one_of_many_claimers_is_granted_the_mail,
            the_database_says_how_old_a_mail_is_and_how_long_its_link_works,
            a_settled_mail_is_not_granted_again,
            a_deferred_mail_is_granted_again_without_doubt,
            a_mail_that_was_held_has_spent_no_attempt,
            an_attempt_that_ended_without_a_reply_is_counted_in_doubt,
            a_claim_that_ran_out_is_taken_over_in_doubt,
            late_mails_are_discarded_and_recorded_as_such,
            a_mail_that_is_no_longer_wanted_on_a_retry_is_discarded,
            tenant_a_mail_of_another_scope_is_discarded,
            a_notification_of_a_changed_password_is_granted_whatever_the_resets_state,
            an_unknown_address_gets_a_mail_where_the_job_says_so,
            a_customers_language_comes_with_the_mail,
            a_mail_whose_event_an_older_version_wrote_is_recorded_by_its_claim,
        );
        $crate::store_conformance!(@ $fixture: webhooks:
            a_webhook_is_created_with_its_audit_entry_and_a_name_of_its_own,
            a_scope_has_a_limited_number_of_webhooks,
            a_webhook_is_changed_in_its_scope_only,
            an_event_is_recorded_once_for_each_webhook_of_its_topic,
            enum_body_no_event_of_a_decoy_is_found_or_listed,
            a_former_secret_signs_along_for_a_day,
        );
        $crate::store_conformance!(@ $fixture: callbacks:
            callbacks_are_claimed_within_their_limits_and_again_when_a_lease_ends,
            those_with_fewer_callbacks_under_way_come_first,
            a_postponed_callback_has_spent_no_attempt,
            a_callback_of_a_newer_version_holds_up_no_other,
            callback_race_of_many_claimers_each_gets_others,
            callbacks_about_one_record_are_made_in_order,
            failed_attempts_in_a_row_open_the_circuit,
            a_receiver_that_wants_no_more_is_disabled,
            a13_what_webhooks_are_sent_of_a_deleted_customer_is_erased,
            old_callbacks_are_purged,
        );
        $crate::store_conformance!(@ $fixture: circuit_mails:
            each_opening_of_a_circuit_leads_to_one_mail,
            a_mail_is_tried_less_often_the_longer_a_circuit_is_open,
            a_circuit_that_was_reset_or_disabled_leads_to_no_mail,
        );
        $crate::store_conformance!(@ $fixture: replays:
            what_has_ended_is_replayed_with_its_payload_and_all_attempts,
            what_can_not_be_sent_is_not_replayed,
            those_that_failed_are_replayed_from_a_time_on_up_to_a_bound,
            replays_stay_in_their_scope,
            replay_race_of_many_each_callback_is_replayed_once,
        );
        $crate::store_conformance!(@ $fixture: attempts:
            each_settled_attempt_is_recorded_with_its_reply,
            a_claim_that_ran_out_is_an_attempt_in_doubt_until_its_mail_was_sent,
            the_first_attempts_and_the_latest_are_kept,
            attempts_are_deleted_with_their_delivery,
            a_rejected_message_fails_its_own_mail_and_no_other,
            a_claim_whose_message_is_rejected_ends_in_doubt,
        );
        $crate::store_conformance!(@ $fixture: reports:
            a_report_makes_a_sent_mail_bounced_once_and_suppresses_its_address,
            a_report_suppresses_no_other_address_than_its_customers,
            a_report_changes_no_mail_that_was_not_sent,
            reports_are_deleted_with_their_delivery,
        );
        $crate::store_conformance!(@ $fixture: republishing:
            b7_the_event_of_an_overdue_mail_is_published_again,
            only_overdue_mails_have_their_events_published_again,
            a_mail_that_is_settled_first_leaves_its_event_to_the_relay,
        );
        $crate::store_conformance!(@ $fixture: deliveries:
            a_delivery_is_queued_with_each_event_that_leads_to_a_mail,
            enum_body_a_decoys_delivery_is_written_alike_and_never_shown,
            a_delivery_shows_its_outcome,
            deleted_records_are_no_longer_linked,
            tenant_a_delivery_is_found_in_its_scope_only,
            an_address_that_refused_a_mail_is_suppressed_until_that_is_lifted,
            another_address_is_not_suppressed,
            a_deleted_customer_takes_the_suppression_along,
            no_address_of_a_deleted_customer_is_kept,
            tenant_an_address_is_suppressed_in_its_scope_only,
        );
        $crate::store_conformance!(@ $fixture: idempotency:
            one_of_many_simultaneous_calls_is_granted_the_key,
            a_response_is_stored_until_the_key_is_forgotten,
            a_freed_key_is_granted_again_for_the_same_record,
            a_call_whose_process_died_runs_again_for_the_same_record,
            a_lease_never_outlasts_its_key,
            a_request_made_under_an_older_key_of_the_ring_is_the_same,
            tenant_a_key_is_its_owners_only,
            forgotten_keys_are_removed_a_few_at_a_time,
            a_record_is_created_once_however_often_its_call_runs,
        );
        $crate::store_conformance!(@ $fixture: cleanup:
            old_decoys_are_removed_with_all_their_records_and_nothing_else_is,
            old_quota_rows_are_removed,
            a4_old_changes_of_addresses_are_removed,
            records_that_are_old_are_purged_in_batches_and_pending_ones_stay,
        );
        $crate::store_conformance!(@ $fixture: erasure:
            a13_a_request_waits_and_can_be_cancelled,
            a13_requests_are_carried_out_once_they_are_old_enough,
            a13_no_mail_goes_to_an_anonymized_customer,
            a13_a_queued_customer_that_is_not_gone_keeps_everything,
            a13_of_a_deleted_customer_only_the_deletion_is_left,
            a13_of_an_anonymized_customer_only_its_id_is_left,
        );
        $crate::store_conformance!(@ $fixture: limits:
            hits_add_up_in_their_window_and_in_no_other,
            each_of_many_hits_at_once_counts_those_before_it,
            hits_leave_the_window_after_a_minute,
            late_hits_are_added_to_the_slots_in_which_they_were_made,
            a_sweep_removes_slots_outside_every_window,
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

/// Makes the cases of the operators' port, which only the production database has, tests of an adapter: `delivery_log_conformance!(TheFixture);`.
#[macro_export]
macro_rules! delivery_log_conformance {
    ($fixture:ty) => {
        $crate::store_conformance!(@ $fixture: delivery_log:
            deliveries_are_listed_newest_first_by_each_filter,
            a_mails_life_has_all_that_happened_to_it,
            mails_that_wait_are_listed_oldest_first,
            a_mail_that_waits_or_failed_is_made_due_again,
            a_message_is_an_event_byte_for_byte,
            what_is_done_with_a_dead_letter_is_audited,
        );
    };
}
