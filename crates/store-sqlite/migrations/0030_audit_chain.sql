-- See the migration of the same number for PostgreSQL.

CREATE TABLE audit_chain (
    organization_id TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('test', 'live')),
    position INTEGER NOT NULL CHECK (position > 0),
    entry_id TEXT NOT NULL,
    entry_digest BLOB NOT NULL CHECK (length(entry_digest) = 32),
    entry_created_at INTEGER NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    key_id TEXT NOT NULL,
    signature BLOB NOT NULL CHECK (length(signature) = 32),
    chained_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, mode, position)
) STRICT;

CREATE TABLE audit_queue (
    organization_id TEXT NOT NULL,
    mode TEXT NOT NULL,
    entry_id TEXT NOT NULL
) STRICT;

INSERT INTO audit_queue SELECT organization_id, mode, id FROM audit_entries ORDER BY created_at;
CREATE TRIGGER audit_entries_queue AFTER INSERT ON audit_entries BEGIN
    INSERT INTO audit_queue VALUES (NEW.organization_id, NEW.mode, NEW.id);
END;
CREATE TRIGGER decoy_audit_entries_queue AFTER INSERT ON decoy_audit_entries BEGIN
    INSERT INTO audit_queue VALUES (NEW.organization_id, NEW.mode, NEW.id);
END;
