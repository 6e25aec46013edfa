-- The reset that an account's quota counted last: if its mail never went out, the next one takes its place in the budget.
ALTER TABLE reset_quotas ADD COLUMN last_reset_id text;
