#!/usr/bin/env bash
# backup.sh FOLDER: writes FOLDER/rekey-TIME.tar: the database, deploy/secrets, deploy/organizations and .env. Prints its name.
#
# The programs may run. Whoever has the file has every secret: it is readable for its owner only, and belongs on another machine.
# docker-compose.yml's database is used, or with PGHOST the one that libpq's variables name (PGUSER, PGPASSWORD, PGDATABASE, …).
set -euo pipefail
umask 077
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
[ -d "${1:-}" ] || { sed -n '2,/^set/{/^#/p}' "$0" >&2; exit 2; }
target=$(cd "$1" && pwd)/rekey-$(date --utc +%Y-%m-%dT%H%M%SZ).tar
cd "$here"

work=$(mktemp -d "$target.XXXXXX")
trap 'rm -rf "$work"' EXIT
dump=(pg_dump --format=custom --username="${PGUSER:-postgres}" "${PGDATABASE:-rekey}")
if [ -n "${PGHOST:-}" ]; then "${dump[@]}"; else docker compose exec -T postgres "${dump[@]}"; fi >"$work/database.dump"

# The programs' own files are listed, not all of deploy: what is missing is no error.
parts=()
for part in deploy/secrets deploy/organizations .env; do
    if [ -e "$part" ]; then parts+=("$part"); fi
done
tar --create --file "$work/backup.tar" --directory "$work" database.dump --directory "$here" "${parts[@]}"
mv "$work/backup.tar" "$target"
echo "$target"
