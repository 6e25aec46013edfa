#!/usr/bin/python3
"""An SMTP server for tests: it accepts mails for any address on loopback and keeps them as files.

Its first line of output is `listening on PORT`. Each mail becomes DIR/NNNNNN.eml, byte for byte as it was received,
and then a line of DIR/log.jsonl: n, time (Unix seconds), mail_from, rcpt_to, message_id, peer, tls, auth. A mail that it
refuses by --fail becomes a line of DIR/refused.jsonl instead. In a folder with mails, the numbers continue from there.
SIGTERM and SIGINT stop it.

While DIR/fault exists, the server has the fault that it names:
  rcpt REPLY      every recipient is answered by this line, such as `rcpt 450 4.2.0 try later`
  slow SECONDS    a mail is kept, and answered so much later
  drop            the connection ends after a mail's final dot; the mail is not kept
  keep-and-drop   the connection ends after a mail's final dot, without an answer; the mail is kept

Needs Python's aiosmtpd 1.4 (Debian: python3-aiosmtpd), which is why the system's own Python runs it.
"""

import argparse
import asyncio
import base64
import email
import json
import signal
import ssl
import time
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


def main():
    options = parse_options()
    options.dir.mkdir(parents=True, exist_ok=True)
    asyncio.run(serve(options))


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes a free one")
    parser.add_argument("--dir", type=Path, required=True, help="where the mails go")
    parser.add_argument("--tls-cert", help="PEM; with it STARTTLS is offered, and no mail accepted without")
    parser.add_argument("--tls-key", help="PEM")
    parser.add_argument("--implicit-tls", action="store_true", help="TLS from the first byte, in place of STARTTLS")
    parser.add_argument("--auth", metavar="USER:PASS", help="accepts no mail without these credentials")
    parser.add_argument("--token", metavar="USER:TOKEN", help="accepts no mail without this access token, by XOAUTH2")
    parser.add_argument("--delay-ms", type=int, default=0, help="the wait between a mail's end and its answer")
    parser.add_argument("--linger-ms", type=int, default=0, help="the wait after a mail is kept, before its answer")
    parser.add_argument("--fail", metavar="CODE:COUNT", help="answers the first COUNT mails with CODE, such as 450:2")
    parser.add_argument("--unknown", metavar="ADDRESS:COUNT", help="knows no such user the first COUNT times")
    return parser.parse_args()


async def serve(options):
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    tls = None
    if options.tls_cert:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(options.tls_cert, options.tls_key)
    starttls = None if options.implicit_tls else tls
    box = Mailbox(options)
    server = await loop.create_server(
        lambda: SMTP(
            box,
            hostname="localhost",
            ident="test",
            enable_SMTPUTF8=True,
            tls_context=starttls,
            require_starttls=starttls is not None,
            authenticator=authenticator(options.auth),
            auth_required=options.auth is not None or options.token is not None,
            auth_exclude_mechanism=["XOAUTH2"] if options.token is None else ["LOGIN", "PLAIN"],
            auth_require_tls=starttls is not None,
        ),
        "127.0.0.1",
        options.port,
        ssl=tls if options.implicit_tls else None,
    )
    print(f"listening on {server.sockets[0].getsockname()[1]}", flush=True)
    await stop.wait()
    server.close()


def authenticator(credentials):
    if credentials is None:
        return None
    user, password = credentials.split(":", 1)
    expected = LoginPassword(user.encode(), password.encode())

    def check(server, session, envelope, mechanism, given):
        return AuthResult(success=given == expected, handled=False, auth_data=mechanism)

    return check


async def hang_up(server):
    server.transport.abort()
    # The end of the connection cancels this.
    await asyncio.sleep(60)


class Mailbox:
    """Stores mails. It runs on the event loop's thread only, so numbers and log lines need no lock and come in order."""

    def __init__(self, options):
        self.dir = options.dir
        self.token = options.token
        self.delay = options.delay_ms / 1000
        self.linger = options.linger_ms / 1000
        code, count = (options.fail or "0:0").split(":")
        self.code, self.failures = int(code), int(count)
        self.unknown, times = (options.unknown or ":0").rsplit(":", 1)
        self.ignorance = int(times)
        self.count = max((int(file.stem) for file in self.dir.glob("[0-9]*.eml")), default=0)

    @property
    def fault(self):
        try:
            name, _, detail = (self.dir / "fault").read_text(encoding="utf-8").partition(" ")
            return name, detail
        except FileNotFoundError:
            return "", ""

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.fault[0] == "rcpt":
            return self.fault[1]
        if address == self.unknown and self.ignorance > 0:
            self.ignorance -= 1
            return f"550 5.1.1 <{address}> no such user"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    # A refused token is answered with a challenge first; the refusal follows the client's empty line.
    async def auth_XOAUTH2(self, server, args):
        user, token = self.token.split(":", 1)
        if args[1:] == [base64.b64encode(f"user={user}\1auth=Bearer {token}\1\1".encode()).decode()]:
            return AuthResult(success=True, auth_data="XOAUTH2")
        await server.challenge_auth(b'{"status":"401"}')
        return AuthResult(success=False, handled=False)

    async def handle_DATA(self, server, session, envelope):
        entry = {
            "time": time.time(),
            "mail_from": envelope.mail_from,
            "rcpt_to": envelope.rcpt_tos,
            "message_id": email.message_from_bytes(envelope.content).get("Message-ID"),
            "peer": session.peer[0],
            "tls": session.ssl is not None or server.transport.get_extra_info("sslcontext") is not None,
            "auth": session.auth_data if session.authenticated else None,
        }
        fault, detail = self.fault
        if self.delay:
            await asyncio.sleep(self.delay)
        if fault == "drop":
            await hang_up(server)
        if self.failures > 0:
            self.failures -= 1
            self.note("refused.jsonl", entry)
            return f"{self.code} {self.code // 100}.0.0 refused by --fail"
        self.count += 1
        self.keep(f"{self.count:06}.eml", envelope.content)
        taken = self.count
        self.note("log.jsonl", {"n": taken, **entry})
        if fault == "keep-and-drop":
            await hang_up(server)
        await asyncio.sleep(float(detail) if fault == "slow" else self.linger)
        return f"250 2.0.0 taken as {taken}"

    def keep(self, name, content):
        # Readers see the complete file or none.
        half = self.dir / f".{name}"
        half.write_bytes(content)
        half.rename(self.dir / name)

    def note(self, name, entry):
        with open(self.dir / name, "a", encoding="utf-8") as log:
            log.write(json.dumps(entry) + "\n")


if __name__ == "__main__":
    main()
