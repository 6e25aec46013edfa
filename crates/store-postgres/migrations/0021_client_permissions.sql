-- What a sales channel may do, next to self-service. Existing ones could do both; the program decides for new ones.
ALTER TABLE api_clients
    ADD COLUMN sign_in boolean NOT NULL DEFAULT true,
    ADD COLUMN sign_up boolean NOT NULL DEFAULT true;
-- Integrations have no permissions: they need none.
UPDATE api_clients SET sign_in = false, sign_up = false WHERE kind = 'integration';

-- How often each customer has tried to change its own address: the answer shows whether another customer has it.
CREATE TABLE email_change_tries (
    customer_id text COLLATE "C" PRIMARY KEY REFERENCES customers ON DELETE CASCADE,
    window_started_at timestamptz NOT NULL,
    try_count integer NOT NULL
);
