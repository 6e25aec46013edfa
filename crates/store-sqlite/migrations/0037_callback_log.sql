-- What operators see of the events that webhooks are sent, and replay.

CREATE VIEW logged_callbacks AS
SELECT id, organization_id, mode, webhook_id, created_at,
    CASE WHEN due_at IS NOT NULL THEN 'waiting' WHEN sealed_payload IS NULL THEN 'erased' WHEN response_code LIKE '2%' THEN 'delivered'
        ELSE 'failed' END AS state
FROM event_callbacks;
