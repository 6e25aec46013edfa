-- The answers of calls that their callers may repeat: one row a key of a caller's.
CREATE TABLE idempotency_keys (
    -- SHA-256 of scope, API client, customer and key.
    digest bytea PRIMARY KEY CHECK (length(digest) = 32),
    organization_id text COLLATE "C" NOT NULL,
    mode text NOT NULL CHECK (mode IN ('test', 'live')),
    -- HMAC-SHA-256 of the request, whose body may hold a password.
    fingerprint bytea NOT NULL CHECK (length(fingerprint) = 32),
    -- The id of what the call creates, however often it runs.
    record_id text COLLATE "C" NOT NULL,
    attempts integer NOT NULL DEFAULT 1,
    -- Until when the claimer of attempt `attempts` has the call to itself; NULL with no answer: the key is free.
    lease_until timestamptz,
    -- Sealed.
    answer bytea,
    -- When the key is forgotten; a lease ends before.
    expires_at timestamptz NOT NULL,
    CHECK (answer IS NULL OR lease_until IS NULL)
);
CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at);
