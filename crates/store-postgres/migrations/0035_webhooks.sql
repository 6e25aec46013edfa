-- Webhooks, and the events that they are sent.

-- Writes wait behind this while it waits for a lock, such as a backup's.
SET LOCAL lock_timeout = '5s';

CREATE TABLE webhooks (
    id text COLLATE "C" PRIMARY KEY,
    organization_id text COLLATE "C" NOT NULL REFERENCES organizations,
    mode text COLLATE "C" NOT NULL CHECK (mode IN ('test', 'live')),
    name text COLLATE "C" NOT NULL,
    topic text COLLATE "C" NOT NULL,
    callback_url text COLLATE "C" NOT NULL,
    include_resources text[] NOT NULL,
    -- Base64 of 32 random bytes, encrypted.
    sealed_secret bytea NOT NULL,
    -- The secret before it, which signs along until that time.
    former_secret bytea,
    former_secret_until timestamptz,
    -- Failed attempts in a row.
    circuit_failure_count bigint NOT NULL DEFAULT 0,
    circuit_opened_at timestamptz,
    disabled_at timestamptz,
    reference text COLLATE "C",
    reference_origin text COLLATE "C",
    metadata jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (organization_id, mode, name),
    CHECK ((former_secret IS NULL) = (former_secret_until IS NULL))
);
CREATE INDEX webhooks_topic ON webhooks (organization_id, mode, topic);

-- An event that a webhook is sent. It outlives its webhook, of which there may be too many to delete them in one statement.
CREATE TABLE event_callbacks (
    id text COLLATE "C" PRIMARY KEY,
    organization_id text COLLATE "C" NOT NULL,
    mode text COLLATE "C" NOT NULL,
    webhook_id text COLLATE "C" NOT NULL,
    event_id text COLLATE "C" NOT NULL,
    -- The audit entry of the trigger that sent the event again; empty when it occurred.
    trigger_id text COLLATE "C" NOT NULL,
    topic text COLLATE "C" NOT NULL,
    -- The record that the event is about.
    resource_id text COLLATE "C" NOT NULL,
    -- The customer whose personal data the payload has.
    customer_id text COLLATE "C",
    callback_url text COLLATE "C" NOT NULL,
    -- The body, encrypted; NULL once the customer was deleted.
    sealed_payload bytea,
    traceparent text,
    attempts bigint NOT NULL DEFAULT 0,
    -- When the next attempt is due; NULL if none follows.
    due_at timestamptz DEFAULT now(),
    -- Until when a worker has it to itself.
    lease_until timestamptz,
    response_code text COLLATE "C",
    response_message text COLLATE "C",
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (webhook_id, event_id, trigger_id),
    CHECK (due_at IS NULL OR sealed_payload IS NOT NULL),
    CHECK (due_at IS NOT NULL OR lease_until IS NULL)
);
CREATE INDEX event_callbacks_due ON event_callbacks (webhook_id, due_at, id) WHERE due_at IS NOT NULL;
-- The earlier ones about the same record.
CREATE INDEX event_callbacks_order ON event_callbacks (webhook_id, resource_id, created_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX event_callbacks_leased ON event_callbacks (webhook_id, lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX event_callbacks_created ON event_callbacks (organization_id, mode, created_at, id);
CREATE INDEX event_callbacks_webhook ON event_callbacks (webhook_id, created_at, id);
CREATE INDEX event_callbacks_event ON event_callbacks (event_id);
CREATE INDEX event_callbacks_customer ON event_callbacks (customer_id) WHERE customer_id IS NOT NULL;

CREATE VIEW shown_webhooks AS
SELECT id, organization_id, mode, name, topic, callback_url, include_resources,
    CASE WHEN circuit_opened_at IS NULL THEN 'closed' ELSE 'open' END COLLATE "C" AS circuit_state, circuit_failure_count,
    sealed_secret AS shared_secret, disabled_at, reference, reference_origin, metadata, created_at, updated_at
FROM webhooks;

CREATE VIEW shown_event_callbacks AS
SELECT id, organization_id, mode, webhook_id, event_id, callback_url, sealed_payload AS payload, response_code, response_message,
    created_at, updated_at
FROM event_callbacks;

-- Those of decoys are nobody's. Each is looked up by its id, whatever the planner expects.
CREATE OR REPLACE VIEW shown_events AS
SELECT id, organization_id, mode, name COLLATE "C" AS name, resource_type, resource_id, created_at,
    COALESCE(published_at, created_at) AS updated_at
FROM events e
WHERE CASE WHEN resource_type = 'customer_password_resets'
    THEN (SELECT r.customer_id IS NOT NULL FROM password_resets r WHERE r.id = e.resource_id) IS NOT FALSE ELSE true END;
