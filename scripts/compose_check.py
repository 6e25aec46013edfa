#!/usr/bin/python3
"""compose_check.py COMPOSE SECRETS: checks that everything a compose file refers to exists and fits.

SECRETS is a new folder made by deploy/make-secrets.sh. Each finding is one line; it succeeds if there is none.
"""

import re
import sys
import tomllib
from pathlib import Path

import yaml

SETTINGS = Path("crates/runtime/config/default.toml")


def main():
    compose = yaml.safe_load(Path(sys.argv[1]).read_text(encoding="utf-8"))
    made = {file.name for file in Path(sys.argv[2]).iterdir()}
    findings = [
        *secret_files(compose, made),
        *unused(compose),
        *images(compose),
        *(
            f"{name}: {finding}"
            for name, service in compose["services"].items()
            for check in (dependencies, secrets, volumes, ports, build, settings, limits, networks, roles)
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


def limits(service, _compose):
    for limit in ("mem_limit", "pids_limit"):
        if limit not in service:
            yield f"has no {limit}"
    if service.get("ulimits", {}).get("core") != 0:
        yield "may write core dumps, which hold secrets"


def networks(service, compose):
    """A service with a volume keeps data: all its networks are internal, unless it is a program of ours."""
    if volume_names(service) and service.get("pull_policy") != "never":
        for name in service.get("networks", ["default"]):
            if not (compose["networks"].get(name) or {}).get("internal"):
                yield f"is on the network {name}, which has a way out"


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
        if not port.startswith("127.0.0.1:"):
            yield f"the port {port} is open to the network"


def build(service, compose):
    if "build" in service and not Path(service["build"]["dockerfile"]).is_file():
        yield f"no {service['build']['dockerfile']}"


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
