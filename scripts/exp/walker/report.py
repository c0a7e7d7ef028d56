# SPDX-License-Identifier: GPL-2.0
"""Fills the lab report, Documentation/lab-reports/walker.md, from the results of runs, and puts its
figures and data beside it, in part1/ and part2/."""

import json
import os
import re
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "monitor"), os.path.join(HERE, "..", "..", "lib")]

# pylint: disable=wrong-import-position
import htmlreport
import kernels
from data import SCHEMES, WAYS
from options import report_parser
from records import QUARTERS, WHAT
from stats import digits
from texttable import fill, markdown

# Copied to the report's directory, from results/walker and results/monitor.
FILES = {
    "walker": ["part1/layout-4k.{png,pdf}", "part1/layout-2m.{png,pdf}", "part1/layout-calloc.{png,pdf}",
               "part1/Paging-Lab-Pagemap-Lat-CDF.{png,pdf}", "part2/Paging-Lab-Kernel-Lat-CDF.{png,pdf}",
               "part1/va-pa-4k.csv", "part1/va-pa-2m.csv", "part1/va-pa-calloc.csv"],
    "monitor": ["part2/heat-100ms.{png,pdf}", "part2/pace-100ms.{png,pdf}", "part2/pace-10ms.{png,pdf}", "part2/slow-100ms.{png,pdf}", "part2/heat-100ms.csv"],
}
# A table of runs that is longer has its beginning in the report's directory, and says so.
MOST_LINES = 4000



def read_facts(results, name, program="run"):
    try:
        with open(os.path.join(results, name, "facts.json")) as text:
            return json.load(text)
    except FileNotFoundError:
        raise kernels.Error(f"there are no results in {os.path.join(results, name)}: run "
                            f"scripts/exp/{name.partition('-')[0]}/{program}") from None


def read_accuracy(results):
    """What scripts/exp/monitor/accuracy wrote, its title left out and its headings one level lower."""
    try:
        with open(os.path.join(results, "accuracy", "accuracy.md"), encoding="utf-8") as text:
            return text.read().partition("\n\n")[2].replace("\n## ", "\n### ").strip()
    except FileNotFoundError:
        raise kernels.Error(f"there are no results in {os.path.join(results, 'accuracy')}: run "
                            f"scripts/exp/monitor/accuracy") from None


def copy(results, out):
    for name, patterns in FILES.items():
        for pattern in patterns:
            base, _, kinds = pattern.partition("{")
            for kind in (kinds.rstrip("}").split(",") if kinds else [""]):
                copy_one(os.path.join(results, name, base + kind), os.path.join(out, base + kind))


def copy_one(source, target):
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if not source.endswith(".csv"):
        shutil.copyfile(source, target)
        return
    with open(source) as lines, open(target, "w") as out:
        for i, line in enumerate(lines):
            if i > MOST_LINES:
                out.write(f"# {i + sum(1 for _ in lines)} runs in all: the rest is made by scripts/exp/walker/run\n")
                break
            out.write(line)


def layout_table(layouts):
    rows = []
    for scheme, made in layouts.items():
        up, down, back = made["steps"]
        rows.append([SCHEMES[scheme], made["blocks"], made["pages"], made["zero"], made["va_ranges"], made["runs"],
                     digits(int(made["pages"]) / int(made["runs"])), made["longest"], up, down, back, made["faults"]])
    return markdown(["scheme", "blocks", "pages present", "on the zero page", "VA ranges", "PA runs", "pages per run",
                     "longest run", "next run above", "below", "of these just below", "page faults"], rows)


def address_table(layouts):
    return markdown(["scheme", "first VA", "last VA", "first, second and last block, as they were allocated"],
                    [[SCHEMES[scheme], f"{made['first_va']:#x}", f"{made['end_va'] - 1:#x}",
                      f"{made['first']}, {made['second']}, {made['last']}".replace("(nil)", "none")] for scheme, made in layouts.items()])


def contiguous_text(layouts):
    """Said from the numbers."""
    lines = []
    for scheme, made in layouts.items():
        pages, runs, ranges = int(made["pages"]), int(made["runs"]), int(made["va_ranges"])
        virtual = "one range without a gap" if ranges == 1 else f"{ranges} ranges"
        lines.append(f"* {SCHEMES[scheme]}: virtually {virtual}; physically {runs} runs, {digits(pages / runs)} pages "
                     f"each in the mean and {made['longest']} at most.")
    return "\n".join(lines)


def latency_table(facts):
    machines = list(facts["latency"])
    header = ["way"]
    for machine in machines:
        header += [f"{machine}: mean", "median", "99 %"]
    rows = []
    for way, (text, _) in WAYS.items():
        row = [text]
        for machine in machines:
            found = facts["latency"][machine][way]
            row += [f"{found['mean']:.0f}", found["p50"], found["p99"]]
        rows.append(row)
    return markdown(header, rows)


def ratio(latency, a, b):
    return digits(latency[a]["mean"] / latency[b]["mean"])


def region_table(run):
    rows = []
    for quarter, (expected, measured, off, sweeps, least, most) in enumerate(run["regions"]):
        rows.append([QUARTERS[quarter], WHAT[quarter], digits(sweeps), f"{expected:.2f}", f"{measured:.2f}",
                     f"{100 * off:.2f} %" if expected else "-", f"{least} to {most}"])
    return markdown(["quarter", "the program", "sweeps per second", "expected", "counted", "off",
                     "single pages"], rows)


def monitor_text(run, ns):
    per_page = f"{run['ns_per_page'] / ns:.1f} instructions" if ns else f"{run['ns_per_page']:.1f} ns"
    return (f"{run['scans']:.1f} scans a second, {run['missed']} missed in {run['seconds']} s; a scan takes "
            f"{run['scan_ms']:.2f} ms, {per_page} a page, the half that is not accessed included; the monitor's thread used "
            f"{run['cpu_percent']:.1f} % of a CPU.")


def saturation_text(run):
    limit = round(1000 / run["interval_ms"])
    if len(run["saturated"]) == 2:
        return (f"**Both quarters are saturated**: each is read in every one of the {limit} intervals of a second, so the "
                f"map shows them alike.")
    if run["saturated"] == [0]:
        return f"The first quarter is saturated at {limit}; the second one shows its own rate."
    return f"Neither quarter reaches {limit}: both show their own rates."


def rates_text(monitor):
    return markdown(["run", "pace asked for", "interval", "sweeps per second: first quarter", "second quarter"],
                    [[run["title"], f"{run['pace_ms']} ms", f"{run['interval_ms']} ms" if run["interval_ms"] else "none",
                      f"{run['rates'][0]:.1f}", f"{run['rates'][1]:.1f}"] for run in monitor["runs"].values()])


def log_lines(run):
    return "\n".join(re.sub(r"^\[ *[\d.]+\] ?", "", line) for line in run["log"])


def runs_text(monitor):
    parts = []
    for name, run in monitor["runs"].items():
        if "regions" not in run:
            continue
        parts.append(f"### {run['title'][0].upper()}{run['title'][1:]}\n\n![{run['title']}](part2/{name}.png)\n\n"
                     f"{saturation_text(run)} {monitor_text(run, monitor['instruction_ns'])} ([PDF](part2/{name}.pdf))\n\n{region_table(run)}")
    return "\n\n".join(parts)


def cost_tables(cost):
    return "\n\n".join(f"{title}:\n\n{markdown(cost['header'], rows)}" for title, rows in cost["tables"].items())


def values(walker, monitor):
    first = next(iter(walker["latency"].values()))
    heat = monitor["runs"]["heat-100ms"]
    worst = max(region[2] for run in monitor["runs"].values() for region in run.get("regions", []))
    return {
        "DATE": walker["date"], "MIB": str(walker["mib"]), "TRANSLATIONS": str(walker["pages"]),
        "EMULATOR": "**It ran under an emulator**" if walker["emulated"] else "It ran on a real machine",
        "QUICK": " This was a quick run, with less memory." if walker["quick"] or monitor["quick"] else "",
        "LAYOUT_TABLE": layout_table(walker["layouts"]), "ADDRESS_TABLE": address_table(walker["layouts"]),
        "CONTIGUOUS": contiguous_text(walker["layouts"]),
        "LATENCY_TABLE": latency_table(walker),
        "PAGEMAP_CAPTION": walker["captions"]["Paging-Lab-Pagemap-Lat-CDF"],
        "KERNEL_CAPTION": walker["captions"]["Paging-Lab-Kernel-Lat-CDF"],
        "FOPEN_PREAD": ratio(first, "fopen", "pread"), "PREAD_WALK": ratio(first, "pread", "kernel_locked"),
        "WALK_BATCH": ratio(first, "kernel_locked", "pread_batch"), "WRITE_WALK": ratio(first, "write", "kernel_locked"),
        "SAME": ", ".join(f"{machine}: {count}" for machine, count in walker["same"].items()),
        "CLOCK": ", ".join(f"{machine}: {clock:.1f}" for machine, clock in walker["clock"].items()),
        "DUMP": "\n".join(walker["dump"][:15]),
        "HEAT_MIB": str(monitor["mib"]),
        "SMALLER": "" if monitor["mib"] >= 1024 else " (in this run: the assignment asks for 1024)", "HEAT_SECONDS": str(heat["seconds"]), "CORE": monitor["conditions"]["core"],
        "TIME": monitor["conditions"]["time"], "RATES": rates_text(monitor), "RUNS": runs_text(monitor),
        "WORST": f"{100 * worst:.2f}", "LOG": log_lines(heat),
        "CONDITIONS": markdown(["boot", "what", "value"], [
               [boot, key, value] for boot, found in {**walker["conditions"], "monitor": monitor["conditions"]}.items()
               for key, value in sorted(found.items())]),
    }


def main():
    args = report_parser("walker/report", __doc__).parse_args(sys.argv[1:])
    found = values(read_facts(args.results, "walker"), read_facts(args.results, "monitor"))
    found["COSTS"] = cost_tables(read_facts(args.results, "walker-cost", "cost"))
    found["ACCURACY"] = read_accuracy(args.results)
    copy(args.results, args.out)
    path = os.path.join(args.out, "walker.md")
    fill(os.path.join(HERE, "lab-report.md.in"), found, path)
    print(f"Written: {os.path.relpath(path)}, with part1/ and part2/ beside it")
    return 0


if __name__ == "__main__":
    htmlreport.run_main("report", main)
