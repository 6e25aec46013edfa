-- For deleting old slots: a scan of all of them each minute took as long as there were windows. A hit changes no column of it.
CREATE INDEX rate_limit_slots_started ON rate_limit_slots (started_at);
