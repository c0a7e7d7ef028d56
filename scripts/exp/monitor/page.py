# SPDX-License-Identifier: GPL-2.0
"""The page of the experiment, and its summary on the terminal."""

import os

import htmlreport
from records import QUARTERS, WHAT

HEADER = ["quarter", "what the program did", "sweeps per second", "expected", "measured", "off", "least", "most"]


def region_rows(run):
    rows = []
    for quarter, (expected, measured, off, sweeps, least, most) in enumerate(run["regions"]):
        rows.append([QUARTERS[quarter], WHAT[quarter], f"{sweeps:.1f}", f"{expected:.2f}", f"{measured:.2f}",
                     f"{100 * off:.2f} %" if expected else f"{measured:.4f}", least, most])
    return rows


def saturation(run):
    limit = round(1000 / run["interval_ms"])
    if len(run["saturated"]) == 2:
        return (f"Both quarters are read at least {limit} times a second, which is in every interval: the map is "
                f"saturated, and shows them alike.")
    if run["saturated"]:
        return (f"Only the {'first' if run['saturated'] == [0] else 'second'} quarter is read in every interval; the "
                f"other one shows its own rate.")
    return "Neither quarter is read in every interval: both show their rates."


def summary_lines(facts):
    for name, run in facts["runs"].items():
        yield f"{run['title']}: {run['rates'][0]:.1f} and {run['rates'][1]:.1f} sweeps a second"
        for quarter, region in enumerate(run.get("regions", [])):
            yield (f"  {QUARTERS[quarter]:12} expected {region[0]:7.2f}, counted {region[1]:7.2f} per page and second"
                   f" (pages from {region[4]} to {region[5]})")
        if "regions" in run:
            yield (f"  {run['scans']:.1f} scans a second, {run['missed']} missed; a scan takes {run['scan_ms']:.2f} ms, "
                   f"{run['ns_per_page']:.1f} ns a page; the monitor's thread {run['cpu_percent']:.1f} % of a "
                   f"CPU")


def cost_rows(facts):
    alone = facts["runs"]["alone"]["rates"]
    rows = []
    for run in facts["runs"].values():
        rows.append([run["title"], f"{run['rates'][0]:.1f}", f"{100 * run['rates'][0] / alone[0]:.0f} %",
                     *([f"{run['scan_ms']:.2f}", f"{run['ns_per_page']:.1f}", f"{run['cpu_percent']:.1f} %",
                        run["missed"]] if "scans" in run else ["-"] * 4)])
    return rows


COST_HEADER = ["run", "sweeps of the first quarter per second", "of those without a monitor", "ms per scan",
               "ns per page scanned", "CPU of the monitor", "scans missed"]


def write_page(runs, facts, out):
    page = htmlreport.Page("Which pages are accessed, and how often",
                           f"{facts['conditions']['core']}{', under QEMU' if facts['emulated'] else ''} \u00b7 "
                           f"{facts['date']}")
    if facts["emulated"]:
        page.text("All of this ran under an emulator, and the seconds are its own: what is compared is the count of "
                  "the monitor with the count of the program, in one run.", "note")
    if facts["quick"]:
        page.text(f"A quick run: {facts['mib']} MiB and {facts['seconds']} seconds instead of 1024 and 120.", "note")
    page.text("One thread of the program reads the first quarter of the buffer as fast as it goes, one the second "
              "quarter at its pace, nobody the upper half. Colour: in how many scans of a second a page was found accessed. "
              "Expected is the lesser of the sweeps and the scans of each second.")
    for run in runs:
        page.heading(run.title[0].upper() + run.title[1:])
        found = facts["runs"][run.name]
        page.figure(os.path.join(out, "part2", f"{run.name}.png"),
                    f"{saturation(found)} (part2/{run.name}.pdf, part2/{run.name}.csv)")
        page.table(HEADER, region_rows(found), text_columns=2)
        page.code("\n".join(run.log))
    page.heading("What watching costs")
    page.table(COST_HEADER, cost_rows(facts))
    page.heading("Conditions")
    page.table(["what", "value"], sorted(facts["conditions"].items()), text_columns=2)
    page.write(os.path.join(out, "index.html"))
