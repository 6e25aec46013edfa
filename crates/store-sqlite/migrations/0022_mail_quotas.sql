-- See the migration of the same number for PostgreSQL.

CREATE TABLE reset_cooldowns (
    address_digest BLOB PRIMARY KEY CHECK (length(address_digest) = 32),
    last_reset_at INTEGER NOT NULL
) STRICT;
CREATE INDEX reset_cooldowns_last ON reset_cooldowns (last_reset_at);
DROP TABLE reset_quotas;

CREATE TABLE mail_quotas (
    account_digest BLOB NOT NULL CHECK (length(account_digest) = 32),
    mail TEXT NOT NULL,
    window_started_at INTEGER NOT NULL,
    mail_count INTEGER NOT NULL,
    last_mail_at INTEGER,
    PRIMARY KEY (account_digest, mail)
) STRICT;
CREATE INDEX mail_quotas_window ON mail_quotas (window_started_at);

ALTER TABLE deliveries ADD COLUMN account_digest BLOB CHECK (length(account_digest) = 32);
ALTER TABLE deliveries ADD COLUMN mail_budget INTEGER;
ALTER TABLE deliveries ADD COLUMN mail_window_seconds REAL;
ALTER TABLE deliveries ADD COLUMN is_counted INTEGER NOT NULL DEFAULT 0;
