# SPDX-License-Identifier: GPL-2.0
"""The experiments of /dev/petmem: cost, fragmentation of addresses, and swap policies."""

import csv
import datetime
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "lib")]

# pylint: disable=wrong-import-position
import cost
import kernels
import plot
import htmlreport
import target
from options import Parser
from page import draw, write_page

PROGRAMS = ["fragment", "replace", "petmem"]
FITS = ["first", "best"]
POLICIES = ["clock", "fifo"]
PATTERNS = ["loop", "skewed"]
FRAG = ["step", "live_bytes", "free_bytes", "largest_hole", "holes", "failed"]
HEADER = ["experiment", "setting", "pattern", "run", "x", "measure", "value"]


def parse(argv):
    made = Parser("petmem/run", __doc__)
    made.add_argument("--kernel", metavar="DIR", default=kernels.variant_dir("arm64"),
                      help="directory of the kernel (default build/arm64)")
    made.add_argument("--quick", action="store_true", help="fewer steps and sizes; the report says so")
    made.add_argument("--out", metavar="DIR", default=os.path.join(kernels.ROOT, "results", "petmem"))
    args = made.parse_args(argv)
    args.seeds = range(1, 2 if args.quick else 6)
    args.steps = 20000 if args.quick else 100000
    args.percents = [80, 120, 160] if args.quick else [80, 100, 110, 120, 140, 160, 200]
    args.touches = 5000 if args.quick else 20000
    return args


def make_plan(args):
    plan = [f"fragment {fit} {args.steps} {seed}" for seed in args.seeds for fit in FITS]
    return plan + [f"replace {policy} {pattern} {percent} {args.touches}"
                   for pattern in PATTERNS for percent in args.percents for policy in POLICIES]


class Data:
    """What was measured."""

    def __init__(self):
        self.conditions = {}
        self.cost = {}          # variant: {what: instructions}
        self.frag = {}          # (fit, seed): [{step, ...}]
        self.swap = {}          # (policy, pattern, percent): {touches, swap_ins, ...}
        self.whole = False

    def take(self, line):
        """One line of measure.sh."""
        kind, _, rest = line.partition(" ")
        words = rest.split()
        if kind == "cond":
            name, _, value = rest.partition("=")
            self.conditions[name] = value
        elif kind == "frag":
            self.frag.setdefault((words[0], int(words[1])), []).append(dict(zip(FRAG, map(int, words[2:]))))
        elif kind == "swap":
            pairs = words[3:]
            self.swap[(words[0], words[1], int(words[2]))] = {
                name: int(value) for name, value in zip(pairs[::2], pairs[1::2])}
        elif kind == "end":
            self.whole = True

    def rows(self):
        for variant, found in self.cost.items():
            for what, value in found.items():
                yield ["cost", variant, "", "", "", what, value]
        for (fit, seed), lines in self.frag.items():
            for line in lines:
                for name in FRAG[1:]:
                    yield ["fragmentation", fit, "", seed, line["step"], name, line[name]]
        for (policy, pattern, percent), found in self.swap.items():
            for name, value in found.items():
                yield ["replacement", policy, pattern, "", percent, name, value]


def measure(args, data):
    where = target.Guest("virt", args.kernel, timeout=3000, mem="1G")
    programs = [cost.program(args.kernel, name) for name in PROGRAMS]
    plan = make_plan(args)
    with target.load(programs, [os.path.join(HERE, "measure.sh")], plan) as load:
        for line in where.run(load, "measure.sh"):
            data.take(line)
    if not data.whole or len(data.frag) != len(args.seeds) * len(FITS) \
            or len(data.swap) != len(PATTERNS) * len(args.percents) * len(POLICIES):
        raise kernels.Error("the measurement is not complete; scripts/guest --kernel ... shows the kernel's log")
    data.conditions["where"] = f"{where.name()} (an emulator: not the timing of any board)"
    data.conditions["date"] = datetime.datetime.now().strftime("%Y-%m-%d %H:%M")
    data.conditions["quick"] = "yes: fewer steps and sizes" if args.quick else "no"


def measure_cost(args, data):
    """On the kernel of the experiment, and on arm64-cost if it is built."""
    data.cost[os.path.basename(os.path.normpath(args.kernel))] = cost.measure(args.kernel)
    other = kernels.variant_dir(cost.LIMITED)
    if not args.quick and os.path.exists(os.path.join(other, "selftests", "petmem", "cost")):
        data.cost[cost.LIMITED] = cost.measure(other)


def main():
    args = parse(sys.argv[1:])
    plot.check()
    data = Data()
    with htmlreport.directory(args.out) as out:
        measure_cost(args, data)
        measure(args, data)
        with open(os.path.join(out, "data.csv"), "w", newline="") as text:
            writer = csv.writer(text)
            writer.writerow(HEADER)
            writer.writerows(data.rows())
        with open(os.path.join(out, "facts.json"), "w") as text:
            json.dump({"conditions": data.conditions, "cost": data.cost}, text, indent=1, sort_keys=True)
        draw(data, out)
        write_page(data, out)
    print(f"Report: {os.path.join(os.path.relpath(args.out), 'index.html')} (graphs and data.csv beside it)")
    return 0


if __name__ == "__main__":
    htmlreport.run_main("run", main)
