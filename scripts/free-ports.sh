#!/usr/bin/env bash
# free-ports.sh [N]: prints N (default 1) TCP ports, one a line, on which nothing listens at 127.0.0.1.
#
# They are drawn at random from below the kernel's own range for outgoing connections (32768 and up on Linux), so that
# neither a second run nor a client is likely to take one before it is used.
set -euo pipefail

declare -A taken=()
while [ "${#taken[@]}" -lt "${1:-1}" ]; do
    port=$((10000 + (RANDOM * 32768 + RANDOM) % 22000))
    [ -z "${taken[$port]:-}" ] || continue
    # A connection that succeeds means that the port is in use.
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then continue; fi
    taken[$port]=1
    echo "$port"
done
