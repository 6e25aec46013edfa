#!/usr/bin/env bash
# make-secrets.sh [FOLDER]: makes the passwords and keys that docker-compose.yml mounts, in deploy/secrets unless told
# another folder. What is there already is kept, so that it can be called at any time.
#
# The folder is its owner's alone (0700). The files in it can be read by anybody who gets to them (0444, and 0644 what is
# to be changed), as the containers that they are mounted into run as users of their own.
set -euo pipefail
folder=${1:-$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/secrets}

main() {
    command -v openssl >/dev/null || { echo "make-secrets.sh: openssl is needed" >&2; exit 1; }
    mkdir -p "$folder"
    chmod 700 "$folder"

    make postgres_password password
    make database_password password
    make mailer_database_password password
    make broker_password password
    # The RSA key that signs access tokens, and the key that seals reset tokens, with the id `k1`.
    make signing_key signing_key
    make sealing_keys sealing_key

    # What the programs and RabbitMQ read: the same passwords in the form that each wants.
    make database_url echo "postgres://rekey:$(<"$folder/database_password")@postgres:5432/rekey"
    make mailer_database_url echo "postgres://rekey_mailer:$(<"$folder/mailer_database_password")@postgres:5432/rekey"
    make broker_url echo "amqp://rekey:$(<"$folder/broker_password")@rabbitmq:5672/%2f"
    make broker_conf printf 'default_user = rekey\ndefault_pass = %s\n' "$(<"$folder/broker_password")"

    # The relays' URLs, one a line, and their passwords: the operator's to change. Until then the mail catcher.
    make smtp_relays echo 'smtp://mailpit:1025?tls=none'
    chmod 644 "$folder/smtp_relays" "$folder/sealing_keys"
}

# Writes a command's output to a new file, whole or not at all.
make() { # NAME COMMAND…
    local file=$folder/$1
    shift
    [ ! -e "$file" ] || return 0
    "$@" >"$file.new"
    chmod 444 "$file.new"
    mv "$file.new" "$file"
}

password() { openssl rand -hex 24; }
signing_key() {
    local quiet=
    # Without the dots of the search for primes, where openssl knows the flag: version 1.1.1 doesn't.
    [[ $(openssl genpkey -help 2>&1) != *-quiet* ]] || quiet=yes
    openssl genpkey ${quiet:+-quiet} -algorithm RSA -pkeyopt rsa_keygen_bits:3072
}
sealing_key() { echo "k1:$(openssl rand -base64 32)"; }

main "$@"
