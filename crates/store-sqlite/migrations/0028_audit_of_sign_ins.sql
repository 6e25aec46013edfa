-- See the migration of the same number for PostgreSQL.

CREATE TABLE sign_in_counts (
    hour_started_at INTEGER NOT NULL,
    account_digest BLOB NOT NULL CHECK (length(account_digest) = 32),
    action TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    mode TEXT NOT NULL,
    sign_in_count INTEGER NOT NULL,
    PRIMARY KEY (hour_started_at, account_digest, action, customer_id)
) STRICT;

ALTER TABLE audit_entries ADD COLUMN occurrences INTEGER NOT NULL DEFAULT 1 CHECK (occurrences > 0);
ALTER TABLE decoy_audit_entries ADD COLUMN occurrences INTEGER NOT NULL DEFAULT 1 CHECK (occurrences > 0);

CREATE TABLE known_keys (
    kind TEXT PRIMARY KEY,
    -- A JSON array.
    key_ids TEXT NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

DROP VIEW shown_event_stores;
CREATE VIEW shown_event_stores AS
SELECT a.id, a.organization_id, a.mode, a.resource_type, p.resource_id, a.action AS event, p.address AS ip_address,
    json_patch('{}', json_object(
        'attributes', json(a.attributes),
        'occurrences', CASE WHEN a.occurrences > 1 THEN a.occurrences END
    )) AS payload,
    json_patch('{}', json_object(
        'application', CASE WHEN a.application_id IS NOT NULL THEN json_object('id', a.application_id) END,
        'owner', CASE a.actor
            WHEN 'customer' THEN json_patch('{}', json_object('id', p.actor_customer_id, 'type', 'Customer'))
            WHEN 'token_holder' THEN json_object('type', 'TokenHolder')
            WHEN 'operator' THEN json_object('type', 'Operator')
        END
    )) AS who,
    a.created_at, a.created_at AS updated_at
FROM audit_entries a
LEFT JOIN audit_personal_data p ON p.entry_id = a.id;
