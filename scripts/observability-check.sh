#!/usr/bin/env bash
# observability-check.sh: checks deploy/observability. promtool checks the configuration, the alert rules and their tests;
# scripts/observability_check.py evaluates every query with a real Prometheus on loopback.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

quietly() {
    local output
    output=$("$@" 2>&1) || { printf '%s\n' "$output" >&2; exit 1; }
}

quietly promtool check config deploy/observability/prometheus.yml
quietly promtool check rules --lint-fatal deploy/observability/rules.yml
quietly promtool test rules deploy/observability/rules_test.yml

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
/usr/bin/python3 scripts/observability_check.py docs/metrics.md "$folder"
