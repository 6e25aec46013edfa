-- Which older programs can work with this schema: those that know the migrations up to this one. While an upgrade replaces the
-- processes, older ones meet the newer schema, and one that restarts reads this. A migration that only adds leaves it as it is; one that
-- takes away what programs use raises it to the migration in which they stopped to.
CREATE TABLE schema_compatibility (
    is_only_row boolean PRIMARY KEY DEFAULT true CHECK (is_only_row),
    oldest_migration bigint NOT NULL
);
INSERT INTO schema_compatibility (oldest_migration) VALUES (31);
