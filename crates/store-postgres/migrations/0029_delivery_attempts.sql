-- The attempts at each mail, for operators.

-- When the last claim was made: the start of its attempt. Claims write no index, and neither does this.
ALTER TABLE deliveries ADD COLUMN claimed_at timestamptz;

-- A row for each claim that was settled, and for each that ended without being settled.
CREATE TABLE delivery_attempts (
    -- The attempts are deleted with their delivery, whichever version of a program deletes it.
    event_id text COLLATE "C" NOT NULL REFERENCES deliveries ON DELETE CASCADE,
    -- The number of the claim, but at most 50: the last place has the latest attempt.
    place bigint NOT NULL CHECK (place BETWEEN 1 AND 50),
    -- The number of the claim, from 1.
    claim bigint NOT NULL,
    -- NULL if an older version made the claim.
    started_at timestamptz,
    ended_at timestamptz NOT NULL DEFAULT now(),
    outcome text COLLATE "C" NOT NULL CHECK (
        outcome IN ('sent', 'deferred', 'in_doubt', 'held', 'bounced', 'expired', 'failed')
    ),
    relay text,
    smtp_code bigint CHECK (smtp_code BETWEEN 200 AND 599),
    smtp_enhanced_code text,
    -- The mail server's words, or what went wrong.
    detail text,
    PRIMARY KEY (event_id, place)
);
