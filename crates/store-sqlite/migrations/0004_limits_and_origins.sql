-- The web origins whose scripts may read what a client is answered: a JSON array.
ALTER TABLE api_clients ADD COLUMN allowed_origins TEXT NOT NULL DEFAULT '[]';

-- How much was done in which five seconds, by whatever is limited.
CREATE TABLE rate_limit_slots (
    window_name TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    hits INTEGER NOT NULL,
    PRIMARY KEY (window_name, started_at)
) STRICT, WITHOUT ROWID;
