#!/usr/bin/python3
"""evidence.py: makes docs/evidence.md and its plots from what the suites wrote to docs/evidence/*.json.

The page's text is docs/evidence/page.md, where {{name}} is replaced by the tables of name.json. With --check nothing is written, and it fails
if the page is not what would be made; this needs no matplotlib (Debian: python3-matplotlib).

evidence.py --save FILE COMMAND PROGRAM…: what the suites call. Writes the JSON of stdin to the file, with the command that makes it again, the date,
the machine, and the versions of Rekey and of these programs.
"""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
DATA = DOCS / "evidence"
BLUE, ORANGE, GREY = "#1f6feb", "#d9730d", "#8c959f"
VERSIONS = {
    "PostgreSQL": ["psql", "--version"],
    "RabbitMQ": ["dpkg-query", "--showformat=${Version}", "--show", "rabbitmq-server"],
    "Rust": ["rustc", "--version"],
    "cargo-mutants": ["cargo", "mutants", "--version"],
}


def main():
    if sys.argv[1:2] == ["--save"]:
        save_results(*sys.argv[2:])
        return
    results = {file.stem: json.loads(file.read_text()) for file in sorted(DATA.glob("*.json"))}
    page = re.sub(r"\{\{([a-z_]+)\}\}", lambda found: section(found[1], results), (DATA / "page.md").read_text())
    left = set(results) - set(re.findall(r"\{\{([a-z_]+)\}\}", (DATA / "page.md").read_text()))
    if left:
        sys.exit(f"evidence.py: docs/evidence/page.md has no place for {', '.join(sorted(left))}")
    if sys.argv[1:] == ["--check"]:
        if page != (DOCS / "evidence.md").read_text():
            sys.exit("evidence.py: docs/evidence.md is not made from docs/evidence: run `make evidence`")
        return
    (DOCS / "evidence.md").write_text(page)
    if results:
        plots(results)


def section(name, results):
    if name not in results:
        return f"Not measured for this page yet (`make bench BENCH={name}`); [scaling](scaling.md) has earlier figures."
    result = results[name]
    body = {"chaos": chaos, "fuzz": fuzz, "mutants": mutants}.get(name, figures)(result)
    return f"{body}\n\n{source(result)}"


def source(result):
    """Says what measured it, when and where."""
    parts = [f"`{result['command']}`", result["date"]]
    if machine := result.get("machine"):
        parts.append(f"{machine['processors']} processors ({machine['processor']}), {machine['memory_gib']} GiB, {machine['system']}")
    parts += [f"{name} {number(version)}" for name, version in sorted(result.get("versions", {}).items()) if version]
    return f"<sub>{', '.join(parts)}</sub>"


def number(version):
    """The number in the line that a program prints about its version."""
    return re.search(r"\d[\w.]*", version)[0]


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


# --- Figures of the benchmarks.


def figures(result):
    """A line for each figure, and a table of two dimensions of those that are named "one: other" when both repeat."""
    rows = [(tuple(row["what"].split(": ")), row) for row in result["figures"]]
    pairs = [name for name, _ in rows if len(name) == 2]
    firsts, lasts = (Counter(name[place] for name in pairs) for place in (0, 1))
    crossed = {name: row for name, row in rows if len(name) == 2 and firsts[name[0]] > 1 and lasts[name[1]] > 1}
    parts = [listed([row for name, row in rows if name not in crossed]), cross(crossed)]
    return "\n\n".join(part for part in parts if part)


def listed(figures):
    rows = [[row["what"], amount(row), spread(row), row.get("goal", ""), row.get("note", "")] for row in figures]
    keep = [0, 1] + [column for column in (2, 3, 4) if any(row[column] for row in rows)]
    head = ["figure", "median", "quartiles", "goal", "note"]
    return rows and table([head[column] for column in keep], [[row[column] for column in keep] for row in rows])


def cross(figures):
    """The shorter of the two lists of names is the head."""
    lists = [list(dict.fromkeys(name[place] for name in figures)) for place in (0, 1)]
    place = 0 if len(lists[0]) <= len(lists[1]) else 1
    pick = lambda row, column: figures.get((column, row) if place == 0 else (row, column))
    cells = [[row, *(cell(pick(row, column)) for column in lists[place])] for row in lists[1 - place]]
    notes = [f"- {name[0]}: {figure['note']}" for name, figure in figures.items() if figure.get("note")]
    return figures and "\n".join([table(["median (quartiles)", *lists[place]], cells), *([""] if notes else []), *notes])


def cell(row):
    return f"{amount(row)} ({quartiles(row)})" if row and quartiles(row) else amount(row) if row else ""


def amount(row):
    return f"{short(row['median'])} {row['unit']}"


def spread(row):
    rounds = f"{row['rounds']} rounds" if row.get("rounds", 1) > 1 else ""
    return f"{quartiles(row)} ({rounds})" if quartiles(row) and rounds else quartiles(row) or rounds


def quartiles(row):
    """What a few rounds have is no quartiles."""
    known = row.get("rounds", 4) >= 4 and row.get("low") is not None and row["low"] != row["high"]
    return f"{short(row['low'])} to {short(row['high'])}" if known else ""


def short(value):
    """Three digits, and all of a larger number."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


# --- The chaos suite.


def chaos(result):
    verdict, minutes = result["verdict"], result["timeline"][-1][0] / 60
    rows = [
        ["attempted", verdict["attempted"], f"requests for resets, in {minutes:.0f} minutes"],
        ["acknowledged", verdict["acknowledged"], "answered by a 201"],
        ["ok", verdict["ok"], "acknowledged and mailed"],
        ["superseded", verdict["superseded"], "acknowledged, and superseded by a later reset or used before the mail was sent"],
        ["decoys", verdict["decoys"], "acknowledged for addresses that nobody has, and rightly not mailed"],
        ["**lost**", verdict["lost"], "acknowledged and not mailed, and new passwords without the mail about them"],
        ["recovered", verdict["recovered"], "not acknowledged, and mailed all the same"],
        ["duplicated", verdict["duplicated"], "mails that came once more"],
        ["**not explained**", verdict["unexplained"], "of these, those that the ledger's `in_doubt` does not explain"],
        ["**unexpected**", verdict["unexpected"], "mails that nobody asked for, to somebody else or with another token, and second resets for one key"],
        ["**unfinished**", verdict["unfinished"], "events not published, mails not finished, callbacks that are due, after the end"],
        ["**dead letters**", verdict["dead_letters"], "messages that no mailer could handle"],
        ["new passwords", verdict["completed"], "each by exactly one of three simultaneous uses of its token; the other two, the old password and the old session were refused"],
        ["over budget", verdict["over_budget"], "of the mails about them, those beyond what an account gets in a day"],
        ["webhook", verdict["received"], f"resets that its receiver got, {verdict['received_again']} of them once more"],
        ["**missed by the webhook**", verdict["never_received"] + verdict["wrongly_received"], "never received, or received wrongly"],
        ["**wrong answers**", result["wrong_answers"], "answers that no fault explains"],
        ["**audit log**", verdict["audit"], "chains that `rekey audit verify` finds broken"],
        ["programs", result["starts"], f"starts; {result['failed_starts']} of them failed, as a database was down"],
        ["**panics**", result["panics"], "in the logs of all processes"],
        ["processes", result["growth"], growth(result["growth"], result["clients"])],
    ]
    rows = [[name, f"{len(count) if isinstance(count, list) else count:,}", what] for name, count, what in rows]
    kinds = Counter(re.sub(r" (api|mailer|webhooks|client|RabbitMQ|PostgreSQL|SMTP)\b.*", "", fault[0]) for fault in result["faults"])
    seconds = [until - start for _, start, until in result["faults"]]
    faults = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    return f"""Seed {result["seed"]}, {len(seconds)} faults of {len(kinds)} kinds, {min(seconds):.1f} to {max(seconds):.0f} s each: {faults}.

{table(["", "number", "meaning"], rows)}

![Answers and mails over time, with the faults](evidence/chaos.svg)"""


def growth(rows, clients):
    """The longest run, and for `rekey-api` and for the other programs the process that grew most."""
    longest = max((row["seconds"] for row in rows), default=0) / 60
    parts = []
    for name, api in [("`rekey-api`", True), ("the others", False)]:
        of_kind = [row for row in rows if row["name"].startswith("api") == api]
        if of_kind:
            most = max(of_kind, key=lambda row: row["megabytes"][1] - row["megabytes"][0])
            descriptors = max(row["descriptors"][1] for row in of_kind)
            parts.append(f"of {name} from {most['megabytes'][0]} MB to {most['megabytes'][1]} MB, with at most {descriptors} descriptors open")
    return (
        f"that ran for a minute or more, the longest for {longest:.0f} minutes. From the first half of a life to the second, the lowest memory grew most "
        f"{', and '.join(parts)}. The descriptors of `rekey-api` are mostly connections of the {clients} clients"
    )


# --- The fuzzer.


def fuzz(result):
    columns = ["seconds", "executions", "per_second", "inputs", "new_inputs", "edges", "edges_at_end"]
    rows = [[row["parser"], *(f"{row[column]:,}" for column in columns)] for row in result["parsers"]]
    executions, seconds = (sum(row[column] for row in result["parsers"]) for column in ("executions", "seconds"))
    head = ["parser", "seconds", "inputs tried", "a second", "corpus", "new inputs", "edges at the start", "at the end"]
    return f"""Of {executions:,} inputs in {seconds / 60:.0f} minutes, {result["failures"]} failed. New inputs are those that reached code in a new way; edges are the steps from
one piece of the code to the next that were reached.

{table(head, rows)}"""


# --- Mutation testing.


def mutants(result):
    columns = {
        "caught": "a test fails",
        "timed_out": "a test waits forever",
        "survived": "survive, with a reason",
        "unviable": "do not compile",
        "not_run": "not run",
    }
    rows = [[name, *(counts.get(column, 0) for column in columns)] for name, counts in sorted(result["modules"].items())]
    rows.append(["**all**", *(sum(column) for column in list(zip(*rows))[1:])])
    return table(["module", *columns.values()], rows)


# --- Plots.


def plots(results):
    import matplotlib

    matplotlib.use("svg")
    # The same data make the same file.
    matplotlib.rcParams.update({"svg.hashsalt": "rekey", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9})
    from matplotlib import pyplot

    if "chaos" in results:
        plot_chaos(pyplot, results["chaos"])
    ratios = [(name, row) for name, result in results.items() for row in result.get("figures", []) if row["unit"] == "times"]
    if ratios:
        plot_ratios(pyplot, ratios)
    for name, result in results.items():
        if result.get("samples"):
            plot_samples(pyplot, name, result["samples"])


def save(pyplot, figure, name):
    figure.savefig(DATA / f"{name}.svg", metadata={"Date": None}, bbox_inches="tight")
    pyplot.close(figure)


def plot_chaos(pyplot, result):
    figure, axes = pyplot.subplots(figsize=(9, 4))
    for _, start, until in result["faults"]:
        axes.axvspan(start / 60, until / 60, color=ORANGE, alpha=0.12, linewidth=0)
    rows = [[row[0] / 60, *row[1:]] for row in result["timeline"]]
    for column, color, style, label in [
        (1, BLUE, "-", "201: median"),
        (2, BLUE, ":", "201: slowest"),
        (3, GREY, "-", "mail: median"),
        (4, GREY, ":", "mail: slowest"),
    ]:
        axes.plot([row[0] for row in rows], [max(row[column], 1e-3) for row in rows], color=color, linestyle=style, linewidth=1, label=label)
    axes.set(yscale="log", xlabel="minutes (a fault is in force where it is orange)", ylabel="seconds from the first try")
    axes.margins(x=0)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.12), ncols=4, frameon=False)
    save(pyplot, figure, "chaos")


def plot_ratios(pyplot, ratios):
    """On a scale where twice and half are as far from 1. Controls are in the tables."""
    ratios = [(name, row) for name, row in reversed(ratios) if not row["what"].endswith("control")]
    figure, axes = pyplot.subplots(figsize=(7, 0.26 * len(ratios) + 0.8))
    for place, (_, row) in enumerate(ratios):
        axes.plot([row["low"], row["high"]], [place, place], color="black", linewidth=1)
        axes.plot(row["median"], place, "o", color=BLUE)
        if goal := re.search(r"[\d.]+", row.get("goal", "")):
            axes.plot([float(goal[0])] * 2, [place - 0.4, place + 0.4], color=ORANGE, linewidth=2)
    axes.set_yticks(range(len(ratios)), [f"{re.sub(r' [(].*[)]', '', row['what'])} ({name})" for name, row in ratios])
    axes.set(xscale="log", xlabel="times (black: quartiles; orange: goal)")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.axvline(1, color=GREY, linewidth=0.8)
    save(pyplot, figure, "ratios")


def plot_samples(pyplot, name, samples):
    """Each distribution as a curve: the share of answers that took no longer."""
    groups = sorted({key.rsplit(",", 1)[0] for key in samples})
    figure, all_axes = pyplot.subplots(1, len(groups), figsize=(3.8 * len(groups), 2.6), sharey=True, squeeze=False)
    for axes, group in zip(all_axes[0], groups):
        for color, (key, values) in zip([BLUE, ORANGE, GREY], sorted((k, v) for k, v in samples.items() if k.rsplit(",", 1)[0] == group)):
            share = [(index + 1) / len(values) for index in range(len(values))]
            axes.plot(sorted(values), share, color=color, label=key.rsplit(",", 1)[-1].strip())
        axes.set(title=group, xlabel="ms")
        axes.legend(frameon=False, loc="lower right")
    save(pyplot, figure, name)


# --- What the suites measured.


def save_results(file, command, *programs):
    results = json.load(sys.stdin)
    rekey = re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)[1]
    results |= {
        "command": command,
        "date": datetime.now(timezone.utc).date().isoformat(),
        "machine": machine(),
        "versions": {"Rekey": rekey, **{name: first_line(VERSIONS[name]) for name in programs}},
    }
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    Path(file).write_text(json.dumps(results, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def machine():
    kibibytes = field("/proc/meminfo", "MemTotal").removesuffix(" kB")
    return {
        "processors": len(os.sched_getaffinity(0)),
        "processor": field("/proc/cpuinfo", "model name"),
        "memory_gib": -(-int(kibibytes) // 2**20),
        "system": field("/etc/os-release", "PRETTY_NAME"),
    }


def field(file, key):
    found = re.search(rf'^{key}[\s:="]*([^"\n]*)', Path(file).read_text(), re.MULTILINE)
    return found and found[1]


def first_line(command):
    """What a program prints about its version, if it is there."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]
    except (OSError, subprocess.CalledProcessError):
        return None


main()
