#!/usr/bin/env bash
# mutants.sh [ARGS…]: changes rekey-core in one place at a time, and runs the tests that should notice. ARGS are of cargo-mutants, such as
# --file 'crates/core/src/sessions*'. The results of the modules that were changed as a whole go to docs/evidence/mutants.json.
set -euo pipefail
version=27.1.0
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=target/mutants

if ! cargo mutants --version >/dev/null 2>&1; then
    echo "Installing cargo-mutants $version"
    # Its own build folder: this project's may be a cache that is kept between runs.
    env -u CARGO_TARGET_DIR cargo install --quiet --locked --debug --version "$version" cargo-mutants
fi

# Ends well also where mutants survive (2) or tests take too long (3): mutants.py judges that.
mutate() {
    local code=0
    cargo mutants --package rekey-core --output "$out" "$@" || code=$?
    [ "$code" = 0 ] || [ "$code" = 2 ] || [ "$code" = 3 ] || exit "$code"
}

rm -rf "$out"
mkdir -p "$out"
cargo mutants --package rekey-core --list --json >"$out/all.json"
# Its own tests take seconds. What they let pass, and only that, is left to those of the store, the API and the mailer that need no server.
mutate --test-package rekey-core "$@" -- --lib
cp "$out/mutants.out/outcomes.json" "$out/own.json"
# --iterate leaves out what was caught or did not compile. A mutant that made a test wait forever was noticed, too.
cat "$out/mutants.out/timeout.txt" >>"$out/mutants.out/previously_caught.txt"
mutate --iterate --test-package rekey-store-sqlite,rekey-api,rekey-mailer,rekey-webhooks,rekey-import "$@" -- \
    --lib --test conformance --test http --test handler --test sending
# Nothing is written when nothing was left.
[ -f "$out/mutants.out/outcomes.json" ] || echo '{"outcomes": []}' >"$out/mutants.out/outcomes.json"
cp "$out/mutants.out/outcomes.json" "$out/others.json"
scripts/mutants.py "$out/all.json" "$out/own.json" "$out/others.json"
