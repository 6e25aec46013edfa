#!/usr/bin/python3
"""evidence.py: makes docs/evidence.md and its plots from what the suites wrote to docs/evidence/*.json.

The page's text is docs/evidence/page.md, where {{name}} is replaced by the tables of name.json. With --check nothing is written, and it fails
if the page is not what would be made; this needs no matplotlib (Debian: python3-matplotlib).
"""

import json
import re
import sys
from collections import Counter
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent / "docs"
DATA = DOCS / "evidence"
BLUE, ORANGE, GREY = "#1f6feb", "#d9730d", "#8c959f"


def main():
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
    body = {"chaos": chaos, "mutants": mutants}.get(name, figures)(result)
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
    rows = [
        [row["what"], f"{short(row['median'])} {row['unit']}", spread(row), row.get("goal", ""), row.get("note", "")]
        for row in result["figures"]
    ]
    keep = [0, 1] + [column for column in (2, 3, 4) if any(row[column] for row in rows)]
    head = ["figure", "median", "quartiles", "goal", "note"]
    return table([head[column] for column in keep], [[row[column] for column in keep] for row in rows])


def spread(row):
    if row.get("low") is None or row["low"] == row["high"]:
        return ""
    if row.get("rounds", 4) < 4:
        return f"{row['rounds']} rounds"
    rounds = f" ({row['rounds']} rounds)" if row.get("rounds") else ""
    return f"{short(row['low'])} to {short(row['high'])}{rounds}"


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
    figure, axes = pyplot.subplots(figsize=(9, 0.3 * len(ratios) + 0.8))
    for place, (name, row) in enumerate(reversed(ratios)):
        low, high = row.get("low") or row["median"], row.get("high") or row["median"]
        axes.barh(place, row["median"], color=BLUE, height=0.5)
        axes.plot([low, high], [place, place], color="black", linewidth=1)
        goal = re.search(r"[\d.]+", row.get("goal", ""))
        if goal:
            axes.plot([float(goal[0])] * 2, [place - 0.4, place + 0.4], color=ORANGE, linewidth=2)
    axes.set_yticks(range(len(ratios)), [f"{row['what']} ({name})" for name, row in reversed(ratios)])
    axes.set_xlabel("times (black: quartiles; orange: goal)")
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


main()
