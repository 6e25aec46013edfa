#!/usr/bin/env bash
# compose-check.sh: checks docker-compose.yml, by Docker itself where compose 2 is installed, and by scripts/compose_check.py,
# which checks what Docker does not; and runs its proxy (scripts/proxy_check.py).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

made=$(mktemp -d) run=$(mktemp -d)
trap 'rm -rf "$made" "$run"' EXIT
deploy/make-secrets.sh "$made"
/usr/bin/python3 scripts/compose_check.py docker-compose.yml "$made"
/usr/bin/python3 scripts/proxy_check.py "$run" || { grep '"error"' "$run/log" | tail -n 3 >&2; exit 1; }

if docker compose version >/dev/null 2>&1; then
    docker compose --file docker-compose.yml config --quiet
    echo "docker-compose.yml: accepted by $(docker compose version)"
else
    echo "docker-compose.yml: valid by our own checks; docker compose 2 is not installed, so it was not asked"
fi
