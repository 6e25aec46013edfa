#!/usr/bin/env bash
# upgrade-check.sh [CARGO FLAGS]: the upgrade from an older version's programs to this version's, under load, with servers of its own.
#
# The older programs are built once, from this repository's history. This version's must be built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The oldest version that is updated without a stop (docs/decisions/0033): 0.2.0. After the next release, this becomes its commit.
previous=400ba86ed29fda53ce5c4301efb9015382560873
programs=$PWD/target/previous/$previous

main() {
    if ! git cat-file -e "$previous^{commit}" 2>/dev/null; then
        echo "Skipped: the upgrade is tried from commit $previous, which this clone lacks (git fetch --unshallow)"
        return
    fi
    if [ ! -d "$programs" ]; then build "$@"; fi
    REKEY_PREVIOUS_PROGRAMS=$programs scripts/with-services.sh cargo test "$@" --workspace --test previous_version -- --nocapture
}

# Third-party crates are shared with this version's build: they are compiled with this version's profiles. The project's own crates get
# another version, so that none is taken for this version's.
build() {
    local source=$programs.source output=$programs.output mark=previous-${previous::12}
    rm -rf "$source" "$output"
    mkdir -p "$source"
    git archive "$previous" | tar --extract --directory "$source"
    sed -i '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"/version = "\1-'"$mark"'"/' "$source/Cargo.toml"
    sed -i '/^name = "rekey-/{n;s/"$/-'"$mark"'"/}' "$source/Cargo.lock"
    sed -n '/^\[profile/,$p' Cargo.toml >"$source/profiles.toml"
    (
        export CARGO_TARGET_DIR=$output CARGO_BUILD_BUILD_DIR=$PWD/target CARGO_INCREMENTAL=0
        cd "$source"
        cargo build "$@" --config profiles.toml --workspace --bins
    )
    "$output/debug/rekey" --version | grep -- "-$mark"
    mv "$output/debug" "$programs"
    rm -rf "$source" "$output"
}

main "$@"
