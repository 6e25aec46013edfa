-- What an import brings along, and what it needs to go on after a crash.

-- The language that a customer reads: a tag of RFC 5646 such as pt-BR.
ALTER TABLE customers ADD COLUMN locale TEXT;

-- The imports under way. From its key follow the ids of the customers and audit entries that an import writes.
CREATE TABLE imports (
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    mode TEXT NOT NULL CHECK (mode IN ('test', 'live')),
    -- SHA-256 of what is imported.
    source_digest BLOB NOT NULL CHECK (length(source_digest) = 32),
    key BLOB NOT NULL CHECK (length(key) = 32),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, mode, source_digest)
) STRICT;
