# SPDX-License-Identifier: GPL-2.0
"""Fills the lab report, Documentation/lab-reports/paging.md, from the results of runs."""

import csv
import json
import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "lib")]

# pylint: disable=wrong-import-position
import htmlreport
import kernels
from modes import BY_NAME, MODES
from options import report_parser
from stats import digits
from texttable import fill, markdown

SVG = "paging-mmap.svg"
NEEDED = {"paging": "scripts/exp/paging/run", "start": "scripts/build arm64-start and scripts/exp/paging/start"}



def read_json(results, name):
    try:
        with open(os.path.join(results, name, "facts.json")) as text:
            return json.load(text)
    except FileNotFoundError:
        raise kernels.Error(f"there are no results in {os.path.join(results, name)}: "
                            f"run {NEEDED[name]}") from None


def read_csv(results, *path):
    try:
        with open(os.path.join(results, *path), newline="") as text:
            return list(csv.DictReader(text))
    except FileNotFoundError:
        return []


def cell(rows, **wanted):
    """Mean and deviation of one measure."""
    for row in rows:
        if all(row[key] == value for key, value in wanted.items()):
            return (f"{digits(float(row['mean_ns']) / 1e6)} \u00b1 {digits(float(row['stddev_ns']) / 1e6)}")
    return "-"


def sizes_of(rows, program):
    return sorted({int(row["size"]) for row in rows if row["program"] == program})


def time_table(rows, program, measures):
    header = ["memory", "time", *sizes_of(rows, program)]
    body = [[mode.title if measure == measures[0] else "", measure,
             *[cell(rows, program=program, mode=mode.name, size=str(size), measure=measure)
               for size in sizes_of(rows, program)]]
            for mode in MODES for measure in measures]
    return markdown(header, body).replace("| work |", "| multiplication |")


def perf_table(perf):
    if not perf:
        return "(not measured)"
    found = {}
    for row in perf:
        found.setdefault((int(row["size"]), row["mode"]), {})[row["event"]] = row["value"]
    return markdown(["N", "memory", "page-faults", "instructions", "cycles"],
                    [[size, BY_NAME[mode].title, *[counts.get(event, "not counted") for event in
                                                   ("page-faults", "instructions", "cycles")]]
                     for (size, mode), counts in sorted(found.items(), key=lambda item: item[0][0])])


def faults_256(perf):
    found = {row["mode"]: int(row["value"]) for row in perf
             if row["size"] == "256" and row["event"] == "page-faults" and row["value"].isdigit()}
    if not {"demand", "prepage_chunks"} <= set(found):
        return "one for each page in demand mode, none for pre-paged memory."
    return (f"`dense_mm 256` takes {found['demand']} in demand mode and {found['prepage_chunks']} when pre-paged, "
            f"the {found['prepage_chunks']} being those of any process: one for each of the "
            f"{found['demand'] - found['prepage_chunks']} pages of the matrices.")


def verdicts(facts, programs):
    lines = []
    for entry in facts["verdicts"]:
        if entry["program"] in programs:
            lines += [f"* {entry['program'] + ': ' if len(programs) > 1 else ''}{text}"
                      for text in entry["text"]]
    return "\n".join(lines)


def cost_text(results):
    rows = {row["way"]: row for row in read_csv(results, "cost", "data.csv")
            if row["variant"] == "arm64-cost"}
    if not rows:
        return ""
    ways = ["anon_demand", "anon_populate", "demand", "demand_64k", "prepage_single", "prepage_chunks_pte",
            "prepage_chunks_pmd"]
    return ("\nInstructions per page, counted exactly (`scripts/exp/paging/cost`, cortex-a72 under "
            "`-icount`, -Os, PREEMPT_NONE):\n\n"
            + markdown(["way", "mmap", "touch", "munmap", "all", "faults per page"],
                       [[way, *[rows[way][key] for key in ("mmap", "touch", "munmap", "all", "faults_per_page")]]
                        for way in ways if way in rows]))


def values(results):
    facts, start = read_json(results, "paging"), read_json(results, "start")
    summary = read_csv(results, "paging", "summary.csv")
    perf = read_csv(results, "paging", "perf.csv")
    conditions = facts["conditions"]
    emulated = "emulator" in conditions["where"]
    quick = conditions["quick"] != "no"
    return {
        "DATE": conditions["date"],
        "EMULATOR": ("**It ran under an emulator**: the times are not times of any board, and only ratios, "
                     "fault counts and instruction counts mean something."
                     if emulated else "It ran on a real machine.")
                    + (" This was a quick run, with fewer sizes and runs." if quick else ""),
        "START_WHERE": start["where"], "START_STATUS": str(start["status"]),
        "START_OUT": "\n".join(start["out"]), "START_LOG": "\n".join(start["log"]),
        "FAULTS_256": faults_256(perf),
        "ALLOCATED": str(facts["counters"].get("allocated", "-")),
        "FREED": str(facts["counters"].get("freed", "-")),
        "UNLOAD_LOG": "\n".join(facts["log"]) or "(built into this kernel: never unloaded)",
        "SIZES": ", ".join(map(str, sizes_of(summary, "dense_mm"))), "RUNS": conditions["runs"],
        "CONDITIONS": markdown(["what", "value"], sorted(conditions.items())),
        "TIME_TABLE": time_table(summary, "dense_mm", ["mmap", "work", "sum"]),
        "SVG": SVG, "PERF_WHERE": facts["perf_where"] or "", "PERF_TABLE": perf_table(perf),
        "VERDICTS": verdicts(facts, ["dense_mm"]), "COST": cost_text(results),
        "SECOND_VERDICTS": verdicts(facts, ["merge_sort", "hash_table"]),
        "SECOND_TABLE": "\n\n".join(f"`{program}`, mmap and work together, ms:\n\n"
                                    + time_table(summary, program, ["sum"])
                                    for program in ("merge_sort", "hash_table")),
    }


def main():
    args = report_parser("paging/report", __doc__).parse_args(sys.argv[1:])
    path = os.path.join(args.out, "paging.md")
    fill(os.path.join(HERE, "lab-report.md.in"), values(args.results), path)
    shutil.copyfile(os.path.join(args.results, "paging", "dense_mm-mmap.svg"),
                    os.path.join(args.out, SVG))
    print(f"Written: {os.path.relpath(path)} and {SVG} beside it")
    return 0


if __name__ == "__main__":
    htmlreport.run_main("report", main)
