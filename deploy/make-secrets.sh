#!/usr/bin/env bash
# make-secrets.sh [FOLDER]: creates the passwords and keys that docker-compose.yml mounts, in FOLDER or deploy/secrets; without FOLDER also
# `.env`, with the profile of the mail catcher. Existing files are kept, so it can be called at any time.
#
# Only its owner can enter the folder (0700). The files in it are readable for all (0444, and 0644 those that an operator
# edits), because the containers that mount them run as other users.
set -euo pipefail
deploy=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=${1:-$deploy/secrets}

main() {
    command -v openssl >/dev/null || { echo "make-secrets.sh: openssl is needed" >&2; exit 1; }
    mkdir -p "$folder"
    chmod 700 "$folder"

    make postgres_password password
    make database_password password
    make api_database_password password
    make mailer_database_password password
    make maintenance_database_password password
    make console_database_password password
    make webhooks_database_password password
    make api_broker_password password
    make mailer_broker_password password
    make webhooks_broker_password password
    make tool_broker_password password
    make grafana_password password
    # The RSA key that signs access tokens (docs/operations.md rotates it), and the key that encrypts reset tokens, with the id `k1`.
    make signing_key signing_key
    make sealing_keys sealing_key

    # The same passwords in the forms that the programs and RabbitMQ read.
    make database_url echo "postgres://rekey:$(<"$folder/database_password")@${REKEY_DATABASE_HOST:-postgres}:5432/rekey"
    for program in api mailer maintenance console webhooks; do
        make ${program}_database_url echo "postgres://rekey_$program:$(<"$folder/${program}_database_password")@${REKEY_DATABASE_HOST:-postgres}:5432/rekey"
    done
    for program in api mailer tool webhooks; do
        make ${program}_broker_url echo "amqp://rekey-$program:$(<"$folder/${program}_broker_password")@${REKEY_BROKER_HOST:-rabbitmq}:5672/%2f"
    done
    make broker_users broker_users api mailer
    # Files of their own: deployments have the other one already.
    make tool_broker_user broker_users tool
    make webhooks_broker_user broker_users webhooks

    # The relays' URLs with their passwords, one a line, for the operator to edit. At first it is the mail catcher.
    make smtp_relays echo 'smtp://mailpit:1025?tls=none'
    chmod 644 "$folder/smtp_relays" "$folder/signing_key" "$folder/sealing_keys"

    [ $# -gt 0 ] || [ -e "$deploy/../.env" ] || environment >"$deploy/../.env"
}

# Writes a command's output to a new file, completely or not at all.
make() { # NAME COMMAND…
    local file=$folder/$1
    shift
    [ ! -e "$file" ] || return 0
    "$@" >"$file.new"
    chmod 444 "$file.new"
    mv "$file.new" "$file"
}

environment() {
    cat <<'END'
# The settings of docker-compose.yml; docs/reference.md lists them. Optional services: mailcatcher, tls, observability, console, webhooks.
COMPOSE_PROFILES=mailcatcher
END
}
password() { openssl rand -hex 24; }
signing_key() {
    local quiet=
    # Suppresses the progress dots, where openssl has the flag: version 1.1.1 doesn't.
    [[ $(openssl genpkey -help 2>&1) != *-quiet* ]] || quiet=yes
    openssl genpkey ${quiet:+-quiet} -algorithm RSA -pkeyopt rsa_keygen_bits:3072
}
# RabbitMQ's users, without tags (so without the management pages); their rights are in rabbitmq/definitions.json.
broker_users() { # PROGRAM…
    local program separator=
    printf '{"users": ['
    for program in "$@"; do
        printf '%s{"name": "rekey-%s", "password_hash": "%s", "hashing_algorithm": "rabbit_password_hashing_sha256", "tags": []}' \
            "$separator" "$program" "$(salted_hash "$folder/${program}_broker_password")"
        separator=', '
    done
    printf ']}\n'
}
# The hash that RabbitMQ stores: base64 of a salt of 4 bytes, and SHA-256 over it and the password.
salted_hash() { # FILE
    local salt digest
    salt=$(openssl rand -hex 4)
    digest=$({ unhex "$salt"; printf %s "$(<"$1")"; } | openssl dgst -sha256 -r)
    unhex "$salt${digest%% *}" | openssl base64 -A
}
unhex() { # HEX
    local rest=$1
    while [ -n "$rest" ]; do
        printf '%b' "\\x${rest:0:2}"
        rest=${rest:2}
    done
}
sealing_key() { echo "k1:$(openssl rand -base64 32)"; }

main "$@"
