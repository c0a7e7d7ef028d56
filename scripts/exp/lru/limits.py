# SPDX-License-Identifier: GPL-2.0
"""What it must show: the lines of the table that the project set for itself, judged by medians over the seeds."""

import json
import statistics

from five import FITS

# name: (what, limit). --limit NAME=VALUE sets another one, as a short run needs.
LIMITS = {
    "bad": ("pages with wrong contents, any pattern and policy, at most", 0),
    "fidelity-always": ("resident set is the true LRU set, %, random, Zipf, shift, always, at least", 99.5),
    "fidelity-lru": ("resident set is the true LRU set, %, random, Zipf, shift, with the budget, at least", 97),
    "order-always": ("queue order against time stamps, pairs > 60 ms apart, %, always, at least", 99.9),
    "scan-always": ("pgscan / pgsteal, random 200 %, always, at most", 1.02),
    "scan-lru": ("pgscan / pgsteal, random 200 %, with the budget, at most", 1.02),
    "harvester": ("harvester CPU, % of one CPU, lru, any pattern, at most", 1.0),
    "fits": ("touches/s when all fits, lru, of classic's, at least", 0.99),
    "miss": ("miss ratio, any pattern, strict (lru and always): points off a simulated exact LRU, at most", 0.5),
    "random-lru": ("touches/s, random 200 %, lru, of the better peer's, at least", 0.95),
    "random-guard": ("touches/s, random 200 %, guard, of the better peer's, at least", 0.98),
    "shift-classic": ("miss ratio, shift, lru: points more than classic, at most", 0),
    "shift-mglru": ("miss ratio, shift, lru: points more than MGLRU, at most", 1),
    "shift-guard": ("miss ratio, shift, guard: points more than the better peer, at most", 0),
    "cyclic-guard": ("miss ratio, cyclic 110 %, guard, at most", 20),
    "seq-guard": ("miss ratio, sequential 200 %, guard, at most", 45),
    "faults-guard": ("major faults per touch, any pattern, guard, of the better peer's, at most", 1.03),
    "fewer-guard": ("patterns with fewer major faults per touch than the better peer, guard, at least", 2),
}
# So few that a ratio of them says nothing.
FEW_FAULTS = 0.5
PEERS = ("classic", "mglru")


def pattern_of(case):
    """Of PATTERN[/file]:LOAD."""
    return case.split(":")[0].split("/")[0]


class Line:
    """One limit on one case."""

    def __init__(self, name, case, value, limit):
        self.name, self.case, self.value = name, case, value
        self.limit = limit
        least = LIMITS[name][0].endswith("at least")
        # What is shown as equal is equal.
        self.met = round(value, 4) >= limit if least else round(value, 4) <= limit

    def no_worse(self, known):
        """It was not met before either, and is not further off now than half as much again; @known: {(name, case): value}."""
        before = known.get((self.name, self.case))
        return before is not None and abs(self.value - self.limit) <= 1.5 * abs(before - self.limit)

    def cells(self):
        return [LIMITS[self.name][0], self.case, f"{self.value:.3f}".rstrip("0").rstrip("."), f"{self.limit:g}",
                "met" if self.met else "NOT MET"]

    def sentence(self):
        what, value, limit = self.cells()[0], *self.cells()[2:4]
        return f"{self.name}: {what} {limit}; on {self.case} it is {value}"


HEADER = ["what", "case", "reached", "limit", ""]


class Judge:
    """runs: [five.Run]; limits: {name: value}, what is not in it is not judged."""

    def __init__(self, runs, limits):
        self.runs, self.limits = runs, limits
        self.cases = list(dict.fromkeys(run.case for run in runs))
        self.lines = []

    def values(self, case, policy, key):
        return [run.row[key] for run in self.runs
                if (run.case, run.policy) == (case, policy) and key in run.row]

    def median(self, case, policy, key):
        found = self.values(case, policy, key)
        return statistics.median(found) if found else None

    def better(self, case, key, choose):
        found = [self.median(case, peer, key) for peer in PEERS]
        return choose([value for value in found if value is not None], default=None)

    def add(self, name, case, value):
        if name in self.limits and value is not None:
            self.lines.append(Line(name, case, value, self.limits[name]))

    def ratio(self, name, case, policy, key, peer):
        mine = self.median(case, policy, key)
        if mine is not None and peer:
            self.add(name, case, mine / peer)

    def more(self, name, case, policy, key, peer):
        mine = self.median(case, policy, key)
        if mine is not None and peer is not None:
            self.add(name, case, mine - peer)

    def all(self):
        self.add("bad", "all", sum(run.row["bad"] for run in self.runs))
        for case in self.cases:
            self.strict(case)
            self.guard(case)
        fewer = [self.fewer(case) for case in self.cases if self.counts(case)]
        # Two of one cannot be.
        if any(run.policy == "guard" for run in self.runs) and len(fewer) >= self.limits.get("fewer-guard", 0):
            self.add("fewer-guard", "all", sum(fewer))
        return self.lines

    def strict(self, case):
        pattern, load = pattern_of(case), case.split(":")[1]
        self.add("harvester", case, self.median(case, "lru", "klrud_pct"))
        self.add("order-always", case, self.median(case, "always", "apart_60ms"))
        for policy in ("lru", "always"):
            # What is off both ways, by seed, is off.
            off = [abs(value) for value in self.values(case, policy, "off_lru")]
            self.add("miss", f"{case}, {policy}", statistics.median(off) if off else None)
        if int(load) <= FITS:
            self.ratio("fits", case, "lru", "touches_s", self.median(case, "classic", "touches_s"))
        elif pattern in ("rand", "zipf", "shift"):
            for policy in ("lru", "always"):
                self.add(f"fidelity-{policy}", case, self.median(case, policy, "fidelity"))
        if pattern == "rand" and int(load) > FITS:
            for policy in ("lru", "always"):
                self.add(f"scan-{policy}", case, self.median(case, policy, "scan_steal"))
            for policy in ("lru", "guard"):
                self.ratio(f"random-{policy}", case, policy, "touches_s", self.better(case, "touches_s", max))
        if pattern == "shift":
            for peer in PEERS:
                self.more(f"shift-{peer}", case, "lru", "miss", self.median(case, peer, "miss"))

    def guard(self, case):
        pattern = pattern_of(case)
        if pattern in ("cyclic", "seq"):
            self.add(f"{pattern}-guard", case, self.median(case, "guard", "miss"))
        if pattern == "shift":
            self.more("shift-guard", case, "guard", "miss", self.better(case, "miss", min))
        faults = self.better(case, "faults_1000", min)
        if faults is not None and faults >= FEW_FAULTS:
            self.ratio("faults-guard", case, "guard", "faults_1000", faults)

    def counts(self, case):
        """Can anything be said of the faults of this case?"""
        peer = self.better(case, "faults_1000", min)
        return peer is not None and peer >= FEW_FAULTS and self.median(case, "guard", "faults_1000") is not None

    def fewer(self, case):
        return self.median(case, "guard", "faults_1000") < self.better(case, "faults_1000", min)


def unmet(path):
    """{(name, case): value} of the lines that were not met in a run, in a file of those that the report keeps."""
    with open(path, encoding="utf-8") as text:
        lines = json.load(text)["facts"]["lines"]
    return {(name, case): float(value) for name, _, case, value, *_, met in lines if not met}


def given(words, names=None):
    """{name: limit} of all, or of those named, with what --limit has changed."""
    limits = {name: limit for name, (_, limit) in LIMITS.items() if names is None or name in names}
    for word in words:
        name, _, value = word.partition("=")
        if name not in LIMITS:
            raise ValueError(f"--limit {word}: there is no such line; there are {', '.join(LIMITS)}")
        limits[name] = float(value)
    return limits
