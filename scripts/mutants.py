#!/usr/bin/python3
"""mutants.py OWN.json OTHERS.json: writes docs/evidence/mutants.json from two outcomes.json of cargo-mutants.

The second run is of the mutants that the tests of the first let pass. Modules that were not run stay as they are. Fails if a mutant survives
that docs/decisions/0045-mutation-testing.md does not explain.
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
    runs = [json.loads(Path(name).read_text()) for name in sys.argv[1:3]]
    # The last outcome of a mutant counts.
    outcomes = {}
    for run in runs:
        for outcome in run["outcomes"]:
            if outcome["scenario"] != "Baseline":
                mutant = outcome["scenario"]["Mutant"]
                outcomes[mutant["name"]] = (module(mutant["file"]), outcome["summary"])
    modules, survivors = defaultdict(Counter), defaultdict(list)
    for name, (place, summary) in outcomes.items():
        modules[place][COUNTS[summary]] += 1
        if summary == "MissedMutant":
            survivors[place].append(short(name))
    old = json.loads(RESULT.read_text()) if RESULT.exists() else {"modules": {}}
    modules = {**old["modules"], **{place: {**counts, "survivors": sorted(survivors[place])} for place, counts in modules.items()}}
    save = [ROOT / "scripts/evidence.py", "--save", RESULT, "make mutants", "cargo-mutants", "Rust"]
    subprocess.run(save, input=json.dumps({"modules": modules}), text=True, check=True)
    explained = set(re.findall(r"^\| `([^`]+)`", DECISION.read_text(), re.M))
    left = [name for counts in modules.values() for name in counts["survivors"] if name not in explained]
    if left:
        sys.exit("mutants.py: these survive, and nothing explains why:\n" + "\n".join(left))


def module(file):
    return file.removeprefix("crates/core/src/").split("/")[0].removesuffix(".rs")


def short(name):
    """Without the line, which changes too often: `limits.rs: replace < with <= in WindowCounts::wait`."""
    return re.sub(r"^crates/core/src/(\S+?):\d+:\d+:", r"\1:", name)


main()
