-- What an import brings along, and what it needs to go on after a crash.

-- The language that a customer reads: a tag of RFC 5646 such as pt-BR.
ALTER TABLE customers ADD COLUMN locale text;

-- The imports under way. From its key follow the ids of the customers and audit entries that an import writes.
CREATE TABLE imports (
    organization_id text COLLATE "C" NOT NULL REFERENCES organizations,
    mode text NOT NULL CHECK (mode IN ('test', 'live')),
    -- SHA-256 of what is imported.
    source_digest bytea NOT NULL CHECK (length(source_digest) = 32),
    key bytea NOT NULL CHECK (length(key) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, mode, source_digest)
);
