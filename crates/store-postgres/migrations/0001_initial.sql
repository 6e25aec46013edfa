-- Ids are 10 letters or digits, compared byte by byte. Times are the server's.
--
-- Where a self-service reset for an address that nobody has (a decoy) must cost what a real one costs, there is no
-- foreign key and no partial index on the customer: both would do work for a known customer only.

CREATE TABLE organizations (
    id text COLLATE "C" PRIMARY KEY,
    slug text COLLATE "C" NOT NULL UNIQUE,
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE api_clients (
    id text COLLATE "C" PRIMARY KEY,
    client_id text COLLATE "C" NOT NULL UNIQUE,
    name text NOT NULL,
    organization_id text COLLATE "C" NOT NULL REFERENCES organizations,
    mode text NOT NULL CHECK (mode IN ('test', 'live')),
    kind text NOT NULL CHECK (kind IN ('integration', 'sales_channel')),
    secret_digest bytea CHECK (length(secret_digest) = 32),
    self_service boolean NOT NULL,
    revoked_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE customers (
    id text COLLATE "C" PRIMARY KEY,
    organization_id text COLLATE "C" NOT NULL REFERENCES organizations,
    mode text NOT NULL CHECK (mode IN ('test', 'live')),
    email text COLLATE "C" NOT NULL,
    reference text,
    reference_origin text,
    metadata jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (organization_id, mode, email)
);

-- A table of its own, so that a role can be let near customers and not near hashes.
CREATE TABLE customer_passwords (
    customer_id text COLLATE "C" PRIMARY KEY REFERENCES customers ON DELETE CASCADE,
    hash text NOT NULL,
    -- Counts the customer's passwords. A session belongs to one of them and is dead under the next, so that none
    -- can slip through, not even one that is opened while the password changes.
    generation bigint NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE sessions (
    id text COLLATE "C" PRIMARY KEY,
    organization_id text COLLATE "C" NOT NULL,
    mode text NOT NULL,
    customer_id text COLLATE "C" NOT NULL REFERENCES customers ON DELETE CASCADE,
    application_id text COLLATE "C" NOT NULL,
    refresh_token_digest bytea NOT NULL UNIQUE CHECK (length(refresh_token_digest) = 32),
    password_generation bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_customer ON sessions (customer_id);

CREATE TABLE password_resets (
    id text COLLATE "C" PRIMARY KEY,
    organization_id text COLLATE "C" NOT NULL,
    mode text NOT NULL CHECK (mode IN ('test', 'live')),
    -- NULL makes it a decoy.
    customer_id text COLLATE "C",
    origin text NOT NULL CHECK (origin IN ('integration', 'self_service')),
    -- SHA-256 of scope and address that a self-service reset was asked for, known or not: the next one for it supersedes
    -- this one. So a decoy supersedes decoys, and costs what a real one costs.
    address_digest bytea CHECK (length(address_digest) = 32),
    token_digest bytea NOT NULL CHECK (length(token_digest) = 32),
    sealed_token bytea NOT NULL,
    reset_password_at timestamptz,
    superseded_at timestamptz,
    expires_at timestamptz NOT NULL,
    reference text,
    reference_origin text,
    metadata jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (customer_id IS NOT NULL OR origin = 'self_service'),
    CHECK ((origin = 'self_service') = (address_digest IS NOT NULL))
);
CREATE INDEX password_resets_listing ON password_resets (organization_id, mode, created_at DESC, id);
CREATE INDEX password_resets_pending ON password_resets (customer_id)
    WHERE reset_password_at IS NULL AND superseded_at IS NULL;
CREATE INDEX password_resets_pending_address ON password_resets (address_digest)
    WHERE reset_password_at IS NULL AND superseded_at IS NULL;

-- The resets of known customers, with their tokens for as long as they can be used: all that anybody is shown.
CREATE VIEW customer_password_resets AS
SELECT r.id, r.organization_id, r.mode, r.customer_id, c.email AS customer_email,
    CASE WHEN r.reset_password_at IS NULL AND r.superseded_at IS NULL AND r.expires_at > now() THEN r.sealed_token END AS token,
    r.reset_password_at, r.expires_at, r.reference, r.reference_origin, r.metadata, r.created_at, r.updated_at
FROM password_resets r
JOIN customers c ON c.id = r.customer_id AND c.organization_id = r.organization_id AND c.mode = r.mode;

-- Every event there was; the unpublished ones are the outbox.
CREATE TABLE events (
    id text COLLATE "C" PRIMARY KEY,
    organization_id text COLLATE "C" NOT NULL,
    mode text NOT NULL,
    name text NOT NULL,
    resource_type text NOT NULL,
    resource_id text COLLATE "C" NOT NULL,
    -- The signed event, with a sealed token in it: dropped once the broker has it.
    payload bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    available_at timestamptz NOT NULL DEFAULT now(),
    attempts integer NOT NULL DEFAULT 0,
    published_at timestamptz,
    dead_at timestamptz,
    dead_reason text,
    CHECK ((payload IS NULL) = (published_at IS NOT NULL)),
    CHECK ((dead_at IS NULL) = (dead_reason IS NULL))
);
CREATE INDEX events_outbox ON events (available_at, id) WHERE published_at IS NULL AND dead_at IS NULL;
CREATE INDEX events_resource ON events (resource_id);

CREATE TABLE audit_entries (
    id text COLLATE "C" PRIMARY KEY,
    organization_id text COLLATE "C" NOT NULL,
    mode text NOT NULL,
    resource_type text NOT NULL,
    resource_id text COLLATE "C" NOT NULL,
    action text NOT NULL,
    actor text NOT NULL CHECK (actor IN ('client', 'customer', 'token_holder')),
    application_id text COLLATE "C",
    customer_id text COLLATE "C",
    session_id text COLLATE "C",
    address inet,
    attributes text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX audit_entries_resource ON audit_entries (resource_id);

CREATE TABLE deliveries (
    event_id text COLLATE "C" PRIMARY KEY,
    organization_id text COLLATE "C" NOT NULL,
    mode text NOT NULL,
    kind text NOT NULL,
    state text NOT NULL CHECK (state IN ('sending', 'sent', 'deferred', 'bounced', 'failed', 'discarded')),
    attempts integer NOT NULL DEFAULT 1,
    -- Until when the claimer of attempt `attempts` has the mail to itself, while it is `sending`.
    lease_until timestamptz,
    -- How many claims ran out unsettled: each may have sent the mail.
    in_doubt integer NOT NULL DEFAULT 0,
    -- The mail server's reply, or why the mail was not sent.
    detail text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((state = 'sending') = (lease_until IS NOT NULL))
);
