-- The organization, who made the hash ("own" or "imported"), and its algorithm and costs, which are the hash without its salt and output.
-- The index lists an organization's schemes by a few look-ups.
ALTER TABLE customer_passwords ADD COLUMN scheme TEXT;
UPDATE customer_passwords
SET scheme = (
    SELECT c.organization_id || CASE WHEN hash LIKE '$argon2id$v=19$%' THEN '/own/' ELSE '/imported/' END || CASE
        WHEN hash LIKE '%$2b$%' THEN salted
        ELSE rtrim(rtrim(salted, replace(salted, '$', '')), '$') || '$' || (length(hash) - length(salted) - 1)
    END
    FROM customers c, (SELECT rtrim(rtrim(hash, replace(hash, '$', '')), '$') AS salted) AS parts
    WHERE c.id = customer_id
);
CREATE INDEX customer_passwords_scheme ON customer_passwords (scheme);
