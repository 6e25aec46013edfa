-- Short codes that stand for a reset's token, and how often they are guessed.

ALTER TABLE password_resets
    -- SHA-256 of scope and account, of resets of every origin, known or not; NULL for resets from before.
    ADD COLUMN account_digest bytea CHECK (length(account_digest) = 32),
    -- HMAC-SHA-256 of the code, which a copy of the database does not suffice to guess; NULL when there is none that works.
    ADD COLUMN code_digest bytea CHECK (length(code_digest) = 32),
    -- The rules that the code was made under; NULL for a reset that never had one.
    ADD COLUMN code_guesses integer,
    ADD COLUMN code_window_seconds double precision,
    ADD CONSTRAINT password_resets_code_check CHECK ((code_guesses IS NULL) = (code_window_seconds IS NULL)
        AND (code_digest IS NULL OR code_guesses IS NOT NULL AND account_digest IS NOT NULL));
CREATE INDEX password_resets_code ON password_resets (account_digest) WHERE code_digest IS NOT NULL;

-- How many guesses each account's codes have had, right and wrong. One row's lock counts guesses of the same moment.
CREATE TABLE code_guesses (
    account_digest bytea PRIMARY KEY CHECK (length(account_digest) = 32),
    window_at timestamptz NOT NULL,
    used integer NOT NULL
);
CREATE INDEX code_guesses_window ON code_guesses (window_at);
