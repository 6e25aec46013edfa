-- The audit log has log-ins, too, operators' changes of clients, and rotated keys.

-- How many log-ins of an account had an outcome in an hour. The log has the first ones one by one, and the others as one entry, which is
-- written when the hour is over.
CREATE TABLE sign_in_counts (
    hour_started_at timestamptz NOT NULL,
    -- HMAC of the typed address, in its scope.
    account_digest bytea NOT NULL CHECK (length(account_digest) = 32),
    -- The entry's action.
    action text COLLATE "C" NOT NULL,
    -- The customer who has the address; empty if none has.
    customer_id text COLLATE "C" NOT NULL,
    organization_id text COLLATE "C" NOT NULL,
    mode text COLLATE "C" NOT NULL,
    sign_in_count bigint NOT NULL,
    PRIMARY KEY (hour_started_at, account_digest, action, customer_id)
);

-- How often what the entry says was done.
ALTER TABLE audit_entries ADD COLUMN occurrences bigint NOT NULL DEFAULT 1 CHECK (occurrences > 0);
ALTER TABLE decoy_audit_entries ADD COLUMN occurrences bigint NOT NULL DEFAULT 1 CHECK (occurrences > 0);

-- The ids of the keys that the API was started with last.
CREATE TABLE known_keys (
    -- `signing_keys` or `sealing_keys`.
    kind text COLLATE "C" PRIMARY KEY,
    key_ids text[] COLLATE "C" NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);

DROP VIEW shown_event_stores;
-- `resource_id` is NULL where the personal fields were erased.
CREATE VIEW shown_event_stores AS
SELECT a.id, a.organization_id, a.mode, a.resource_type COLLATE "C" AS resource_type, p.resource_id, a.action COLLATE "C" AS event,
    host(p.address) AS ip_address,
    jsonb_strip_nulls(jsonb_build_object(
        'attributes', a.attributes,
        'occurrences', CASE WHEN a.occurrences > 1 THEN a.occurrences END
    )) AS payload,
    jsonb_strip_nulls(jsonb_build_object(
        'application', CASE WHEN a.application_id IS NOT NULL THEN jsonb_build_object('id', a.application_id) END,
        'owner', CASE a.actor
            WHEN 'customer' THEN jsonb_build_object('id', p.actor_customer_id, 'type', 'Customer')
            WHEN 'token_holder' THEN jsonb_build_object('type', 'TokenHolder')
            WHEN 'operator' THEN jsonb_build_object('type', 'Operator')
        END
    )) AS who,
    a.created_at, a.created_at AS updated_at
FROM audit_entries a
LEFT JOIN audit_personal_data p ON p.entry_id = a.id;
