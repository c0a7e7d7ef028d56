# SPDX-License-Identifier: GPL-2.0
"""The experiment of /dev/paging: demand paging against pre-paging."""

import csv
import datetime
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "lib")]

# pylint: disable=wrong-import-position
import kernels
import plot
import htmlreport
import results
import target
from modes import MODES
from options import Parser
from page import write_page, print_summary, draw

PROGRAMS = ["dense_mm", "merge_sort", "hash_table"]
SIZES = [64, 128, 256, 512]
SECOND = {"merge_sort": [25, 50, 100, 200], "hash_table": [8, 16, 32, 64]}
PERF_SIZES = [64, 128, 256]
QUICK = dict(sizes=[64, 128, 256], runs=5, perf_runs=2, perf_sizes=[64, 256],
             second={"merge_sort": [25, 100], "hash_table": [8, 32]})


def sizes(text):
    values = [int(word) for word in text.split(",")]
    if not values or min(values) < 1 or max(values) > 65536:
        raise ValueError
    return sorted(set(values))


def positive(text):
    value = int(text)
    if not 1 <= value <= 1000:
        raise ValueError
    return value


def parse(argv):
    made = Parser("paging/run", __doc__)
    made.add_argument("--machine", default="raspi3b", help="raspi3b (default), raspi4b or virt")
    made.add_argument("--kernel", metavar="DIR", default=kernels.variant_dir("arm64"),
                      help="directory of the kernel (default build/arm64)")
    made.add_argument("--host", metavar="USER@PI", help="run on this machine, over ssh, instead of QEMU")
    made.add_argument("--sizes", type=sizes, metavar="N,N,...",
                      help="rows of the matrices (default 64,128,256,512)")
    made.add_argument("--runs", type=positive, metavar="N", help="runs of each (default 10)")
    made.add_argument("--quick", action="store_true",
                      help="fewer sizes and runs, under two minutes; the report says so")
    made.add_argument("--no-perf", action="store_true", help="leave out the boot for perf stat")
    made.add_argument("--out", metavar="DIR", default=os.path.join(kernels.ROOT, "results", "paging"))
    args = made.parse_args(argv)
    args.sizes = args.sizes or (QUICK["sizes"] if args.quick else SIZES)
    args.runs = args.runs or (QUICK["runs"] if args.quick else 10)
    args.second = QUICK["second"] if args.quick else SECOND
    args.perf_runs = QUICK["perf_runs"] if args.quick else 5
    args.perf_sizes = [n for n in args.sizes if n <= 256] or args.sizes[:1]
    if args.quick:
        args.perf_sizes = args.perf_sizes[::2]
    return args


def make_plan(args):
    """All modes in turn for each size and run, so that a drift hits all of them."""
    work = [("dense_mm", args.sizes)] + list(args.second.items())
    return [mode.plan(program, size, run)
            for program, all_sizes in work
            for run in range(1, args.runs + 1)
            for size in all_sizes
            for mode in MODES]


class Progress:
    """One line that is rewritten on a terminal; else a line every ten per cent."""

    def __init__(self, total, what):
        self.total, self.what = total, what
        self.done, self.shown = 0, 0
        self.start = time.monotonic()
        self.terminal = sys.stderr.isatty()

    def step(self, text):
        self.done += 1
        seconds = int(time.monotonic() - self.start)
        line = f"{self.what}: {self.done}/{self.total}, {seconds} s  {text}"
        if self.terminal:
            print(f"\r{line:<78}"[:79], end="", file=sys.stderr, flush=True)
        elif self.done * 10 // self.total > self.shown:
            self.shown = self.done * 10 // self.total
            print(line, file=sys.stderr, flush=True)

    def end(self):
        if self.terminal:
            print(file=sys.stderr)


def measure(args, where, data):
    """One boot (or one login) for all of it; rows go to data.csv as they come."""
    plan = make_plan(args)
    programs = target.programs_of(where.kernel_dir)
    files = [os.path.join(programs, name) for name in PROGRAMS]
    progress = Progress(len(plan), where.name())
    with target.load(files, [os.path.join(HERE, "measure.sh")], plan) as load:
        for line in where.run(load, "measure.sh"):
            if data.take(line):
                row = data.rows[-1]
                progress.step(f"{row['program']} {row['size']}, {row['mode']}")
    progress.end()
    data.finish(len(plan))


def measure_perf(args, where, data):
    plan = [mode.plan("dense_mm", size, args.perf_runs)
            for size in args.perf_sizes for mode in MODES]
    programs = target.programs_of(where.kernel_dir)
    files = [os.path.join(programs, "dense_mm")]
    progress = Progress(3 * len(plan), f"perf stat, {where.name()}")
    with target.load(files, [os.path.join(HERE, "perf.sh")], plan) as load:
        for line in where.run(load, "perf.sh"):
            if data.take_perf(line):
                progress.step("")
    progress.end()


def qemu_version():
    try:
        text = subprocess.run(["qemu-system-aarch64", "--version"], capture_output=True, text=True,
                              check=True).stdout
        return text.split("\n")[0]
    except (OSError, subprocess.CalledProcessError):
        raise kernels.Error("qemu-system-aarch64 is missing: run scripts/deps") from None


def conditions(args, where, data):
    data.conditions = {
        "where": where.name() + (" (an emulator: not the timing of any board)" if where.emulated else ""),
        "date": datetime.datetime.now().strftime("%Y-%m-%d %H:%M"),
        "quick": "yes: fewer sizes and runs than the full experiment" if args.quick else "no",
        "runs": str(args.runs),
    }
    if where.emulated:
        data.conditions["qemu"] = qemu_version()
        data.conditions["kernel directory"] = os.path.relpath(args.kernel, kernels.ROOT)


def write_csv(path, header, rows):
    with open(path, "w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(header)
        writer.writerows(rows)


def main():
    args = parse(sys.argv[1:])
    plot.check()
    if args.host:
        where = perf_where = target.Ssh(args.host)
    else:
        where = target.Guest(args.machine, args.kernel)
        perf_where = target.Guest("virt", args.kernel, icount=True, cpu="cortex-a72")

    with htmlreport.directory(args.out) as out:
        with results.Data(os.path.join(out, "data.csv")) as data:
            conditions(args, where, data)
            measure(args, where, data)
            if not args.no_perf:
                try:
                    measure_perf(args, perf_where, data)
                except kernels.Error as error:
                    data.perf_missing = str(error).split("\n")[0]
                    print(f"run: no perf figures: {error}", file=sys.stderr)
            data.perf_where = perf_where.name() + (
                ", --icount, cortex-a72, one CPU: instructions are counted exactly, cycles are virtual "
                "time" if perf_where.emulated else "")
        write_csv(os.path.join(out, "summary.csv"), results.SUMMARY_HEADER, data.summary_rows())
        write_csv(os.path.join(out, "perf.csv"), results.PERF_HEADER, data.perf_rows())
        data.write_facts(os.path.join(out, "facts.json"))
        draw(data, out)
        write_page(data, out)
    print_summary(data)
    print(f"\nReport: {os.path.join(os.path.relpath(args.out), 'index.html')}"
          f" (graphs, data.csv, summary.csv beside it)")
    return 0


if __name__ == "__main__":
    htmlreport.run_main("run", main)
