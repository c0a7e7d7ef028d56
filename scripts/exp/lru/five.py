# SPDX-License-Identifier: GPL-2.0
"""The five processes: what is run, what came of it, and what a simulated memory makes of the same."""

import subprocess

import kernels
from records import fields
from simulate import patterns

# The load is what the five processes go on touching together, % of the memory available at the start; their mappings
# are 5/3 of that. 78 % fits: it is a mapping of 130 %.
CASES = ["rand:78", "rand:200", "zipf:200", "shift:200", "seq:200", "cyclic:110", "rand/file:200", "zipf/file:200"]
FITS = 90
NUMBERS = ["touches_s", "miss", "faults_1000", "scan_steal", "fidelity", "klrud_pct", "frames", "apart_60ms",
           "sim_lru", "sim_opt", "sim_random", "off_lru", "touched_pct", "faults", "bad"]


class Case:
    """PATTERN[/file]:LOAD"""

    def __init__(self, text):
        name, _, load = text.partition(":")
        self.pattern, _, place = name.partition("/")
        self.file = place == "file"
        self.load = int(load) if load.isdigit() else 0
        self.text = text
        if self.pattern not in patterns() or place not in ("", "file") or not 10 <= self.load <= 300:
            raise kernels.Error(f"--cases {text}: a case is PATTERN:LOAD or PATTERN/file:LOAD, such as zipf:200; "
                                f"the load is from 10 to 300, patterns are {', '.join(patterns())}", 2)

    def fits(self):
        return self.load <= FITS

    def title(self):
        return f"{self.pattern}{' in files' if self.file else ''}, {self.load} %" + (" (fits)" if self.fits() else "")


def rotated(policies, by):
    """None comes first always: what was before may matter."""
    by %= len(policies)
    return policies[by:] + policies[:by]


def plan(case, policies, seed, args):
    """Lines for a boot: all policies of a case and seed."""
    mib = 4 * args.mib
    lines = [f"swap {args.swap} {mib}"]
    for policy in rotated(policies, seed - 1):
        words = [f"pattern={case.pattern}", f"load={case.load}", f"seed={seed}", f"ms={args.ms}",
                 f"file={int(case.file)}", f"csv={args.csv}", *args.options]
        if policy in ("lru", "always"):
            words.append("order=1")
        lines.append(f"run {policy} {policy} {'file' if case.file else 'memory'} fiveproc {' '.join(words)}")
    return lines


def costs(row):
    """What a touch and a fault took of the time that passed, ns: the harvester, kswapd and the device included."""
    spent = row["cpu_us"] * 1000
    share = 1e6 * row["counted_ms"] / spent if spent else 1
    touch = min(row["touch_ns"], spent / max(row["touches"], 1))
    fault = (spent - touch * row["touches"]) / row["faults"] if row["faults"] > 100 else 0
    return max(round(touch * share), 1), max(round(fault * share), 1)


def simulated(sim, row, case, args, opt):
    """Miss ratios of exact LRU, OPT and random eviction with this run's pages, frames and costs."""
    pages, frames = int(row["pages"]), int(row["frames"])
    if frames >= 5 * pages:
        return {}
    touch, fault = costs(row)
    done = subprocess.run([sim, case.pattern, str(pages), str(frames), str(row["seed"]), f"ms={args.ms}",
                           f"touch_ns={touch}", f"fault_ns={fault}", f"opt={int(opt)}", *args.options],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise kernels.Error(f"the simulator: {done.stderr.strip()}")
    found = {"sim_touch_ns": touch, "sim_fault_ns": fault}
    for line in done.stdout.splitlines():
        made = fields(line)
        if made["policy"] in ("lru", "opt", "random"):
            found["sim_" + made["policy"]] = float(made["miss"])
    found["off_lru"] = row["miss"] - found["sim_lru"]
    return found


class Run:
    """One policy, case and seed."""

    def __init__(self, case, policy, seed, record, sim, args):
        self.case, self.policy, self.seed = case.text, policy, seed
        if record.status:
            raise kernels.Error(f"{case.text}, {policy}, seed {seed}: fiveproc ended with {record.status}\n"
                                + "\n".join(record.lines[-8:]))
        processes = [fields(line) for line in record.lines if line.startswith("proc=")]
        row = {name: float(value) for name, value in record.one("result").items()
               if name not in ("policy", "pattern")}
        row["seed"] = seed
        row["touches"] = sum(float(p["touches"]) for p in processes)
        row["faults_1000"] = 1000 * row["faults"] / max(row["touches"], 1)
        row["touched_pct"] = 100 * 3 * row["pages"] / max(row["frames"], 1)
        order = record.all_of("order")
        if order:
            row["apart_60ms"] = float(order[0]["apart_60ms"])
        row.update(simulated(sim, row, case, args, not args.quick or policy == "lru"))
        self.row = row
        self.misses = [float(p["miss"]) for p in processes]
        self.series = series(record)
        self.stats = record.stats

    def rows(self):
        for name, value in self.row.items():
            yield [self.case, self.policy, self.seed, "", "", name, f"{value:g}"]
        # After the run: since boot, or since guard was switched on.
        for name, value in self.stats.items():
            yield [self.case, self.policy, self.seed, "", "", f"stat_{name}", value]
        for process, miss in enumerate(self.misses, 1):
            yield [self.case, self.policy, self.seed, process, "", "miss", miss]
        for ms, found in self.series:
            for process, (hot, cold) in enumerate(found, 1):
                yield [self.case, self.policy, self.seed, process, ms, "resident_hot_pct", f"{hot:.2f}"]
                yield [self.case, self.policy, self.seed, process, ms, "resident_cold_pct", f"{cold:.2f}"]


def series(record):
    """[(ms, [(% of the hot part that is resident, % of the cold part) of each process])]"""
    times = {}
    for found in (line.split() for line in record.lines if line.startswith("resident ")):
        when = found[1].partition("=")[2]
        if when.isdigit():
            hot, of_hot, cold, of_cold = (int(found[i].rpartition("=")[2]) for i in (3, 5, 6, 8))
            times.setdefault(int(when), []).append((100 * hot / max(of_hot, 1), 100 * cold / max(of_cold, 1)))
    return sorted(times.items())
