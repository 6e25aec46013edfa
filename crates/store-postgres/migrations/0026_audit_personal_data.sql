-- The personal fields of audit entries move to a table of their own: erasing them leaves the entries as they are. Decoys get two tables of
-- the same form, so that the audit log holds only what happened to records, and a decoy still costs what a reset costs.

-- Programs of the older version must not write between the statements. They lock the tables in this order.
LOCK TABLE password_resets IN SHARE MODE;
LOCK TABLE audit_entries IN ACCESS EXCLUSIVE MODE;

CREATE TABLE audit_personal_data (
    entry_id text COLLATE "C" PRIMARY KEY,
    -- The record that was changed.
    resource_id text COLLATE "C" NOT NULL,
    -- The customer that the entry is about. NULL if there is none, and in the entry of the customer's deletion, which is never erased.
    customer_id text COLLATE "C",
    -- The customer who was logged in, and their session.
    actor_customer_id text COLLATE "C",
    session_id text COLLATE "C",
    address inet,
    -- Random bytes. Without them, erased values could be found by trying all of them against the entry's digest.
    salt bytea NOT NULL CHECK (length(salt) = 16)
);
INSERT INTO audit_personal_data (entry_id, resource_id, customer_id, actor_customer_id, session_id, address, salt)
SELECT a.id, a.resource_id,
    CASE a.resource_type
        WHEN 'customers' THEN CASE WHEN a.action <> 'destroy' THEN a.resource_id END
        WHEN 'customer_password_resets' THEN COALESCE(r.customer_id, (
            SELECT d.customer_id FROM deliveries d WHERE d.reset_id = a.resource_id AND d.customer_id IS NOT NULL LIMIT 1
        ))
        WHEN 'deliveries' THEN d.customer_id
    END,
    a.customer_id, a.session_id, a.address, uuid_send(gen_random_uuid())
FROM audit_entries a
LEFT JOIN password_resets r ON r.id = a.resource_id AND a.resource_type = 'customer_password_resets'
LEFT JOIN deliveries d ON d.event_id = a.resource_id AND a.resource_type = 'deliveries';
CREATE INDEX audit_personal_data_resource ON audit_personal_data (resource_id);
CREATE INDEX audit_personal_data_customer ON audit_personal_data (customer_id);
CREATE INDEX audit_personal_data_actor ON audit_personal_data (actor_customer_id) WHERE actor_customer_id IS NOT NULL;

-- SHA-256 over the salt and the personal fields: it proves that they are those that were written, for as long as they are kept.
ALTER TABLE audit_entries ADD COLUMN personal_digest bytea CHECK (length(personal_digest) = 32);
UPDATE audit_entries a SET personal_digest = sha256(p.salt || convert_to(concat_ws('/', p.resource_id, COALESCE(p.customer_id, ''),
    COALESCE(p.actor_customer_id, ''), COALESCE(p.session_id, ''), COALESCE(host(p.address), '')), 'UTF8'))
FROM audit_personal_data p WHERE p.entry_id = a.id;
ALTER TABLE audit_entries ALTER COLUMN personal_digest SET NOT NULL;

DROP VIEW shown_event_stores;
DROP INDEX audit_entries_resource;
ALTER TABLE audit_entries
    DROP COLUMN resource_id,
    DROP COLUMN customer_id,
    DROP COLUMN session_id,
    DROP COLUMN address;

CREATE TABLE decoy_audit_entries (LIKE audit_entries INCLUDING ALL);
CREATE TABLE decoy_audit_personal_data (LIKE audit_personal_data INCLUDING ALL);
WITH decoy AS (
    DELETE FROM audit_personal_data p USING password_resets r WHERE r.id = p.resource_id AND r.customer_id IS NULL RETURNING p.*
), personal AS (
    INSERT INTO decoy_audit_personal_data SELECT * FROM decoy
), entry AS (
    DELETE FROM audit_entries a USING decoy WHERE a.id = decoy.entry_id RETURNING a.*
)
INSERT INTO decoy_audit_entries SELECT * FROM entry;

-- `resource_id` is NULL where the personal fields were erased.
CREATE VIEW shown_event_stores AS
SELECT a.id, a.organization_id, a.mode, a.resource_type COLLATE "C" AS resource_type, p.resource_id, a.action COLLATE "C" AS event,
    host(p.address) AS ip_address, jsonb_build_object('attributes', a.attributes) AS payload,
    jsonb_strip_nulls(jsonb_build_object(
        'application', CASE WHEN a.application_id IS NOT NULL THEN jsonb_build_object('id', a.application_id) END,
        'owner', CASE a.actor
            WHEN 'customer' THEN jsonb_build_object('id', p.actor_customer_id, 'type', 'Customer')
            WHEN 'token_holder' THEN jsonb_build_object('type', 'TokenHolder')
            WHEN 'operator' THEN jsonb_build_object('type', 'Operator')
        END
    )) AS who,
    a.created_at, a.created_at AS updated_at
FROM audit_entries a
LEFT JOIN audit_personal_data p ON p.entry_id = a.id;
ANALYZE audit_entries, audit_personal_data;
