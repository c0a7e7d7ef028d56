# SPDX-License-Identifier: GPL-2.0
"""The page of the experiment, and what is said below the figures."""

import os

import figures
import htmlreport
from data import SCHEMES, WAYS
from stats import digits


def unit(emulated):
    return "instructions (under -icount one is a nanosecond)" if emulated else "nanoseconds"


def captions(data, emulated):
    """Computed from the run, so that a caption never says what its figure does not."""
    latency = next(iter(data.latencies.values()))
    median = {name: latency.percentile(name, 50) for name in WAYS}
    where = (f"QEMU -icount, {latency.name}, one CPU: a nanosecond is one instruction, caches and the TLB cost nothing"
             if emulated else latency.name)
    return {
        "Paging-Lab-Pagemap-Lat-CDF":
            f"{latency.pages} pages, translated through /proc/self/pagemap ({where}). The median is "
            f"{digits(median['fopen'] / 1000)} \u00b5s if the file is opened by stdio for each address, "
            f"{digits(median['open'] / 1000)} \u00b5s with open and pread, {digits(median['pread'] / 1000)} \u00b5s "
            f"if it stays open, and {digits(median['pread_batch'] / 1000)} \u00b5s for each of 512 entries read at once: what is "
            f"measured is how the file is used, more than the walk.",
        "Paging-Lab-Kernel-Lat-CDF":
            f"The same {latency.pages} pages, walked in the kernel ({where}); what reading the clock costs is "
            f"taken off. Alone, with mmap_lock taken for it, a walk has a median of {median['kernel_locked']} ns, without "
            f"locks {median['kernel_lockless']} ns; the clock has steps of some ns, which are the stairs. Per page of a "
            f"batch of 512, system call and copying of records included: {median['batch']} ns in any order, "
            f"{median['range']} ns for consecutive pages.",
    }


def layout_rows(facts):
    rows = []
    for scheme, made in facts["layouts"].items():
        up, down, back = made["steps"]
        rows.append([SCHEMES[scheme], made["blocks"], made["pages"], made["present"], made["zero"], made["va_ranges"],
                     made["runs"], made["longest"], digits(int(made["pages"]) / int(made["runs"])), up, down, back,
                     made["faults"]])
    return rows


LAYOUT_HEADER = ["scheme", "blocks", "pages", "present", "zero page", "VA ranges", "PA runs", "longest run",
                 "pages per run", "next run above", "below", "just below", "page faults"]


def cost_rows(facts):
    machines = list(facts["latency"])
    return [[WAYS[way][0], *[f"{facts['latency'][m][way]['mean']:.0f}" for m in machines]] for way in WAYS]


def write_page(data, facts, out):
    emulated = facts["emulated"]
    page = htmlreport.Page("Where memory is, and how one finds out",
                           f"{'QEMU, machine virt' if emulated else 'a real machine'} \u00b7 {facts['date']}")
    if emulated:
        page.text("All of this ran under an emulator: latencies are counts of instructions, and which frames are "
                  "free is what a guest just booted has.", "note")
    if facts["quick"]:
        page.text(f"A quick run: {facts['mib']} MiB for each scheme instead of 2048.", "note")
    page.heading("Virtual and physical layout of three ways to allocate")
    for scheme in data.layouts:
        page.figure(os.path.join(out, "part1", f"layout-{scheme}.png"),
                    f"{SCHEMES[scheme]}, {facts['mib']} MiB in all: physical over virtual address; left all of it, "
                    f"right the beginning (part1/layout-{scheme}.pdf; every page in part1/va-pa-{scheme}.log.gz)")
    page.table(LAYOUT_HEADER, layout_rows(facts))
    page.heading("How long a translation takes")
    for part, title in (("part1", figures.PART1_TITLE), ("part2", figures.PART2_TITLE)):
        page.figure(os.path.join(out, part, f"{title}.png"), f"{title}: {facts['captions'][title]}")
    page.text(f"Mean of {facts['pages']} pages, in {unit(emulated)}:")
    page.table(["way", *facts["latency"]], cost_rows(facts))
    page.text("All physical addresses of the module were compared with pagemap's: "
              + ", ".join(f"{name}: {count} equal" for name, count in facts["same"].items()) + ".")
    page.heading("Conditions")
    page.table(["boot", "what", "value"], [[boot, key, value] for boot, found in facts["conditions"].items()
                                           for key, value in sorted(found.items())], text_columns=3, groups=True)
    page.write(os.path.join(out, "index.html"))
