#!/usr/bin/env bash
# with-services.sh COMMAND ARGS…: runs a command with a private PostgreSQL and RabbitMQ, and ends with its exit code.
#
# The command finds them by DATABASE_URL (the role `app`, superuser) and AMQP_URL; for one that is set already no server is
# started. Both listen on loopback only, on free ports, with their data in a temporary folder. PostgreSQL waits for its disk only with
# POSTGRES_FSYNC=on. However this ends (also by Ctrl-C or SIGTERM), the command's processes and both servers are stopped and the folder is
# removed. A failed start leaves the servers' logs on standard error, and a failed command the crashes of the broker.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ $# -gt 0 ] || { sed -n '2,/^set/{/^#/p}' "$0" >&2; exit 2; }

folder=$(mktemp -d "${TMPDIR:-/tmp}/rekey-services.XXXXXX")
chmod 755 "$folder" # The user `postgres` must get through when this runs as root.
starting=()
command=''

main() {
    trap stop_all EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    trap 'exit 129' HUP
    [ -n "${DATABASE_URL:-}" ] || begin postgres
    [ -n "${AMQP_URL:-}" ] || begin rabbitmq
    for pid in "${starting[@]}"; do wait "$pid"; done
    export DATABASE_URL=${DATABASE_URL:-$(<"$folder/postgres.url")} AMQP_URL=${AMQP_URL:-$(<"$folder/rabbitmq.url")}

    # Tests wait more than they compute, so two for each processor; but each has a dozen connections and its own programs, and more than 16
    # at once would be too many for the servers.
    local threads
    threads=$((2 * $(nproc)))
    export RUST_TEST_THREADS=${RUST_TEST_THREADS:-$((threads < 16 ? threads : 16))}

    # Its own process group, so that everything it started can be stopped together, and Ctrl-C is handled in one place.
    set -m
    "$@" &
    command=$!
    set +m
    local code=0
    wait "$command" || code=$?
    [ "$code" = 0 ] || crashes
    return "$code"
}

# A part of the broker that crashes often stays away, and all that follows fails: its log says why.
crashes() {
    local log=$folder/rabbitmq/log/rekey@localhost.log
    [ -s "$log" ] || return 0
    grep -E -A 12 'CRASH REPORT|terminating|reached_max_restart_intensity|crasher|Supervisor' "$log" | tail -n 60 | sed 's/^/rabbitmq: /' >&2 || true
}

# Starts a server in the background and writes its URL to a file. It has its own session, so that no signal to this script's
# group can interrupt the start.
begin() { # postgres|rabbitmq
    POSTGRES_FSYNC=${POSTGRES_FSYNC:-off} setsid "$here/$1.sh" start "$folder/$1" >"$folder/$1.url" </dev/null &
    starting+=($!)
}

stop_all() {
    trap '' INT TERM HUP
    if [ -n "$command" ]; then stop_group "$command"; fi
    for pid in "${starting[@]}"; do wait "$pid" || true; done
    for server in postgres rabbitmq; do
        if [ -d "$folder/$server" ]; then "$here/$server.sh" stop "$folder/$server" & fi
    done
    wait
    rm -rf "$folder"
}

# Stops what is left of the command's process group: by SIGTERM, and after ten seconds by SIGKILL.
stop_group() { # PGID
    kill -TERM -- "-$1" 2>/dev/null || return 0
    for _ in $(seq 100); do
        kill -0 -- "-$1" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -KILL -- "-$1" 2>/dev/null || true
}

main "$@"
