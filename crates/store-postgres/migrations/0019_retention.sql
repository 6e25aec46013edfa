-- For deleting old records, as resets and deliveries are found by their lists' indexes. New records come at the end of their scope's part.
CREATE INDEX events_created ON events (organization_id, mode, created_at);
CREATE INDEX audit_entries_created ON audit_entries (organization_id, mode, created_at);
