#!/usr/bin/python3
"""backup_check.py FOLDER: tries deploy/backup.sh and deploy/restore.sh on a deployment in FOLDER, with the server that DATABASE_URL names.

A customer requests a reset, the deployment is backed up and destroyed, with its database, roles, secrets and organizations, and restored: the
link that was mailed before still works, once, and each role has its rights and no more.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

SITE = Path(sys.argv[1])
SECRETS = SITE / "deploy/secrets"
SERVER = urllib.parse.urlsplit(os.environ["DATABASE_URL"])
PG = {**os.environ, "PGHOST": SERVER.hostname, "PGPORT": str(SERVER.port), "PGUSER": SERVER.username, "PGDATABASE": "rekey"}
CLIENT = {}
PASSWORD = "five purple hats"


def main():
    deploy()
    with Api() as api:
        customer = api.call("POST", "/api/customers", "customers", {"email": "anna@example.com"})["id"]
        links = [api.reset() for _ in range(2)]
    backup = run("deploy/backup.sh", SITE).stdout.strip()
    expect("the backup's mode", oct(Path(backup).stat().st_mode & 0o777), "0o600")
    kept = Path(backup).read_bytes()

    damaged = SITE / "damaged.tar"
    damaged.write_bytes(kept[: len(kept) // 2])
    expect("restoring a damaged file", run("deploy/restore.sh", "--yes", damaged, check=False).returncode != 0, True)
    expect("after a damaged file", query("SELECT count(*) FROM customers"), "1")
    expect("restoring without a yes", run("deploy/restore.sh", backup, check=False, text="no\n").returncode, 1)

    destroy()
    run("deploy/restore.sh", backup)
    expect("customers", query("SELECT id FROM customers"), customer)
    settings = SITE / "deploy/organizations/acme/organization.toml"
    expect("the organization's folder", settings.read_text(encoding="utf-8"), "# Acme\n")
    owners = query("SELECT string_agg(DISTINCT tableowner, ',') FROM pg_tables WHERE schemaname = 'public'")
    expect("the owner of the tables", owners, "rekey")
    roles()
    tool("migrate")
    roles()
    with Api() as api:
        expect("the link", api.use(links[0]), 200)
        expect("the link again", api.use(links[0]), 422)
        expect("the other link, whose customer has a new password", api.use(links[1]), 422)
    # A database that is there, and what the runbooks do in it.
    run("deploy/restore.sh", "--yes", "--replace-files", backup)
    query("UPDATE password_resets SET expires_at = now() WHERE expires_at > now()")
    with Api() as api:
        expect("a link that was ended", api.use(links[1]), 422)
    print("deploy/backup.sh, deploy/restore.sh: a destroyed deployment was restored, and its pending link works")


def deploy():
    shutil.copytree("deploy", SITE / "deploy", ignore=shutil.ignore_patterns("secrets"))
    run("deploy/make-secrets.sh")
    (SITE / "deploy/organizations/acme").mkdir()
    (SITE / "deploy/organizations/acme/organization.toml").write_text("# Acme\n", encoding="utf-8")
    query("CREATE DATABASE rekey", "postgres")
    run("deploy/postgres/roles.sh", SECRETS=str(SECRETS), POSTGRES_USER=SERVER.username, POSTGRES_DB="rekey")
    tool("migrate")
    tool("organization", "create", "--slug", "acme", "--name", "Acme Shop")
    created = tool("client", "create", "--organization", "acme", "--kind", "integration", "--name", "Back office")
    CLIENT.update(re.findall(r"CLIENT_(ID|SECRET)=(\S+)", created))


def destroy():
    query("DROP DATABASE rekey", "postgres")
    query("DROP ROLE rekey, rekey_api, rekey_mailer, rekey_maintenance, rekey_console, rekey_webhooks", "postgres")
    shutil.rmtree(SECRETS)
    shutil.rmtree(SITE / "deploy/organizations")
    (SITE / ".env").unlink()


def roles():
    """Each program's role may do its work, and no more, after a restore as after a migration."""
    for role, statement, allowed in (
        ("rekey_api", "SELECT count(*) FROM customer_passwords", True),
        ("rekey_api", "DELETE FROM audit_entries", False),
        ("rekey_api", "CREATE TABLE mine (id int)", False),
        ("rekey_mailer", "SELECT email FROM customers", True),
        ("rekey_mailer", "SELECT * FROM customer_passwords", False),
        ("rekey_maintenance", "DELETE FROM events WHERE false", True),
        ("rekey_maintenance", "SELECT email FROM customers", False),
        ("rekey_console", "SELECT name FROM operators", True),
        ("rekey_console", "DELETE FROM operators", False),
        ("rekey_webhooks", "SELECT name FROM organizations", True),
        ("rekey_webhooks", "UPDATE event_callbacks SET due_at = due_at WHERE false", True),
        ("rekey_webhooks", "SELECT hash FROM customer_passwords", False),
    ):
        done = run("psql", "--quiet", f"--username={role}", f"--command={statement}", check=False)
        refused = "permission denied" in done.stderr
        expect(f"{role}: {statement}: allowed", done.returncode == 0 and not refused, allowed)


class Api:
    """`rekey-api` under its own role, with the keys in deploy/secrets, and its client."""

    def __enter__(self):
        port = subprocess.run(["scripts/free-ports.sh", "2"], check=True, capture_output=True, text=True).stdout.split()
        self.url = f"http://127.0.0.1:{port[0]}"
        settings = {
            "SERVER__LISTEN": f"127.0.0.1:{port[0]}", "SERVER__PUBLIC_URL": self.url, "ADMIN__LISTEN": "off",
            "AUTH__SIGNING_KEYS_FILE": str(SECRETS / "signing_key"), "KEYS__SEALING_FILE": str(SECRETS / "sealing_keys"),
            "BROKER__URL": f"amqp://127.0.0.1:{port[1]}/%2f", "DATABASE__URL": url("api"),
        }  # fmt: skip
        self.log = (SITE / "log").open("a", encoding="utf-8")
        self.process = subprocess.Popen(["target/debug/rekey-api"], env=environment(settings), stdout=self.log, stderr=self.log)
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{self.url}/livez", timeout=5).close()
                break
            except OSError:
                time.sleep(0.1)
        else:
            sys.exit(f"rekey-api does not start: {(SITE / 'log').read_text(encoding='utf-8')}")
        grant = {"grant_type": "client_credentials", "client_id": CLIENT["ID"], "client_secret": CLIENT["SECRET"]}
        self.token = self.send("POST", "/oauth/token", grant, "application/json")["access_token"]
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.log.close()

    def reset(self):
        attributes = {"customer_email": "anna@example.com"}
        data = self.call("POST", "/api/customer_password_resets", "customer_password_resets", attributes)
        return data["id"], data["attributes"]["reset_password_token"]

    def use(self, link):
        """Sets a password by a link's token, and returns the status."""
        reset, token = link
        try:
            attributes = {"customer_password": PASSWORD, "_reset_password_token": token}
            self.call("PATCH", f"/api/customer_password_resets/{reset}", "customer_password_resets", attributes, reset)
            return 200
        except urllib.error.HTTPError as error:
            return error.code

    def call(self, method, path, kind, attributes, identifier=None):
        data = {"type": kind, "attributes": attributes, **({"id": identifier} if identifier else {})}
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.send(method, path, {"data": data}, "application/vnd.api+json", headers)["data"]

    def send(self, method, path, body, content_type, headers=()):
        headers = {"Content-Type": content_type, **dict(headers)}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)


def tool(*arguments):
    settings = environment({"DATABASE__URL": url("")})
    done = subprocess.run(["target/debug/rekey", *arguments], env=settings, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"rekey {arguments[0]}: {done.stderr}")
    return done.stdout


def url(program):
    """The URL that make-secrets.sh wrote, for this server instead of docker-compose.yml's."""
    written = (SECRETS / (f"{program}_database_url" if program else "database_url")).read_text(encoding="utf-8").strip()
    return written.replace("@postgres:5432/", f"@{SERVER.hostname}:{SERVER.port}/")


def environment(settings):
    return {"PATH": os.environ["PATH"], **{f"REKEY__{key}": value for key, value in settings.items()}}


def query(statement, database="rekey"):
    return run("psql", "-v", "ON_ERROR_STOP=1", "--no-psqlrc", "-qAt", f"--dbname={database}", f"--command={statement}").stdout.strip()


def run(command, *arguments, check=True, text=None, **extra):
    program = SITE / command if "/" in command else command
    done = subprocess.run([program, *arguments], env={**PG, **extra}, capture_output=True, text=True, input=text, check=False)
    if check and done.returncode:
        sys.exit(f"{command}: {done.stderr}")
    return done


def expect(what, found, expected):
    if found != expected:
        sys.exit(f"backup_check.py: {what}: {found}, expected {expected}")


if __name__ == "__main__":
    main()
