# SPDX-License-Identifier: GPL-2.0
"""The figures of one experiment: read from the guest, summed up, judged."""

import csv
import json

import kernels
from modes import BY_NAME, MODES, PREPAGED
from stats import Summary, compare

MEASURES = {"map_ns": "mmap", "work_ns": "work", "sum_ns": "sum"}
FIELDS = ["program", "mode", "size", "run", "map_ns", "work_ns", "sum_ns", "map_faults", "work_faults"]
SUMMARY_HEADER = ["program", "mode", "size", "measure", "runs", *[f"{f}_ns" for f in Summary.FIELDS]]
PERF_HEADER = ["program", "mode", "size", "event", "value", "deviation"]
WORK_NAMES = {"dense_mm": "multiplication", "merge_sort": "sort", "hash_table": "use of the table"}


class Data:
    """Rows are written to a file as they come."""

    def __init__(self, path):
        self.path = path
        self.rows, self.perf, self.log = [], [], []
        self.counters, self.conditions = {}, {}
        self.failed, self.ended = None, False
        self.perf_missing = self.perf_where = None

    def __enter__(self):
        self.file = open(self.path, "w", newline="")
        self.writer = csv.DictWriter(self.file, FIELDS)
        self.writer.writeheader()
        return self

    def __exit__(self, *_):
        self.file.close()

    def take(self, line):
        """True if the line was a measurement."""
        kind, _, rest = line.partition(" ")
        if kind == "row":
            program, mode, run, *pairs = rest.split()
            row = dict(pair.split("=", 1) for pair in pairs)
            row.update(program=program, mode=mode, run=run)
            row = {name: row[name] if name in ("program", "mode") else int(row[name])
                   for name in FIELDS}
            self.rows.append(row)
            self.writer.writerow(row)
            self.file.flush()
            return True
        self.take_other(kind, rest)
        return False

    def take_other(self, kind, rest):
        if kind == "cond":
            key, _, value = rest.partition(" ")
            if key == "option":
                value = f"{self.conditions.get('options', '')} {value}".strip()
                key = "options"
            self.conditions[key.replace("_", " ")] = value
        elif kind == "counter":
            name, value = rest.split()
            self.counters[name] = int(value)
        elif kind == "log":
            self.log.append(rest)
        elif kind == "fail":
            self.failed = rest
        elif kind == "end":
            self.ended = True

    def take_perf(self, line):
        kind, _, rest = line.partition(" ")
        if kind == "fail":
            raise kernels.Error(rest)
        if kind != "perf":
            return False
        program, mode, size, event, value, deviation = rest.split()
        self.perf.append(dict(program=program, mode=mode, size=int(size), event=event,
                              value=None if value == "none" else float(value), deviation=deviation))
        return True

    def finish(self, expected):
        if self.failed:
            raise kernels.Error(f"the experiment stopped: {self.failed}")
        if not self.ended or len(self.rows) != expected:
            raise kernels.Error(f"the experiment stopped after {len(self.rows)} of {expected} runs")

    def programs(self):
        return list(dict.fromkeys(row["program"] for row in self.rows))

    def sizes(self, program):
        return sorted({row["size"] for row in self.rows if row["program"] == program})

    def values(self, program, mode, size, measure):
        return [row[measure] for row in self.rows
                if (row["program"], row["mode"], row["size"]) == (program, mode, size)]

    def summary(self, program, mode, size, measure):
        return Summary(self.values(program, mode, size, measure))

    def summary_rows(self):
        for program in self.programs():
            for size in self.sizes(program):
                for mode in MODES:
                    for measure, name in MEASURES.items():
                        s = self.summary(program, mode.name, size, measure)
                        yield [program, mode.name, size, name, s.n,
                               *[f"{getattr(s, field):.0f}" for field in Summary.FIELDS]]

    def perf_rows(self):
        for p in self.perf:
            value = "not counted" if p["value"] is None else f"{p['value']:.0f}"
            yield [p["program"], p["mode"], p["size"], p["event"], value, p["deviation"]]

    def faults(self, program, mode, size):
        """Of mmap() and of the work, the median run."""
        rows = sorted((row["map_faults"], row["work_faults"]) for row in self.rows
                      if (row["program"], row["mode"], row["size"]) == (program, mode, size))
        return rows[len(rows) // 2]

    def perf_value(self, mode, size, event):
        for p in self.perf:
            if (p["mode"], p["size"], p["event"]) == (mode, size, event):
                return p["value"]
        return None

    def write_facts(self, path):
        facts = dict(conditions=self.conditions, counters=self.counters, log=self.log,
                     verdicts=[{"program": p, "text": list(verdicts(self, p))} for p in self.programs()],
                     perf_where=self.perf_where)
        with open(path, "w") as out:
            json.dump(facts, out, indent=1)
            out.write("\n")


def sizes_text(sizes):
    return ", ".join(map(str, sizes))


def contest(data, program, measure, a, b):
    """Sizes where mode a was faster, where b was, and where the noise hides it."""
    won = {-1: [], 0: [], 1: []}
    for size in data.sizes(program):
        won[compare(data.values(program, a, size, measure),
                    data.values(program, b, size, measure))].append(size)
    return won[-1], won[1], won[0]


def verdict(data, program, measure, a, b):
    """One sentence on mode a against mode b, computed from all runs."""
    first, second, unclear = contest(data, program, measure, a, b)
    name_a, name_b = BY_NAME[a].title, BY_NAME[b].title
    if not second and not unclear:
        return f"{name_a} was faster than {name_b} at every size"
    if not first and not unclear:
        return f"{name_b} was faster than {name_a} at every size"
    if not first and not second:
        return f"{name_a} against {name_b}: the noise hides any difference at every size"
    parts = []
    if first:
        parts.append(f"{name_a} was faster at {sizes_text(first)}")
    if second:
        parts.append(f"{name_b} was faster at {sizes_text(second)}")
    if unclear:
        parts.append(f"the noise hides any difference at {sizes_text(unclear)}")
    return f"{name_a} against {name_b}: " + "; ".join(parts)


def verdicts(data, program):
    """For each measure, demand paging against both styles of pre-paging."""
    titles = {"map_ns": "mmap()", "work_ns": WORK_NAMES[program], "sum_ns": "sum of both"}
    for measure, title in titles.items():
        said = "; ".join(verdict(data, program, measure, "demand", mode) for mode in PREPAGED)
        yield f"{title}: {said}."
    yield consistent(data, program)


def consistent(data, program):
    """Did one mode win everywhere, as the sum is concerned?"""
    lost, unclear, won = [], [], []
    for mode in PREPAGED:
        first, second, neither = contest(data, program, "sum_ns", "demand", mode)
        won += first
        lost += second
        unclear += neither
    if won and not lost and not unclear:
        return "So demand paging won consistently."
    if lost and not won and not unclear:
        return "So pre-paging won consistently."
    return "So no mode won consistently by the sum: see the sizes above, and the counts of instructions."
