#!/usr/bin/env bash
# Builds crates/core/src/passwords/policy/blocklist/common.fst from the lists that its NOTICE.md names. Needs pip, npm and the network.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly django=5.2.19 zxcvbn_ts=4.1.3
readonly output=crates/core/src/passwords/policy/blocklist/common.fst

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

pip download --quiet --no-deps --dest "$work" "django==$django"
unzip -p "$work"/[Dd]jango-*.whl django/contrib/auth/common-passwords.txt.gz | gzip -dc >"$work/django.txt"

npm pack --silent --pack-destination "$work" "@zxcvbn-ts/language-common@$zxcvbn_ts" >"$work/npm.log"
tar -xzf "$work"/zxcvbn-ts-language-common-*.tgz -C "$work" --to-stdout package/src/passwords.json >"$work/zxcvbn-ts.json"

cargo run --quiet --package rekey-core --example blocklist -- "$output" "$work/django.txt" "$work/zxcvbn-ts.json"
sha256sum "$work/django.txt" "$work/zxcvbn-ts.json" "$output"
