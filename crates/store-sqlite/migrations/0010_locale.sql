-- The language that a customer reads is an attribute like others: shown, and filtered by.

-- In the usual order of lists; customers whose language nobody knows cost nothing.
CREATE INDEX customers_locale ON customers (organization_id, mode, locale, created_at, id) WHERE locale IS NOT NULL;
