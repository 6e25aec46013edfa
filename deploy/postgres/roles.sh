#!/usr/bin/env bash
# Creates the roles of the programs. Runs once, when the database is created. The migrations grant the mailer's role what it
# may read (no password hashes), so the role must exist before them.
set -euo pipefail

# psql reads the passwords itself: other processes can see a command's arguments.
psql -v ON_ERROR_STOP=1 --no-psqlrc --username "${POSTGRES_USER:-postgres}" --dbname "$POSTGRES_DB" <<'SQL'
\set rekey `cat /run/secrets/database_password`
\set mailer `cat /run/secrets/mailer_database_password`
CREATE ROLE rekey LOGIN PASSWORD :'rekey';
CREATE ROLE rekey_mailer LOGIN PASSWORD :'mailer';
ALTER DATABASE rekey OWNER TO rekey;
REVOKE ALL ON DATABASE rekey FROM PUBLIC;
GRANT CONNECT ON DATABASE rekey TO rekey_mailer;
ALTER SCHEMA public OWNER TO rekey;
SQL
