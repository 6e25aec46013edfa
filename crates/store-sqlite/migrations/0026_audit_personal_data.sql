-- The personal fields of audit entries move to a table of their own: erasing them leaves the entries as they are. Decoys get two tables of
-- the same form, so that the audit log holds only what happened to records.

CREATE TABLE audit_personal_data (
    entry_id TEXT PRIMARY KEY,
    -- The record that was changed.
    resource_id TEXT NOT NULL,
    -- The customer that the entry is about. NULL if there is none, and in the entry of the customer's deletion, which is never erased.
    customer_id TEXT,
    -- The customer who was logged in, and their session.
    actor_customer_id TEXT,
    session_id TEXT,
    address TEXT,
    -- Random bytes. Without them, erased values could be found by trying all of them against the entry's digest.
    salt BLOB NOT NULL CHECK (length(salt) = 16)
) STRICT;
INSERT INTO audit_personal_data (entry_id, resource_id, customer_id, actor_customer_id, session_id, address, salt)
SELECT a.id, a.resource_id,
    CASE a.resource_type
        WHEN 'customers' THEN CASE WHEN a.action <> 'destroy' THEN a.resource_id END
        WHEN 'customer_password_resets' THEN COALESCE(r.customer_id, (
            SELECT d.customer_id FROM deliveries d WHERE d.reset_id = a.resource_id AND d.customer_id IS NOT NULL LIMIT 1
        ))
        WHEN 'deliveries' THEN d.customer_id
    END,
    a.customer_id, a.session_id, a.address, randomblob(16)
FROM audit_entries a
LEFT JOIN password_resets r ON r.id = a.resource_id AND a.resource_type = 'customer_password_resets'
LEFT JOIN deliveries d ON d.event_id = a.resource_id AND a.resource_type = 'deliveries';
CREATE INDEX audit_personal_data_resource ON audit_personal_data (resource_id);
CREATE INDEX audit_personal_data_customer ON audit_personal_data (customer_id);
CREATE INDEX audit_personal_data_actor ON audit_personal_data (actor_customer_id) WHERE actor_customer_id IS NOT NULL;

-- SHA-256 over the salt and the personal fields: it proves that they are those that were written, for as long as they are kept. NULL in
-- entries of older versions, because SQLite has no SHA-256.
ALTER TABLE audit_entries ADD COLUMN personal_digest BLOB CHECK (length(personal_digest) = 32);

DROP VIEW shown_event_stores;
DROP INDEX audit_entries_resource;
ALTER TABLE audit_entries DROP COLUMN resource_id;
ALTER TABLE audit_entries DROP COLUMN customer_id;
ALTER TABLE audit_entries DROP COLUMN session_id;
ALTER TABLE audit_entries DROP COLUMN address;

CREATE TABLE decoy_audit_entries (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    mode TEXT NOT NULL,
    resource_type TEXT NOT NULL,
    action TEXT NOT NULL,
    actor TEXT NOT NULL,
    application_id TEXT,
    attributes TEXT NOT NULL,
    personal_digest BLOB CHECK (length(personal_digest) = 32),
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX decoy_audit_entries_created ON decoy_audit_entries (organization_id, mode, created_at);
CREATE TABLE decoy_audit_personal_data (
    entry_id TEXT PRIMARY KEY,
    resource_id TEXT NOT NULL,
    customer_id TEXT,
    actor_customer_id TEXT,
    session_id TEXT,
    address TEXT,
    salt BLOB NOT NULL CHECK (length(salt) = 16)
) STRICT;
CREATE INDEX decoy_audit_personal_data_resource ON decoy_audit_personal_data (resource_id);
CREATE INDEX decoy_audit_personal_data_customer ON decoy_audit_personal_data (customer_id);
CREATE INDEX decoy_audit_personal_data_actor ON decoy_audit_personal_data (actor_customer_id) WHERE actor_customer_id IS NOT NULL;

INSERT INTO decoy_audit_personal_data (entry_id, resource_id, customer_id, actor_customer_id, session_id, address, salt)
SELECT entry_id, resource_id, customer_id, actor_customer_id, session_id, address, salt FROM audit_personal_data
WHERE resource_id IN (SELECT id FROM password_resets WHERE customer_id IS NULL);
INSERT INTO decoy_audit_entries (id, organization_id, mode, resource_type, action, actor, application_id, attributes, created_at)
SELECT id, organization_id, mode, resource_type, action, actor, application_id, attributes, created_at FROM audit_entries
WHERE id IN (SELECT entry_id FROM decoy_audit_personal_data);
DELETE FROM audit_entries WHERE id IN (SELECT id FROM decoy_audit_entries);
DELETE FROM audit_personal_data WHERE entry_id IN (SELECT id FROM decoy_audit_entries);

-- `resource_id` is NULL where the personal fields were erased. The patch leaves out what is null.
CREATE VIEW shown_event_stores AS
SELECT a.id, a.organization_id, a.mode, a.resource_type, p.resource_id, a.action AS event, p.address AS ip_address,
    json_object('attributes', json(a.attributes)) AS payload,
    json_patch('{}', json_object(
        'application', CASE WHEN a.application_id IS NOT NULL THEN json_object('id', a.application_id) END,
        'owner', CASE a.actor
            WHEN 'customer' THEN json_patch('{}', json_object('id', p.actor_customer_id, 'type', 'Customer'))
            WHEN 'token_holder' THEN json_object('type', 'TokenHolder')
            WHEN 'operator' THEN json_object('type', 'Operator')
        END
    )) AS who,
    a.created_at, a.created_at AS updated_at
FROM audit_entries a
LEFT JOIN audit_personal_data p ON p.entry_id = a.id;
