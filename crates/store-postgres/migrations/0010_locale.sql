-- The language that a customer reads is an attribute like others: shown, and filtered by.

DROP VIEW shown_customers;

-- Compared by its octets, as in every other store.
ALTER TABLE customers ALTER COLUMN locale TYPE text COLLATE "C";
-- In the usual order of lists; customers whose language nobody knows cost nothing.
CREATE INDEX customers_locale ON customers (organization_id, mode, locale, created_at, id) WHERE locale IS NOT NULL;

CREATE VIEW shown_customers AS
SELECT c.*, p.customer_id IS NOT NULL AS has_password
FROM customers c
LEFT JOIN customer_passwords p ON p.customer_id = c.id;
