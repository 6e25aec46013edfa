-- Which mails there are is the program's to know: a new one needs no migration. SQLite drops a CHECK only with its column.
DROP VIEW shown_deliveries;
ALTER TABLE deliveries RENAME COLUMN mail TO checked_mail;
ALTER TABLE deliveries ADD COLUMN mail TEXT NOT NULL DEFAULT '';
UPDATE deliveries SET mail = checked_mail;
ALTER TABLE deliveries DROP COLUMN checked_mail;

CREATE VIEW shown_deliveries AS
SELECT d.event_id AS id, d.organization_id, d.mode, c.id AS customer_id, r.id AS reset_id, d.mail, d.status, d.attempts,
    d.in_doubt, d.smtp_code, d.smtp_enhanced_code, d.detail, d.relay, d.sent_at, d.next_attempt_at, d.created_at, d.updated_at
FROM deliveries d
LEFT JOIN customers c ON c.id = d.customer_id
LEFT JOIN password_resets r ON r.id = d.reset_id
WHERE d.customer_id IS NOT NULL;
