-- Since when the first of the keys, which is the one in use, has been the first.
ALTER TABLE known_keys ADD COLUMN current_since timestamptz NOT NULL DEFAULT now();
UPDATE known_keys SET current_since = updated_at;
