#!/usr/bin/python3
"""evidence.py: makes docs/evidence.md and its plots from what the suites wrote to docs/evidence/*.json.

The page's text is docs/evidence/page.md, where {{name}} is replaced by the tables of name.json. With --check nothing is written, and it fails
if the page is not what would be made; this needs no matplotlib (Debian: python3-matplotlib), and does not compare the plots, which differ with
its version.

evidence.py --save FILE COMMAND PROGRAM…: what the suites call. Writes the JSON of stdin to the file, with the command that makes it again, the date,
the machine, the commit, and the versions of Rekey and of these programs.
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
    from evidence_plots import draw

    draw(results, DATA, quartiles)


def section(name, results):
    makers = {"chaos": chaos, "fuzz": fuzz, "mutants": mutants}
    if name not in results:
        return f"Not measured for this page yet (`make {name if name in makers else f'bench BENCH={name}'}`)."
    result = results[name]
    body = makers.get(name, figures)(result)
    return f"{body}\n\n{source(result)}"


def source(result):
    """Says what measured it, when and where."""
    parts = [f"`{result['command']}`", result["date"]]
    if machine := result.get("machine"):
        parts.append(f"{machine['processors']} processors ({machine['processor']}), {machine['memory_gib']} GiB, {machine['system']}")
    versions = {name: version for name, version in sorted(result.get("versions", {}).items()) if version}
    parts += [f"{name} {version if name == 'commit' else number(version)}" for name, version in versions.items()]
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
    figures = [{**row, "what": grouped(row["what"]), "note": grouped(row.get("note", ""))} for row in result["figures"]]
    rows = [(tuple(row["what"].split(": ")), row) for row in figures]
    pairs = [name for name, _ in rows if len(name) == 2]
    firsts, lasts = (Counter(name[place] for name in pairs) for place in (0, 1))
    crossed = {name: row for name, row in rows if len(name) == 2 and firsts[name[0]] > 1 and lasts[name[1]] > 1}
    parts = [f"**{result['title']}**", listed([row for name, row in rows if name not in crossed]), cross(crossed)]
    return "\n\n".join(part for part in parts if part)


def grouped(text):
    """1000000 as 1,000,000."""
    return re.sub(r"\b[1-9]\d{3,}\b", lambda found: f"{int(found[0]):,}", text)


def listed(figures):
    rows = [[row["what"], amount(row), spread(row), row.get("goal", ""), row["note"]] for row in figures]
    keep = [0, 1] + [column for column in (2, 3, 4) if any(row[column] for row in rows)]
    head = ["figure", "median", "quartiles", "goal", "note"]
    return rows and table([head[column] for column in keep], [[row[column] for column in keep] for row in rows])


def cross(figures):
    """The shorter of the two lists of names is the head."""
    if not figures:
        return ""
    lists = [list(dict.fromkeys(name[place] for name in figures)) for place in (0, 1)]
    place = 0 if len(lists[0]) <= len(lists[1]) else 1
    pick = lambda row, column: figures.get((column, row) if place == 0 else (row, column))
    cells = [[row, *(cell(pick(row, column)) for column in lists[place])] for row in lists[1 - place]]
    notes = [f"- {', '.join(name)}: {figure['note']}" for name, figure in figures.items() if figure["note"]]
    return "\n\n".join(filter(None, [table(["", *lists[place]], cells), rounds(figures.values()), "\n".join(notes)]))


def rounds(figures):
    """Says how the figures of a table came about that has no column for it."""
    counts = [row.get("rounds", 1) for row in figures]
    several = sorted({count for count in counts if count > 1})
    if not several:
        return ""
    count = f"{several[0]}" if len(several) == 1 else f"{several[0]} to {several[-1]}"
    brackets = "" if several[-1] < 4 else ", with the quartiles in brackets" + (" where there are four or more" if several[0] < 4 else "")
    return f"Medians of {count} rounds{brackets}." + (" Ratios are those of the medians." if 1 in counts else "")


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
        ["not acknowledged", verdict["attempted"] - verdict["acknowledged"], "requests of the eighth of the clients that doesn't repeat them"],
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
    ]
    rows = [[name, f"{len(count) if isinstance(count, list) else count:,}", what] for name, count, what in rows]
    kinds = Counter(re.sub(r" (api|mailer|webhooks|client|RabbitMQ|PostgreSQL|SMTP)\b.*", "", fault[0]) for fault in result["faults"])
    seconds = [until - start for _, start, until in result["faults"]]
    shortest = f"{min(seconds):.1f}" if min(seconds) >= 0.1 else "less than 0.1"
    faults = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    return f"""Seed {result["seed"]}, {len(seconds)} faults of {len(kinds)} kinds, {shortest} to {max(seconds):.0f} s each: {faults}.

{table(["", "number", "meaning"], rows)}

{growth(result["growth"], result["clients"])}

![Answers and mails over time, with the faults](evidence/chaos.svg)"""


def growth(rows, clients):
    """The longest run, and for `rekey-api` and for the other programs the process that grew most. The numbers are the lowest of each half."""
    apis, others = ([row for row in rows if row["name"].startswith("api") == api] for api in (True, False))
    grown = [max(kind, key=lambda row: row["megabytes"][1] - row["megabytes"][0])["megabytes"] for kind in (apis, others)]
    descriptors = [max(row["descriptors"][1] for row in kind) for kind in (apis, others)]
    return f"""{len(rows)} processes ran for a minute or more, the longest for {max(row["seconds"] for row in rows) / 60:.0f} minutes. A leak would show in the lowest values of the second half of a
process's life, next to those of the first. The lowest memory of a `rekey-api` grew from {grown[0][0]} to {grown[0][1]} MB at most, where each thread that hashes passwords keeps 19 MiB, and that of
another program from {grown[1][0]} to {grown[1][1]} MB. In its second half each `rekey-api` was down to {descriptors[0]} open descriptors or fewer at some time, most of them connections of the
{clients} clients, and each other program to {descriptors[1]} or fewer."""


# --- The fuzzer.


def fuzz(result):
    columns = ["seconds", "executions", "per_second", "inputs", "new_inputs", "edges", "edges_at_end"]
    rows = [[row["parser"], *(f"{row[column]:,}" for column in columns)] for row in result["parsers"]]
    executions, seconds = (sum(row[column] for row in result["parsers"]) for column in ("executions", "seconds"))
    head = ["parser", "seconds", "inputs tried", "a second", "corpus", "new inputs", "edges at the start", "at the end"]
    return f"""None of {executions:,} inputs in {seconds / 60:.0f} minutes failed; a run in which one fails writes no table. New inputs are those that reached code in a new way;
edges are the steps from one piece of the code to the next that were reached.

{table(head, rows)}"""


# --- Mutation testing.


def mutants(result):
    columns = {
        "caught": "a test fails",
        "timed_out": "a test waits forever",
        "survived": "survive, with a reason",
        "unviable": "do not compile",
    }
    rows = [[name, *(counts.get(column, 0) for column in columns)] for name, counts in sorted(result["modules"].items())]
    rows.append(["**all**", *(sum(column) for column in list(zip(*rows))[1:])])
    return table(["module", *columns.values()], rows)


# --- What the suites measured.


def save_results(file, command, *programs):
    results = json.load(sys.stdin)
    rekey = re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)[1]
    results |= {
        "command": command,
        "date": datetime.now(timezone.utc).date().isoformat(),
        "machine": machine(),
        "versions": {"Rekey": rekey, "commit": commit(), **{name: first_line(VERSIONS[name]) for name in programs}},
    }
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    Path(file).write_text(json.dumps(results, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def commit():
    """Dirty if more than measurements differs from it: each program of `make bench` writes its own."""
    name = first_line(["git", "describe", "--always"])
    changed = first_line(["git", "status", "--porcelain", "--untracked-files=no", "--", ":!docs/evidence*"])
    return f"{name}-dirty" if name and changed else name


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
    """What a program prints first, if it is there and prints something."""
    try:
        return next(iter(subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout.splitlines()), None)
    except (OSError, subprocess.CalledProcessError):
        return None


main()
