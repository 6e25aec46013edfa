-- See the migration of the same number for PostgreSQL.

ALTER TABLE deliveries ADD COLUMN claimed_at INTEGER;

CREATE TABLE delivery_attempts (
    event_id TEXT NOT NULL REFERENCES deliveries ON DELETE CASCADE,
    place INTEGER NOT NULL CHECK (place BETWEEN 1 AND 50),
    claim INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('sent', 'deferred', 'in_doubt', 'held', 'bounced', 'expired', 'failed')),
    relay TEXT,
    smtp_code INTEGER CHECK (smtp_code BETWEEN 200 AND 599),
    smtp_enhanced_code TEXT,
    detail TEXT,
    PRIMARY KEY (event_id, place)
) STRICT;
