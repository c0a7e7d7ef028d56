# SPDX-License-Identifier: GPL-2.0
"""The graphs and the page."""

import os

import cost
import curves
import htmlreport
from stats import Summary

WHERE = "under QEMU"


def external(line):
    """External fragmentation in per cent: how much of what is free is not in the largest hole."""
    return 100 * (1 - line["largest_hole"] / line["free_bytes"]) if line["free_bytes"] else 0


def mean_over_time(data, fit, value):
    """[(step, mean over the seeds)]"""
    runs = [lines for (name, _), lines in sorted(data.frag.items()) if name == fit]
    return [(lines[0]["step"], sum(map(value, lines)) / len(lines)) for lines in zip(*runs)]


def misses(data, policy, pattern):
    return [(percent, 100 * found["swap_ins"] / found["touches"])
            for (name, order, percent), found in sorted(data.swap.items())
            if (name, order) == (policy, pattern)]


def draw(data, out):
    fits = ["first", "best"]
    curves.graph(out, "fragmentation", f"External fragmentation of addresses, {WHERE}",
                 ("allocations and frees", "free bytes outside of the largest hole (%)"),
                 [(f"{fit} fit", mean_over_time(data, fit, external)) for fit in fits])
    curves.graph(out, "holes", f"Number of holes, {WHERE}", ("allocations and frees", "holes"),
                 [(f"{fit} fit", mean_over_time(data, fit, lambda line: line["holes"])) for fit in fits])
    for pattern in ("loop", "skewed"):
        curves.graph(out, f"swap-{pattern}", f"Pages read from the swap file, {pattern} pattern, {WHERE}",
                     ("pages in use (% of the pool)", "touches that read the file (%)"),
                     [(policy, misses(data, policy, pattern)) for policy in ("clock", "fifo")])


def frag_rows(data):
    """The second half of each run, when it has settled."""
    rows = []
    for fit in ("first", "best"):
        lines = [line for (name, _), run in data.frag.items() if name == fit for line in run[len(run) // 2:]]
        late = Summary([external(line) for line in lines])
        holes = Summary([line["holes"] for line in lines])
        rows.append([f"{fit} fit", f"{late.mean:.1f}", f"{late.max:.1f}", f"{holes.mean:.0f}",
                     sum(line["failed"] for line in lines)])
    return rows


FRAG_HEADER = ["", "external fragmentation, mean %", "worst %", "holes, mean", "allocations that failed for it"]


def swap_rows(data):
    percents = sorted({percent for *_, percent in data.swap})
    header = ["pattern", "policy", *[f"{percent} %" for percent in percents]]
    return header, [[pattern, policy, *[f"{value:.1f}" for _, value in misses(data, policy, pattern)]]
                    for pattern in ("loop", "skewed") for policy in ("clock", "fifo")]


def write_page(data, out):
    page = htmlreport.Page("/dev/petmem: cost, fragmentation, replacement",
                           f"{data.conditions['where']} \u00b7 {data.conditions['date']}")
    page.text("All of this ran under an emulator: instruction counts and counts of events are exact, nothing "
              "here is a time of a Raspberry Pi.", "note")
    if data.conditions["quick"] != "no":
        page.text("A quick run: fewer steps, seeds and sizes than the full experiment.", "note")
    for variant, found in data.cost.items():
        page.heading(f"Cost in instructions, kernel {variant}")
        page.table(cost.HEADER, cost.rows_of(found)[0], text_columns=2)
    page.text("The limits are for the kernel arm64-cost (-Os, PREEMPT_NONE).")
    page.heading("Fragmentation: first fit or best fit")
    page.text("Random allocations of 16 KiB to 1 MiB, most of them small, and random frees, in a space of 64 MiB "
              "that is 85 % full at most. Both see the same sequence of requests as long as none fails.")
    page.table(FRAG_HEADER, frag_rows(data))
    for name in ("fragmentation", "holes"):
        page.figure(os.path.join(out, name + ".png"), f"mean over the runs ({name}.png, {name}.pdf)")
    page.heading("Replacement: clock or FIFO")
    page.text("Touches that had to read the swap file, in per cent, by how many pages are in use. loop: one page "
              "after the other; skewed: four of five touches go to a fifth of the pages.")
    page.table(*swap_rows(data), text_columns=2, groups=True)
    for name in ("swap-loop", "swap-skewed"):
        page.figure(os.path.join(out, name + ".png"), f"{name}.png, {name}.pdf")
    page.heading("Conditions")
    page.table(["what", "value"], sorted(data.conditions.items()), text_columns=2)
    page.write(os.path.join(out, "index.html"))
