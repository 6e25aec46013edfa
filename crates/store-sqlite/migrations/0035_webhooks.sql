-- Webhooks, and the events that they are sent.

CREATE TABLE webhooks (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations,
    mode TEXT NOT NULL CHECK (mode IN ('test', 'live')),
    name TEXT NOT NULL,
    topic TEXT NOT NULL,
    callback_url TEXT NOT NULL,
    -- A JSON array.
    include_resources TEXT NOT NULL,
    -- Base64 of 32 random bytes, encrypted.
    sealed_secret BLOB NOT NULL,
    -- The secret before it, which signs along until that time.
    former_secret BLOB,
    former_secret_until INTEGER,
    -- Failed attempts in a row.
    circuit_failure_count INTEGER NOT NULL DEFAULT 0,
    circuit_opened_at INTEGER,
    disabled_at INTEGER,
    reference TEXT,
    reference_origin TEXT,
    metadata TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (organization_id, mode, name),
    CHECK ((former_secret IS NULL) = (former_secret_until IS NULL))
) STRICT;
CREATE INDEX webhooks_topic ON webhooks (organization_id, mode, topic);

-- An event that a webhook is sent. It outlives its webhook.
CREATE TABLE event_callbacks (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    mode TEXT NOT NULL,
    webhook_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    -- The audit entry of the trigger that sent the event again; empty when it occurred.
    trigger_id TEXT NOT NULL,
    topic TEXT NOT NULL,
    -- The record that the event is about.
    resource_id TEXT NOT NULL,
    -- The customer whose personal data the payload has.
    customer_id TEXT,
    callback_url TEXT NOT NULL,
    -- The body, encrypted; NULL once the customer was deleted.
    sealed_payload BLOB,
    traceparent TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    -- When the next attempt is due; NULL if none follows.
    due_at INTEGER,
    -- Until when a worker has it to itself.
    lease_until INTEGER,
    response_code TEXT,
    response_message TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (webhook_id, event_id, trigger_id),
    CHECK (due_at IS NULL OR sealed_payload IS NOT NULL),
    CHECK (due_at IS NOT NULL OR lease_until IS NULL)
) STRICT;
CREATE INDEX event_callbacks_due ON event_callbacks (webhook_id, due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX event_callbacks_order ON event_callbacks (webhook_id, resource_id, created_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX event_callbacks_created ON event_callbacks (organization_id, mode, created_at, id);
CREATE INDEX event_callbacks_webhook ON event_callbacks (webhook_id, created_at, id);
CREATE INDEX event_callbacks_event ON event_callbacks (event_id);
CREATE INDEX event_callbacks_customer ON event_callbacks (customer_id) WHERE customer_id IS NOT NULL;

CREATE VIEW shown_webhooks AS
SELECT id, organization_id, mode, name, topic, callback_url, include_resources,
    CASE WHEN circuit_opened_at IS NULL THEN 'closed' ELSE 'open' END AS circuit_state, circuit_failure_count,
    sealed_secret AS shared_secret, disabled_at, reference, reference_origin, metadata, created_at, updated_at
FROM webhooks;

CREATE VIEW shown_event_callbacks AS
SELECT id, organization_id, mode, webhook_id, event_id, callback_url, sealed_payload AS payload, response_code, response_message,
    created_at, updated_at
FROM event_callbacks;

-- Those of decoys are nobody's.
DROP VIEW shown_events;
CREATE VIEW shown_events AS
SELECT id, organization_id, mode, name, resource_type, resource_id, created_at,
    COALESCE(published_at, created_at) AS updated_at
FROM events e
WHERE resource_type <> 'customer_password_resets'
    OR (SELECT r.customer_id IS NOT NULL FROM password_resets r WHERE r.id = e.resource_id) IS NOT FALSE;
