#!/usr/bin/env bash
# A private RabbitMQ node on loopback, for tests: its own name service (epmd), cookie and data, nothing shared.
#
#   rabbitmq.sh start DIR [PORT [FIRST]]
#                                Starts it and waits until it speaks AMQP; prints its URL. DIR is created if
#                                necessary; the data of an earlier start are kept, also after a kill -9 of the pid in
#                                DIR/pid. It joins the cluster of the running node whose folder is FIRST, which is
#                                stopped last: the others use its name service.
#   rabbitmq.sh stop DIR         Stops it, the data stay. Nothing to stop is no error.
#   rabbitmq.sh ctl DIR ARGS…    Runs rabbitmqctl on it; with `diagnostics` rabbitmq-diagnostics.
#
# A start takes about ten seconds. RABBITMQ_SBIN names the server's sbin folder where it isn't Debian's. The server's own
# script is called, not the distribution's wrapper, which changes the user and uses the system's folders.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

sbin=${RABBITMQ_SBIN:-$(find /usr/lib/rabbitmq/lib -mindepth 2 -maxdepth 2 -name sbin 2>/dev/null | sort -V | tail -n 1)}
[ -x "$sbin/rabbitmq-server" ] || { echo "rabbitmq.sh: no RabbitMQ here; scripts/setup.sh installs it" >&2; exit 1; }

main() {
    [ $# -ge 2 ] || { sed -n '2,/^set/{/^#/p}' "$0" >&2; exit 2; }
    local command=$1
    dir=$(realpath -m "$2")
    case $command in
        start) start "${3:-$("$here/free-ports.sh")}" "${4:-}" ;;
        stop) stop ;;
        ctl) shift 2 && settle && exec "$sbin/rabbitmqctl" "$@" ;;
        diagnostics) shift 2 && settle && exec "$sbin/rabbitmq-diagnostics" "$@" ;;
        *) echo "rabbitmq.sh: start, stop, ctl or diagnostics, not $command" >&2; exit 2 ;;
    esac
}

start() { # PORT [FIRST]
    local port=$1
    mkdir -p "$dir"
    [ -z "${2:-}" ] || realpath "$2" >"$dir/first"
    settle
    export RABBITMQ_NODE_PORT=$port
    name_service
    # With this variable the script replaces itself by the server, so the pid is the server's.
    RUNNING_UNDER_SYSTEMD=true setsid "$sbin/rabbitmq-server" >"$dir/stdout" 2>"$dir/stderr" </dev/null &
    echo $! >"$dir/pid"
    for _ in $(seq 1200); do
        if speaks_amqp "$port"; then
            join
            echo "amqp://guest:guest@127.0.0.1:$port/%2f"
            return
        fi
        alive pid || break
        sleep 0.1
    done
    echo "rabbitmq.sh: the node did not start" >&2
    tail -n 20 "$dir/stdout" "$dir/stderr" >&2
    stop
    exit 1
}

# Sets what the node and its tools must agree on, the same at every start of this folder.
settle() {
    [ -s "$dir/ports" ] || "$here/free-ports.sh" 2 | xargs >"$dir/ports"
    read -r ERL_EPMD_PORT RABBITMQ_DIST_PORT <"$dir/ports"
    RABBITMQ_NODENAME=rekey@localhost
    if [ -s "$dir/first" ]; then
        local first
        first=$(<"$dir/first")
        read -r ERL_EPMD_PORT _ <"$first/ports"
        RABBITMQ_NODENAME=rekey-$RABBITMQ_DIST_PORT@localhost
        cp -f --preserve=mode "$first/.erlang.cookie" "$dir"
    fi
    if [ ! -s "$dir/.erlang.cookie" ]; then
        (umask 377 && od -An -tx1 -N20 /dev/urandom | tr -d ' \n' >"$dir/.erlang.cookie")
    fi
    cat >"$dir/rabbitmq.conf" <<EOF
log.console = false
vm_memory_high_watermark.relative = 0.3
disk_free_limit.absolute = 100MB
EOF
    echo '[].' >"$dir/enabled_plugins"
    export ERL_EPMD_PORT RABBITMQ_DIST_PORT ERL_EPMD_ADDRESS=127.0.0.1 HOME=$dir LC_ALL=C.UTF-8
    export RABBITMQ_NODENAME RABBITMQ_NODE_IP_ADDRESS=127.0.0.1
    export RABBITMQ_MNESIA_BASE=$dir/mnesia RABBITMQ_LOG_BASE=$dir/log RABBITMQ_PID_FILE=$dir/mnesia.pid
    export RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_CONFIG_FILE=$dir/rabbitmq RABBITMQ_CONFIG_FILES=$dir/conf.d
    export RABBITMQ_ADVANCED_CONFIG_FILE=$dir/advanced RABBITMQ_ENABLED_PLUGINS_FILE=$dir/enabled_plugins
    # Two schedulers that sleep when idle: the tests need the processors.
    export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none"
    export RABBITMQ_CTL_ERL_ARGS="+sbwt none"
}

# Makes it a node of the cluster, once.
join() {
    if [ ! -s "$dir/first" ] || [ -e "$dir/joined" ]; then return; fi
    "$sbin/rabbitmqctl" -q stop_app
    "$sbin/rabbitmqctl" -q join_cluster rekey@localhost
    "$sbin/rabbitmqctl" -q start_app
    touch "$dir/joined"
}

# Started here and not by the node, so that its pid is known and it can be stopped.
name_service() {
    if [ -s "$dir/first" ] || alive epmd.pid; then return; fi
    setsid epmd -port "$ERL_EPMD_PORT" >/dev/null 2>&1 </dev/null &
    echo $! >"$dir/epmd.pid"
}

stop() {
    end pid TERM
    end epmd.pid KILL
}

# Stops the process whose pid is in a file, by force if the signal has no effect within 15 seconds.
end() { # FILE SIGNAL
    if alive "$1"; then
        local pid
        pid=$(<"$dir/$1")
        kill -"$2" "$pid" 2>/dev/null || true
        for _ in $(seq 150); do
            alive "$1" || break
            sleep 0.1
        done
        kill -KILL "$pid" 2>/dev/null || true
    fi
    rm -f "$dir/$1"
}

# Whether the process of a pid file runs. A zombie does not.
alive() { # FILE
    local pid
    [ -s "$dir/$1" ] && pid=$(<"$dir/$1") && kill -0 "$pid" 2>/dev/null && ! grep -qs '^State:.Z' "/proc/$pid/status"
}

# A broker answers the protocol's header with a method frame, whose first byte is 1.
speaks_amqp() { # PORT
    timeout 2 bash -c "exec 3<>/dev/tcp/127.0.0.1/$1; printf 'AMQP\0\0\11\1' >&3; [ \"\$(head -c 1 <&3 | od -An -tu1)\" -eq 1 ]" 2>/dev/null
}

main "$@"
