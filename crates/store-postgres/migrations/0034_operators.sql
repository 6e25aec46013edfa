-- Operators, who sign in to the console, and their sessions.

-- Writes wait behind this while it waits for a lock, such as a backup's.
SET LOCAL lock_timeout = '5s';

CREATE TABLE operators (
    name text COLLATE "C" PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,31}$'),
    role text COLLATE "C" NOT NULL CHECK (role IN ('read', 'act')),
    password_hash text NOT NULL,
    -- Counts roles and passwords. A session belongs to one of them and is dead under the next, also one that is opened meanwhile.
    generation bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE operator_sessions (
    -- SHA-256 of the token in the cookie.
    token_digest bytea PRIMARY KEY CHECK (length(token_digest) = 32),
    operator_name text COLLATE "C" NOT NULL REFERENCES operators ON DELETE CASCADE,
    operator_generation bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX operator_sessions_operator ON operator_sessions (operator_name);

CREATE OR REPLACE VIEW shown_event_stores AS
SELECT a.id, a.organization_id, a.mode, a.resource_type COLLATE "C" AS resource_type, p.resource_id, a.action COLLATE "C" AS event,
    host(p.address) AS ip_address,
    jsonb_strip_nulls(jsonb_build_object(
        'attributes', a.attributes,
        'occurrences', CASE WHEN a.occurrences > 1 THEN a.occurrences END
    )) AS payload,
    jsonb_strip_nulls(jsonb_build_object(
        'application', CASE WHEN a.application_id IS NOT NULL THEN jsonb_build_object('id', a.application_id) END,
        'owner', CASE split_part(a.actor, ':', 1)
            WHEN 'customer' THEN jsonb_build_object('id', p.actor_customer_id, 'type', 'Customer')
            WHEN 'token_holder' THEN jsonb_build_object('type', 'TokenHolder')
            WHEN 'operator' THEN jsonb_build_object('id', NULLIF(split_part(a.actor, ':', 2), ''), 'type', 'Operator')
        END
    )) AS who,
    a.created_at, a.created_at AS updated_at
FROM audit_entries a
LEFT JOIN audit_personal_data p ON p.entry_id = a.id;

-- An entry names the operator who acted in the console: `operator:NAME`. Existing entries fulfil the new condition, so none is read. The
-- view comes first, as readers lock it first.
ALTER TABLE audit_entries
    DROP CONSTRAINT audit_entries_actor_check,
    ADD CONSTRAINT audit_entries_actor_check
        CHECK (actor IN ('client', 'customer', 'token_holder', 'operator') OR actor LIKE 'operator:_%') NOT VALID;
