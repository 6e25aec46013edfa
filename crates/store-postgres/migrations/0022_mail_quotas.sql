-- Self-service requests wait for each other by the exact address; its mails are counted by account when they are sent. Both digests are
-- HMACs under a key outside the database, which those of older rows are not.

CREATE TABLE reset_cooldowns (
    address_digest bytea PRIMARY KEY CHECK (length(address_digest) = 32),
    -- May lie in the future: a rejected reset delays the address's next one.
    last_reset_at timestamptz NOT NULL
);
CREATE INDEX reset_cooldowns_last ON reset_cooldowns (last_reset_at);
DROP TABLE reset_quotas;

-- How many mails of a kind an account was sent in its window, those on their way included.
CREATE TABLE mail_quotas (
    account_digest bytea NOT NULL CHECK (length(account_digest) = 32),
    mail text COLLATE "C" NOT NULL,
    window_started_at timestamptz NOT NULL,
    mail_count integer NOT NULL,
    -- NULL when the last one was not sent after all.
    last_mail_at timestamptz,
    PRIMARY KEY (account_digest, mail)
);
CREATE INDEX mail_quotas_window ON mail_quotas (window_started_at);

ALTER TABLE deliveries
    -- The account whose quota the mail uses, and the rules in force when it was requested; NULL for a mail without a quota.
    ADD COLUMN account_digest bytea CHECK (length(account_digest) = 32),
    ADD COLUMN mail_budget bigint,
    ADD COLUMN mail_window_seconds double precision,
    -- Whether the account's quota counts it: while it is being sent, and after it was or may have been.
    ADD COLUMN is_counted boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT deliveries_quota_check CHECK ((account_digest IS NULL) = (mail_budget IS NULL)
        AND (account_digest IS NULL) = (mail_window_seconds IS NULL));
