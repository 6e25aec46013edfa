-- What the mailer's role may do: keep its ledger, have events published again, and read the recipient of a mail and whether its reset can still be used.
-- Run on every start, so that it does not matter whether the role or the tables are older.
DO $$
BEGIN
    -- Two replicas that start at once would update the same catalogue rows.
    PERFORM pg_advisory_xact_lock(7320117443016001);
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'rekey_mailer') THEN
        GRANT SELECT ON organizations TO rekey_mailer;
        GRANT SELECT (id, organization_id, mode, email, locale, anonymization_completed_at) ON customers TO rekey_mailer;
        GRANT SELECT (id, organization_id, mode, customer_id, created_at, reset_password_at, superseded_at, expires_at,
                code_digest)
            ON password_resets TO rekey_mailer;
        GRANT SELECT, INSERT, UPDATE ON deliveries TO rekey_mailer;
        GRANT SELECT, INSERT, UPDATE ON mail_quotas TO rekey_mailer;
        GRANT SELECT, INSERT ON suppressions TO rekey_mailer;
        GRANT SELECT (id, published_at, dead_at, republish_after),
            UPDATE (payload, available_at, published_at, dead_at, dead_reason, republish_after)
            ON events TO rekey_mailer;
    END IF;
END
$$
