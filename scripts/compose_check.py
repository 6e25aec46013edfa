#!/usr/bin/python3
"""compose_check.py COMPOSE SECRETS: checks that everything a compose file refers to exists and fits.

SECRETS is a new folder made by deploy/make-secrets.sh. Each finding is one line; it succeeds if there is none.
"""

import json
import re
import sys
import tomllib
from pathlib import Path

import yaml

SETTINGS = Path("crates/runtime/config/default.toml")
CADDY = Path("deploy/caddy/requirements.txt")
PROMETHEUS = Path("deploy/observability/prometheus.yml")
# Services that publish a port, for this machine only; PUBLIC does for everybody. None of them is on a network of the data.
PUBLISHED = {"proxy", "mailpit", "prometheus", "grafana"}
PUBLIC = {"tls"}
# It publishes a port for this machine and is on the networks of the data: operators sign in to it.
OPERATED = {"console"}
# They send to addresses outside.
SENDERS = {"mailer", "webhooks"}
# In MiB: the API without hashing, and its thread for imported hashes.
API_MEMORY = 64 + 256


def main():
    compose = yaml.safe_load(Path(sys.argv[1]).read_text(encoding="utf-8"))
    made = {file.name for file in Path(sys.argv[2]).iterdir()}
    findings = [
        *secret_files(compose, made),
        *unused(compose),
        *images(compose),
        *version(compose),
        *memory(compose),
        *scraped(compose),
        *caddy(compose),
        *broker_users(compose, Path(sys.argv[2])),
        *(f"{name} depends on a service, so compose replaces it with that" for name in ("proxy", "tls") if "depends_on" in compose["services"][name]),
        *(
            f"{name}: {finding}"
            for name, service in named(compose)
            for check in (dependencies, secrets, volumes, ports, build, installed, settings, limits, networks, roles)
            for finding in check(service, compose)
        ),
    ]
    for finding in findings:
        print(f"{sys.argv[1]}: {finding}", file=sys.stderr)
    sys.exit(1 if findings else 0)


def secret_files(compose, made):
    for name, secret in compose["secrets"].items():
        if Path(secret["file"]).name not in made:
            yield f"no {secret['file']} is made for the secret {name}"


def unused(compose):
    for kind, names in (("secrets", secret_names), ("volumes", volume_names)):
        used = {name for service in compose["services"].values() for name in names(service)}
        for name in compose[kind].keys() - used:
            yield f"{name} in {kind} is used by no service"


def images(compose):
    services = compose["services"].items()
    built = [service["image"] for _, service in services if "build" in service]
    for image in {image for image in built if built.count(image) > 1}:
        yield f"{image} is built by several services, which fails where they do it at once"
    for name, service in services:
        if service.get("pull_policy") == "never" and service["image"] not in built:
            yield f"{name}: {service['image']} is neither built nor pulled"


        version = service["image"].rstrip("}").rpartition(":")[2]
        if "build" not in service and service.get("pull_policy") != "never" and not re.fullmatch(r"v?\d+\.\d+\S*", version):
            yield f"{name}: {service['image']} names no version"


def version(compose):
    """The programs' image has their version, so that a restored or older deployment uses its own."""
    expected = tomllib.loads(Path("Cargo.toml").read_text(encoding="utf-8"))["workspace"]["package"]["version"]
    for name, service in compose["services"].items():
        if service.get("pull_policy") == "never" and service["image"] != f"rekey:${{REKEY_VERSION:-{expected}}}":
            yield f"{name}: {service['image']} is not tagged with REKEY_VERSION, by default Cargo.toml's {expected}"


def memory(compose):
    """The hashes that the API computes at once fit its limit, on a machine with any number of processors."""
    api = compose["services"]["api"]
    hash_memory = tomllib.loads(SETTINGS.read_text(encoding="utf-8"))["passwords"]["argon2_memory_kib"] / 1024
    threads = default(api["environment"]["REKEY__PASSWORDS__HASHING_THREADS"])
    limit = default(api["mem_limit"]).removesuffix("m")
    if API_MEMORY + int(threads) * hash_memory > int(limit):
        yield f"api: {threads} hashing threads need more than {limit} MiB"


def scraped(compose):
    """Prometheus finds each program at its admin.listen, on a network that they share."""
    jobs = yaml.safe_load(PROMETHEUS.read_text(encoding="utf-8"))["scrape_configs"]
    targets = {name: job["port"] for config in jobs for job in config.get("dns_sd_configs", []) for name in job["names"]}
    addresses = {name: its.get("environment", {}).get("REKEY__ADMIN__LISTEN") for name, its in compose["services"].items()}
    listening = {name: address for name, address in addresses.items() if address}
    if {name: f"0.0.0.0:{port}" for name, port in targets.items()} != listening:
        yield f"{PROMETHEUS} scrapes {targets}, the programs listen at {listening}"
    for name in listening:
        if "observability" not in compose["services"][name]["networks"]:
            yield f"{name} is not on the network observability"


def caddy(compose):
    tried = CADDY.read_text(encoding="utf-8").rpartition("==")[2].strip()
    deployed = default(compose["services"]["tls"]["image"])
    if deployed != f"caddy:{tried}":
        yield f"{deployed} is deployed, and {tried} is tried ({CADDY})"


def broker_users(compose, made):
    """RabbitMQ starts only if each user with rights is in a file that it reads before them."""
    rabbitmq = compose["services"]["rabbitmq"]
    files = {secret["source"]: Path(secret["target"]).name for secret in rabbitmq["secrets"]}
    files |= {source: Path(target).name for source, target, _ in (volume.split(":") for volume in rabbitmq["volumes"][1:])}
    known = set()
    for source in sorted(files, key=files.get):
        if not files[source].endswith(".json"):
            continue
        read = json.loads(Path(source if "/" in source else made / source).read_text(encoding="utf-8"))
        known |= {user["name"] for user in read.get("users", [])}
        for user in {each["user"] for each in read.get("permissions", [])} ^ known if "permissions" in read else ():
            yield f"the broker's user {user} has a password and no rights, or rights and no password"
    for secret in (name for name in compose["secrets"] if name.endswith("_broker_url")):
        if f"rekey-{secret.partition('_')[0]}" not in known:
            yield f"{secret}: RabbitMQ has no such user"


def default(value):
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(value))


def named(compose):
    for name, service in compose["services"].items():
        yield name, {**service, "name": name}


def limits(service, _compose):
    for limit in ("mem_limit", "pids_limit"):
        if limit not in service:
            yield f"has no {limit}"
    if service.get("ulimits", {}).get("core") != 0:
        yield "may write core dumps, which hold secrets"


def networks(service, compose):
    """A service with a volume keeps data: all its networks are internal, unless it is a program of ours or publishes a port."""
    if service["name"] in PUBLISHED | PUBLIC and {"data", "broker"} & set(service.get("networks", [])):
        yield "publishes a port and is on a network of the data"
    if volume_names(service) and service.get("pull_policy") != "never" and service["name"] not in PUBLISHED | PUBLIC:
        for name in service.get("networks", ["default"]):
            if not (compose["networks"].get(name) or {}).get("internal"):
                yield f"is on the network {name}, which has a way out"
    if service["name"] in SENDERS and "default" not in service["networks"]:
        yield "has no way out"


def roles(service, compose):
    """A program that runs all the time shares its database role with none, least of all with `migrate`, which owns the schema."""
    if service.get("restart") == "unless-stopped":
        for name in secret_names(service):
            users = [other for other, its in compose["services"].items() if name in secret_names(its)]
            if name.endswith("database_url") and len(users) > 1:
                yield f"shares {name}: {', '.join(users)}"


def dependencies(service, compose):
    for name, how in service.get("depends_on", {}).items():
        other = compose["services"].get(name)
        if other is None:
            yield f"depends on {name}, which is no service"
        elif set(other.get("profiles", [])) - set(service.get("profiles", [])):
            yield f"depends on {name}, which starts with a profile only"
        elif how["condition"] == "service_healthy" and "healthcheck" not in other:
            yield f"waits for the health of {name}, which has no health check"
        elif how["condition"] == "service_completed_successfully" and other.get("restart") != "no":
            yield f"waits for the end of {name}, which is restarted"


def secrets(service, compose):
    for name in secret_names(service) - compose["secrets"].keys():
        yield f"the secret {name} is not defined"
    for key, value in service.get("environment", {}).items():
        if key.endswith("_FILE") and Path(value).name not in secret_names(service):
            yield f"{key} names {value}, which is no secret of this service"


def volumes(service, compose):
    for name in volume_names(service) - compose["volumes"].keys():
        yield f"the volume {name} is not defined"
    for source in sources(service):
        if source.startswith(".") and not Path(source).exists():
            yield f"{source} is mounted and not there"


def ports(service, compose):
    for port in service.get("ports", []):
        if service["name"] not in PUBLISHED | PUBLIC | OPERATED:
            yield f"publishes the port {port}"
        if not port.startswith("127.0.0.1:") and service["name"] not in PUBLIC:
            yield f"the port {port} is open to the network"
        if "scale" in service:
            yield f"only one container can publish the port {port}"


def build(service, compose):
    if "build" in service and not Path(service["build"]["dockerfile"]).is_file():
        yield f"no {service['build']['dockerfile']}"


def installed(service, _compose):
    """The program is in the image."""
    program = service.get("command", [""])[0]
    image = Path("deploy/Dockerfile").read_text(encoding="utf-8")
    if service.get("pull_policy") == "never" and not program.startswith("-") and not re.search(rf"install .* target/release/{program}\b", image):
        yield f"{program} is not in the image"


def settings(service, compose):
    known = tomllib.loads(SETTINGS.read_text(encoding="utf-8"))
    for key in service.get("environment", {}):
        if not key.startswith("REKEY__"):
            continue
        section, name = key.removeprefix("REKEY__").removesuffix("_FILE").lower().split("__")
        if name not in known.get(section, {}):
            yield f"{key} is no setting"


def secret_names(service):
    return {entry if isinstance(entry, str) else entry["source"] for entry in service.get("secrets", [])}


def volume_names(service):
    return {source for source in sources(service) if not source.startswith((".", "/"))}


def sources(service):
    return [volume.split(":")[0] for volume in service.get("volumes", [])]


if __name__ == "__main__":
    main()
