-- Anonymization of customers on request, and the queue of what is still to erase about deleted and anonymized ones.

ALTER TABLE customers
    -- The state of the last request; NULL for a customer without one.
    ADD COLUMN anonymization_status text COLLATE "C" CHECK (anonymization_status IN ('requested', 'completed', 'cancelled')),
    ADD COLUMN anonymization_requested_at timestamptz,
    ADD COLUMN anonymization_completed_at timestamptz,
    ADD COLUMN anonymization_cancelled_at timestamptz,
    -- The API clients that requested it and that cancelled it.
    ADD COLUMN anonymization_requester_id text COLLATE "C",
    ADD COLUMN anonymization_canceller_id text COLLATE "C";
-- For lists in the order of the status.
CREATE INDEX customers_anonymization ON customers (organization_id, mode, anonymization_status, id);
CREATE INDEX customers_anonymization_requested ON customers (anonymization_requested_at)
    WHERE anonymization_status = 'requested';

DROP VIEW shown_customers;
-- The times are in the vendor's format. A request is started and completed by one statement.
CREATE VIEW shown_customers AS
SELECT c.*, p.hash IS NOT NULL AS has_password,
    CASE WHEN c.anonymization_status IS NOT NULL THEN jsonb_strip_nulls(jsonb_build_object(
        'status', c.anonymization_status,
        'requested_at', to_char(c.anonymization_requested_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'),
        'started_at', to_char(c.anonymization_completed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'),
        'completed_at', to_char(c.anonymization_completed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'),
        'cancelled_at', to_char(c.anonymization_cancelled_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'),
        'requester', CASE WHEN c.anonymization_requester_id IS NOT NULL
            THEN jsonb_build_object('id', c.anonymization_requester_id) END,
        'cancellation_requester', CASE WHEN c.anonymization_canceller_id IS NOT NULL
            THEN jsonb_build_object('id', c.anonymization_canceller_id) END
    )) END AS anonymization_info
FROM customers c
LEFT JOIN customer_passwords p ON p.customer_id = c.id;

-- Customers that were deleted or anonymized, and whose events and deliveries are still to be erased.
CREATE TABLE erasures (
    customer_id text COLLATE "C" PRIMARY KEY,
    organization_id text COLLATE "C" NOT NULL,
    mode text NOT NULL CHECK (mode IN ('test', 'live')),
    -- The ids of the customer and of its resets: what its events are about.
    resource_ids text[] NOT NULL,
    -- When to look next: later where a mail or an event was still waiting.
    due_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX erasures_due ON erasures (due_at);
-- Those that were deleted before.
INSERT INTO erasures (customer_id, organization_id, mode, resource_ids)
SELECT e.customer_id, e.organization_id, e.mode, ARRAY(
    SELECT e.customer_id UNION SELECT d.reset_id FROM deliveries d WHERE d.customer_id = e.customer_id AND d.reset_id IS NOT NULL
)
FROM (
    SELECT resource_id AS customer_id, organization_id, mode FROM events WHERE name = 'customers.destroy'
    UNION SELECT p.resource_id, a.organization_id, a.mode FROM audit_entries a JOIN audit_personal_data p ON p.entry_id = a.id
    WHERE a.resource_type = 'customers' AND a.action = 'destroy'
) e;

-- For erasing the stored answers about a record.
CREATE INDEX idempotency_keys_record ON idempotency_keys (record_id);
