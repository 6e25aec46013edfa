#!/usr/bin/env bash
# Runs once, when the database is made: the roles of the programs. The migrations grant the mailer what it may read, and
# password hashes are not among it; the role must be there before them.
set -euo pipefail

psql -v ON_ERROR_STOP=1 --no-psqlrc --username "${POSTGRES_USER:-postgres}" --dbname "$POSTGRES_DB" \
    -v rekey="$(</run/secrets/database_password)" -v mailer="$(</run/secrets/mailer_database_password)" <<'SQL'
CREATE ROLE rekey LOGIN PASSWORD :'rekey';
CREATE ROLE rekey_mailer LOGIN PASSWORD :'mailer';
ALTER DATABASE rekey OWNER TO rekey;
REVOKE ALL ON DATABASE rekey FROM PUBLIC;
GRANT CONNECT ON DATABASE rekey TO rekey_mailer;
ALTER SCHEMA public OWNER TO rekey;
SQL
