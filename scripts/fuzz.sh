#!/usr/bin/env bash
# fuzz.sh [PARSER…]: fuzzes parsers, all of them by default, each for FUZZ_SECONDS (60), starting from its corpus. It ends at the first failure and
# names the input. CARGO_FLAGS are arguments for the build, which needs a C++ compiler. A run with all parsers writes docs/evidence/fuzz.json.
#
# Inputs that reach new code are kept in target/fuzz/PARSER, where the next run starts, too.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
corpus=tests/parsers/corpus target=${CARGO_TARGET_DIR:-target}
export RUSTC_WORKSPACE_WRAPPER=$PWD/scripts/fuzz-rustc.sh

# shellcheck disable=SC2086 # CARGO_FLAGS is a list.
cargo build ${CARGO_FLAGS:-} --workspace --features rekey-parsers/fuzz --bin fuzz

parsers=("$@") results=()
if [ $# -eq 0 ]; then mapfile -t parsers < <(ls "$corpus"); fi
for parser in "${parsers[@]}"; do
    found=$target/fuzz/$parser log=$target/fuzz/$parser.log
    mkdir -p "$found"
    echo "Fuzzing $parser for ${FUZZ_SECONDS:-60} s"
    # A slow input fails, too: a parser that needs 5 s for 64 KiB stops a program.
    if ! REKEY_FUZZ_TARGET=$parser "$target/debug/fuzz" "$found" "$corpus/$parser" -max_total_time="${FUZZ_SECONDS:-60}" \
        -max_len=65536 -timeout=5 -artifact_prefix="$target/fuzz/$parser-" -print_final_stats=1 >"$log" 2>&1; then
        grep -v '^#' "$log" | tail -n 40 >&2
        input=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
        echo "fuzz: $parser failed on ${input:-no input}: repair it, and copy the input to $corpus/$parser" >&2
        exit 1
    fi
    # The first and the last line of what libFuzzer prints have the number of edges that were reached (cov).
    mapfile -t edges < <(sed -nE 's/^#.*\t(INITED|DONE) +cov: ([0-9]+) .*/\2/p' "$log")
    read -r executions seconds < <(sed -nE 's/^Done ([0-9]+) runs in ([0-9]+) .*/\1 \2/p' "$log")
    echo "  executions: $executions, edges: ${edges[0]} to ${edges[1]}"
    results+=("$(printf '{"parser": "%s", "seconds": %d, "executions": %d, "per_second": %d, "inputs": %d, "new_inputs": %d, "edges": %d, "edges_at_end": %d}' \
        "$parser" "$seconds" "$executions" "$((executions / seconds))" "$(sed -nE 's/^INFO: seed corpus: files: ([0-9]+) .*/\1/p' "$log")" \
        "$(sed -nE 's/^stat::new_units_added: *//p' "$log")" "${edges[@]}")")
done
if [ $# -eq 0 ]; then
    list=$(IFS=,; echo "${results[*]}")
    scripts/evidence.py --save docs/evidence/fuzz.json "make fuzz" Rust <<<"{\"parsers\": [$list]}"
fi
