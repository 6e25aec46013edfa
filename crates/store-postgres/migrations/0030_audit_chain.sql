-- The audit log as a hash chain, per organization and mode. Programs of the older version write entries as before: a trigger queues them.

CREATE TABLE audit_chain (
    organization_id text COLLATE "C" NOT NULL,
    mode text COLLATE "C" NOT NULL CHECK (mode IN ('test', 'live')),
    -- From 1, without gaps.
    position bigint NOT NULL CHECK (position > 0),
    entry_id text COLLATE "C" NOT NULL,
    -- SHA-256 over the entry's columns.
    entry_digest bytea NOT NULL CHECK (length(entry_digest) = 32),
    entry_created_at timestamptz NOT NULL,
    -- SHA-256 over this row and the digest of the row before it.
    digest bytea NOT NULL CHECK (length(digest) = 32),
    -- The id of the sealing key of the signature, which is HMAC-SHA-256 over this row.
    key_id text COLLATE "C" NOT NULL,
    signature bytea NOT NULL CHECK (length(signature) = 32),
    chained_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, mode, position)
);

-- Entries that are not chained yet, and those of decoys, so that these cost the same. It has no index: it is short, and read as a whole.
CREATE TABLE audit_queue (
    organization_id text COLLATE "C" NOT NULL,
    mode text COLLATE "C" NOT NULL,
    entry_id text COLLATE "C" NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Programs of the older version write entries before all rights are granted, which comes after the last migration.
DO $$
DECLARE
    program name;
BEGIN
    FOR program IN SELECT rolname FROM pg_roles WHERE rolname IN ('rekey_api', 'rekey_maintenance') LOOP
        EXECUTE format('GRANT INSERT ON audit_queue TO %I', program);
    END LOOP;
END
$$;

CREATE FUNCTION queue_audit_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_queue VALUES (NEW.organization_id, NEW.mode, NEW.id);
    RETURN NULL;
END
$$;

-- What is in the log already, before the lock that the trigger needs, and then what was written meanwhile.
INSERT INTO audit_queue SELECT organization_id, mode, id FROM audit_entries ORDER BY created_at;
CREATE TRIGGER audit_entries_queue AFTER INSERT ON audit_entries FOR EACH ROW EXECUTE FUNCTION queue_audit_entry();
CREATE TRIGGER decoy_audit_entries_queue AFTER INSERT ON decoy_audit_entries FOR EACH ROW EXECUTE FUNCTION queue_audit_entry();
ANALYZE audit_queue;
INSERT INTO audit_queue
SELECT organization_id, mode, id FROM audit_entries a WHERE NOT EXISTS (SELECT FROM audit_queue q WHERE q.entry_id = a.id);
