-- Looking a record up must read it by its unique index, also while the planner knows nothing of the table: right after an import,
-- an index that begins with the scope looks just as cheap, and reads all records of the shop.

-- An index of one column tells the planner that one row matches; no other index fits its expression.
CREATE UNIQUE INDEX customers_address ON customers (((organization_id || '/' || mode || '/' || email) COLLATE "C"));
-- For lists by address.
CREATE INDEX customers_email ON customers (organization_id, mode, email, id);
ALTER TABLE customers DROP CONSTRAINT customers_organization_id_mode_email_key;

ANALYZE customers, customer_passwords, password_resets, events, deliveries, audit_entries;
