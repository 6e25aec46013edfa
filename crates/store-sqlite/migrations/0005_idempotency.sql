-- The answers of calls that their callers may repeat: one row a key of a caller's.
CREATE TABLE idempotency_keys (
    -- SHA-256 of scope, API client, customer and key.
    digest BLOB PRIMARY KEY CHECK (length(digest) = 32),
    organization_id TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('test', 'live')),
    -- HMAC-SHA-256 of the request, whose body may hold a password.
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
    -- The id of what the call creates, however often it runs.
    record_id TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 1,
    -- Until when the claimer of attempt `attempts` has the call to itself; NULL with no answer: the key is free.
    lease_until INTEGER,
    -- Sealed.
    answer BLOB,
    -- When the key is forgotten; a lease ends before.
    expires_at INTEGER NOT NULL,
    CHECK (answer IS NULL OR lease_until IS NULL)
) STRICT;
CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at);
