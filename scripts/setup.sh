#!/usr/bin/env bash
# setup.sh [PACKAGE|FOLDER…]: installs what the tests need besides Rust on a bare Debian 12: PostgreSQL, RabbitMQ, a C compiler, an SMTP server,
# Chromium, Prometheus, Node.js with the npm packages of each package-lock.json, and from PyPI schemathesis, dkimpy, Caddy and what checks
# deploy/kubernetes, by their requirements.txt. Also these packages, whose commands have the same names, and what these folders list in such a
# file.
#
# It installs only what is missing and starts no service. If it can't install (not root, not Debian), it prints what is missing
# in one line and fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

policy=/usr/sbin/policy-rc.d

# Folders with a package-lock.json: the vendor's clients under test, the demo storefront with them, the browser's tests.
node_folders=(tests/clients examples/storefront tests/browser)

# A Debian package, and a command that succeeds when it is installed.
needs=(
    'ca-certificates|test -s /etc/ssl/certs/ca-certificates.crt'
    'chromium|command -v chromium'
    'gcc|command -v cc'
    'libc6-dev|test -e /usr/include/stdlib.h'
    'make|command -v make'
    'nodejs|node --eval "process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)"'
    'npm|command -v npm'
    'php-cli|command -v php'
    'pgbouncer|command -v pgbouncer || test -x /usr/sbin/pgbouncer'
    'postgresql|command -v pg_ctl || ls /usr/lib/postgresql/*/bin/pg_ctl'
    'prometheus|command -v promtool && command -v prometheus'
    'python3-venv|/usr/bin/python3 -c "import ensurepip"'
    'python3-aiosmtpd|/usr/bin/python3 -c "import aiosmtpd"'
    'python3-yaml|/usr/bin/python3 -c "import yaml"'
    'rabbitmq-server|ls /usr/lib/rabbitmq/lib/*/sbin/rabbitmq-server || printenv RABBITMQ_SBIN'
    'shellcheck|command -v shellcheck'
)

main() {
    local more lists=()
    for more in "$@"; do
        if [ -e "$more/package-lock.json" ]; then
            node_folders+=("$more")
        elif [ -e "$more/requirements.txt" ]; then
            lists+=("$more")
        else
            needs+=("$more|command -v $more")
        fi
    done
    packages
    node_packages
    python schemathesis tests/e2e/schemathesis/requirements.txt
    python dkimpy crates/mailer/tests/dkimpy/requirements.txt
    python caddy deploy/caddy/requirements.txt
    python kubernetes deploy/kubernetes/requirements.txt
    for more in "${lists[@]}"; do python "$(basename "$more")" "$more/requirements.txt"; done
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

# npm writes its list of installed packages at the end, so an interrupted installation does not count as complete.
node_packages() {
    local folder lock installed
    for folder in "${node_folders[@]}"; do
        lock=$folder/package-lock.json installed=$folder/node_modules/.package-lock.json
        [ ! -e "$installed" ] || [ "$installed" -ot "$lock" ] || continue
        echo "Installing the packages of $folder"
        quietly npm ci --prefix "$folder"
    done
}

# Installs a Python program (name, requirements.txt) into its own environment. The list is copied at the end, so an
# interrupted installation does not count as complete.
python() {
    local name=$1 list=$2 place=target/$1
    ! cmp --silent "$list" "$place/requirements.txt" || return 0
    echo "Installing $name"
    quietly /usr/bin/python3 -m venv --clear "$place"
    quietly "$place/bin/pip" install --disable-pip-version-check --no-deps --requirement "$list"
    cp "$list" "$place"
}

# Runs a command and shows its output only if it fails, which ends this script.
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

# Debian starts a server when it is installed, unless this file forbids it; an existing file is left alone.
hold_services() {
    [ ! -e "$policy" ] || return 0
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
}

main "$@"
