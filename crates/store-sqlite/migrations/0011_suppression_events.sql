-- A deleted customer's suppressions are found by the deliveries that bounced.
CREATE INDEX suppressions_event ON suppressions (event_id);
