-- The sealed token of a reset is shown only to a role that may read it in the table. `rekey-webhooks` renders resets, and has the keys to open
-- tokens, but no webhook is sent one: its role reads null. The table is looked up now, so that no temporary one can take its name.
SET LOCAL lock_timeout = '5s';

CREATE OR REPLACE VIEW shown_customer_password_resets AS
SELECT r.id, r.organization_id, r.mode, r.customer_id, r.origin, r.address_digest, r.token_digest,
    CASE WHEN has_column_privilege('password_resets'::regclass, 'sealed_token', 'SELECT') THEN r.sealed_token END AS sealed_token,
    r.reset_password_at, r.superseded_at, r.expires_at, r.reference, r.reference_origin, r.metadata, r.created_at, r.updated_at,
    c.email AS customer_email
FROM password_resets r
LEFT JOIN customers c ON c.id = r.customer_id
WHERE r.customer_id IS NOT NULL;
