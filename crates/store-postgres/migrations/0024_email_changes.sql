-- Changes of customers' addresses, which the old address can undo, and what that needs.

CREATE TABLE email_changes (
    id text COLLATE "C" PRIMARY KEY,
    organization_id text COLLATE "C" NOT NULL,
    mode text NOT NULL CHECK (mode IN ('test', 'live')),
    customer_id text COLLATE "C" NOT NULL REFERENCES customers ON DELETE CASCADE,
    -- The address before the change.
    email text COLLATE "C" NOT NULL,
    -- SHA-256 of the token in the mail to that address.
    token_digest bytea NOT NULL CHECK (length(token_digest) = 32),
    undone_at timestamptz,
    -- When the address of an earlier change was restored.
    cancelled_at timestamptz,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX email_changes_customer ON email_changes (customer_id);
CREATE INDEX email_changes_created ON email_changes (created_at);
-- The pending ones reserve their address.
CREATE INDEX email_changes_reserved ON email_changes (organization_id, mode, email)
    WHERE undone_at IS NULL AND cancelled_at IS NULL;

-- Refuses a reserved address to other customers. A trigger, because it must see a change that was committed while this statement waited
-- for that customer's entry in the unique index of addresses.
CREATE FUNCTION refuse_reserved_address() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM email_changes e
        WHERE e.organization_id = NEW.organization_id AND e.mode = NEW.mode AND e.email = NEW.email
            AND e.undone_at IS NULL AND e.cancelled_at IS NULL AND e.expires_at > now() AND e.customer_id <> NEW.id
    ) THEN
        RAISE unique_violation USING MESSAGE = 'the address is reserved for the customer that had it';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER customers_reserved_insert AFTER INSERT ON customers
    FOR EACH ROW EXECUTE FUNCTION refuse_reserved_address();
CREATE TRIGGER customers_reserved_update AFTER UPDATE OF email ON customers
    FOR EACH ROW WHEN (OLD.email IS DISTINCT FROM NEW.email) EXECUTE FUNCTION refuse_reserved_address();

-- NULL where the password was ended and no other was set. The row stays for its generation, under which no older session lives again.
ALTER TABLE customer_passwords ALTER COLUMN hash DROP NOT NULL;
CREATE OR REPLACE VIEW shown_customers AS
SELECT c.*, p.hash IS NOT NULL AS has_password
FROM customers c
LEFT JOIN customer_passwords p ON p.customer_id = c.id;

-- When the owner of the address first used a link that was mailed to it; NULL for an address that nobody has confirmed.
ALTER TABLE customers ADD COLUMN email_confirmed_at timestamptz;
UPDATE customers c SET email_confirmed_at = r.confirmed_at
FROM (
    SELECT customer_id, max(reset_password_at) AS confirmed_at FROM password_resets
    WHERE reset_password_at IS NOT NULL GROUP BY customer_id
) r
WHERE r.customer_id = c.id;
