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


def fitted(processes):
    """
    (CPU time of a touch, of a fault on top of it), ns, that say best what each process took; None where they touched and faulted
    in proportions too much alike to tell, or hardly faulted.
    """
    touches, faults, took = ([p[name] for p in processes] for name in ("touches", "faults", "cpu_us"))

    def dot(a, b):
        return sum(x * y for x, y in zip(a, b))
    tt, tf, ff = dot(touches, touches), dot(touches, faults), dot(faults, faults)
    found = tt * ff - tf * tf
    if found <= 0.05 * tt * ff or sum(faults) <= 100:
        return None
    touch = 1000 * (dot(touches, took) * ff - dot(faults, took) * tf) / found
    fault = 1000 * (dot(faults, took) * tt - dot(touches, took) * tf) / found
    return (touch, fault) if touch > 0 and fault > 0 else None


def costs(row, processes):
    """
    What a touch took of the time that passed, of each process, and what a fault did, ns: the harvester, kswapd and the device
    included. A touch is dearer than one of a page that was touched just before where a fault sets the accessed flag, and that
    happens more often to a process the fewer of its pages it touches at a time.
    """
    spent = sum(p["cpu_us"] for p in processes) * 1000
    share = 1e6 * row["counted_ms"] / spent if spent else 1
    found = fitted(processes)
    if found:
        touch, fault = found
    else:
        touch = min(row["touch_ns"], spent / max(row["touches"], 1))
        fault = (spent - touch * row["touches"]) / row["faults"] if row["faults"] > 100 else 0
    each = [(1000 * p["cpu_us"] - fault * p["faults"]) / p["touches"] if p["touches"] else touch for p in processes]
    return [max(round(one * share), 1) for one in each], max(round(fault * share), 1)


def simulated(sim, row, processes, case, args, opt):
    """Miss ratios of exact LRU, OPT and random eviction with this run's pages, frames and costs."""
    pages, frames = int(row["pages"]), int(row["frames"])
    if frames >= 5 * pages:
        return {}
    touch, fault = costs(row, processes)
    done = subprocess.run([sim, case.pattern, str(pages), str(frames), str(row["seed"]), f"ms={args.ms}",
                           f"touch_ns={','.join(map(str, touch))}", f"fault_ns={fault}", f"opt={int(opt)}", *args.options],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise kernels.Error(f"the simulator: {done.stderr.strip()}")
    mean = sum(ns * p["touches"] for ns, p in zip(touch, processes)) / max(row["touches"], 1)
    found = {"sim_touch_ns": round(mean), "sim_fault_ns": fault}
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
                                + record.ending())
        self.processes = [{name: float(value) for name, value in fields(line).items()}
                          for line in record.lines if line.startswith("proc=")]
        row = {name: float(value) for name, value in record.one("result").items()
               if name not in ("policy", "pattern")}
        row["seed"] = seed
        # At the end reclaim may just have made room, or be about to.
        row["frames_at_end"] = row["frames"]
        row["frames"] = held(record, args.ms / 2) or row["frames"]
        row["touches"] = sum(p["touches"] for p in self.processes)
        row["faults_1000"] = 1000 * row["faults"] / max(row["touches"], 1)
        row["touched_pct"] = 100 * 3 * row["pages"] / max(row["frames"], 1)
        order = record.all_of("order")
        if order:
            row["apart_60ms"] = float(order[0]["apart_60ms"])
        row.update(simulated(sim, row, self.processes, case, args, not args.quick or policy == "lru"))
        self.row = row
        self.series = series(record)
        self.stats = record.stats

    def rows(self):
        for name, value in self.row.items():
            yield [self.case, self.policy, self.seed, "", "", name, f"{value:g}"]
        # After the run: since boot, or since guard was switched on.
        for name, value in self.stats.items():
            yield [self.case, self.policy, self.seed, "", "", f"stat_{name}", value]
        for number, process in enumerate(self.processes, 1):
            for name in ("miss", "touches", "faults", "cpu_us"):
                yield [self.case, self.policy, self.seed, number, "", name, f"{process[name]:.9g}"]
        for ms, found in self.series:
            for process, (hot, cold) in enumerate(found, 1):
                yield [self.case, self.policy, self.seed, process, ms, "resident_hot_pct", f"{hot:.2f}"]
                yield [self.case, self.policy, self.seed, process, ms, "resident_cold_pct", f"{cold:.2f}"]


def residents(record):
    """(ms, pages of the hot part that are resident, all of it, the same of the cold part) of each process, while it ran"""
    for found in (line.split() for line in record.lines if line.startswith("resident ")):
        when = found[1].partition("=")[2]
        if when.isdigit():
            yield int(when), *(int(found[i].rpartition("=")[2]) for i in (3, 5, 6, 8))


def series(record):
    """[(ms, [(% of the hot part that is resident, % of the cold part) of each process])]"""
    times = {}
    for ms, hot, of_hot, cold, of_cold in residents(record):
        times.setdefault(ms, []).append((100 * hot / max(of_hot, 1), 100 * cold / max(of_cold, 1)))
    return sorted(times.items())


def held(record, since):
    """Resident pages of all processes, mean over the time from @since ms on; None if nobody looked."""
    times = {}
    for ms, hot, _, cold, _ in residents(record):
        if ms >= since:
            times[ms] = times.get(ms, 0) + hot + cold
    return sum(times.values()) / len(times) if times else None
