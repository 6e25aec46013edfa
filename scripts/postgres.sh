#!/usr/bin/env bash
# A private PostgreSQL on loopback, for tests.
#
#   postgres.sh start DIR [PORT] Starts it and waits until it answers; prints its URL. DIR is created if necessary;
#                                the data of an earlier start are kept, also after a kill -9 of the pid in DIR/pid.
#   postgres.sh standby DIR PORT PRIMARY
#                                Starts a new one that streams from the running one whose folder is PRIMARY, until it is promoted.
#   postgres.sh stop DIR         Stops it at once; the data stay. It is no error if it does not run.
#
# POSTGRES_FSYNC=off trades safety against a power cut for speed. The role `app` is superuser and needs no password: the
# server listens on loopback only, and lives as long as a test. PostgreSQL refuses to run as root; for root it runs as the
# user `postgres`, who must be able to reach DIR.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

bin=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
PATH=${bin:+$bin:}$PATH
command -v pg_ctl >/dev/null || { echo "postgres.sh: no PostgreSQL here; scripts/setup.sh installs it" >&2; exit 1; }

main() {
    [ $# -ge 2 ] || { sed -n '2,/^set/{/^#/p}' "$0" >&2; exit 2; }
    local command=$1
    dir=$(realpath -m "$2")
    case $command in
        start) start "${3:-$("$here/free-ports.sh")}" ;;
        standby) standby "$3" "$4" ;;
        stop) stop ;;
        *) echo "postgres.sh: start, standby or stop, not $command" >&2; exit 2 ;;
    esac
}

start() { # PORT
    local port=$1
    [ -s "$dir/data/PG_VERSION" ] || create
    # After a kill -9, the data stay locked until the last process of the old server has ended.
    for attempt in 1 2 3 4 5 6 7 8 9 10; do
        forget_killed
        if as_owner pg_ctl -D "$dir/data" -l "$dir/log" -w -t 120 -o "-p $port" start >"$dir/pg_ctl.log" 2>&1; then break; fi
        if [ "$attempt" = 10 ] || ! tail -n 3 "$dir/log" | grep -Eq "shared memory block|lock file"; then
            tail -n 20 "$dir/pg_ctl.log" "$dir/log" >&2
            exit 1
        fi
        sleep 0.5
    done
    head -n 1 "$dir/data/postmaster.pid" >"$dir/pid"
    as_owner psql -qAt -h "$dir" -p "$port" -U app -d postgres -c "SELECT 1 FROM pg_database WHERE datname = 'app'" |
        grep -q 1 || as_owner createdb -h "$dir" -p "$port" -U app app
    echo "postgres://app@127.0.0.1:$port/app"
}

# A zombie of a killed server looks alive: a new one refuses to start, and a stop waits for it.
forget_killed() {
    local lock=$dir/data/postmaster.pid pid
    [ -s "$lock" ] && pid=$(head -n 1 "$lock") || return 0
    if grep -qs '^State:.Z' "/proc/$pid/status"; then rm -f "$lock" "$dir"/.s.PGSQL.*.lock; fi
}

standby() { # PORT PRIMARY
    local primary
    primary=$(realpath "$2")
    own
    # A line of postmaster.pid is the port.
    as_owner pg_basebackup -D "$dir/data" -h "$primary" -p "$(sed -n 4p "$primary/data/postmaster.pid")" -U app --write-recovery-conf \
        --checkpoint=fast --no-sync >"$dir/pg_basebackup.log" 2>&1 || { cat "$dir/pg_basebackup.log" >&2; exit 1; }
    as_owner tee -a "$dir/data/postgresql.conf" >/dev/null <<<"unix_socket_directories = '$dir'"
    start "$1"
}

# Creates the folder for the server's user.
own() {
    mkdir -p "$dir"
    if [ "$(id -u)" = 0 ]; then chown postgres: "$dir"; fi
    as_owner test -w "$dir" || { echo "postgres.sh: the user postgres can't reach $dir" >&2; exit 1; }
}

create() {
    own
    as_owner initdb -D "$dir/data" -U app --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync --no-instructions \
        >"$dir/initdb.log" 2>&1 || { cat "$dir/initdb.log" >&2; exit 1; }
    as_owner tee -a "$dir/data/postgresql.conf" >/dev/null <<EOF
listen_addresses = '127.0.0.1'
unix_socket_directories = '$dir'
max_connections = 600
log_min_messages = warning
fsync = ${POSTGRES_FSYNC:-on}
synchronous_commit = ${POSTGRES_FSYNC:-on}
full_page_writes = ${POSTGRES_FSYNC:-on}
EOF
}

stop() {
    forget_killed
    [ ! -e "$dir/data/postmaster.pid" ] || as_owner pg_ctl -D "$dir/data" -m immediate -w -t 60 stop >/dev/null || true
    rm -f "$dir/pid"
}

# Runs a command as the server's user, from a folder that this user can enter.
as_owner() {
    if [ "$(id -u)" = 0 ]; then
        (cd / && setpriv --reuid=postgres --regid=postgres --clear-groups env -i PATH="$PATH" LC_ALL=C.UTF-8 "$@")
    else
        env -u PGDATA -u PGHOST -u PGPORT -u PGUSER -u PGDATABASE LC_ALL=C.UTF-8 "$@"
    fi
}

main "$@"
