# SPDX-License-Identifier: GPL-2.0
"""The page, and the tables that it shares with the report."""

import os

import bench
import figures
import htmlreport
import limits
from records import POLICIES

SHOWN = [("touches_s", "touches/s", "{:.0f}"), ("miss", "miss, %", "{:.2f}"), ("faults_1000", "faults / 1000 touches", "{:.1f}"),
         ("scan_steal", "scan/steal", "{:.2f}"), ("fidelity", "fidelity, %", "{:.2f}"),
         ("apart_60ms", "order, %", "{:.2f}"), ("klrud_pct", "harvester, % CPU", "{:.2f}"),
         ("frames", "frames", "{:.0f}"), ("touched_pct", "touched, % of frames", "{:.0f}"),
         ("sim_lru", "LRU", "{:.2f}"), ("sim_opt", "OPT", "{:.2f}"), ("sim_random", "random", "{:.2f}")]
HEADER = ["case", "policy", *[title for _, title, _ in SHOWN]]
MEANING = [
    "The load is what the five processes go on touching together, in % of the memory available before they start: the k-th "
    "goes on touching k/5 of its part after it has touched all of it once, so their mappings are 5/3 of the load. \"fits\" is a load "
    "of 78 %, mappings of 130 %.",
    "frames: pages of the processes that are resident, mean over the half of the run that counts; \"touched, % of frames\" is "
    "the load by that measure, which is what decides. It differs between policies by what each leaves for the rest of the system.",
    "miss: the mean of the five processes' ratios of major faults to touches, second half of the run; faults / 1000 touches "
    "counts all processes together.",
    "fidelity: share of the resident pages that an exact LRU, by the processes' own time stamps, would hold in as many frames; "
    "mean of looks at a random moment of each second of the half of the run that counts.",
    "order: pairs of pages last touched more than 60 ms apart that are in the right order in the queue; 50 % is chance. With its budget "
    "`lru` keeps it exact near the tail, where it decides, and what was used between two harvests is in no order.",
    "LRU, OPT, random: miss ratios of a simulated memory that the same patterns run in, with this run's pages and frames, and "
    "with what a touch and a fault cost in this run; OPT (Belady) is given the trace of the exact LRU.",
    "Medians over the seeds, with the smallest and the largest value where there are several.",
]


def cell(spread, form):
    if not spread:
        return "-"
    mid, low, high = (form.format(value) for value in spread)
    return mid if low == high else f"{mid} ({low}\u2013{high})"


def rows(data):
    return [[case, policy, *[cell(data.spread(case, policy, key), form) for key, _, form in SHOWN]]
            for case in data.cases for policy in data.policies if data.spread(case, policy, "miss")]


def policy_rows(data):
    made = [[policy, POLICIES[policy]] for policy in data.policies]
    return made + [[policy, "left out: this kernel refused it"] for policy in data.refused]


def limit_rows(data):
    return [line.cells() for line in data.lines]


def judged(data):
    missed = sum(not line.met for line in data.lines)
    return f"{len(data.lines) - missed} of {len(data.lines)} lines are met" + (f", {missed} are not." if missed else ".")


def write_page(data, out, graphs):
    page = htmlreport.Page("lru_page_list: five processes and the costs of a reclaim policy",
                           f"{data.conditions['where']} \u00b7 {data.conditions['date']}")
    page.text("All of this ran under an emulator: time is an instruction count, so figures repeat; they compare policies "
              "on the same emulated machine and are not times of a Raspberry Pi. Caches, TLBs and the entry of an "
              "exception cost nothing there." if data.conditions["where"].startswith("QEMU") else
              "This ran on a real machine, by its own clock, beside all else that runs there: figures do not repeat exactly.", "note")
    if data.conditions["quick"] != "no":
        page.text(f"A quick run: {data.conditions['quick']}. Nothing is settled in it.", "note")
    if data.failed:
        page.text("These boots failed, and are not in the tables:", "note")
        page.items(data.failed)
    page.table(["policy", "what it is"], policy_rows(data), text_columns=2)
    page.heading("Five processes")
    page.items(MEANING)
    page.table(HEADER, rows(data), text_columns=2, groups=True)
    for name in (name for name in graphs if name not in figures.COSTS):
        caption = f"{name}.png, {name}.svg, {name}.pdf"
        if name.startswith("resident-"):
            caption = ("Hot part above, cold part below, of processes 1 to 5, first seed, since the patterns began; all had been touched "
                       f"once before ({caption})")
        page.figure(os.path.join(out, name + ".png"), caption)
    page.heading("What it must show")
    page.text(judged(data))
    page.table(limits.HEADER, limit_rows(data), text_columns=2)
    if data.bench.found:
        costs(page, data.bench)
        for name in (name for name in graphs if name in figures.COSTS):
            page.figure(os.path.join(out, name + ".png"), f"{name}.png, {name}.svg, {name}.pdf")
    page.heading("Conditions")
    page.table(["what", "value"], sorted(data.conditions.items()), text_columns=2)
    page.write(os.path.join(out, "index.html"))


def costs(page, found):
    page.heading("What memory costs")
    page.text("Medians over the rounds of the program bench, all policies in one boot. On one CPU that is never idle "
              "the share of kswapd is its fair share, and tells little.")
    page.table(bench.HEADER, found.rows(), text_columns=2, groups=True)
    page.heading("The tick with nothing to do")
    page.text("A loop of a fixed number of instructions, alone and beside processes that sleep: what is more is what timer "
              "interrupts and the harvester take.")
    page.table(bench.TICK_HEADER, found.tick_rows(), text_columns=2, groups=True)
    page.heading("perf stat")
    page.text("perf stat of bench without a load, its start included.")
    page.table(bench.PERF_HEADER, found.perf_rows(), text_columns=1)
