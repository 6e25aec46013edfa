-- Ids are 10 letters or digits, compared byte by byte. Times are microseconds since 1970-01-01T00:00:00Z.
--
-- Where a self-service reset for an address that nobody has (a decoy) must cost what a real one costs, there is no
-- foreign key and no partial index on the customer: both would do work for a known customer only.

CREATE TABLE organizations (
    id TEXT PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE api_clients (
    id TEXT PRIMARY KEY,
    client_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    mode TEXT NOT NULL CHECK (mode IN ('test', 'live')),
    kind TEXT NOT NULL CHECK (kind IN ('integration', 'sales_channel')),
    secret_digest BLOB CHECK (length(secret_digest) = 32),
    self_service INTEGER NOT NULL,
    revoked_at INTEGER,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE customers (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    mode TEXT NOT NULL CHECK (mode IN ('test', 'live')),
    email TEXT NOT NULL,
    reference TEXT,
    reference_origin TEXT,
    metadata TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (organization_id, mode, email)
) STRICT;

-- A table of its own, so that a role can be let near customers and not near hashes.
CREATE TABLE customer_passwords (
    customer_id TEXT PRIMARY KEY REFERENCES customers (id) ON DELETE CASCADE,
    hash TEXT NOT NULL,
    -- Counts the customer's passwords. A session belongs to one of them and is dead under the next, so that none
    -- can slip through, not even one that is opened while the password changes.
    generation INTEGER NOT NULL DEFAULT 1,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    mode TEXT NOT NULL,
    customer_id TEXT NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    application_id TEXT NOT NULL,
    refresh_token_digest BLOB NOT NULL UNIQUE CHECK (length(refresh_token_digest) = 32),
    password_generation INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_customer ON sessions (customer_id);

CREATE TABLE password_resets (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('test', 'live')),
    -- NULL makes it a decoy.
    customer_id TEXT,
    origin TEXT NOT NULL CHECK (origin IN ('integration', 'self_service')),
    -- SHA-256 of scope and address that a self-service reset was asked for, known or not: the next one for it supersedes
    -- this one. So a decoy supersedes decoys, and costs what a real one costs.
    address_digest BLOB CHECK (length(address_digest) = 32),
    token_digest BLOB NOT NULL CHECK (length(token_digest) = 32),
    sealed_token BLOB NOT NULL,
    reset_password_at INTEGER,
    superseded_at INTEGER,
    expires_at INTEGER NOT NULL,
    reference TEXT,
    reference_origin TEXT,
    metadata TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK (customer_id IS NOT NULL OR origin = 'self_service'),
    CHECK ((origin = 'self_service') = (address_digest IS NOT NULL))
) STRICT;
CREATE INDEX password_resets_listing ON password_resets (organization_id, mode, created_at DESC, id);
CREATE INDEX password_resets_pending ON password_resets (customer_id)
    WHERE reset_password_at IS NULL AND superseded_at IS NULL;
CREATE INDEX password_resets_pending_address ON password_resets (address_digest)
    WHERE reset_password_at IS NULL AND superseded_at IS NULL;

-- Every event there was; the unpublished ones are the outbox.
CREATE TABLE events (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    mode TEXT NOT NULL,
    name TEXT NOT NULL,
    resource_type TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    -- The signed event, with a sealed token in it: dropped once the broker has it.
    payload BLOB,
    created_at INTEGER NOT NULL,
    available_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    published_at INTEGER,
    dead_at INTEGER,
    dead_reason TEXT,
    CHECK ((payload IS NULL) = (published_at IS NOT NULL)),
    CHECK ((dead_at IS NULL) = (dead_reason IS NULL))
) STRICT;
CREATE INDEX events_outbox ON events (available_at, id) WHERE published_at IS NULL AND dead_at IS NULL;
CREATE INDEX events_resource ON events (resource_id);

CREATE TABLE audit_entries (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    mode TEXT NOT NULL,
    resource_type TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    action TEXT NOT NULL,
    actor TEXT NOT NULL CHECK (actor IN ('client', 'customer', 'token_holder')),
    application_id TEXT,
    customer_id TEXT,
    session_id TEXT,
    address TEXT,
    attributes TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX audit_entries_resource ON audit_entries (resource_id);

CREATE TABLE deliveries (
    event_id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    mode TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('sending', 'sent', 'deferred', 'bounced', 'failed', 'discarded')),
    attempts INTEGER NOT NULL DEFAULT 1,
    -- Until when the claimer of attempt `attempts` has the mail to itself, while it is `sending`.
    lease_until INTEGER,
    -- How many claims ran out unsettled: each may have sent the mail.
    in_doubt INTEGER NOT NULL DEFAULT 0,
    -- The mail server's reply, or why the mail was not sent.
    detail TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK ((state = 'sending') = (lease_until IS NOT NULL))
) STRICT;
