#!/usr/bin/python3
"""observability_check.py METRICS FOLDER: checks the queries of deploy/observability, and what its files refer to.

METRICS is the page that lists the metrics in a table, by their names in the first column. FOLDER is empty, for the data of the Prometheus that
evaluates the queries. Each finding is one line; it succeeds if there is none.
"""

import json
import re
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import yaml

HOME = Path("deploy/observability")
SEVERITIES = {"critical", "warning"}
MINUTES = 240
BUCKETS = {"0.1": 0.8, "1": 0.95, "+Inf": 1}
# What Grafana puts in.
VARIABLES = {"$__rate_interval": "1m", "$__range": "1h"}
# Names that Prometheus makes itself.
BUILT_IN = {"up", "ALERTS"}
WORDS = {"and", "or", "unless", "bool", "offset"}


def main():
    rules = load_rules()
    dashboards = {file.name: json.loads(file.read_text(encoding="utf-8")) for file in sorted((HOME / "grafana/dashboards").glob("*.json"))}
    panels = [(f"{file}: {panel['title']}", panel) for file, board in dashboards.items() for panel in board["panels"]]
    queries = [(where, target["expr"], target["legendFormat"]) for where, panel in panels for target in panel["targets"]]
    metrics = load_metrics(Path(sys.argv[1]), {rule["record"] for rule in rules if "record" in rule})
    samples = yaml.safe_load((HOME / "samples.yml").read_text(encoding="utf-8"))
    texts = [
        *((where, query) for where, query, _ in queries),
        *((rule.get("alert") or rule["record"], rule["expr"]) for rule in rules),
        *(("samples.yml", sample) for sample in samples),
    ]
    findings = [
        *(finding for rule in rules if "alert" in rule for finding in alert(rule)),
        *tests(rules),
        *(finding for file, board in dashboards.items() for finding in layout(file, board)),
        *(f"{where}: {name} is no metric of {sys.argv[1]}" for where, query in texts for name in names(query) - metrics),
        *attributes(samples, Path(sys.argv[1])),
        *evaluated(queries, rules, samples, Path(sys.argv[2])),
    ]
    for finding in findings:
        print(f"{HOME}: {finding}", file=sys.stderr)
    if not findings:
        print(f"{HOME}: {len(queries)} queries of {len(dashboards)} dashboards and {len(rules)} rules evaluated")
    sys.exit(1 if findings else 0)


def load_rules():
    groups = yaml.safe_load((HOME / "rules.yml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def load_page(page):
    """Returns the rows of the page's table as text, by the metric's name."""
    rows = [line.strip().strip("|") for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    return {row.partition("|")[0].strip(" `"): row for row in rows}


def load_metrics(page, recorded):
    found = load_page(page)
    histograms = {f"{name}_{part}" for name, row in found.items() if "histogram" in row for part in ("bucket", "sum", "count")}
    return found.keys() | histograms | recorded | BUILT_IN


def attributes(samples, page):
    """The samples have no labels but those of the page, so that a query can't be right by a wrong sample."""
    rows = load_page(page)
    for sample in samples:
        name, _, labels = sample.partition("{")
        for label in re.findall(r'(\w+)="', labels):
            if label not in ("job", "instance") and f"`{label}`" not in rows.get(name, ""):
                yield f"samples.yml: {label} is no label of {name} in {page}"


def names(query):
    """Returns the metrics of a query: the names that are no function, keyword, label or range."""
    query = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^\]]*\]', " ", re.sub(r'\{(?:[^}"]|"[^"]*")*\}', " ", query))
    query = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", " ", query)
    return {name for name, call in re.findall(r"(?<![\w.:])([a-zA-Z_:][\w:]*)\s*(\(?)", query) if not call and name not in WORDS}


def alert(rule):
    name = rule["alert"]
    if rule["labels"].get("severity") not in SEVERITIES:
        yield f"{name} has no severity of {', '.join(sorted(SEVERITIES))}"
    for key in ("summary", "description"):
        if key not in rule["annotations"]:
            yield f"{name} has no {key}"
    page, _, heading = rule["annotations"].get("runbook_url", "").partition("#")
    if not Path(page).is_file():
        yield f"{name}: no runbook {page!r}"
    elif heading and heading not in headings(Path(page)):
        yield f"{name}: {page} has no heading #{heading}"


def headings(page):
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def tests(rules):
    """Each alert has a test in which it fires, and one in which it does not."""
    cases = yaml.safe_load((HOME / "rules_test.yml").read_text(encoding="utf-8"))["tests"]
    cases = [case for test in cases for case in test["promql_expr_test"]]
    for name in (rule["alert"] for rule in rules if "alert" in rule):
        wanted = (f'alertname="{name}"', 'ALERTS{alertstate="firing"}')
        expected = {bool(case["exp_samples"]) for case in cases if any(text in case["expr"] for text in wanted)}
        for fires in {True, False} - expected:
            yield f"{name}: no test in which it {'fires' if fires else 'does not fire'}"


def layout(file, board):
    provisioned = (HOME / "grafana/provisioning/datasources/rekey.yml").read_text(encoding="utf-8")
    sources = {source["uid"] for source in yaml.safe_load(provisioned)["datasources"]}
    taken = {}
    for panel in board["panels"]:
        place, title = panel["gridPos"], f"{file}: {panel['title']}"
        if panel["datasource"]["uid"] not in sources:
            yield f"{title}: no data source {panel['datasource']['uid']}"
        if not panel.get("description"):
            yield f"{title} has no description"
        for cell in ((x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])):
            if taken.setdefault(cell, title) != title:
                yield f"{title} covers a part of {taken[cell]}"
                break
    if len({panel["id"] for panel in board["panels"]}) != len(board["panels"]):
        yield f"{file}: two panels have the same id"


def evaluated(queries, rules, samples, folder):
    """Evaluates all queries in a Prometheus that holds the samples: those of dashboards have a result, those of rules need not."""
    end = int(time.time())
    (folder / "samples.om").write_text(openmetrics(samples, end), encoding="utf-8")
    (folder / "empty.yml").write_text("{}", encoding="utf-8")
    load = ["promtool", "tsdb", "create-blocks-from", "openmetrics", folder / "samples.om", folder / "data"]
    subprocess.run(load, check=True, stdout=subprocess.DEVNULL)
    port = subprocess.run(["scripts/free-ports.sh"], check=True, capture_output=True, text=True).stdout.split()[0]
    with (folder / "log").open("w", encoding="utf-8") as log:
        server = subprocess.Popen(
            ["prometheus", f"--config.file={folder}/empty.yml", f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}"],
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        base = f"http://127.0.0.1:{port}"
        if not ready(base):
            yield f"Prometheus does not start: {(folder / 'log').read_text(encoding='utf-8')}"
            return
        for where, query, legend in queries:
            for variable, value in VARIABLES.items():
                query = query.replace(variable, value)
            result = ask(base, query, end)
            # 0/0 and the quantile of nothing are results, too, which show nothing.
            if isinstance(result, str) or not any(sample["value"][1] != "NaN" for sample in result):
                yield f"{where}: {query}: {result if isinstance(result, str) else 'no result'}"
                continue
            for label in re.findall(r"\{\{(\w+)\}\}", legend):
                if not any(label in sample["metric"] for sample in result):
                    yield f"{where}: {query}: the result has no {label}, which its legend shows"
        for rule in rules:
            result = ask(base, rule["expr"], end)
            if isinstance(result, str):
                yield f"{rule.get('alert') or rule['record']}: {result}"
            elif "record" in rule and not result:
                yield f"{rule['record']}: no result"
    finally:
        server.terminate()
        server.wait()


def ready(base):
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{base}/-/ready", timeout=5).close()
            return True
        except OSError:
            time.sleep(0.1)
    return False


def ask(base, query, at):
    """Returns the samples, or the error as text."""
    try:
        with urllib.request.urlopen(f"{base}/api/v1/query?" + urllib.parse.urlencode({"query": query, "time": at}), timeout=30) as response:
            return json.load(response)["data"]["result"]
    except urllib.error.HTTPError as error:
        return json.load(error)["error"]


def openmetrics(samples, end):
    lines = []
    for sample in samples:
        series, value = sample.rsplit(" ", 1)
        start, _, step = value.partition("+")
        name, labels = series.rstrip("}").split("{")
        plain = [(name, labels, 1)]
        if name.endswith("_seconds") and step and not re.search("age|expiry|last", name):
            buckets = [(f"{name}_bucket", f'{labels},le="{le}"', share) for le, share in BUCKETS.items()]
            plain = [(f"{name}_count", labels, 1), (f"{name}_sum", labels, 0.2), *buckets]
        for name, labels, share in plain:
            for minute in range(MINUTES + 1):
                number = (float(start) + float(step or 0) * minute) * share
                lines.append(f"{name}{{{labels}}} {number} {end - 60 * (MINUTES - minute)}")
    return "\n".join([*lines, "# EOF", ""])


if __name__ == "__main__":
    main()
