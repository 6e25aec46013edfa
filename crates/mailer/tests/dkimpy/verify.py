"""Verifies the mail on standard input with dkimpy: `verify.py NAME TEXT`, where NAME is the only name in DNS, and TEXT its record.

Prints `good` or `bad`, and then the headers that are signed. Anything unexpected ends it with a traceback.
"""

import sys

import dkim


def main():
    name, text = sys.argv[1:]

    def dns(asked, timeout=5):
        return text.encode() if asked.decode().rstrip(".") == name else None

    verifier = dkim.DKIM(sys.stdin.buffer.read())
    try:
        good = verifier.verify(dnsfunc=dns)
    except dkim.ValidationError:
        good = False
    signed = [header.decode().lower() for header, _ in verifier.signed_headers]
    print("good" if good else "bad", *signed)


if __name__ == "__main__":
    main()
