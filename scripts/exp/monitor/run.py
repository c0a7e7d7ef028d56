# SPDX-License-Identifier: GPL-2.0
"""The experiment of the monitor: a program reads two quarters of a buffer at two speeds, and the
accessed bits are watched. Draws heat maps and compares each count with what the program did."""

import datetime
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "lib")]

# pylint: disable=wrong-import-position
import figures
import htmlreport
import kernels
import plot
import target
from options import Parser, number
from page import summary_lines, write_page
from records import Run, TOLERANCE, take_all

FULL = dict(mib=1024, small_mib=64, seconds=120, mem="4G")
QUICK = dict(mib=32, small_mib=16, seconds=3, mem=None)
# An instruction takes 8 ns: 125 million a second, so that two minutes of a guest take some of ours.
SHIFT = 3
SLOW_PACE_MS = 25       # 40 sweeps a second: seen in each of 10 intervals, but not in each of 100


def parse(argv):
    made = Parser("monitor/run", __doc__)
    made.add_argument("--kernel", metavar="DIR", default=kernels.variant_dir("arm64"),
                      help="directory of the kernel (default build/arm64)")
    made.add_argument("--cpu", default="cortex-a76", help="core (default cortex-a76, a Pi 5's, whose hardware sets "
                                                          "accessed bits; cortex-a72 takes a fault for each)")
    made.add_argument("--mib", type=number(4, 1 << 16), metavar="N", help="size of the buffer (default 1024)")
    made.add_argument("--small-mib", type=number(4, 1 << 16), metavar="N",
                      help="size where scans are made every 10 ms (default 64): one CPU that scans for most of that time "
                           "leaves none for accesses between two scans")
    made.add_argument("--seconds", type=number(1, 3600), metavar="N", help="how long to watch (default 120)")
    made.add_argument("--mem", metavar="SIZE", help="memory of the guest (default 4G)")
    made.add_argument("--host", metavar="USER@PI", help="run on this machine, over ssh, instead of QEMU")
    made.add_argument("--wall", action="store_true", help="two CPUs and the time of the machine that QEMU runs on, "
                                                          "instead of -icount")
    made.add_argument("--shift", type=number(0, 10), default=SHIFT, metavar="N",
                      help=f"an instruction takes 2^N ns (default {SHIFT}); the more, the sooner it is done, and the "
                           f"less of the buffer a scan manages")
    made.add_argument("--quick", action="store_true", help="32 MiB and 3 seconds; the page says so")
    made.add_argument("--out", metavar="DIR", default=os.path.join(kernels.ROOT, "results", "monitor"))
    args = made.parse_args(argv)
    for name, value in (QUICK if args.quick else FULL).items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    return args


def make_runs(args):
    """(run, MiB, seconds). The first is nobody's, the second the assignment's; the others look closer."""
    short = min(args.seconds, 30)
    return [(Run("alone", "nobody watches", 1, 0), args.mib, min(args.seconds, 3)),
            (Run("heat-100ms", "the assignment: every 1 ms, scans every 100 ms", 1, 100), args.mib, args.seconds),
            (Run("slow-100ms", "the second quarter every 250 ms, scans every 100 ms", 250, 100), args.mib, args.seconds),
            (Run("pace-100ms", f"less memory, the second quarter every {SLOW_PACE_MS} ms, scans every 100 ms",
                 SLOW_PACE_MS, 100), args.small_mib, short),
            (Run("pace-10ms", "the same, scans every 10 ms", SLOW_PACE_MS, 10), args.small_mib, short)]


def measure(args):
    if args.host:
        where = target.Ssh(args.host)
    else:
        where = target.Guest("virt", args.kernel, icount=not args.wall, cpu=args.cpu, mem=args.mem, timeout=14400,
                             shift=0 if args.wall else args.shift)
    planned = make_runs(args)
    plan = [f"{run.name} {mib}M {seconds} {run.pace_ms} {run.interval_ms} 1" for run, mib, seconds in planned]
    directory = target.programs_of(where.kernel_dir, "lkp25p3", "memalloc")
    with target.load([os.path.join(directory, "memalloc")], [os.path.join(HERE, "measure.sh")], plan) as load:
        conditions = take_all(where.run(load, "measure.sh"), {run.name: run for run, _, _ in planned},
                              lambda name: print(f"monitor: {name}", file=sys.stderr))
    for run, _, seconds in planned:
        run.check_complete(seconds)
    virtual = not args.host and not args.wall
    conditions["time"] = f"virtual, {1 << args.shift} ns an instruction, one CPU (-icount)" if virtual else "of the machine"
    conditions["core"] = args.cpu if not args.host else args.host
    return [run for run, _, _ in planned], conditions


def facts(runs, conditions, args):
    return {
        "date": datetime.datetime.now().strftime("%Y-%m-%d %H:%M"), "quick": args.quick, "mib": args.mib,
        "seconds": args.seconds, "conditions": conditions, "emulated": not args.host,
        "instruction_ns": 0 if args.host or args.wall else 1 << args.shift,
        "runs": {run.name: dict(title=run.title, rates=run.rates, pace_ms=run.pace_ms, interval_ms=run.interval_ms,
                                log=run.log, seconds=len(run.seconds),
                                **(dict(regions=list(run.regions()), scans=run.scans(), missed=run.missed(),
                                        saturated=run.saturated(), cpu_percent=run.cpu_percent(), buffer=run.buffer,
                                        scan_ms=run.scan_ms(), ns_per_page=run.ns_per_page(),
                                        hardware=run.seconds[0].number["hardware"]) if run.seconds else {}))
                 for run in runs},
    }


def main():
    args = parse(sys.argv[1:])
    plot.check()
    with htmlreport.directory(args.out) as out:
        runs, conditions = measure(args)
        part2 = os.path.join(out, "part2")
        os.mkdir(part2)
        watched = [run for run in runs if run.interval_ms]
        for run in watched:
            figures.draw_heat(run, part2, run.name)
            run.write(os.path.join(part2, f"{run.name}.csv"))
            run.write_bins(os.path.join(part2, f"{run.name}-bins.csv"))
        found = facts(runs, conditions, args)
        with open(os.path.join(out, "facts.json"), "w") as text:
            json.dump(found, text, indent=1)
            text.write("\n")
        write_page(watched, found, out)
        wrong = [run for run in watched if run.worst() > TOLERANCE]
        print("\n".join(summary_lines(found)))
        # A loaded machine may stop one CPU of a guest while another one scans.
        if wrong and not args.host and not args.wall:
            raise kernels.Error("counts are off by more than 5 % in " + ", ".join(run.name for run in wrong))
    print(f"\nReport: {os.path.join(os.path.relpath(args.out), 'index.html')}")
    return 0


if __name__ == "__main__":
    htmlreport.run_main("run", main)
