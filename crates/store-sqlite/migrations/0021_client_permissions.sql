-- What a sales channel may do, next to self-service. Existing ones could do both; the program decides for new ones.
ALTER TABLE api_clients ADD COLUMN sign_in INTEGER NOT NULL DEFAULT 1;
ALTER TABLE api_clients ADD COLUMN sign_up INTEGER NOT NULL DEFAULT 1;
-- Integrations have no permissions: they need none.
UPDATE api_clients SET sign_in = 0, sign_up = 0 WHERE kind = 'integration';

-- How often each customer has tried to change its own address: the answer shows whether another customer has it.
CREATE TABLE email_change_tries (
    customer_id TEXT PRIMARY KEY REFERENCES customers (id) ON DELETE CASCADE,
    window_started_at INTEGER NOT NULL,
    try_count INTEGER NOT NULL
) STRICT;
