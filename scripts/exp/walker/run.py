# SPDX-License-Identifier: GPL-2.0
"""The experiment of the walker: where three ways to allocate put their memory, and how long a
translation takes through pagemap and by the kernel's own walk."""

import datetime
import gzip
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
from data import Data, SCHEMES, WAYS
from options import Parser, number
from page import captions, write_page

FULL = dict(mib=2048, mem="4G", pages=16384)
QUICK = dict(mib=64, mem=None, pages=1024)
MACHINES = {"arm64": ("cortex-a72", "cortex-a72"), "x86_64": ("x86_64", None)}


def parse(argv):
    made = Parser("walker/run", __doc__)
    made.add_argument("--kernels", metavar="NAME,...", help="kernels to measure latencies on (default arm64, and "
                                                            "x86_64 where it is built)")
    made.add_argument("--mib", type=number(2, 1 << 20), metavar="N", help="MiB that each scheme allocates (default 2048)")
    made.add_argument("--mem", metavar="SIZE", help="memory of the guest for that (default 4G)")
    made.add_argument("--pages", type=number(16, 1 << 20), metavar="N",
                      help="translations of each way that is timed (default 16384)")
    made.add_argument("--host", metavar="USER@PI", help="run on this machine, over ssh, instead of QEMU")
    made.add_argument("--quick", action="store_true", help="64 MiB and 1024 translations; the page says so")
    made.add_argument("--out", metavar="DIR", default=os.path.join(kernels.ROOT, "results", "walker"))
    args = made.parse_args(argv)
    for name, value in (QUICK if args.quick else FULL).items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    built = [name for name in MACHINES if os.path.exists(os.path.join(kernels.variant_dir(name), "selftests"))]
    args.kernels = args.kernels.split(",") if args.kernels else built[:1] if args.quick else built
    if not args.host and not set(args.kernels) <= set(MACHINES) or not args.kernels:
        raise kernels.Error(f"--kernels: {', '.join(MACHINES)} are known; see --help", 2)
    return args


def boots(args):
    """(where, name, plan) of each."""
    # Each in a guest just booted: memory that was freed by one would be another layout for the next.
    layouts = [f"layout {scheme} {args.mib}M" for scheme in SCHEMES]
    latency = [f"latency {args.pages}"]
    if args.host:
        yield target.Ssh(args.host), args.host, layouts + ["vmas"] + latency
        return
    kernel = kernels.variant_dir(args.kernels[0])
    for layout in layouts:
        yield target.Guest("virt", kernel, mem=args.mem), "layout", [layout]
    yield target.Guest("virt", kernel, mem=args.mem), "layout", ["vmas"]
    for name in args.kernels:
        title, cpu = MACHINES[name]
        yield target.Guest("virt", kernels.variant_dir(name), icount=True, cpu=cpu), title, latency


def measure(args):
    data = Data()
    for where, name, plan in boots(args):
        directory = target.programs_of(where.kernel_dir, "lkp25p3", "memalloc")
        programs = [os.path.join(directory, program) for program in ("memalloc", "latency", "walk")]
        with target.load(programs, [os.path.join(HERE, "measure.sh")], plan) as load:
            data.take(where.run(load, "measure.sh"), name,
                      lambda what, name=name: print(f"{name}: {what}", file=sys.stderr))
    for layout in data.layouts.values():
        layout.check(args.mib << 20)
    for latency in data.latencies.values():
        latency.check()
    return data


def write_part1(data, out, latency):
    os.mkdir(out)
    for scheme, layout in data.layouts.items():
        layout.write_runs(os.path.join(out, f"va-pa-{scheme}.csv"))
        with gzip.open(os.path.join(out, f"va-pa-{scheme}.log.gz"), "wt", compresslevel=4) as log:
            layout.write_pages(log)
        figures.draw_layout(layout, out, f"layout-{scheme}")
    latency.write(os.path.join(out, "pagemap-latency.csv"), [n for n, w in WAYS.items() if w[1] == "pagemap"])
    figures.draw_cdf(figures.PART1_TITLE, latency, "pagemap", out)


def write_part2(data, out, latency):
    os.mkdir(out)
    for name, lines in (("vmas-of-1.txt", data.dump), ("maps-of-1.txt", data.maps)):
        with open(os.path.join(out, name), "w") as text:
            text.write("\n".join(lines) + "\n")
    latency.write(os.path.join(out, "kernel-latency.csv"), [n for n, w in WAYS.items() if w[1] != "pagemap"])
    figures.draw_cdf(figures.PART2_TITLE, latency, "kernel", out)


def facts(data, args):
    return {
        "date": datetime.datetime.now().strftime("%Y-%m-%d %H:%M"),
        "quick": args.quick, "mib": args.mib, "pages": args.pages, "emulated": not args.host,
        "conditions": data.conditions,
        "layouts": {name: dict(layout.facts, first_va=layout.runs[0][0], steps=layout.steps(),
                               end_va=layout.runs[-1][0] + layout.runs[-1][2] * layout.number("page_bytes"))
                    for name, layout in data.layouts.items()},
        "latency": {machine: {name: dict(mean=latency.means[name], **{f"p{p}": latency.percentile(name, p)
                                                                      for p in (1, 50, 90, 99)})
                              for name in WAYS} for machine, latency in data.latencies.items()},
        "clock": {machine: latency.clock for machine, latency in data.latencies.items()},
        "same": {machine: latency.same for machine, latency in data.latencies.items()},
        "dump": data.dump, "captions": captions(data, not args.host),
    }


def main():
    args = parse(sys.argv[1:])
    plot.check()
    with htmlreport.directory(args.out) as out:
        data = measure(args)
        latency = next(iter(data.latencies.values()))
        write_part1(data, os.path.join(out, "part1"), latency)
        write_part2(data, os.path.join(out, "part2"), latency)
        with open(os.path.join(out, "facts.json"), "w") as text:
            json.dump(facts(data, args), text, indent=1)
            text.write("\n")
        write_page(data, facts(data, args), out)
    for name, latency in data.latencies.items():
        print(f"\n{name}: nanoseconds per translation" + ("" if args.host else ", of which each is one instruction"))
        for way, mean in latency.means.items():
            print(f"  {WAYS[way][0]:56}{mean:12.1f}")
    print(f"\nReport: {os.path.join(os.path.relpath(args.out), 'index.html')}")
    return 0


if __name__ == "__main__":
    htmlreport.run_main("run", main)
