#!/usr/bin/env bash
# secrets.sh small|ha [FOLDER]: prints the Secrets of an overlay, from the files that deploy/make-secrets.sh wrote to FOLDER (deploy/secrets).
# Pipe it into `kubectl apply -f -`, or into a tool that encrypts Secrets for a repository.
set -euo pipefail
overlay=${1:-}
folder=${2:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/secrets}

secret() { # NAME FILE…
    local name=$1 file files=()
    shift
    for file in "$@"; do files+=("--from-file=$file=$folder/$file"); done
    print "$name" generic "${files[@]}"
}

# The form that CloudNativePG reads.
role() { # NAME ROLE FILE
    print "$1" generic --type=kubernetes.io/basic-auth "--from-literal=username=$2" "--from-literal=password=$(<"$folder/$3")"
}

print() { # NAME KIND ARGS…
    local name=$1 kind=$2
    shift 2
    kubectl create secret "$kind" "$name" --namespace=rekey --dry-run=client --output=yaml "$@"
    echo ---
}

case $overlay in
    small) secret postgres postgres_password database_password {api,mailer,maintenance,console,webhooks}_database_password ;;
    ha)
        role postgres-rekey rekey database_password
        for program in api mailer maintenance console webhooks; do role "postgres-rekey-$program" "rekey_$program" "${program}_database_password"; done
        ;;
    *) sed -n '2,/^set/{/^#/p}' "$0" >&2; exit 2 ;;
esac
secret rabbitmq broker_users tool_broker_user webhooks_broker_user
secret rekey-owner database_url tool_broker_url signing_key sealing_keys
secret rekey-api signing_key sealing_keys api_database_url api_broker_url
secret rekey-mailer sealing_keys mailer_database_url mailer_broker_url smtp_relays
secret rekey-maintenance maintenance_database_url
secret rekey-console console_database_url tool_broker_url
secret rekey-webhooks sealing_keys webhooks_database_url webhooks_broker_url
