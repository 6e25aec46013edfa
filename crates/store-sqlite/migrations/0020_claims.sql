-- How many claims of a mail there were. Unlike the attempts it only grows, so that it names a claim: one that was held is no attempt.
ALTER TABLE deliveries ADD COLUMN claims INTEGER NOT NULL DEFAULT 0;
