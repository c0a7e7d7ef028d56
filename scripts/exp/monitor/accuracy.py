# SPDX-License-Identifier: GPL-2.0
"""Does the monitor tell which pages are accessed? A program touches a known set of pages in each
period; what the monitor counted for each page is compared with that, page by page.

DAMON watches the same workload beside it, with its defaults (a sample every 5 ms, an aggregation
every 100 ms, 10 to 1000 regions), of the buffer alone. It speaks of regions: each page of a region is taken as
accessed if at least one of the 20 samples of its last aggregation was. A second column has the number of
samples, from 1 to 20, that fits the pattern best, which only who knows the truth can pick.

DAMON does not flush the TLB, and the emulator's hardly forgets anything by itself, as a CPU's does: so the
program makes it forget before each of its sweeps, every 4 ms. Without --quick it is also measured without that.

The monitor looks at every page and DAMON at one of each region: the monitor's CPU time grows with the buffer,
DAMON's does not.

Precision: of the pages that were said to be accessed, the part that was. Recall: of those that were, the part
that was said to be.
"""

import concurrent.futures
import csv
import datetime
import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "lib")]

# pylint: disable=wrong-import-position
import htmlreport
import kernels
import target
from options import Parser, number
from texttable import show
from truth import Score, take_all

FULL = dict(pages=8195, periods=5, ms=1000)
QUICK = dict(pages=1027, periods=2, ms=300)
# name: (kernel, who sets accessed bits)
MACHINES = {
    "x86_64": ("x86_64", "max"),
    "cortex-a76": ("arm64", "cortex-a76"),
    "cortex-a72": ("arm64", "cortex-a72"),
}
HEADER = ["pattern", "pages touched", "monitor: precision", "recall", "counts", "DAMON: precision", "recall",
          "at best: precision", "recall"]
UNAIDED = ["no flush: precision", "recall"]


def parse(argv):
    made = Parser("monitor/accuracy", __doc__)
    made.add_argument("--machine", action="append", choices=list(MACHINES), help="only this one (may be repeated)")
    made.add_argument("--pages", type=number(64, 1 << 18), metavar="N", help=f"of the buffer (default {FULL['pages']})")
    made.add_argument("--periods", type=number(1, 1000), metavar="N",
                      help=f"of each pattern (default {FULL['periods']})")
    made.add_argument("--ms", type=number(10, 60000), metavar="N",
                      help=f"that a period's pages are touched for (default {FULL['ms']})")
    made.add_argument("--seed", type=number(0, (1 << 32) - 1), metavar="N",
                      help="of what is random in the patterns (default: another one each time; it is printed)")
    made.add_argument("--check", action="store_true", help="fail if the monitor was wrong about one page")
    made.add_argument("--quick", action="store_true", help="fewer pages and periods, and DAMON once")
    made.add_argument("--out", metavar="DIR", default=os.path.join(kernels.ROOT, "results", "accuracy"))
    args = made.parse_args(argv)
    for name, value in (QUICK if args.quick else FULL).items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    if args.seed is None:
        args.seed = random.SystemRandom().randrange(1 << 32)
    args.machine = args.machine or list(MACHINES)
    args.watchers = ["monitor", "damon-flush"] if args.quick else ["monitor", "damon-flush", "damon"]
    return args


def measure(name, args):
    """{watcher: [Watched]} of one boot."""
    variant, cpu = MACHINES[name]
    kernel = kernels.variant_dir(variant)
    program = os.path.join(kernel, "selftests", "lkp25p3", "accuracy")
    if not os.path.exists(program):
        raise kernels.Error(f"{program} is not built: run scripts/build {variant}, or name another --machine")
    where = target.Guest("virt", kernel, icount=True, cpu=cpu, timeout=3600)
    plan = [f"{watcher} {args.pages} {args.periods} {args.ms} {args.seed}" for watcher in args.watchers]
    with target.load([program], [os.path.join(HERE, "accuracy.sh")], plan) as load:
        return take_all(where.run(load, "accuracy.sh"), args.periods)


def measure_all(args):
    """(machine, what measure() has) of each; as many guests at once as there are CPUs, since each needs but one."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            yield from zip(args.machine, pool.map(lambda name: measure(name, args), args.machine))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            target.end_all()
            raise


def percent(part):
    """Rounded so that only what is exact is 100 %."""
    if part == 1:
        return "100 %"
    return f"{min(100 * part, 99.99):.2f} %"


def both(score):
    return [percent(score.precision()), percent(score.recall())]


def span(pair):
    return "-" if not pair else f"{pair[0]}" if pair[0] == pair[1] else f"{pair[0]} to {pair[1]}"


def total(watched, least=1):
    made = Score()
    for one in watched:
        score = one.score(least)
        made.both += score.both
        made.wrong += score.wrong
        made.lost += score.lost
    return made


def rows_of(found):
    """A row for each pattern and one for all of them; for all of them one threshold has to do."""
    rows = []
    unaided = found.get("damon", [None] * len(found["monitor"]))
    for ours, damon, bare in zip(found["monitor"], found["damon-flush"], unaided):
        least, best = damon.best()
        rows.append([ours.pattern, f"{ours.touched():.0f}", *both(ours.score()), span(ours.counts()),
                     *both(damon.score()), f"{percent(best.precision())} (>= {least})", percent(best.recall()),
                     *(both(bare.score()) if bare else [])])
    scores = {least: total(found["damon-flush"], least) for least in range(1, 21)}
    least = max(scores, key=lambda n: scores[n].quality())
    rows.append(["all of them", f"{sum(one.touched() for one in found['monitor']):.0f}", *both(total(found["monitor"])),
                 "", *both(scores[1]), f"{percent(scores[least].precision())} (>= {least})",
                 percent(scores[least].recall()), *(both(total(found["damon"])) if "damon" in found else [])])
    return rows


def cpu_text(found):
    names = {"monitor": "the monitor", "damon-flush": "DAMON", "damon": "DAMON without flushes"}
    costs = {watcher: sum(one.cpu_ns for one in watched) / sum(one.wall_ns for one in watched)
             for watcher, watched in found.items()}
    return "CPU of the watching thread, ms per second: " + ", ".join(
        f"{names[watcher]} {1000 * cost:.3f}" for watcher, cost in costs.items()) + \
        " (an instruction is a nanosecond)."


def title_of(name, found):
    facts = found["monitor"][0].facts
    who = "accessed bits set by the CPU" if facts.get("hardware") == "1" else "accessed bits set by page faults"
    return f"{name}: {who}, {int(facts.get('granule', 0)) >> 10} KiB granules, a scan every {facts.get('interval_ms')} ms"


def header_of(found):
    return HEADER + (UNAIDED if "damon" in found else [])


def conditions(args):
    return (f"QEMU, -icount, one CPU \u00b7 {args.pages} pages, {args.periods} periods of {args.ms} ms for each "
            f"pattern, seed {args.seed}{', a quick run' if args.quick else ''} \u00b7 "
            f"{datetime.datetime.now().strftime('%Y-%m-%d %H:%M')}")


def write_csv(path, machines):
    with open(path, "w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["machine", "watcher", "pattern", "period", "threshold", "touched", "both", "wrong", "lost",
                         "least_count", "most_count"])
        for machine, found in machines.items():
            for watcher, some in found.items():
                for watched in some:
                    for i, period in enumerate(watched.periods, 1):
                        least = {1, watched.best()[0]} if watcher != "monitor" else {1}
                        for threshold in sorted(least):
                            s = Score().add(period.truth, period.said(threshold))
                            writer.writerow([machine, watcher, watched.pattern, i, threshold, s.both + s.lost, s.both,
                                             s.wrong, s.lost, *(period.counts() or ("", ""))])


def write_markdown(path, machines, args):
    with open(path, "w", encoding="utf-8") as out:
        out.write(f"# Which pages were accessed: the monitor and DAMON against the truth\n\n{conditions(args)}\n\n"
                  + __doc__.split("\n\n", 1)[1].strip() + "\n")
        for name, found in machines.items():
            header = header_of(found)
            out.write(f"\n## {title_of(name, found)}\n\n")
            for line in [header, ["---"] * len(header), *rows_of(found)]:
                out.write("| " + " | ".join(line) + " |\n")
            out.write(f"\n{cpu_text(found)}\n")


def write_page(path, machines, args):
    page = htmlreport.Page("Which pages were accessed: the monitor and DAMON against the truth", conditions(args))
    for paragraph in __doc__.split("\n\n")[1:]:
        page.text(" ".join(paragraph.split()))
    for name, found in machines.items():
        page.heading(title_of(name, found))
        page.table(header_of(found), rows_of(found))
        page.text(cpu_text(found))
    page.write(path)


def main():
    args = parse(sys.argv[1:])
    machines = {}
    with htmlreport.directory(args.out) as out:
        print(conditions(args))
        for name, found in measure_all(args):
            machines[name] = found
            show(title_of(name, found), header_of(found), rows_of(found))
            print(cpu_text(found), flush=True)
        write_csv(os.path.join(out, "data.csv"), machines)
        write_markdown(os.path.join(out, "accuracy.md"), machines, args)
        write_page(os.path.join(out, "index.html"), machines, args)
    wrong = [(name, one) for name, found in machines.items() for one in found["monitor"] if not one.score().exact()]
    for name, one in wrong:
        score = one.score()
        print(f"accuracy: {name}: {one.pattern}: the monitor was wrong about {score.wrong} pages and lost {score.lost} "
              f"(--seed {args.seed})", file=sys.stderr)
    return 1 if args.check and wrong else 0


if __name__ == "__main__":
    htmlreport.run_main("accuracy", main)
