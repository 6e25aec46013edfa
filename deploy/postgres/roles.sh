#!/usr/bin/env bash
# Creates the roles of the programs, and gives those that exist the passwords in deploy/secrets. Runs when the database is created; run it again
# for a database from before a role was added: docker compose exec postgres /docker-entrypoint-initdb.d/roles.sh
#
# `rekey migrate`, as the role `rekey`, owns the tables and grants the other roles what each program needs. So run it afterwards.
set -euo pipefail
export SECRETS=${SECRETS:-/run/secrets}

# psql reads the passwords itself: other processes can see a command's arguments.
psql -v ON_ERROR_STOP=1 --no-psqlrc --quiet --username "${POSTGRES_USER:-postgres}" --dbname "$POSTGRES_DB" <<'SQL'
\set owner `cat "$SECRETS/database_password"`
\set api `cat "$SECRETS/api_database_password"`
\set mailer `cat "$SECRETS/mailer_database_password"`
\set maintenance `cat "$SECRETS/maintenance_database_password"`
\set console `cat "$SECRETS/console_database_password"`
\set webhooks `cat "$SECRETS/webhooks_database_password"`
SELECT format('%s ROLE %I LOGIN PASSWORD %L',
    CASE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN 'ALTER' ELSE 'CREATE' END, name, password)
FROM (VALUES ('rekey', :'owner'), ('rekey_api', :'api'), ('rekey_mailer', :'mailer'), ('rekey_maintenance', :'maintenance'),
    ('rekey_console', :'console'), ('rekey_webhooks', :'webhooks'))
    AS roles (name, password)
\gexec
SELECT current_database() AS database \gset
ALTER DATABASE :"database" OWNER TO rekey;
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO rekey_api, rekey_mailer, rekey_maintenance, rekey_console, rekey_webhooks;
ALTER SCHEMA public OWNER TO rekey;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
SQL
