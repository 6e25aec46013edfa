-- Since when the first of the keys, which is the one in use, has been the first. Rows of older versions have none.
ALTER TABLE known_keys ADD COLUMN current_since INTEGER;
UPDATE known_keys SET current_since = updated_at;
