#!/usr/bin/env bash
# backup-check.sh: backs a deployment up, destroys it, and restores it, with the built programs and a PostgreSQL of its own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
for program in rekey rekey-api; do
    [ -x "target/debug/$program" ] || { echo "backup-check.sh: target/debug/$program is missing: cargo build --workspace --bins" >&2; exit 1; }
done
site=$(mktemp -d)
trap 'rm -rf "$site"' EXIT
# RabbitMQ is not needed: the API accepts requests without it.
env -u DATABASE_URL AMQP_URL=none scripts/with-services.sh /usr/bin/python3 scripts/backup_check.py "$site"
