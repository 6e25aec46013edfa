-- Names that say what is counted: self-service resets and guesses of codes, for each account.

ALTER TABLE self_service_turns RENAME TO reset_quotas;
-- May lie in the future: a rejected reset delays the account's next one.
ALTER TABLE reset_quotas RENAME COLUMN last_at TO last_reset_at;
ALTER TABLE reset_quotas RENAME COLUMN window_at TO window_started_at;
ALTER TABLE reset_quotas RENAME COLUMN used TO reset_count;
ALTER TABLE reset_quotas RENAME CONSTRAINT self_service_turns_pkey TO reset_quotas_pkey;
ALTER TABLE reset_quotas RENAME CONSTRAINT self_service_turns_account_digest_check TO reset_quotas_account_digest_check;
ALTER INDEX self_service_turns_last RENAME TO reset_quotas_last;

ALTER TABLE code_guesses RENAME COLUMN window_at TO window_started_at;
ALTER TABLE code_guesses RENAME COLUMN used TO guess_count;
ALTER TABLE password_resets RENAME COLUMN code_guesses TO code_guess_budget;
