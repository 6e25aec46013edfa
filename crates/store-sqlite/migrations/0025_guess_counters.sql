-- See the migration of the same number for PostgreSQL.

CREATE TABLE guess_counters (
    kind TEXT NOT NULL,
    account_digest BLOB NOT NULL CHECK (length(account_digest) = 32),
    network_digest BLOB NOT NULL DEFAULT x'' CHECK (length(network_digest) IN (0, 32)),
    window_started_at INTEGER NOT NULL,
    last_guess_at INTEGER NOT NULL,
    guess_count INTEGER NOT NULL,
    signed_in_at INTEGER,
    PRIMARY KEY (kind, account_digest, network_digest)
) STRICT;
INSERT INTO guess_counters (kind, account_digest, window_started_at, last_guess_at, guess_count)
SELECT 'code', account_digest, window_started_at, window_started_at, guess_count FROM code_guesses;
DROP TABLE code_guesses;
CREATE INDEX guess_counters_last ON guess_counters (last_guess_at);
CREATE INDEX guess_counters_network ON guess_counters (network_digest) WHERE signed_in_at IS NOT NULL;
