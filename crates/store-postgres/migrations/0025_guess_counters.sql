-- One design for all guesses, of codes and of passwords: a counter is charged before a guess is compared.

ALTER TABLE code_guesses RENAME TO guess_counters;
ALTER TABLE guess_counters
    ADD COLUMN kind text COLLATE "C" NOT NULL DEFAULT 'code',
    -- HMAC of the network from which the guesses come, if the account has signed in from there; empty for all others together.
    ADD COLUMN network_digest bytea NOT NULL DEFAULT '' CHECK (length(network_digest) IN (0, 32)),
    ADD COLUMN last_guess_at timestamptz NOT NULL DEFAULT now(),
    -- When the account last signed in from the network.
    ADD COLUMN signed_in_at timestamptz;
ALTER TABLE guess_counters ALTER COLUMN kind DROP DEFAULT;
ALTER TABLE guess_counters DROP CONSTRAINT code_guesses_pkey;
ALTER TABLE guess_counters ADD PRIMARY KEY (kind, account_digest, network_digest);
ALTER TABLE guess_counters RENAME CONSTRAINT code_guesses_account_digest_check TO guess_counters_account_digest_check;
DROP INDEX code_guesses_window;
CREATE INDEX guess_counters_last ON guess_counters (last_guess_at);
-- How many accounts have signed in from a network.
CREATE INDEX guess_counters_network ON guess_counters (network_digest) WHERE signed_in_at IS NOT NULL;
