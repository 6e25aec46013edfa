-- An event keeps its payload until its mail is settled, so that it can be published again when the message got lost. SQLite changes a
-- CHECK only with its table.

DROP VIEW shown_events;
ALTER TABLE events RENAME TO old_events;
DROP INDEX events_outbox;
DROP INDEX events_resource;

CREATE TABLE events (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    mode TEXT NOT NULL,
    name TEXT NOT NULL,
    resource_type TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    -- The signed event, with a sealed token in it.
    payload BLOB,
    created_at INTEGER NOT NULL,
    available_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    published_at INTEGER,
    dead_at INTEGER,
    dead_reason TEXT,
    -- How long after its publication it is published again, if its mail is overdue then. NULL once the mail is settled, or if there is none.
    republish_after INTEGER,
    CHECK (payload IS NOT NULL OR published_at IS NOT NULL),
    CHECK ((dead_at IS NULL) = (dead_reason IS NULL))
) STRICT;
INSERT INTO events (id, organization_id, mode, name, resource_type, resource_id, payload, created_at, available_at, attempts,
    published_at, dead_at, dead_reason)
SELECT id, organization_id, mode, name, resource_type, resource_id, payload, created_at, available_at, attempts, published_at,
    dead_at, dead_reason
FROM old_events;
DROP TABLE old_events;
CREATE INDEX events_outbox ON events (available_at, id) WHERE published_at IS NULL AND dead_at IS NULL;
CREATE INDEX events_resource ON events (resource_id);

CREATE VIEW shown_events AS
SELECT id, organization_id, mode, name, resource_type, resource_id, created_at,
    COALESCE(published_at, created_at) AS updated_at
FROM events;

-- The mails that are due or overdue, which are few.
CREATE INDEX deliveries_pending ON deliveries (created_at) WHERE status IN ('queued', 'deferred');
