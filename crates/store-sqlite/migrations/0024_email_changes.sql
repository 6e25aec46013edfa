-- Changes of customers' addresses, which the old address can undo, and what that needs.

CREATE TABLE email_changes (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('test', 'live')),
    customer_id TEXT NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    -- The address before the change.
    email TEXT NOT NULL,
    -- SHA-256 of the token in the mail to that address.
    token_digest BLOB NOT NULL CHECK (length(token_digest) = 32),
    undone_at INTEGER,
    -- When the address of an earlier change was restored.
    cancelled_at INTEGER,
    expires_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX email_changes_customer ON email_changes (customer_id);
CREATE INDEX email_changes_created ON email_changes (created_at);
-- The pending ones reserve their address.
CREATE INDEX email_changes_reserved ON email_changes (organization_id, mode, email)
    WHERE undone_at IS NULL AND cancelled_at IS NULL;

-- NULL where the password was ended and no other was set. The row stays for its generation, under which no older session lives again.
-- SQLite drops a NOT NULL only with its column.
DROP VIEW shown_customers;
ALTER TABLE customer_passwords RENAME COLUMN hash TO old_hash;
ALTER TABLE customer_passwords ADD COLUMN hash TEXT;
UPDATE customer_passwords SET hash = old_hash;
ALTER TABLE customer_passwords DROP COLUMN old_hash;

CREATE VIEW shown_customers AS
SELECT c.*, p.hash IS NOT NULL AS has_password
FROM customers c
LEFT JOIN customer_passwords p ON p.customer_id = c.id;

-- When the owner of the address first used a link that was mailed to it; NULL for an address that nobody has confirmed.
ALTER TABLE customers ADD COLUMN email_confirmed_at INTEGER;
UPDATE customers SET email_confirmed_at = (
    SELECT max(r.reset_password_at) FROM password_resets r WHERE r.customer_id = customers.id
);
