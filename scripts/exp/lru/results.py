# SPDX-License-Identifier: GPL-2.0
"""The runs that the report tells of: those in results/, and in place of what is not there, those that it told of before.

The report keeps what it was made of in a directory beside it, in one file for each run, without the counts of what is resident
over time. So a run that is repeated changes its own figures and no others, and whoever reads a figure can look up
its seeds.
"""

import csv
import json
import os
import re
import statistics

import kernels
from bench import Bench

KEPT = "lru_page_list.results"
OOM = "lru-oom"
# With other parameters of a pattern, which are in the name: lru-with-by=309,step=250.
VARIED = "lru-with-"
# What the repository's rules for names of files have in place of these.
SIGNS = str.maketrans("=,", "-+")


class Results:
    """A run: what run.py wrote to facts.json, and {case: {policy: {measure: value of each seed}}}."""

    def __init__(self, facts, values, where=None):
        self.facts, self.values, self.where = facts, values, where
        self.conditions, self.quick = facts["conditions"], facts["quick"]
        self.policies, self.refused, self.cases = facts["policies"], facts["refused"], facts["cases"]
        self.limits, self.failed = facts["lines"], facts["failed"]
        self.bench = Bench()
        self.bench.found = facts["bench"]

    def spread(self, case, policy, key):
        found = self.values.get(case, {}).get(policy, {}).get(key)
        return (statistics.median(found), min(found), max(found)) if found else None

    def median(self, case, policy, key):
        found = self.spread(case, policy, key)
        return found[0] if found else None


def load(path):
    """None if it is not there."""
    try:
        with open(path, encoding="utf-8") as text:
            return json.load(text)
    except FileNotFoundError:
        return None


def keep(path, what):
    """Never half written, and each list of values on a line."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    made = json.dumps(what, indent=1, sort_keys=True)
    made = re.sub(r"\[\s+([^][{}]*?)\s+\]", lambda found: "[" + re.sub(r"\n\s*", " ", found[1]) + "]", made)
    with open(path + ".new", "w", encoding="utf-8") as text:
        text.write(made + "\n")
    os.rename(path + ".new", path)


def kept_path(kept, name):
    return os.path.join(kept, name.translate(SIGNS) + ".json")


def varied(results, kept):
    """The names of the runs with other parameters."""
    there, before = (os.listdir(where) if os.path.isdir(where) else [] for where in (results, kept))
    found = {name for name in there if name.startswith(VARIED)}
    for name in before:
        if name.startswith(VARIED):
            words = name.removeprefix(VARIED).removesuffix(".json").split("+")
            found.add(VARIED + ",".join(word.replace("-", "=", 1) for word in words))
    return sorted(found)


def read_values(path, cases):
    values = {}
    with open(path, newline="", encoding="utf-8") as text:
        for row in csv.DictReader(text):
            if row["process"] == row["ms"] == "" and row["case"] in cases:
                policy = values.setdefault(row["case"], {}).setdefault(row["policy"], {})
                policy.setdefault(row["measure"], []).append(float(row["value"]))
    return values


def read_run(results, kept, name):
    """As it was run last; None if it never was."""
    where = os.path.join(results, name)
    facts = load(os.path.join(where, "facts.json"))
    path = kept_path(kept, name)
    if facts:
        if not facts["conditions"]["where"].startswith("QEMU"):
            raise kernels.Error(f"{where} is of a real machine: the report is of guests; index.html there is its own")
        values = read_values(os.path.join(where, "data.csv"), facts["cases"])
        keep(path, {"facts": facts, "values": values})
        return Results(facts, values, where)
    before = load(path)
    return Results(before["facts"], before["values"]) if before else None


def read_oom(results, kept):
    """The facts of oom.py, as they were found last; None if they never were."""
    facts = load(os.path.join(results, OOM, "facts.json"))
    path = kept_path(kept, OOM)
    if facts:
        keep(path, facts)
    return facts or load(path)
