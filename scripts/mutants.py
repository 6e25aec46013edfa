#!/usr/bin/python3
"""mutants.py ALL.json OWN.json OTHERS.json: writes docs/evidence/mutants.json from the list of all mutants and two outcomes.json of cargo-mutants.

The second run is of the mutants that the tests of the first let pass. Modules of which not all mutants were run stay as they are. Fails, and
writes nothing, if a mutant survives that docs/decisions/0045-mutation-testing.md does not explain, or if it explains one that does not survive.
"""

import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "docs/evidence/mutants.json"
DECISION = ROOT / "docs/decisions/0045-mutation-testing.md"
COUNTS = {"CaughtMutant": "caught", "Timeout": "timed_out", "Unviable": "unviable", "MissedMutant": "survived"}


def main():
    mutants, *runs = [json.loads(Path(name).read_text()) for name in sys.argv[1:4]]
    # The last outcome of a mutant counts.
    outcomes = {}
    for run in runs:
        for outcome in run["outcomes"]:
            if outcome["scenario"] != "Baseline":
                outcomes[outcome["scenario"]["Mutant"]["name"]] = outcome["summary"]
    modules, survivors = defaultdict(Counter), defaultdict(list)
    for name, summary in outcomes.items():
        modules[module(name)][COUNTS[summary]] += 1
        if summary == "MissedMutant":
            survivors[module(name)].append(short(name))
    partial = {module(mutant["name"]) for mutant in mutants if mutant["name"] not in outcomes}
    modules = {place: {**counts, "survivors": sorted(survivors[place])} for place, counts in modules.items() if place not in partial}
    check(Counter(name for names in survivors.values() for name in names), modules)
    if not modules:
        print("mutants.py: no module was run as a whole, so docs/evidence stays as it is")
        return
    old = json.loads(RESULT.read_text())["modules"] if RESULT.exists() else {}
    save = [ROOT / "scripts/evidence.py", "--save", RESULT, "make mutants", "cargo-mutants", "Rust"]
    subprocess.run(save, input=json.dumps({"modules": {**old, **modules}}), text=True, check=True)


def check(survivors, modules):
    """A reason is for one mutant: a second one of the same name needs a second line."""
    reasons = Counter(re.findall(r"^\| `([^`]+)`", DECISION.read_text(), re.M))
    unneeded = [name for name in (reasons - survivors).elements() if module(name) in modules]
    problems = [f"survives, and nothing explains why: {name}" for name in (survivors - reasons).elements()]
    problems += [f"is explained, and does not survive: {name}" for name in unneeded]
    if problems:
        sys.exit("mutants.py: " + "\nmutants.py: ".join(problems))


def module(name):
    """`limits` for `crates/core/src/limits/window.rs:1:2: replace …` and for `limits.rs: replace …`."""
    return re.match(r"\w+", name.removeprefix("crates/core/src/"))[0]


def short(name):
    """Without the line, which changes too often: `limits.rs: replace < with <= in WindowCounts::wait`."""
    return re.sub(r"^crates/core/src/(\S+?):\d+:\d+:", r"\1:", name)


main()
