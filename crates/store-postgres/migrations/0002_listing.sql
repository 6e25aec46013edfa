-- Lists: filters, orders and their indexes, and the views that records are read from; and the self-service allowance.

DROP VIEW customer_password_resets;

-- Compared and sorted by their octets, as in every other store.
ALTER TABLE customers
    ALTER COLUMN reference TYPE text COLLATE "C",
    ALTER COLUMN reference_origin TYPE text COLLATE "C";
ALTER TABLE password_resets
    ALTER COLUMN reference TYPE text COLLATE "C",
    ALTER COLUMN reference_origin TYPE text COLLATE "C";

-- One index for each that lists are sorted by or usually filtered by. Each costs a decoy what it costs a real reset.
DROP INDEX password_resets_listing, password_resets_pending;
CREATE INDEX password_resets_created ON password_resets (organization_id, mode, created_at, id) INCLUDE (customer_id);
CREATE INDEX password_resets_updated ON password_resets (organization_id, mode, updated_at, id);
CREATE INDEX password_resets_reference ON password_resets (organization_id, mode, reference, id);
CREATE INDEX password_resets_origin ON password_resets (organization_id, mode, reference_origin, id);
CREATE INDEX password_resets_unused ON password_resets (organization_id, mode, created_at, id) INCLUDE (customer_id)
    WHERE reset_password_at IS NULL;
CREATE INDEX password_resets_used ON password_resets (organization_id, mode, reset_password_at, id)
    WHERE reset_password_at IS NOT NULL;
CREATE INDEX password_resets_customer ON password_resets (customer_id, created_at, id);
CREATE INDEX password_resets_token ON password_resets (token_digest)
    WHERE reset_password_at IS NULL AND superseded_at IS NULL;
CREATE INDEX password_resets_metadata ON password_resets USING gin (metadata jsonb_path_ops);
CREATE INDEX customers_created ON customers (organization_id, mode, created_at, id);
CREATE INDEX customers_updated ON customers (organization_id, mode, updated_at, id);
CREATE INDEX customers_reference ON customers (organization_id, mode, reference, id);
CREATE INDEX customers_origin ON customers (organization_id, mode, reference_origin, id);
CREATE INDEX customers_metadata ON customers USING gin (metadata jsonb_path_ops);

ALTER TABLE audit_entries
    DROP CONSTRAINT audit_entries_actor_check,
    ADD CONSTRAINT audit_entries_actor_check CHECK (actor IN ('client', 'customer', 'token_holder', 'operator'));

-- What anybody is shown. Decoys are nobody's. The left joins leave a statement that does not ask for their columns.
CREATE VIEW shown_customer_password_resets AS
SELECT r.*, c.email AS customer_email
FROM password_resets r
LEFT JOIN customers c ON c.id = r.customer_id
WHERE r.customer_id IS NOT NULL;

CREATE VIEW shown_customers AS
SELECT c.*, p.customer_id IS NOT NULL AS has_password
FROM customers c
LEFT JOIN customer_passwords p ON p.customer_id = c.id;

CREATE VIEW shown_events AS
SELECT id, organization_id, mode, name COLLATE "C" AS name, resource_type, resource_id, created_at,
    COALESCE(published_at, created_at) AS updated_at
FROM events;

CREATE VIEW shown_event_stores AS
SELECT id, organization_id, mode, resource_type COLLATE "C" AS resource_type, resource_id, action COLLATE "C" AS event,
    host(address) AS ip_address, jsonb_build_object('attributes', attributes) AS payload,
    jsonb_strip_nulls(jsonb_build_object(
        'application', CASE WHEN application_id IS NOT NULL THEN jsonb_build_object('id', application_id) END,
        'owner', CASE
            WHEN customer_id IS NOT NULL THEN jsonb_build_object('id', customer_id, 'type', 'Customer')
            WHEN actor = 'token_holder' THEN jsonb_build_object('type', 'TokenHolder')
            WHEN actor = 'operator' THEN jsonb_build_object('type', 'Operator')
        END
    )) AS who,
    created_at, created_at AS updated_at
FROM audit_entries;

-- How far each account has used its self-service allowance, whether a customer has the address or not. One row's lock
-- decides between requests of the same moment.
CREATE TABLE self_service_turns (
    -- SHA-256 of scope and account.
    account_digest bytea PRIMARY KEY CHECK (length(account_digest) = 32),
    last_at timestamptz NOT NULL,
    window_at timestamptz NOT NULL,
    used integer NOT NULL
);
CREATE INDEX self_service_turns_last ON self_service_turns (last_at);
