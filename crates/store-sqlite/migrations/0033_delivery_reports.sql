-- See the migration of the same number for PostgreSQL.

CREATE TABLE delivery_reports (
    event_id TEXT NOT NULL REFERENCES deliveries ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('bounced', 'delayed', 'complained')),
    reporter TEXT,
    smtp_code INTEGER CHECK (smtp_code BETWEEN 200 AND 599),
    smtp_enhanced_code TEXT,
    detail TEXT,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (event_id, kind)
) STRICT;
