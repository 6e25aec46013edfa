#!/usr/bin/env bash
# line-ends.sh: checks that a clone on a machine that converts line ends (core.autocrlf=true) has LF in every text file.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

clone=$(mktemp -d)
trap 'rm -rf "$clone"' EXIT
git clone -q -c core.autocrlf=true . "$clone"
if git -C "$clone" ls-files --eol | grep -E 'w/(crlf|mixed) +attr/text'; then
    echo "line-ends.sh: these files have CRLF after a checkout: see .gitattributes" >&2
    exit 1
fi
