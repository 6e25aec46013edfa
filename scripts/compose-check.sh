#!/usr/bin/env bash
# compose-check.sh: does docker-compose.yml hold together? What Docker would say of it, where Docker's compose 2 is here,
# and what Docker wouldn't (scripts/compose_check.py) anywhere.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
deploy/make-secrets.sh "$made"
/usr/bin/python3 scripts/compose_check.py docker-compose.yml "$made"

if docker compose version >/dev/null 2>&1; then
    docker compose --file docker-compose.yml config --quiet
    echo "docker-compose.yml: accepted by $(docker compose version)"
else
    echo "docker-compose.yml: sound; docker compose 2 isn't here to be asked"
fi
