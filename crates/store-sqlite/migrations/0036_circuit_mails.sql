-- The mail about a webhook's circuit that opened.

-- What the attempt that opened the circuit led to: the answer's status, or why there was no answer.
ALTER TABLE webhooks ADD COLUMN circuit_cause TEXT;
-- When the mail is due, while the circuit is open; NULL once it is sent. What sends it moves it to the end of its lease.
ALTER TABLE webhooks ADD COLUMN circuit_mail_due_at INTEGER;
CREATE INDEX webhooks_circuit_mail ON webhooks (circuit_mail_due_at) WHERE circuit_mail_due_at IS NOT NULL;
