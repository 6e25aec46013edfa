"""kubernetes_check.py OVERLAY RENDERED SECRETS: checks the objects of an overlay as kustomize rendered them, with the Secrets for them.

Core types are checked by Kubernetes's own schemas, custom ones by those in deploy/kubernetes/schemas, and what objects refer to must exist and
fit. Each finding is one line; it succeeds if there is none.
"""

import base64
import ipaddress
import json
import re
import sys
import tomllib
from pathlib import Path

import jsonschema
import kubernetes_validate
import yaml

VERSIONS = ("1.30", "1.37")  # The oldest that knows all fields (preStop.sleep), and the newest.
SCHEMAS = Path("deploy/kubernetes/schemas")
SETTINGS = Path("crates/runtime/config/default.toml")
RULES = Path("deploy/observability/rules.yml")
TARGETS = Path("crates/webhooks/src/target.rs")
# Objects of RabbitMQ's topology operator: the programs declare what these do.
DECLARED = {"Queue", "Exchange", "Binding", "Policy"}
PROBES = {"startupProbe", "readinessProbe", "livenessProbe"}
# Made by whoever deploys, if at all.
OPTIONAL = {"organizations", "bounces"}
# Made always, and used by a component.
OF_COMPONENTS = {"rekey-console": "console", "rekey-webhooks": "webhooks"}


def main():
    objects = load(sys.argv[2])
    secrets = {each["metadata"]["name"]: each for each in load(sys.argv[3])}
    checks = (pods, selectors, placed)
    findings = [
        *(f"{name(each)}: {finding}" for each in [*objects, *secrets.values()] for finding in schema(each)),
        *(f"{name(each)}: {finding}" for each in objects for check in checks for finding in check(each, objects, secrets)),
        *unused(objects, secrets),
        *rules(objects),
        *broker_users(objects, secrets),
        *monitored(objects),
        *way_out(objects),
    ]
    for finding in sorted(set(findings)):
        print(f"deploy/kubernetes, {sys.argv[1]}: {finding}", file=sys.stderr)
    if not findings:
        print(f"deploy/kubernetes, {sys.argv[1]}: {len(objects)} objects are valid")
    sys.exit(1 if findings else 0)


def load(file):
    return [each for each in yaml.safe_load_all(Path(file).read_text(encoding="utf-8")) if each]


def name(each):
    return f"{each['kind']} {each['metadata']['name']}"


def schema(each):
    own = SCHEMAS / f"{each['kind']}.json"
    try:
        if own.exists():
            jsonschema.validate(each, json.loads(own.read_text(encoding="utf-8")))
        elif each["kind"] in DECLARED:
            yield "the programs declare this themselves"
        else:
            for version in VERSIONS:
                kubernetes_validate.validate(each, version, strict=True)
    except (jsonschema.ValidationError, kubernetes_validate.ValidationError) as error:
        yield f"{'.'.join(str(part) for part in error.path)}: {error.message}"
    except kubernetes_validate.SchemaNotFoundError:
        yield f"no schema of {each['apiVersion']}"


def placed(each, _objects, _secrets):
    if each["kind"] != "Namespace" and each["metadata"].get("namespace") != "rekey":
        yield "is not in the namespace rekey"


def pods(each, objects, secrets):
    """Pods are restricted, within limits, and refer to what is there."""
    pod = template(each)
    if pod is None:
        return
    spec = pod["spec"]
    configured = spec["securityContext"]
    if not configured.get("runAsNonRoot") or configured.get("seccompProfile") != {"type": "RuntimeDefault"}:
        yield "may run as root, or without a seccomp profile"
    if spec.get("automountServiceAccountToken") is not False:
        yield "has a token for Kubernetes's API, which it doesn't use"
    maps = {item["metadata"]["name"]: item for item in objects if item["kind"] == "ConfigMap"}
    for container in spec["containers"]:
        security = container["securityContext"]
        if security.get("allowPrivilegeEscalation") is not False or security.get("capabilities") != {"drop": ["ALL"]}:
            yield "may gain privileges"
        if "memory" not in container["resources"].get("limits", {}):
            yield "has no limit of its memory"
        if each["kind"] == "Deployment" and container.get("ports") and not PROBES <= container.keys():
            yield "lacks a probe"
        yield from image(container["image"])
        yield from settings(container, maps)
        claims = each["spec"].get("volumeClaimTemplates", [])
        volumes = {volume["name"] for volume in spec["volumes"]} | {claim["metadata"]["name"] for claim in claims}
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        for volume in volumes ^ mounted:
            yield f"the volume {volume} is not both defined and mounted"
        for variable in container.get("env", []):
            yield from mounted_file(variable, container, spec, secrets)
    for kind, reference, keys in references(spec):
        known = {"secret": secrets, "configMap": maps}[kind]
        if reference not in known and reference not in OPTIONAL:
            yield f"the {kind} {reference} is not there"
        for key in keys if reference in known else ():
            if key not in known[reference]["data"]:
                yield f"the {kind} {reference} has no {key}"


def image(tag):
    expected = tomllib.loads(Path("Cargo.toml").read_text(encoding="utf-8"))["workspace"]["package"]["version"]
    if "/rekey:" in tag and not tag.endswith(f":{expected}"):
        yield f"{tag} is not the version of Cargo.toml, {expected}"
    if not re.search(r":v?\d+\.\d+\S*$", tag):
        yield f"{tag} names no version"


def settings(container, maps):
    known = tomllib.loads(SETTINGS.read_text(encoding="utf-8"))
    names = [variable["name"] for variable in container.get("env", [])]
    for source in container.get("envFrom", []):
        names += maps[source["configMapRef"]["name"]]["data"].keys()
    for key in names:
        if key.startswith("REKEY__"):
            section, setting = key.removeprefix("REKEY__").removesuffix("_FILE").lower().split("__")
            if setting not in known.get(section, {}):
                yield f"{key} is no setting"


def mounted_file(variable, container, spec, secrets):
    """A variable that names a secret's file names one that is mounted."""
    if not variable["name"].endswith("_FILE"):
        return
    path = Path(variable["value"])
    for mount in container["volumeMounts"]:
        if mount["mountPath"] == str(path.parent):
            [secret] = [volume["secret"]["secretName"] for volume in spec["volumes"] if volume["name"] == mount["name"]]
            if path.name in secrets.get(secret, {}).get("data", {}):
                return
    yield f"{variable['name']} names {path}, which no mounted secret has"


def references(spec):
    for volume in spec["volumes"]:
        sources = volume.get("projected", {}).get("sources", [volume])
        for source in sources:
            for kind in ("secret", "configMap"):
                if kind in source:
                    reference = source[kind]
                    yield kind, reference.get("name") or reference["secretName"], [item["key"] for item in reference.get("items", [])]
    for variable in (variable for container in spec["containers"] for variable in container.get("env", [])):
        for kind in ("secret", "configMap"):
            if reference := variable.get("valueFrom", {}).get(f"{kind}KeyRef"):
                yield kind, reference["name"], [reference["key"]]


def selectors(each, objects, _secrets):
    """What selects pods by labels finds some: those of ours, or those that an operator makes."""
    labels = [template(item)["metadata"]["labels"] for item in objects if template(item)]
    labels += [{"cnpg.io/cluster": item["metadata"]["name"]} for item in objects if item["kind"] == "Cluster"]
    labels += [{"app.kubernetes.io/name": item["metadata"]["name"]} for item in objects if item["kind"] == "RabbitmqCluster"]
    services = [item["metadata"]["labels"] for item in objects if item["kind"] == "Service" and "labels" in item["metadata"]]
    spec = each.get("spec", {})
    wanted = {
        "Service": lambda: [(spec["selector"], labels)],
        "PodDisruptionBudget": lambda: [(spec["selector"]["matchLabels"], labels)],
        "ServiceMonitor": lambda: [(spec["selector"]["matchLabels"], services)] if "matchLabels" in spec["selector"] else [],
        "NetworkPolicy": lambda: [
            (selector["matchLabels"], labels)
            for selector in (spec["podSelector"], *(peer["podSelector"] for peer in peers(spec) if peer.keys() == {"podSelector"}))
        ],
    }
    for selector, candidates in wanted.get(each["kind"], list)():
        if not any(selector.items() <= candidate.items() for candidate in candidates):
            yield f"selects nothing: {selector}"


def peers(spec):
    for rule in (*spec.get("ingress", []), *spec.get("egress", [])):
        yield from (*rule.get("from", []), *rule.get("to", []))


def unused(objects, secrets):
    """Every Secret is used by a pod, or named by an operator's object."""
    pods = [template(each)["spec"] for each in objects if template(each)]
    used = {reference for spec in pods for kind, reference, _ in references(spec) if kind == "secret"}
    custom = json.dumps([each for each in objects if (SCHEMAS / f"{each['kind']}.json").exists()])
    for secret in secrets.keys() - used:
        is_left_out = OF_COMPONENTS.get(secret) not in {None, *(each["metadata"]["name"] for each in objects)}
        if f'"{secret}"' not in custom and not is_left_out:
            yield f"the secret {secret} is used by nothing"


def rules(objects):
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    for each in objects:
        if each["kind"] == "PrometheusRule" and each["spec"]["groups"] != groups:
            yield f"its rules are not those of {RULES}"


def broker_users(objects, secrets):
    """RabbitMQ starts only if each user with rights is in a file that is mounted before them."""
    data = secrets["rabbitmq"]["data"]
    known = {user["name"] for file in data.values() for user in json.loads(base64.b64decode(file))["users"]}
    [rights] = [json.loads(each["data"]["permissions.json"]) for each in objects if each["metadata"]["name"] == "rabbitmq-permissions"]
    for user in {each["user"] for each in rights["permissions"]} ^ known:
        yield f"the broker's user {user} has a password and no rights, or rights and no password"
    mounted = json.dumps(objects)
    for file in data:
        if f'"key": "{file}"' not in mounted:
            yield f"{file} is not mounted into RabbitMQ"


def monitored(objects):
    """With the Prometheus operator, each admin port is scraped, once."""
    selectors = [each["spec"]["selector"] for each in objects if each["kind"] == "ServiceMonitor"]
    for service in (each for each in objects if each["kind"] == "Service" and selectors):
        if any(port["name"] == "admin" for port in service["spec"]["ports"]):
            count = sum(selects(selector, service["metadata"]["labels"]) for selector in selectors)
            if count != 1:
                yield f"{name(service)} is scraped by {count} monitors"


def selects(selector, labels):
    expressions = selector.get("matchExpressions", [])
    return selector.get("matchLabels", {}).items() <= labels.items() and all(labels[each["key"]] in each["values"] for each in expressions)


def way_out(objects):
    """rekey-webhooks reaches the addresses that it doesn't refuse itself, and our own pods."""
    refused = {str(network) for network in special_networks()}
    for pod in (template(each)["metadata"]["labels"] for each in objects if each["metadata"]["name"] == "webhooks" and template(each)):
        policies = [each for each in objects if each["kind"] == "NetworkPolicy" and selects(each["spec"]["podSelector"], pod)]
        rules = [rule for policy in policies for rule in policy["spec"].get("egress", [])]
        blocks = [peer["ipBlock"] for rule in rules for peer in rule.get("to", []) if "ipBlock" in peer]
        if not all(rule.get("to") for rule in rules) or {block["cidr"] for block in blocks} != {"0.0.0.0/0", "2000::/3"}:
            yield "webhooks may reach other networks than those of the policy webhooks"
        for network in refused ^ {network for block in blocks for network in block["except"]}:
            yield f"webhooks: {network} is refused by the policy or by {TARGETS} only"


def special_networks():
    """Returns what the program refuses. 6to4 addresses, which it reads, are none that a policy can read."""
    text = TARGETS.read_text(encoding="utf-8")
    for address, length in re.findall(r" v4\(\[([\d, ]+)\], (\d+)\)", text):
        yield ipaddress.ip_network(f"{address.replace(', ', '.')}/{length}")
    for address, length in re.findall(r"    v6\(\[([\da-fx, ]+)\], (\d+)\)", text):
        words = [int(word, 0) for word in address.split(", ")]
        yield ipaddress.ip_network((sum(word << (112 - 16 * place) for place, word in enumerate(words)), int(length)))
    yield ipaddress.ip_network("2002::/16")


def template(each):
    """Returns the pods' template of a workload, or None of another object."""
    if each["kind"] not in ("Deployment", "StatefulSet", "Job", "CronJob"):
        return None
    spec = each["spec"]
    return spec.get("jobTemplate", {}).get("spec", spec)["template"]


if __name__ == "__main__":
    main()
