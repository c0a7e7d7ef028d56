# SPDX-License-Identifier: GPL-2.0
"""The graphs, the page and the summary on the terminal."""

import os

import plot
import htmlreport
from modes import MODES
from results import MEASURES, WORK_NAMES, verdicts
from stats import Summary, digits, duration

SIZE_NAMES = {"dense_mm": "matrix size N (N \u00d7 N doubles)", "merge_sort": "thousands of keys",
              "hash_table": "size of the table (MiB)"}
TITLES = {"map_ns": "mmap(), all calls", "sum_ns": "mmap() and work together"}
PROGRAM_TEXT = {
    "dense_mm": "dense_mm multiplies two N \u00d7 N matrices of doubles in three mappings. The work includes "
                "the first touch of every page.",
    "merge_sort": "merge_sort sorts random keys in two mappings, streaming through both: like dense_mm it "
                  "uses every page, but with far less work per page, so the cost of getting one shows.",
    "hash_table": "hash_table uses one mapping at random and sparsely, one key for each 64 KiB: most pages "
                  "are never touched. Pre-paging allocates and clears them all the same.",
}


# The median, since one interrupt in an emulator moves a mean by half of it.
def points(data, program, mode, measure):
    made = []
    for size in data.sizes(program):
        s = data.summary(program, mode, size, measure)
        made.append((size, s.median / 1e6, max(s.min, 1.0) / 1e6, s.max / 1e6))
    return made


def measure_title(program, measure):
    return TITLES.get(measure) or WORK_NAMES[program]


def draw_one(data, out, program, measure, kinds=("png", "pdf")):
    name = f"{program}-{MEASURES[measure]}"
    where = "under QEMU" if "emulator" in data.conditions["where"] else "measured"
    title = f"{program}: {measure_title(program, measure)}, {where}"
    series = [(mode.title, points(data, program, mode.name, measure)) for mode in MODES]
    return plot.graph(out, name, title, SIZE_NAMES[program], "time (ms): median, minimum to maximum",
                      series, kinds)


def draw(data, out):
    for measure in MEASURES:
        draw_one(data, out, "dense_mm", measure)
    for program in data.programs()[1:]:
        draw_one(data, out, program, "sum_ns")
    draw_one(data, out, "dense_mm", "map_ns", ("svg",))


def time_table(page, data, program):
    header = ["size", "memory", "measure", *Summary.FIELDS, "faults"]
    rows = []
    for size in data.sizes(program):
        for mode in MODES:
            faults = data.faults(program, mode.name, size)
            for measure, name in MEASURES.items():
                s = data.summary(program, mode.name, size, measure)
                count = {"map_ns": faults[0], "work_ns": faults[1], "sum_ns": sum(faults)}[measure]
                rows.append([size, mode.title, WORK_NAMES[program] if name == "work" else name,
                             *[duration(getattr(s, f)) for f in Summary.FIELDS], count])
    page.table(header, rows, text_columns=3, groups=True)


def perf_cell(value):
    return "not counted" if value is None else f"{value:,.0f}".replace(",", "\u202f")


def perf_table(page, data):
    rows = []
    for size in sorted({p["size"] for p in data.perf}):
        base = data.perf_value("anonymous", size, "instructions")
        for mode in MODES:
            values = [data.perf_value(mode.name, size, event)
                      for event in ("page-faults", "instructions", "cycles")]
            ratio = f"{values[1] / base:.4f}" if base and values[1] else "not counted"
            rows.append([size, mode.title, *map(perf_cell, values), ratio])
    page.table(["N", "memory", "page-faults", "instructions", "cycles", "instructions / anonymous"],
               rows, text_columns=2, groups=True)


def perf_section(page, data):
    page.heading("perf stat: page faults, instructions, cycles of dense_mm")
    if not data.perf:
        page.text("Not measured" + (f": {data.perf_missing}" if data.perf_missing else "."))
        return
    page.text(f"perf stat -r on {data.perf_where}. The whole process is counted, its start included.")
    perf_table(page, data)


def counters_section(page, data):
    page.heading("Counters")
    if data.counters:
        page.text(f"After dense_mm 256 in demand mode the driver had allocated "
                  f"{data.counters['allocated']} pages and freed {data.counters['freed']}.")
    if data.log:
        page.text("The kernel's log when the module was removed then:")
        page.code("\n".join(data.log))


def write_page(data, out):
    emulated = "emulator" in data.conditions["where"]
    page = htmlreport.Page("/dev/paging: demand paging or pre-paging?",
                       f"{data.conditions['where']} \u00b7 {data.conditions['date']}")
    if emulated:
        page.text("All of this ran under an emulator. Its times tell which way does more work and how that "
                  "grows; they are not times of a Raspberry Pi, and small differences are noise of the "
                  "machine that QEMU ran on.", "note")
    if data.conditions["quick"] != "no":
        page.text("A quick run: fewer sizes and fewer runs than the full experiment.", "note")
    page.heading("Did one mode win?")
    page.items(list(verdicts(data, "dense_mm")), "verdict")
    page.text("One is called faster where its runs rank before the other's by more than chance explains "
              "(Mann and Whitney's test, z above 2.5).")

    page.heading("The experiment: dense_mm")
    page.text(PROGRAM_TEXT["dense_mm"])
    for measure in MEASURES:
        name = f"dense_mm-{MEASURES[measure]}"
        page.figure(os.path.join(out, name + ".png"),
                    f"{measure_title('dense_mm', measure)}: median of {data.conditions['runs']} runs, bars "
                    f"from the minimum to the maximum; both axes logarithmic ({name}.png, {name}.pdf)")
    perf_section(page, data)
    for program in data.programs()[1:]:
        page.heading(f"Another access pattern: {program}")
        page.text(PROGRAM_TEXT[program])
        name = f"{program}-sum"
        page.figure(os.path.join(out, name + ".png"), f"mmap() and work together ({name}.png, {name}.pdf)")
        page.items(list(verdicts(data, program)), "verdict")
    counters_section(page, data)
    page.heading("Conditions")
    page.table(["what", "value"], sorted(data.conditions.items()), text_columns=2)
    page.heading("All figures")
    page.text("Every single run is in data.csv, this table in summary.csv.")
    for program in data.programs():
        page.text(program + ":")
        time_table(page, data, program)
    page.write(os.path.join(out, "index.html"))


def print_summary(data):
    """Mean of the sum by size and mode; the whole is in the report."""
    for program in data.programs():
        sizes = data.sizes(program)
        print(f"\n{program}: mmap + {WORK_NAMES[program]}, mean of {data.conditions['runs']} runs in ms"
              f" (mmap alone in brackets)")
        print(f"{'':26}" + "".join(f"{size:>20}" for size in sizes))
        for mode in MODES:
            cells = []
            for size in sizes:
                total = data.summary(program, mode.name, size, "sum_ns").mean / 1e6
                alone = data.summary(program, mode.name, size, "map_ns").mean / 1e6
                cells.append(f"{digits(total)} ({digits(alone)})")
            print(f"{mode.title:26}" + "".join(f"{cell:>20}" for cell in cells))
    print("\n" + "\n".join(verdicts(data, "dense_mm")))
    print(f"\n{data.conditions['where']}"
          + ("; a quick run, fewer sizes and runs" if data.conditions["quick"] != "no" else ""))
