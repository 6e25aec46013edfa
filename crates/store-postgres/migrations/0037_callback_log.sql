-- What operators see of the events that webhooks are sent, and replay. The console's role has rights on the view only, which has no payloads.

-- Writes wait behind this while it waits for a lock, such as a backup's.
SET LOCAL lock_timeout = '5s';

CREATE VIEW logged_callbacks AS
SELECT id, organization_id, mode, webhook_id, event_id, topic, attempts, due_at, response_code, response_message, created_at, updated_at,
    CASE WHEN due_at IS NOT NULL THEN 'waiting' WHEN sealed_payload IS NULL THEN 'erased' WHEN response_code LIKE '2%' THEN 'delivered'
        ELSE 'failed' END AS state
FROM event_callbacks;

-- Those that were given up, by the view's expression. Few are, so that it is seldom written.
CREATE INDEX event_callbacks_failed ON event_callbacks (webhook_id, created_at, id)
WHERE CASE WHEN due_at IS NOT NULL THEN 'waiting' WHEN sealed_payload IS NULL THEN 'erased' WHEN response_code LIKE '2%' THEN 'delivered'
    ELSE 'failed' END = 'failed';
