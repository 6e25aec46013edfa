#!/usr/bin/env bash
# setup.sh: puts what the tests need onto a bare Debian 12, beside Rust: PostgreSQL, RabbitMQ, a C compiler, an SMTP server,
# Chromium, Node.js with the packages from npm that each package-lock.json names, and from PyPI schemathesis and dkimpy, as the
# requirements.txt of each says.
#
# Only what is missing is installed, no service is started, and with all in place it is over at once. Where it can't
# install (not root, not Debian) it says in one line what is missing, and fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

policy=/usr/sbin/policy-rc.d

# Folders with a package-lock.json: the vendor's clients under test, the demo storefront with them, the browser's tests.
node_folders=(tests/clients examples/storefront tests/browser)

# Debian's package, and a command that succeeds where it is not needed any more.
needs=(
    'ca-certificates|test -s /etc/ssl/certs/ca-certificates.crt'
    'chromium|command -v chromium'
    'gcc|command -v cc'
    'libc6-dev|test -e /usr/include/stdlib.h'
    'make|command -v make'
    'nodejs|node --eval "process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)"'
    'npm|command -v npm'
    'postgresql|command -v pg_ctl || ls /usr/lib/postgresql/*/bin/pg_ctl'
    'python3-venv|/usr/bin/python3 -c "import ensurepip"'
    'python3-aiosmtpd|/usr/bin/python3 -c "import aiosmtpd"'
    'python3-yaml|/usr/bin/python3 -c "import yaml"'
    'rabbitmq-server|ls /usr/lib/rabbitmq/lib/*/sbin/rabbitmq-server || printenv RABBITMQ_SBIN'
    'shellcheck|command -v shellcheck'
)

main() {
    packages
    node_packages
    python schemathesis tests/e2e/schemathesis/requirements.txt
    python dkimpy crates/mailer/tests/dkimpy/requirements.txt
}

packages() {
    local missing=()
    for need in "${needs[@]}"; do
        (eval "${need#*|}") >/dev/null 2>&1 || missing+=("${need%%|*}")
    done
    [ "${#missing[@]}" -gt 0 ] || return 0
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "setup.sh: please install (names are Debian's): ${missing[*]}" >&2
        exit 1
    fi
    echo "Installing ${missing[*]}"
    install "${missing[@]}"
}

install() {
    hold_services
    quietly apt-get update -qq
    quietly env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@"
}

# npm writes its own list of what it installed when it is through, so one that was cut short is not taken for whole.
node_packages() {
    local folder lock installed
    for folder in "${node_folders[@]}"; do
        lock=$folder/package-lock.json installed=$folder/node_modules/.package-lock.json
        [ ! -e "$installed" ] || [ "$installed" -ot "$lock" ] || continue
        echo "Installing the packages of $folder"
        quietly npm ci --prefix "$folder"
    done
}

# A program in Python, by its name and the list of what it consists of, into an environment of its own. The list is copied
# when all of it is installed, so one that was cut short is not taken for whole.
python() {
    local name=$1 list=$2 place=target/$1
    ! cmp --silent "$list" "$place/requirements.txt" || return 0
    echo "Installing $name"
    quietly /usr/bin/python3 -m venv --clear "$place"
    quietly "$place/bin/pip" install --disable-pip-version-check --no-deps --requirement "$list"
    cp "$list" "$place"
}

# Shows what a command said only when it fails, which ends this.
quietly() {
    local log
    log=$(mktemp)
    if ! "$@" >"$log" 2>&1 </dev/null; then
        cat "$log" >&2
        rm -f "$log"
        exit 1
    fi
    rm -f "$log"
}

# Debian starts a server as it is installed, unless this file says no; one that is there already is left alone.
hold_services() {
    [ ! -e "$policy" ] || return 0
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
}

main "$@"
