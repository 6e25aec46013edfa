#!/usr/bin/env bash
# cargo-deny.sh ARGS…: runs cargo-deny; if it is missing, compiles it first, unoptimised, which takes a minute or two.
set -euo pipefail
version=0.20.2

if ! cargo deny --version >/dev/null 2>&1; then
    echo "Installing cargo-deny $version"
    # Its own build folder: this project's may be a cache that is kept between runs.
    env -u CARGO_TARGET_DIR cargo install --quiet --locked --debug --version "$version" cargo-deny
fi
exec cargo deny "$@"
