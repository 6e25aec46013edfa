-- What is reported of a mail after a relay has accepted it: the first report of each kind.

-- Writes of deliveries wait behind this while it waits for a lock.
SET LOCAL lock_timeout = '5s';

CREATE TABLE delivery_reports (
    -- The reports are deleted with their delivery, whichever version of a program deletes it.
    event_id text COLLATE "C" NOT NULL REFERENCES deliveries ON DELETE CASCADE,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('bounced', 'delayed', 'complained')),
    -- The mail server or the provider that reports.
    reporter text,
    smtp_code bigint CHECK (smtp_code BETWEEN 200 AND 599),
    smtp_enhanced_code text,
    -- The receiving server's words, without addresses.
    detail text,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (event_id, kind)
);
