#!/usr/bin/env bash
# fuzz-rustc.sh RUSTC ARGS…: compiles a crate of this workspace so that libFuzzer sees which branches are taken. scripts/fuzz.sh makes it cargo's
# RUSTC_WORKSPACE_WRAPPER. The flags are cargo-fuzz's, and stable.
set -euo pipefail

# A build script is a program of its own, without libFuzzer.
if [[ " $* " == *" --crate-name build_script_"* ]]; then exec "$@"; fi
exec "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares
