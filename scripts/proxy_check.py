#!/usr/bin/python3
"""proxy_check.py FOLDER: runs deploy/caddy/Caddyfile in a real Caddy, in front of two servers and a DNS that knows both.

It succeeds if requests reach both, if none fails while the servers are replaced, and if the client's address is reported as it should be.
FOLDER is empty, for Caddy's files.
"""

import http.server
import os
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

CADDYFILE = "deploy/caddy/Caddyfile"
CADDY = "target/caddy/bin/caddy"  # By scripts/setup.sh.
HOSTS = ("127.0.0.1", "127.0.0.2")


def main():
    folder = Path(sys.argv[1])
    ports = subprocess.run(["scripts/free-ports.sh", "4"], check=True, capture_output=True, text=True).stdout.split()
    api, proxy, health, dns = ports
    environment = {
        **os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder),
        "REKEY_API_HOST": "api.test", "REKEY_API_PORT": api, "REKEY_RESOLVER": f"127.0.0.1:{dns}",
        "REKEY_PROXY_PORT": proxy, "REKEY_PROXY_HEALTH_PORT": health,
        # No port 80, which may be in use here.
        "REKEY_SITES": f"http://tls.invalid:{proxy}",
    }  # fmt: skip
    validate(environment)
    threading.Thread(target=answer, args=(int(dns),), daemon=True).start()
    servers = {host: serve(host, int(api)) for host in HOSTS}
    for proxies, seen in ((None, "127.0.0.1"), ("private_ranges", "203.0.113.9, 127.0.0.1")):
        with (folder / "log").open("w", encoding="utf-8") as log:
            extra = {"REKEY_PROXIES": proxies} if proxies else {}
            command = [CADDY, "run", "--config", CADDYFILE, "--adapter", "caddyfile"]
            caddy = subprocess.Popen(command, env={**environment, **extra}, stdout=log, stderr=log)
        try:
            wait(f"http://127.0.0.1:{health}/health")
            url = f"http://127.0.0.1:{proxy}/"
            expect("the servers that get requests", {get(url)[0] for _ in range(40)}, set(HOSTS))
            expect("X-Forwarded-For", get(url)[1], seen)
            if not proxies:
                replace(url, servers, int(api))
        finally:
            caddy.terminate()
            caddy.wait()
    print(f"{CADDYFILE}: requests reach all servers, and none fails while they are replaced")


def validate(environment):
    """The file is valid with the names of a real deployment, too."""
    environment = {**environment, "REKEY_SITES": "auth.shop.example, acme.shop.example"}
    command = [CADDY, "validate", "--config", CADDYFILE, "--adapter", "caddyfile"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        sys.exit(f"{CADDYFILE}: {result.stderr.splitlines()[-1]}")


def replace(url, servers, port):
    """Replaces both servers one after the other, as an upgrade does, and then both at once, while clients send requests."""
    failed, answered, stop = [], [], threading.Event()

    def send():
        while not stop.is_set():
            try:
                answered.append(get(url)[0])
            except OSError as error:
                failed.append(str(error))

    def expect_answers(*hosts):
        """Waits until each of `hosts` has answered. Caddy skips a server for 5 seconds after it could not reach it."""
        before, end = len(answered), time.monotonic() + 15
        while not set(hosts) <= set(answered[before + len(clients) :]):  # The first ones may have been sent earlier.
            if time.monotonic() > end:
                failed.append(f"no answer from {hosts} within 15 seconds")
                return
            time.sleep(0.05)

    clients = [threading.Thread(target=send) for _ in range(4)]
    for client in clients:
        client.start()
    for stopped in (HOSTS[:1], HOSTS[1:], HOSTS):
        for host in stopped:
            servers[host].shutdown()
            servers[host].server_close()
        expect_answers(*(host for host in HOSTS if host not in stopped))
        time.sleep(1)
        for host in stopped:
            servers[host] = serve(host, port)
        expect_answers(*HOSTS)
    stop.set()
    for client in clients:
        client.join()
    expect("requests that failed while the servers were replaced", failed, [])


class Api(http.server.BaseHTTPRequestHandler):
    """Answers with its own address, and the client's as the proxy reports it."""

    def do_GET(self):
        body = f"{self.server.server_address[0]}\n{self.headers['X-Forwarded-For']}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def serve(host, port):
    server = http.server.ThreadingHTTPServer((host, port), Api)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return server


def answer(port):
    """A DNS server that knows one name with both addresses (RFC 1035 §4), like Docker's with two containers of a service."""
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", port))
    while True:
        query, client = udp.recvfrom(512)
        end = query.index(b"\0", 12) + 5
        is_address = query[end - 4 : end - 2] == b"\0\1"
        hosts = HOSTS if is_address else ()
        records = [b"\xc0\x0c\0\1\0\1" + struct.pack(">IH", 1, 4) + socket.inet_aton(host) for host in hosts]
        header = query[:2] + struct.pack(">HHHHH", 0x8180, 1, len(records), 0, 0)
        udp.sendto(header + query[12:end] + b"".join(records), client)


def get(url):
    request = urllib.request.Request(url, headers={"X-Forwarded-For": "203.0.113.9"})
    with urllib.request.urlopen(request, timeout=30) as response:
        return response.read().decode().split("\n")


def wait(url):
    for _ in range(200):
        try:
            return get(url)
        except OSError:
            time.sleep(0.1)
    sys.exit(f"{CADDYFILE}: Caddy does not start")


def expect(what, found, expected):
    if found != expected:
        sys.exit(f"{CADDYFILE}: {what}: {found}, expected {expected}")


if __name__ == "__main__":
    main()
