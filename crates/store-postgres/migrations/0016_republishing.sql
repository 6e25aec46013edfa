-- An event keeps its payload until its mail is settled, so that it can be published again when the message got lost.

ALTER TABLE events DROP CONSTRAINT events_check;
-- Not validated, which would read the whole table: the old constraint was stricter.
ALTER TABLE events ADD CONSTRAINT events_payload CHECK (payload IS NOT NULL OR published_at IS NOT NULL) NOT VALID;
-- How long after its publication it is published again, if its mail is overdue then. NULL once the mail is settled, or if there is none.
ALTER TABLE events ADD COLUMN republish_after interval;

-- The mails that are due or overdue, which are few.
CREATE INDEX deliveries_pending ON deliveries (created_at) WHERE status IN ('queued', 'deferred');
