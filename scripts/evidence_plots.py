"""The plots of docs/evidence.md, for evidence.py. Needs matplotlib (Debian: python3-matplotlib)."""

import re

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot

BLUE, ORANGE, GREY = "#1f6feb", "#d9730d", "#8c959f"


def draw(results, folder, quartiles):
    """`quartiles` returns text for a row that has some."""
    # The same data make the same file.
    matplotlib.rcParams.update({"svg.hashsalt": "rekey", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9})
    if "chaos" in results:
        save(plot_chaos(results["chaos"]), folder / "chaos.svg")
    ratios = [(name, row) for name, result in results.items() for row in result.get("figures", []) if is_share(row)]
    if ratios:
        save(plot_ratios(ratios, quartiles), folder / "ratios.svg")
    for name, result in results.items():
        if result.get("samples"):
            save(plot_samples(result["samples"]), folder / f"{name}.svg")


def save(figure, file):
    figure.savefig(file, metadata={"Date": None}, bbox_inches="tight")
    pyplot.close(figure)


def is_share(row):
    """Whether it is a share of what a limit allows. Other ratios have a goal, or are in the tables only."""
    return row["unit"] == "times" and ("goal" in row or row["what"].endswith(" alone"))


def plot_chaos(result):
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
    return figure


def plot_ratios(ratios, quartiles):
    """On a scale where twice and half are as far from 1."""
    ratios = ratios[::-1]
    figure, axes = pyplot.subplots(figsize=(6, 0.3 * len(ratios) + 0.8))
    for place, (_, row) in enumerate(ratios):
        if quartiles(row):
            axes.plot([row["low"], row["high"]], [place, place], color="black", linewidth=1)
        axes.plot(row["median"], place, "o", color=BLUE)
        if goal := re.search(r"[\d.]+", row.get("goal", "")):
            axes.plot([float(goal[0])] * 2, [place - 0.4, place + 0.4], color=ORANGE, linewidth=2)
    axes.set_yticks(range(len(ratios)), [f"{row['what']} ({name})" for name, row in ratios])
    axes.set(xscale="log", xlabel="times (black: quartiles; orange: goal)")
    for axis_formatter in (axes.xaxis.set_major_formatter, axes.xaxis.set_minor_formatter):
        axis_formatter("{x:g}")
    axes.axvline(1, color=GREY, linewidth=0.8)
    return figure


def plot_samples(samples):
    """Each distribution as a curve: the share of answers that took no longer."""
    groups = sorted({key.rsplit(",", 1)[0] for key in samples})
    figure, all_axes = pyplot.subplots(1, len(groups), figsize=(3.8 * len(groups), 2.6), sharey=True, squeeze=False)
    for axes, group in zip(all_axes[0], groups):
        for color, (key, values) in zip([BLUE, ORANGE, GREY], sorted((k, v) for k, v in samples.items() if k.rsplit(",", 1)[0] == group)):
            share = [(index + 1) / len(values) for index in range(len(values))]
            axes.plot(sorted(values), share, color=color, label=key.rsplit(",", 1)[-1].strip())
        axes.set(title=group, xlabel="ms")
        axes.legend(frameon=False, loc="lower right")
    return figure
