# SPDX-License-Identifier: GPL-2.0
"""The experiment of lru_page_list: five processes and a benchmark of memory under each reclaim policy.

All policies of a case and seed run in one boot, each with swap and memory empty at first, in an order that
rotates with the seed. Guest time is an instruction count (-icount): figures repeat, and compare
policies on one emulated machine; they are not times of a Pi. Words after -- are more for
fiveproc and the simulator, such as zipf=80 or step=250.
"""

import csv
import datetime
import json
import os
import statistics
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "lib")]

# pylint: disable=wrong-import-position
import bench
import figures
import five
import htmlreport
import kernels
import limits
import page
import plot
import records
import simulate
import target
from guest_machine import megabytes
from options import Parser, number
from texttable import show

FULL = dict(seeds=3, ms=16000, cases=",".join(five.CASES), mem="256M", csv=1000)
# A machine of 96 MB settles in less time, and is enough to see that all parts work.
QUICK = dict(seeds=1, ms=3200, cases="rand:200,shift:200", mem="96M", csv=200)
# What a short run can be judged by, and how: it has not settled.
QUICK_LIMITS = {"bad": 0, "scan-always": 1.05, "miss": 6, "fidelity-always": 97, "order-always": 95, "fidelity-lru": 80,
                "harvester": 1.5}
HEADER = ["case", "policy", "seed", "process", "ms", "measure", "value"]


def parse(argv):
    words = argv[argv.index("--") + 1:] if "--" in argv else []
    made = Parser("lru/run", __doc__)
    made.add_argument("--kernel", metavar="DIR", help="directory of the kernel (default build/ARCH)")
    made.add_argument("--host", metavar="USER@PI", help="run on this machine, over ssh, instead of QEMU: all its memory is filled, again and again, "
                                                        "and what is changed (policy, swap, huge pages, read ahead) is put back")
    made.add_argument("--arch", choices=["arm64", "x86_64"], default="arm64")
    made.add_argument("--cpu", metavar="C", help="CPU model (default cortex-a72, x86_64: max)")
    made.add_argument("--mem", metavar="SIZE", help="memory of the guest (default 256M)")
    made.add_argument("--swap", choices=["zram", "disk", "no"], default="zram")
    made.add_argument("--seeds", type=number(1, 100), metavar="N", help="(default 3)")
    made.add_argument("--ms", type=number(200, 600000), metavar="N",
                      help="length of a run, virtual ms, of which the second half counts (default 16000)")
    made.add_argument("--cases", metavar="LIST", help="PATTERN[/file]:LOAD, such as rand:200,zipf/file:200; the load is what "
                                                      f"is touched, %% of the memory available (default {FULL['cases']})")
    made.add_argument("--policies", metavar="LIST", default=",".join(records.USUAL),
                      help=f"of {', '.join(records.POLICIES)} (default: {','.join(records.USUAL)})")
    made.add_argument("--csv", type=number(0, 60000), metavar="N", help="ms between two counts of what is resident (default 1000)")
    made.add_argument("--shift", type=number(0, 10), default=1, metavar="N", help="an instruction takes 2^N ns (default 1)")
    made.add_argument("--jobs", type=number(1, 64), default=1, metavar="N", help="guests side by side (default 1)")
    made.add_argument("--timeout", type=number(10, 86400), default=7200, metavar="S", help="of a guest (default 7200)")
    made.add_argument("--no-bench", action="store_true", help="the five processes only")
    made.add_argument("--quick", action="store_true", help="one seed, two cases, 96 MB; the page says so")
    made.add_argument("--check", action="store_true", help="fail, with a sentence for each, if a line of what it must show is not met")
    made.add_argument("--known", metavar="FILE", help="with --check: a run kept with the report; what was not met in it may be missed again, "
                                                      "but not by more than half as much again")
    made.add_argument("--limit", metavar="NAME=VALUE", action="append", default=[],
                      help=f"another limit for --check; names: {', '.join(limits.LIMITS)}")
    made.add_argument("--programs", metavar="DIR", help="take fiveproc and bench from here (default: the kernel's)")
    made.add_argument("--out", metavar="DIR", help="(default results/lru, with --host results/lru-host)")
    args = made.parse_args(argv[:argv.index("--")] if "--" in argv else argv)
    if args.host and (args.mem or args.cpu or args.swap == "disk" or args.jobs > 1):
        raise kernels.Error("--mem, --cpu, --jobs and --swap disk are for guests, not for --host; see --help", 2)
    for name, value in (QUICK if args.quick else FULL).items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    args.options = words
    args.out = args.out or os.path.join(kernels.ROOT, "results", "lru-host" if args.host else "lru")
    args.mib = records.host_mib(args.host) if args.host else megabytes("--mem", args.mem)
    args.cases = [five.Case(text) for text in args.cases.split(",")]
    args.policies = args.policies.split(",")
    if not set(args.policies) <= set(records.POLICIES) or len(set(args.policies)) != len(args.policies):
        raise kernels.Error(f"--policies: {', '.join(records.POLICIES)} are known; see --help", 2)
    args.kernel = args.kernel or kernels.variant_dir(args.arch)
    args.cpu = args.cpu or {"arm64": "cortex-a72", "x86_64": "max"}[args.arch]
    args.limits = given(args)
    args.known = known(args.known) if args.known else {}
    return args


def known(path):
    try:
        return limits.unmet(path)
    except (OSError, ValueError, KeyError) as error:
        raise kernels.Error(f"--known {path}: {error}", 2) from None


def given(args):
    try:
        made = limits.given(args.limit, QUICK_LIMITS if args.quick else None)
    except ValueError as error:
        raise kernels.Error(str(error), 2) from None
    changed = {word.partition("=")[0] for word in args.limit}
    made.update({name: limit for name, limit in QUICK_LIMITS.items() if args.quick and name not in changed})
    return made


class Data:
    """What was measured."""

    def __init__(self, args):
        self.args = args
        self.runs, self.conditions, self.lines = [], {}, []
        self.refused, self.failed = [], []
        self.bench = bench.Bench()
        self.cases = [case.text for case in args.cases]
        self.policies = list(args.policies)

    def take(self, boot):
        self.conditions.update(boot.conditions)
        for policy in sorted(boot.refused):
            if not policy.startswith("guard"):
                raise kernels.Error(f"the kernel refused the policy {policy}: was it booted with lru_page_list=off?")
            if policy in self.policies:
                self.policies.remove(policy)
                self.refused.append(policy)

    def fail(self, text):
        self.failed.append(text)
        say(f"run: {text}")

    def settle(self):
        """Runs come as guests end."""
        self.runs.sort(key=lambda run: (self.cases.index(run.case), self.args.policies.index(run.policy), run.seed))
        self.lines = limits.Judge(self.runs, self.args.limits).all()

    def spread(self, case, policy, key):
        """(median, smallest, largest) over the seeds; None where there is none."""
        found = [run.row[key] for run in self.runs if (run.case, run.policy) == (case, policy) and key in run.row]
        return (statistics.median(found), min(found), max(found)) if found else None

    def rows(self):
        for run in self.runs:
            yield from run.rows()
        for name, got in self.bench.found.items():
            kind, policy, x = name.split(":")
            for what, value in got.items():
                yield [kind, policy, "", "", x, what, value]

    def facts(self):
        return {"conditions": self.conditions, "quick": self.args.quick, "policies": self.policies,
                "refused": self.refused, "failed": self.failed, "cases": self.cases, "bench": self.bench.found,
                "lines": [[line.name, *line.cells(), line.met] for line in self.lines]}


def say(text):
    print(text, file=sys.stderr, flush=True)


def programs(args):
    if not args.programs:
        return records.programs(args.kernel, "fiveproc", "bench")
    return [os.path.join(args.programs, name) for name in ("fiveproc", "bench")]


def machine(args):
    """
    A guest: without CMA, which nothing in it needs: while the allocator has raised its watermarks, as where memory is short for long, free
    pages of CMA are enough for who faults, and who asks for memory of the kernel's own waits for minutes, under any policy.
    """
    if args.host:
        return target.Ssh(args.host)
    return records.guest(args, disk=f"{4 * args.mib}M" if args.swap == "disk" else None, append="cma=0")


def boot_case(args, case, seed):
    """A boot with all policies of a case and seed, up to the runs."""
    where = machine(args)
    boot = records.measure(where, programs(args), five.plan(case, args.policies, seed, args),
                           lambda record: say(f"{case.text}, seed {seed}: {record.name}"))
    wanted = [policy for policy in args.policies if policy not in boot.refused]
    if sorted(record.name for record in boot.records) != sorted(wanted):
        raise kernels.Error(f"{case.text}, seed {seed}: not all policies ran")
    return boot


def measure(args, data, sim):
    """Seeds first: what is cut short has all cases."""
    work = [(args, case, seed) for seed in range(1, args.seeds + 1) for case in args.cases]
    for (_, case, seed), boot in records.side_by_side(args.jobs, boot_case, work):
        try:
            if isinstance(boot, kernels.Error):
                raise boot
            data.take(boot)
            data.runs += [five.Run(case, record.name, seed, record, sim, args) for record in boot.records]
        except kernels.Error as error:
            data.fail(f"{case.text}, seed {seed}: {error}")
    if not data.runs:
        raise kernels.Error(data.failed[0])


def measure_bench(args, data):
    where = machine(args)
    boot = records.measure(where, programs(args), bench.plan(data.policies, args),
                           lambda record: say(f"bench: {record.name}"))
    data.take(boot)
    for record in boot.records:
        if record.status:
            if record.name.startswith("perf:"):
                say(f"bench: no figures of perf: {' '.join(record.lines[-1:])}")
                continue
            raise kernels.Error(f"{record.name} ended with {record.status}\n{record.ending()}")
        data.bench.take(record)


def conditions(args, data):
    config = {}
    try:
        config = kernels.read_config(os.path.join(args.kernel, "config"))
    except OSError:
        pass
    data.conditions.update({
        "where": f"{args.host}, a real machine", "time": "of its clock",
        "kernel image": "unknown", "memory": f"{args.mib} MiB", "HZ": "unknown",
    } if args.host else {
        "where": f"QEMU, {args.arch}, {args.cpu} (an emulator: not the timing of any board)",
        "time": f"-icount, an instruction takes {2 ** args.shift} ns, one CPU",
        "kernel image": records.image(args), "memory": f"{args.mem}, none of it CMA (cma=0)", "HZ": config.get("CONFIG_HZ", "unknown"),
    })
    data.conditions.update({
        "date": datetime.datetime.now().strftime("%Y-%m-%d %H:%M"), "swap": args.swap,
        "seeds": str(args.seeds), "length of a run": f"{args.ms} {'' if args.host else 'virtual '}ms, of which the second half counts",
        "quick": f"{args.seeds} seed, {args.ms} ms{'' if args.host else ', ' + args.mem}" if args.quick else "no",
        "huge pages": "off", "read ahead": "none (vm.page-cluster 0, read_ahead_kb 0, fault_around_bytes of a page)",
        "more for fiveproc": " ".join(args.options) or "none: zipf=100 hot=20 step=500 by=50",
    })


def write(args, data, out):
    with open(os.path.join(out, "data.csv"), "w", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(HEADER)
        writer.writerows(data.rows())
    with open(os.path.join(out, "facts.json"), "w") as text:
        json.dump(data.facts(), text, indent=1, sort_keys=True)
        text.write("\n")
    page.write_page(data, out, figures.draw(data, out))
    show(f"{data.conditions['where']}; medians of {args.seeds} seeds", page.HEADER, page.rows(data))
    show(page.judged(data), limits.HEADER, page.limit_rows(data))


def main():
    args = parse(sys.argv[1:])
    plot.check()
    data = Data(args)
    with tempfile.TemporaryDirectory() as scratch, htmlreport.directory(args.out) as out:
        sim = simulate.compile_sim(os.path.join(scratch, "sim"))
        measure(args, data, sim)
        if not args.no_bench:
            try:
                measure_bench(args, data)
            except kernels.Error as error:
                data.fail(f"bench: {error}")
        conditions(args, data)
        data.settle()
        write(args, data, out)
    print(f"\nReport: {os.path.join(os.path.relpath(args.out), 'index.html')} (graphs, data.csv, facts.json beside it)")
    missed = [line for line in data.lines if not line.met]
    worse = [line for line in missed if not line.no_worse(args.known)]
    for line in missed:
        print(f"run: {line.sentence()}{'' if line in worse else ', which is known'}", file=sys.stderr)
    if data.failed:
        print(f"run: {len(data.failed)} boots failed, see above; the page tells which", file=sys.stderr)
    return 1 if data.failed or args.check and worse else 0


if __name__ == "__main__":
    htmlreport.run_main("run", main)
