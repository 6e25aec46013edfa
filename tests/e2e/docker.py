#!/usr/bin/python3 -IS
"""docker.py ARGS…: the commands of `docker` that the operator's pages use, with processes of this machine instead of containers.

What a container gets (command, environment, secrets, scale, health check) is read from docker-compose.yml, as STATE/compose.json, and .env in
SITE. PostgreSQL and RabbitMQ are the test's own servers. STATE/here.json says what replaces the containers' addresses and paths. Whatever
docker-compose.yml does not have is an error: a service, a profile, a volume; and so is an unknown option, or a missing -T.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

SITE, STATE = Path(os.environ["SITE"]), Path(os.environ["STATE"])
HERE = json.loads((STATE / "here.json").read_text())
RABBITMQ = Path(__file__).resolve().parents[2] / "scripts/rabbitmq.sh"
OPTIONS = {
    "build": "services",
    "cp": "source target",
    "exec": "-T --env= service command...",
    "kill": "--signal= services",
    "logs": "--since= --tail= services",
    "ps": "--all services",
    "restart": "services",
    "rm": "--stop --force services",
    "run": "--rm -T --no-deps -e= service command...",
    "stop": "services",
    "up": "--build --detach --wait --no-deps --no-build --force-recreate --scale= services",
}  # fmt: skip
# Of a start or a stop, in seconds: far more than either takes, since tests run on busy machines.
TIMEOUT = 180


def main():
    words = sys.argv[1:]
    if words[:2] == ["volume", "rm"]:
        return remove_volume(words[2])
    if words[:1] != ["compose"] or words[1] not in OPTIONS:
        sys.exit(f"docker.py: docker {' '.join(words)} is not here")
    options = parse(words[1], words[2:])
    if unknown := {*vars(options).get("services", []), vars(options).get("service", "rekey")} - SERVICES.keys():
        sys.exit(f"docker.py: no service: {', '.join(unknown)}")
    return globals()[f"compose_{words[1]}"](options)


def parse(command, words):
    parser = argparse.ArgumentParser(f"docker compose {command}", allow_abbrev=False)
    for word in OPTIONS[command].split():
        if word.endswith("="):
            parser.add_argument(word[:-1], action="append", default=[])
        elif word.startswith("-"):
            parser.add_argument(word, action="store_true")
        else:
            parser.add_argument(word.rstrip("."), nargs="*" if word == "services" else argparse.REMAINDER if word.endswith("...") else None)
    return parser.parse_args(words)


def here(text):
    for there, place in HERE.items():
        text = text.replace(there, place)
    return text


def read_compose():
    """Returns docker-compose.yml with the variables of .env, and the services that its profiles start."""
    lines = (SITE / ".env").read_text().splitlines() if (SITE / ".env").exists() else []
    variables = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    text = (SITE / "docker-compose.yml").read_text()
    compose = substitute(json.loads((STATE / "compose.json").read_text()), variables)
    chosen = set(filter(None, variables.get("COMPOSE_PROFILES", "").split(",")))
    if unknown := chosen - {profile for service in compose["services"].values() for profile in service.get("profiles", [])}:
        sys.exit(f"docker.py: no service has the profile {', '.join(unknown)}")
    unused = [name for name in variables if name != "COMPOSE_PROFILES" and f"${{{name}:-" not in text]
    if unused:
        sys.exit(f"docker.py: .env sets {', '.join(unused)}, which docker-compose.yml does not use")
    return compose, [name for name, service in compose["services"].items() if not service.get("profiles") or chosen & set(service["profiles"])]


def substitute(value, variables):
    if isinstance(value, dict):
        return {key: substitute(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [substitute(item, variables) for item in value]
    return re.sub(r"\$\{(\w+):-([^}]*)\}", lambda found: variables.get(found[1]) or found[2], value) if isinstance(value, str) else value


COMPOSE, STARTED = read_compose()
SERVICES = COMPOSE["services"]
# Those that run here as processes, until they are stopped.
PROGRAMS = [name for name, service in SERVICES.items() if service["image"].startswith("rekey:") and service.get("restart") == "unless-stopped"]


def compose_up(options):
    named = options.services or STARTED
    if not (options.detach or options.wait) and any(SERVICES[name].get("restart") != "no" for name in named):
        sys.exit("docker.py: `docker compose up` would not return: --detach or --wait is missing")
    needed = set(named) if options.no_deps else {name for service in named for name in (service, *SERVICES[service].get("depends_on", {}))}
    scale = dict(item.split("=") for item in options.scale)
    counts, forced = {}, set(named if options.force_recreate else [])
    # The file has the services in the order in which they depend on each other.
    for name in filter(needed.__contains__, SERVICES):
        if name == "postgres":
            create_database()
        elif name == "rabbitmq":
            start_broker(name in forced)
        elif name == "migrate":
            done = subprocess.run(SERVICES[name]["command"], env=environment(name), capture_output=True, text=True, check=False)
            (STATE / "migrate.log").write_text(done.stderr)
            print(done.stdout, end="")
            if done.returncode:
                sys.exit(f"docker.py: migrate: {done.stderr}")
        elif name in PROGRAMS:
            counts[name] = int(scale.get(name, SERVICES[name].get("scale", 1)))
    replace(counts, forced)


def compose_stop(options):
    replace({name: 0 for name in options.services if name in PROGRAMS})
    if "rabbitmq" in options.services:
        broker("stop_app")
        (STATE / "broker.stopped").touch()


def compose_restart(options):
    running = {name: len(processes(name)) for name in options.services}
    compose_stop(options)
    replace({name: count for name, count in running.items() if name in PROGRAMS})
    if "rabbitmq" in running:
        start_broker()


def compose_rm(options):
    if not (options.stop and options.force):
        sys.exit("docker.py: `docker compose rm` would ask: --stop --force are missing")
    compose_stop(options)


def compose_kill(options):
    for name in options.services:
        pids = [pid for pid, _ in processes(name).values()]
        if not pids:
            sys.exit(f"docker.py: {name} does not run")
        for pid in pids:
            os.kill(pid, signal.Signals[options.signal[0]])


def compose_run(options):
    if not options.rm:
        sys.exit("docker.py: the container would stay: --rm is missing")
    service = SERVICES[options.service]
    own = dict(variable.split("=", 1) for variable in options.e)
    execute(service.get("entrypoint", []) + (options.command or service["command"]), environment(options.service) | own, options)


def compose_exec(options):
    name, command = options.service, [here(word) for word in options.command]
    own = environment(name) | dict(variable.split("=", 1) for variable in options.env)
    if name == "rabbitmq" and command[0].startswith("rabbitmq"):
        command = [RABBITMQ, command[0].removeprefix("rabbitmq").lstrip("-"), HERE["/var/lib/rabbitmq"], *command[1:]]
    elif name in PROGRAMS and not processes(name):
        sys.exit(f"docker.py: {name} does not run")
    execute(command, own, options)


def compose_cp(options):
    name, path = options.source.split(":")
    if not any(path == volume.split(":")[1] for volume in SERVICES[name]["volumes"]):
        sys.exit(f"docker.py: {name} has no volume at {path}")
    shutil.copytree(here(path), options.target, dirs_exist_ok=True)


def compose_logs(options):
    tail = int(options.tail[0]) if options.tail else 0
    for name in options.services:
        log = STATE / f"{name}.log"
        print(*(log.read_text().splitlines()[-tail:] if log.exists() else []), sep="\n")


def compose_ps(options):
    for name in options.services or STARTED:
        print(name, "running" if name not in PROGRAMS or processes(name) else "exited")


def compose_build(options):
    for name in options.services:
        if not (SITE / SERVICES[name]["build"]["dockerfile"]).is_file():
            sys.exit(f"docker.py: {name} can't be built")


def execute(command, own, options):
    """Runs a command as compose does: on a terminal, unless -T is given."""
    files = [os.readlink(f"/proc/self/fd/{number}") for number in (0, 1)]
    if not options.T and files != [os.environ["KEYBOARD"], os.environ["SCREEN"]]:
        sys.exit(f"docker.py: {files} is no terminal: -T is missing")
    sys.stdout.flush()
    os.execvpe(command[0], command, own)


def environment(name, number=1):
    """Returns the variables of a service, whose secrets are copied with the addresses of here."""
    for secret in SERVICES[name].get("secrets", []):
        source = secret if isinstance(secret, str) else secret["source"]
        copy = STATE / "secrets" / f".{source}"
        copy.write_text(here((SITE / COMPOSE["secrets"][source]["file"]).read_text()))
        copy.rename(STATE / "secrets" / source)  # A program may be reading it.
    # Containers may have the same port, processes of one machine may not.
    own = {key: HERE.get(f"{name} {value}") or here(str(value)) for key, value in SERVICES[name].get("environment", {}).items()}
    if name == "postgres":
        host, port = HERE["postgres:5432"].split(":")
        own |= {"PGHOST": host, "PGPORT": port, "SECRETS": str(STATE / "secrets")}
    if number > 1:  # Containers have addresses of their own.
        own |= {"REKEY__SERVER__LISTEN": "127.0.0.1:0", "REKEY__ADMIN__LISTEN": "off"}
    return {"PATH": os.environ["PATH"], **own}


def processes(name):
    """Returns the running processes of a service, by number: each with its variables."""
    found = {int(file.suffix[1:]): json.loads(file.read_text()) for file in (STATE / "run").glob(f"{name}.*")}
    return {number: process for number, process in found.items() if is_running(process[0])}


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


def replace(counts, forced=()):
    """Stops the processes that are too many or have other settings, and starts those that are missing: all of them at once."""
    old = []
    for name, count in counts.items():
        for number, (pid, own) in processes(name).items():
            if number > count or name in forced or own != environment(name, number):
                os.kill(pid, signal.SIGTERM)
                old.append((name, number, pid))
    for name, number, pid in old:
        wait(lambda: not is_running(pid), f"{name} does not stop")
        (STATE / "run" / f"{name}.{number}").unlink()
    started = []
    for name, count in counts.items():
        for number in set(range(1, count + 1)) - set(processes(name)):
            own = environment(name, number)
            with (STATE / f"{name}.log").open("a") as log:
                process = subprocess.Popen(SERVICES[name]["command"], env=own, cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            (STATE / "run" / f"{name}.{number}").write_text(json.dumps([process.pid, own]))
            started.append((name, number, process, own))
    for name, number, process, own in started:
        probe = SERVICES[name].get("healthcheck", {"test": ["CMD", "true"]})["test"][1:] if number == 1 else ["true"]
        wait(lambda: process.poll() is not None or is_done(probe, own), f"{name} is not healthy")
        if process.poll() is not None:
            sys.exit(f"docker.py: {name} has ended: {(STATE / f'{name}.log').read_text()}")


def is_done(command, own):
    return subprocess.run(command, env=own, capture_output=True, check=False).returncode == 0


def wait(condition, failure):
    end = time.monotonic() + TIMEOUT
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"docker.py: {failure}")
        time.sleep(0.05)


def create_database():
    own = environment("postgres")
    sql = ["psql", "--username=postgres", "--dbname=postgres", "--no-psqlrc", "-qAt"]
    if not subprocess.run([*sql, "-c", "SELECT 1 FROM pg_database WHERE datname = 'rekey'"], env=own, check=True, stdout=-1).stdout:
        subprocess.run([*sql, "-c", "CREATE DATABASE rekey"], env=own, check=True)
        subprocess.run([SITE / "deploy/postgres/roles.sh"], env=own, check=True)


def start_broker(force=False):
    """Starts RabbitMQ where it was stopped, and imports its definitions where they may be others."""
    stopped, imported = STATE / "broker.stopped", STATE / "broker.json"
    if stopped.exists():
        broker("start_app")
        stopped.unlink()
    if force or not imported.exists():
        definitions = {}
        for file in ("secrets/broker_users", "secrets/tool_broker_user", "secrets/webhooks_broker_user", "rabbitmq/definitions.json"):
            for kind, values in json.loads((SITE / "deploy" / file).read_text()).items():
                definitions.setdefault(kind, []).extend(values)
        imported.write_text(json.dumps(definitions))
        broker("import_definitions", imported)


def broker(*arguments):
    subprocess.run([RABBITMQ, "ctl", HERE["/var/lib/rabbitmq"], "--quiet", *arguments], check=True, stdout=subprocess.DEVNULL)


def remove_volume(name):
    if name not in {f"{COMPOSE['name']}_{volume}" for volume in COMPOSE["volumes"]} or not (STATE / "broker.stopped").exists():
        sys.exit(f"docker.py: there is no volume {name}, or it is in use")
    broker("reset")
    (STATE / "broker.json").unlink()


if __name__ == "__main__":
    main()
