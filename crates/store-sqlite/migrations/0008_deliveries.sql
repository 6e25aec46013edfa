-- Deliveries become a resource: a row is written with the event that leads to the mail, and tells what became of it. And the
-- addresses that no mail is sent to.

ALTER TABLE deliveries RENAME TO old_deliveries;

CREATE TABLE deliveries (
    event_id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('test', 'live')),
    -- NULL makes it a decoy's.
    customer_id TEXT,
    reset_id TEXT,
    mail TEXT NOT NULL CHECK (mail IN ('reset_requested', 'password_changed', 'no_account')),
    -- What is claimed keeps the status that it had. Only decoys are discarded.
    status TEXT NOT NULL DEFAULT 'queued' CHECK (
        status IN ('queued', 'sent', 'deferred', 'bounced', 'suppressed', 'expired', 'failed', 'discarded')
    ),
    -- How many claims there were.
    attempts INTEGER NOT NULL DEFAULT 0,
    -- Until when the claimer of attempt `attempts` has the mail to itself.
    lease_until INTEGER,
    -- How many claims ran out unsettled: each may have sent the mail.
    in_doubt INTEGER NOT NULL DEFAULT 0,
    smtp_code INTEGER CHECK (smtp_code BETWEEN 200 AND 599),
    smtp_enhanced_code TEXT,
    -- The mail server's words, or why the mail was not sent.
    detail TEXT,
    relay TEXT,
    sent_at INTEGER,
    next_attempt_at INTEGER,
    created_at INTEGER NOT NULL,
    -- When the status was last changed; claims leave it as it is, so that they write no index.
    updated_at INTEGER NOT NULL,
    CHECK (lease_until IS NULL OR status IN ('queued', 'deferred'))
) STRICT;

INSERT INTO deliveries (event_id, organization_id, mode, customer_id, reset_id, mail, status, attempts, lease_until, in_doubt,
    detail, sent_at, created_at, updated_at)
SELECT d.event_id, d.organization_id, d.mode,
    CASE e.resource_type WHEN 'customers' THEN e.resource_id ELSE r.customer_id END, r.id, d.kind,
    CASE d.state
        WHEN 'sending' THEN CASE WHEN d.attempts > 1 THEN 'deferred' ELSE 'queued' END
        WHEN 'discarded' THEN CASE d.detail WHEN 'decoy' THEN 'discarded' ELSE 'expired' END
        ELSE d.state
    END,
    d.attempts, d.lease_until, d.in_doubt,
    CASE
        WHEN d.state = 'discarded' AND d.detail = 'stale' THEN 'reset used, superseded, expired or deleted'
        WHEN d.state = 'discarded' AND d.detail = 'no_customer' THEN 'customer deleted'
        ELSE d.detail
    END,
    CASE d.state WHEN 'sent' THEN d.updated_at END, d.created_at, d.updated_at
FROM old_deliveries d
LEFT JOIN events e ON e.id = d.event_id
LEFT JOIN password_resets r ON e.resource_type = 'customer_password_resets' AND r.id = e.resource_id;
DROP TABLE old_deliveries;

-- Each costs a decoy what it costs a real delivery.
CREATE INDEX deliveries_created ON deliveries (organization_id, mode, created_at, event_id);
CREATE INDEX deliveries_updated ON deliveries (organization_id, mode, updated_at, event_id);
CREATE INDEX deliveries_status ON deliveries (organization_id, mode, status, created_at, event_id);
CREATE INDEX deliveries_customer ON deliveries (customer_id, created_at, event_id);
CREATE INDEX deliveries_reset ON deliveries (reset_id);
CREATE INDEX deliveries_code ON deliveries (organization_id, mode, smtp_code, created_at, event_id)
    WHERE smtp_code IS NOT NULL;

-- The joins make links to what was deleted lead nowhere.
CREATE VIEW shown_deliveries AS
SELECT d.event_id AS id, d.organization_id, d.mode, c.id AS customer_id, r.id AS reset_id, d.mail, d.status, d.attempts,
    d.in_doubt, d.smtp_code, d.smtp_enhanced_code, d.detail, d.relay, d.sent_at, d.next_attempt_at, d.created_at, d.updated_at
FROM deliveries d
LEFT JOIN customers c ON c.id = d.customer_id
LEFT JOIN password_resets r ON r.id = d.reset_id
WHERE d.customer_id IS NOT NULL;

-- Addresses that a mail server refused for good.
CREATE TABLE suppressions (
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    mode TEXT NOT NULL CHECK (mode IN ('test', 'live')),
    email TEXT NOT NULL,
    -- What the mail server said.
    reason TEXT NOT NULL,
    smtp_code INTEGER,
    -- The delivery that bounced.
    event_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, mode, email)
) STRICT;
