-- Short codes that stand for a reset's token, and how often they are guessed.

-- SHA-256 of scope and account, of resets of every origin, known or not; NULL for resets from before.
ALTER TABLE password_resets ADD COLUMN account_digest BLOB CHECK (length(account_digest) = 32);
-- HMAC-SHA-256 of the code, which a copy of the database does not suffice to guess; NULL when there is none that works.
ALTER TABLE password_resets ADD COLUMN code_digest BLOB CHECK (length(code_digest) = 32);
-- The rules that the code was made under; NULL for a reset that never had one.
ALTER TABLE password_resets ADD COLUMN code_guesses INTEGER;
ALTER TABLE password_resets ADD COLUMN code_window_seconds REAL;
CREATE INDEX password_resets_code ON password_resets (account_digest) WHERE code_digest IS NOT NULL;

-- How many guesses each account's codes have had, right and wrong.
CREATE TABLE code_guesses (
    account_digest BLOB PRIMARY KEY CHECK (length(account_digest) = 32),
    window_at INTEGER NOT NULL,
    used INTEGER NOT NULL
) STRICT;
CREATE INDEX code_guesses_window ON code_guesses (window_at);
