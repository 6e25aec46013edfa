-- What each program's role may do, if the role exists: exactly this. Whatever else it was granted on these tables before is revoked.
-- Run with each migration, so that it does not matter whether the role or the tables are older.
--
-- A table that a program uses needs a line for its role. FOR UPDATE needs the right to update any column of the table.
DO $$
DECLARE
    -- A role that owns the tables is a deployment's only one, and keeps its rights.
    others name[] := ARRAY(
        SELECT rolname FROM pg_roles
        WHERE rolname IN ('rekey_api', 'rekey_mailer', 'rekey_maintenance', 'rekey_console', 'rekey_webhooks')
            AND oid <> (SELECT relowner FROM pg_class WHERE oid = '_sqlx_migrations'::regclass));
    tables text := (
        SELECT string_agg(t.oid::regclass::text, ', ')
        FROM pg_class t JOIN pg_class m ON m.oid = '_sqlx_migrations'::regclass
            AND t.relnamespace = m.relnamespace AND t.relowner = m.relowner
        WHERE t.relkind IN ('r', 'v'));
    other name;
BEGIN
    -- Two replicas that start at once would update the same catalogue rows.
    PERFORM pg_advisory_xact_lock(7320117443016001);
    FOREACH other IN ARRAY others LOOP
        EXECUTE format('REVOKE ALL ON %s FROM %I', tables, other);
    END LOOP;

    -- rekey-api. The audit log is append-only for it, and read through its view.
    IF 'rekey_api' = ANY (others) THEN
        GRANT INSERT ON audit_entries, decoy_audit_entries TO rekey_api;
        -- The chain of the audit log.
        GRANT SELECT ON audit_entries TO rekey_api;
        GRANT SELECT, INSERT ON audit_chain TO rekey_api;
        GRANT SELECT, INSERT, DELETE ON audit_queue TO rekey_api;
        GRANT SELECT, INSERT ON audit_personal_data, decoy_audit_personal_data TO rekey_api;
        GRANT SELECT ON _sqlx_migrations, schema_compatibility TO rekey_api;
        GRANT SELECT ON shown_customer_password_resets, shown_customers, shown_deliveries, shown_event_stores, shown_events,
            shown_webhooks, shown_event_callbacks TO rekey_api;
        GRANT SELECT, INSERT, UPDATE, DELETE ON webhooks TO rekey_api;
        GRANT SELECT, INSERT, UPDATE ON event_callbacks TO rekey_api;
        GRANT SELECT ON api_clients, mail_quotas, organizations TO rekey_api;
        GRANT SELECT, INSERT ON deliveries TO rekey_api;
        GRANT SELECT, DELETE ON suppressions TO rekey_api;
        GRANT SELECT, INSERT, DELETE ON used_refresh_tokens TO rekey_api;
        GRANT SELECT, INSERT, DELETE, UPDATE (id) ON revoked_access_tokens TO rekey_api;
        GRANT SELECT, INSERT, UPDATE ON customer_passwords, email_change_tries, email_changes, events, reset_cooldowns TO rekey_api;
        GRANT SELECT, INSERT, UPDATE, DELETE ON customers, guess_counters, idempotency_keys, password_resets, rate_limit_slots, sessions
            TO rekey_api;
        -- The anonymization of customers.
        GRANT DELETE ON email_change_tries, email_changes TO rekey_api;
        GRANT SELECT, INSERT, UPDATE (due_at, resource_ids) ON erasures TO rekey_api;
        GRANT SELECT, INSERT, UPDATE ON known_keys, sign_in_counts TO rekey_api;
    END IF;

    -- rekey-mailer keeps its ledger, has events published again, and reads the recipient of a mail and whether its reset can still be used.
    IF 'rekey_mailer' = ANY (others) THEN
        GRANT SELECT ON _sqlx_migrations, schema_compatibility TO rekey_mailer;
        GRANT SELECT ON organizations TO rekey_mailer;
        GRANT SELECT (id, organization_id, mode, email, locale, anonymization_completed_at) ON customers TO rekey_mailer;
        GRANT SELECT (id, organization_id, mode, customer_id, created_at, reset_password_at, superseded_at, expires_at,
                code_digest)
            ON password_resets TO rekey_mailer;
        GRANT SELECT, INSERT, UPDATE ON deliveries, delivery_attempts TO rekey_mailer;
        GRANT INSERT ON delivery_reports TO rekey_mailer;
        GRANT SELECT, INSERT, UPDATE ON mail_quotas TO rekey_mailer;
        GRANT SELECT, INSERT ON suppressions TO rekey_mailer;
        -- The mails about circuits that opened.
        GRANT SELECT (id, organization_id, mode, name, topic, callback_url, circuit_failure_count, circuit_opened_at, circuit_cause,
                circuit_mail_due_at, disabled_at),
            UPDATE (circuit_mail_due_at) ON webhooks TO rekey_mailer;
        -- The payload is compared with that of a message that was rejected.
        GRANT SELECT (id, payload, published_at, dead_at, republish_after),
            UPDATE (payload, available_at, published_at, dead_at, dead_reason, republish_after)
            ON events TO rekey_mailer;
    END IF;

    -- rekey-webhooks records what webhooks are sent, renders what anybody is shown, and sends it.
    IF 'rekey_webhooks' = ANY (others) THEN
        GRANT SELECT ON _sqlx_migrations, schema_compatibility TO rekey_webhooks;
        GRANT SELECT ON organizations TO rekey_webhooks;
        GRANT SELECT ON shown_customer_password_resets, shown_customers, shown_deliveries, shown_event_stores, shown_events,
            shown_webhooks, shown_event_callbacks TO rekey_webhooks;
        GRANT SELECT, UPDATE (circuit_failure_count, circuit_opened_at, circuit_cause, circuit_mail_due_at, disabled_at)
            ON webhooks TO rekey_webhooks;
        GRANT SELECT, INSERT, UPDATE ON event_callbacks TO rekey_webhooks;
    END IF;

    -- `rekey maintain` and `rekey purge` find old records and delete them. What is in them they can't read. The audit entry that counts an
    -- hour's log-ins is theirs.
    IF 'rekey_maintenance' = ANY (others) THEN
        GRANT SELECT ON _sqlx_migrations, schema_compatibility TO rekey_maintenance;
        GRANT SELECT (id) ON organizations TO rekey_maintenance;
        GRANT SELECT (organization_id, mode, created_at) ON imports TO rekey_maintenance;
        GRANT SELECT (event_id) ON suppressions TO rekey_maintenance;
        GRANT SELECT (created_at), DELETE ON email_changes TO rekey_maintenance;
        GRANT SELECT (id, organization_id, mode, created_at), UPDATE (id), DELETE ON audit_entries TO rekey_maintenance;
        GRANT SELECT (id, organization_id, mode, resource_type, created_at), UPDATE (id), DELETE ON decoy_audit_entries TO rekey_maintenance;
        GRANT SELECT (entry_id, resource_id), DELETE ON audit_personal_data, decoy_audit_personal_data TO rekey_maintenance;
        GRANT INSERT ON audit_entries, audit_personal_data, audit_queue TO rekey_maintenance;
        GRANT SELECT (organization_id, mode, position, entry_id, entry_created_at), DELETE ON audit_chain TO rekey_maintenance;
        GRANT SELECT, UPDATE (hour_started_at), DELETE ON sign_in_counts TO rekey_maintenance;
        GRANT SELECT (id) ON customers TO rekey_maintenance;
        GRANT SELECT (id, organization_id, mode, resource_id, created_at, published_at), UPDATE (id), DELETE
            ON events TO rekey_maintenance;
        GRANT SELECT (id, organization_id, mode, customer_id, created_at, expires_at), UPDATE (id), DELETE
            ON password_resets TO rekey_maintenance;
        GRANT SELECT (event_id, organization_id, mode, reset_id, status, created_at), UPDATE (event_id), DELETE
            ON deliveries TO rekey_maintenance;
        -- The erasure of deleted and anonymized customers.
        GRANT SELECT (customer_id, resource_ids, due_at), UPDATE (due_at), DELETE ON erasures TO rekey_maintenance;
        GRANT SELECT (anonymization_completed_at) ON customers TO rekey_maintenance;
        GRANT SELECT (customer_id) ON email_changes TO rekey_maintenance;
        GRANT SELECT (id, organization_id, mode, customer_id, topic, due_at, created_at),
            UPDATE (id, sealed_payload, response_message, due_at, lease_until, updated_at), DELETE ON event_callbacks TO rekey_maintenance;
        GRANT DELETE ON suppressions TO rekey_maintenance;
        GRANT SELECT (resource_type) ON audit_entries TO rekey_maintenance;
        GRANT SELECT (name, dead_at) ON events TO rekey_maintenance;
        GRANT SELECT (customer_id) ON deliveries TO rekey_maintenance;
        GRANT SELECT (customer_id, actor_customer_id) ON audit_personal_data TO rekey_maintenance;
        GRANT SELECT (record_id), DELETE ON idempotency_keys TO rekey_maintenance;
        GRANT SELECT, UPDATE (last_guess_at), DELETE ON guess_counters TO rekey_maintenance;
        GRANT SELECT, UPDATE (window_started_at), DELETE ON mail_quotas TO rekey_maintenance;
        GRANT SELECT, UPDATE (last_reset_at), DELETE ON reset_cooldowns TO rekey_maintenance;
    END IF;

    -- `rekey console` shows mails, suppressions and webhooks, makes mails and callbacks due again, lifts suppressions, and closes circuits, each
    -- with an audit entry. Operators are not created there, and their roles and passwords not changed.
    IF 'rekey_console' = ANY (others) THEN
        GRANT SELECT ON _sqlx_migrations, schema_compatibility TO rekey_console;
        GRANT SELECT ON organizations, operators, delivery_attempts, delivery_reports TO rekey_console;
        GRANT SELECT, INSERT, UPDATE (used_at), DELETE ON operator_sessions TO rekey_console;
        GRANT SELECT (id, organization_id, mode, email) ON customers TO rekey_console;
        GRANT SELECT (id, reset_password_at, superseded_at, expires_at) ON password_resets TO rekey_console;
        GRANT SELECT, UPDATE (status, next_attempt_at, updated_at) ON deliveries TO rekey_console;
        GRANT SELECT, UPDATE (republish_after, published_at, dead_at, dead_reason, available_at) ON events TO rekey_console;
        GRANT SELECT, DELETE ON suppressions TO rekey_console;
        GRANT SELECT (id, organization_id, mode, name, topic, callback_url, circuit_failure_count, circuit_opened_at, disabled_at),
            UPDATE (circuit_failure_count, circuit_opened_at, updated_at) ON webhooks TO rekey_console;
        GRANT SELECT, UPDATE (due_at, attempts, updated_at) ON logged_callbacks TO rekey_console;
        GRANT INSERT ON audit_entries, audit_queue TO rekey_console;
        GRANT SELECT (id, resource_type, action, actor, created_at) ON audit_entries TO rekey_console;
        GRANT SELECT, INSERT ON audit_personal_data TO rekey_console;
    END IF;
END
$$
