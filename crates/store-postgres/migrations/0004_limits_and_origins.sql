-- The web origins whose scripts may read what a client is answered.
ALTER TABLE api_clients ADD COLUMN allowed_origins text[] NOT NULL DEFAULT '{}';

-- How much was done in which five seconds, by whatever is limited. Not logged: what a crash or a failover forgets would
-- have been forgotten a minute later.
CREATE UNLOGGED TABLE rate_limit_slots (
    window_name text COLLATE "C" NOT NULL,
    started_at timestamptz NOT NULL,
    hits bigint NOT NULL,
    PRIMARY KEY (window_name, started_at)
    -- Room in each page for the next counts of the same slots, which then need no entry in the index.
) WITH (fillfactor = 50);
