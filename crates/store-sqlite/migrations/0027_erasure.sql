-- Anonymization of customers on request, and the queue of what is still to erase about deleted and anonymized ones.

DROP VIEW shown_customers;
-- The state of the last request; NULL for a customer without one.
ALTER TABLE customers ADD COLUMN anonymization_status TEXT CHECK (anonymization_status IN ('requested', 'completed', 'cancelled'));
ALTER TABLE customers ADD COLUMN anonymization_requested_at INTEGER;
ALTER TABLE customers ADD COLUMN anonymization_completed_at INTEGER;
ALTER TABLE customers ADD COLUMN anonymization_cancelled_at INTEGER;
-- The API clients that requested it and that cancelled it.
ALTER TABLE customers ADD COLUMN anonymization_requester_id TEXT;
ALTER TABLE customers ADD COLUMN anonymization_canceller_id TEXT;
-- For lists in the order of the status.
CREATE INDEX customers_anonymization ON customers (organization_id, mode, anonymization_status, id);
CREATE INDEX customers_anonymization_requested ON customers (anonymization_requested_at)
    WHERE anonymization_status = 'requested';

-- The times are in the vendor's format. A request is started and completed by one statement. The patch leaves out what is null.
CREATE VIEW shown_customers AS
SELECT c.*, p.hash IS NOT NULL AS has_password,
    CASE WHEN c.anonymization_status IS NOT NULL THEN json_patch('{}', json_object(
        'status', c.anonymization_status,
        'requested_at', strftime('%Y-%m-%d %H:%M:%S UTC', c.anonymization_requested_at / 1000000, 'unixepoch'),
        'started_at', strftime('%Y-%m-%d %H:%M:%S UTC', c.anonymization_completed_at / 1000000, 'unixepoch'),
        'completed_at', strftime('%Y-%m-%d %H:%M:%S UTC', c.anonymization_completed_at / 1000000, 'unixepoch'),
        'cancelled_at', strftime('%Y-%m-%d %H:%M:%S UTC', c.anonymization_cancelled_at / 1000000, 'unixepoch'),
        'requester', CASE WHEN c.anonymization_requester_id IS NOT NULL
            THEN json_object('id', c.anonymization_requester_id) END,
        'cancellation_requester', CASE WHEN c.anonymization_canceller_id IS NOT NULL
            THEN json_object('id', c.anonymization_canceller_id) END
    )) END AS anonymization_info
FROM customers c
LEFT JOIN customer_passwords p ON p.customer_id = c.id;

-- Customers that were deleted or anonymized, and whose events and deliveries are still to be erased.
CREATE TABLE erasures (
    customer_id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('test', 'live')),
    -- The ids of the customer and of its resets, as a JSON array: what its events are about.
    resource_ids TEXT NOT NULL,
    -- When to look next: later where a mail or an event was still waiting.
    due_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX erasures_due ON erasures (due_at);
-- Those that were deleted before.
INSERT INTO erasures (customer_id, organization_id, mode, resource_ids, due_at, created_at)
SELECT e.customer_id, e.organization_id, e.mode, (
    SELECT json_group_array(id) FROM (
        SELECT e.customer_id AS id
        UNION SELECT d.reset_id FROM deliveries d WHERE d.customer_id = e.customer_id AND d.reset_id IS NOT NULL
    )
), e.created_at, e.created_at
FROM (
    SELECT resource_id AS customer_id, organization_id, mode, created_at FROM events WHERE name = 'customers.destroy'
    UNION ALL SELECT p.resource_id, a.organization_id, a.mode, a.created_at
    FROM audit_entries a JOIN audit_personal_data p ON p.entry_id = a.id
    WHERE a.resource_type = 'customers' AND a.action = 'destroy'
) e WHERE true
ON CONFLICT DO NOTHING;

-- For erasing the stored answers about a record.
CREATE INDEX idempotency_keys_record ON idempotency_keys (record_id);
