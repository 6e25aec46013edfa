#!/usr/bin/env bash
# restore.sh [--yes] [--replace-files] FILE: restores what backup.sh wrote, on this machine or a new one. docs/runbooks/restore.md says more.
#
# It stops the programs and replaces the database; without --yes it asks first, if there is one with organizations. Existing files in deploy/secrets,
# deploy/organizations and .env stay, unless --replace-files is given. With PGHOST it uses the database that libpq's variables name, as backup.sh
# does, and stops no program.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

usage() {
    sed -n '2,/^set/{/^#/p}' "$0" >&2
    exit 2
}

yes='' files=--skip-old-files
while [ $# -gt 1 ]; do
    case $1 in
        --yes) yes=yes ;;
        --replace-files) files=--overwrite ;;
        *) usage ;;
    esac
    shift
done
[ -f "${1:-}" ] || usage
backup=$(realpath "$1")
cd "$here"
export POSTGRES_DB=${PGDATABASE:-rekey} POSTGRES_USER=${PGUSER:-postgres}

main() {
    tar --list --file "$backup" database.dump >/dev/null || { echo "restore.sh: $backup is no backup of Rekey" >&2; exit 1; }
    ask # Before a file is replaced, if the database runs.
    # The files first, because the database is created with the passwords in them. They keep the modes that the containers need.
    tar --extract --preserve-permissions "$files" --file "$backup" --exclude database.dump
    if [ -z "${PGHOST:-}" ]; then
        docker compose stop proxy api mailer maintenance webhooks
        docker compose up --detach --wait --force-recreate postgres # With the restored passwords.
    fi
    ask
    # In a database of its own name first, so that a broken file costs nothing.
    sql postgres "DROP DATABASE IF EXISTS ${POSTGRES_DB}_restored"
    sql postgres "CREATE DATABASE ${POSTGRES_DB}_restored TEMPLATE template0"
    roles "${POSTGRES_DB}_restored"
    tar --extract --to-stdout --file "$backup" database.dump | pg pg_restore --exit-on-error --single-transaction \
        --username="$POSTGRES_USER" --dbname="${POSTGRES_DB}_restored"
    sql postgres "DROP DATABASE IF EXISTS $POSTGRES_DB WITH (FORCE)"
    sql postgres "ALTER DATABASE ${POSTGRES_DB}_restored RENAME TO $POSTGRES_DB"
    echo "Restored $backup. Next: docs/runbooks/restore.md, from step 1 on."
}

ask() {
    local found
    # On a new machine nothing runs yet.
    if [ -n "$yes" ] || { [ -z "${PGHOST:-}" ] && [ -z "$(docker compose ps --status running --quiet postgres)" ]; }; then return; fi
    found=$(sql postgres "SELECT count(*) FROM pg_database WHERE datname = '$POSTGRES_DB'")
    [ "$found" != 0 ] || return 0
    found=$(sql "$POSTGRES_DB" "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename = 'organizations'")
    [ "$found" != 0 ] || return 0
    found=$(sql "$POSTGRES_DB" "SELECT count(*) FROM organizations")
    [ "$found" != 0 ] || return 0
    read -r -p "Replace the database with its $found organizations? Type yes: " yes
    [ "$yes" = yes ] || { echo "restore.sh: nothing was changed in the database" >&2; exit 1; }
}

# The roles that the dump grants rights to, with the passwords in deploy/secrets, and the database's owner.
roles() { # DATABASE
    if [ -n "${PGHOST:-}" ]; then
        SECRETS=$here/deploy/secrets POSTGRES_DB=$1 deploy/postgres/roles.sh
    else
        docker compose exec -T --env POSTGRES_DB="$1" postgres /docker-entrypoint-initdb.d/roles.sh
    fi
}

sql() { # DATABASE STATEMENT
    pg psql -v ON_ERROR_STOP=1 --no-psqlrc --quiet --tuples-only --no-align --username="$POSTGRES_USER" --dbname="$1" \
        --command="SET client_min_messages = warning" --command="$2"
}

pg() {
    if [ -n "${PGHOST:-}" ]; then "$@"; else docker compose exec -T postgres "$@"; fi
}

main
