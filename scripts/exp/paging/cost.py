# SPDX-License-Identifier: GPL-2.0
"""What a page of memory costs, in instructions per 4 KiB, beside what others pay.

Two kernels: arm64-cost (-Os, PREEMPT_NONE, HZ=100) in the root memory cgroup, which the
limits are for, and arm64 (-O2, PREEMPT) in a child cgroup. QEMU with --icount counts
instructions exactly; caches, TLBs and the entry of an exception cost nothing there.
"""

import csv
import datetime
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "lib")]

# pylint: disable=wrong-import-position
import kernels
import htmlreport
import target
from options import Parser
from texttable import show

REFERENCE = os.path.join(HERE, "cost-reference.json")
REGRESSION = 1.10
# variant, options of the program "cost", what it is
VARIANTS = [
    ("arm64-cost", "-r", "-Os, PREEMPT_NONE, HZ=100, root memcg"),
    ("arm64", "-r -g", "-O2, PREEMPT, HZ=250, child memcg"),
]
# name, ours, peer, column, limit on arm64-cost (the issue's)
WORK = [
    ("demand fault + touch", "demand", "anon_demand", "mmap_touch", 2750),
    ("64 KiB blocks", "demand_64k", "anon_64k", "mmap_touch", 550),
    ("pre-page + touch, page-mapped chunks", "prepage_chunks_pte", "anon_populate", "mmap_touch", 360),
    ("pre-page + touch, PMD-mapped", "prepage_chunks_pmd", "thp_populate", "mmap_touch", 300),
    ("pre-page + touch, single pages", "prepage_single", "anon_populate", "mmap_touch", None),
    ("mmap + touch + munmap: demand", "demand", "anon_demand", "all", None),
    ("mmap + touch + munmap: 64 KiB blocks", "demand_64k", "anon_demand", "all", None),
    ("mmap + touch + munmap: single pages", "prepage_single", "anon_demand", "all", None),
    ("mmap + touch + munmap: chunks, PTE", "prepage_chunks_pte", "anon_demand", "all", None),
    ("mmap + touch + munmap: chunks, PMD", "prepage_chunks_pmd", "anon_demand", "all", None),
]
PEERS = {"anon_demand": "anonymous", "anon_64k": "anonymous mTHP 64K",
         "anon_populate": "MAP_POPULATE", "thp_populate": "THP populate"}
COLUMNS = ["way", "mmap", "touch", "munmap", "mmap_touch", "all", "faults_per_page"]


class Row:
    """One line of the table: ours beside a peer of the same boot."""

    def __init__(self, variant, work, ways):
        self.variant = variant
        self.name, self.ours_way, self.peer_way, self.column, self.limit = work
        self.ours = float(ways[self.ours_way][self.column])
        self.peer = float(ways[self.peer_way][self.column])
        self.ratio = self.ours / self.peer
        self.key = f"{variant}: {self.name}"

    def complaints(self, reference):
        """What is wrong with it, in sentences."""
        if self.variant == "arm64-cost" and self.limit and self.ours > self.limit:
            yield f"{self.key}: {self.ours:.0f} instructions per page, more than the limit of {self.limit}"
        if self.ours > self.peer:
            yield f"{self.key}: {self.ours:.0f}, worse than {PEERS[self.peer_way]} with {self.peer:.0f}"
        before = reference.get(self.key)
        if before and self.ratio > before * REGRESSION:
            yield (f"{self.key}: {self.ratio:.3f} of {PEERS[self.peer_way]}, it was {before:.3f}: "
                   f"more than 10 % worse")


def measure(variant, options, kernel_dir, memory):
    """Run cost in a guest; {way: {column: value}}, with "tiny" things like page size beside."""
    programs = target.programs_of(kernel_dir)
    cpu = "cortex-a72"
    where = target.Guest("virt", kernel_dir, icount=True, cpu=cpu, timeout=600, mem=memory)
    script = os.path.join(HERE, "cost.sh")
    with target.load([os.path.join(programs, "cost")], [script], [options]) as load:
        lines = [line for line in where.run(load, "cost.sh") if line]
    start = next((i for i, line in enumerate(lines) if line.startswith("way,")), None)
    if start is None:
        raise kernels.Error(f"{variant}: the program cost printed no table: {' '.join(lines[-3:])}")
    ways = {row["way"]: row for row in csv.DictReader(lines[start:])}
    missing = [way for work in WORK for way in work[1:3] if way not in ways]
    if missing:
        raise kernels.Error(f"{variant}: not measured: {', '.join(sorted(set(missing)))}; its kernel "
                            f"needs transparent huge pages and /dev/paging")
    return ways, lines[:start]


def table(rows):
    header = ["work", "today's peer", "ours", "ratio", "limit"]
    body = [[row.name, f"{PEERS[row.peer_way]} {row.peer:.0f}", f"{row.ours:.0f}", f"{row.ratio:.3f}",
             f"{row.limit}" if row.limit and row.variant == "arm64-cost" else "-"] for row in rows]
    return header, body


def raw_table(ways):
    return [[way[column] for column in COLUMNS] for way in ways.values()]


def write_page(out, results, notes):
    page = htmlreport.Page("/dev/paging: what a page of memory costs",
                       f"instructions per 4 KiB page, 32 MiB mapping, smallest of several runs \u00b7 "
                       f"QEMU virt, cortex-a72, -icount shift=0,sleep=off, one CPU \u00b7 "
                       f"{datetime.date.today()}")
    page.text("Counted under an emulator: instructions of kernel and program together. Caches, TLBs and the "
              "entry of an exception cost nothing there, so these are ratios of work, not times of a Pi.",
              "note")
    for variant, title, ways, rows in results:
        page.heading(f"{variant}: {title}")
        page.table(*table(rows), text_columns=2)
        page.text("All ways that were measured:")
        page.table(COLUMNS, raw_table(ways))
        page.code("\n".join(notes[variant]))
    page.write(os.path.join(out, "index.html"))


def write_csv(path, results):
    with open(path, "w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["variant", *COLUMNS])
        for variant, _, ways, _ in results:
            writer.writerows([variant, *line] for line in raw_table(ways))


def load_reference():
    try:
        with open(REFERENCE) as text:
            return json.load(text)["ratios"]
    except FileNotFoundError:
        return {}


def update_reference(rows):
    ratios = load_reference()
    ratios.update({row.key: round(row.ratio, 4) for row in rows})
    with open(REFERENCE + ".new", "w") as out:
        json.dump({"what": "ratio of instructions, ours to the peer of the same boot; written by "
                           "scripts/exp/paging/cost --update", "ratios": ratios}, out, indent=1,
                  sort_keys=True)
        out.write("\n")
    os.rename(REFERENCE + ".new", REFERENCE)
    print(f"\nwritten: {os.path.relpath(REFERENCE)}")


def parse(argv):
    made = Parser("paging/cost", __doc__)
    made.add_argument("--check", action="store_true",
                      help="fail if ours is over a limit, worse than its peer, or more than 10 %% worse than "
                           "in cost-reference.json")
    made.add_argument("--update", action="store_true", help="write cost-reference.json")
    made.add_argument("--variant", action="append", choices=[v[0] for v in VARIANTS],
                      help="only this kernel (may be repeated)")
    made.add_argument("--kernel", metavar="DIR", help="directory of the kernel (with one --variant)")
    made.add_argument("--out", metavar="DIR", default=os.path.join(kernels.ROOT, "results", "cost"))
    args = made.parse_args(argv)
    if args.kernel and len(args.variant or []) != 1:
        raise kernels.Error("--kernel needs exactly one --variant", 2)
    return args


def run(args):
    results, notes = [], {}
    for variant, options, title in VARIANTS:
        if args.variant and variant not in args.variant:
            continue
        kernel_dir = args.kernel or kernels.variant_dir(variant)
        ways, notes[variant] = measure(variant, options, kernel_dir, "2G")
        rows = [Row(variant, work, ways) for work in WORK]
        results.append((variant, title, ways, rows))
        show(f"{variant}: {title}; instructions per 4 KiB page (QEMU, -icount, cortex-a72)", *table(rows))
    return results, notes


def main():
    args = parse(sys.argv[1:])
    with htmlreport.directory(args.out) as out:
        results, notes = run(args)
        write_csv(os.path.join(out, "data.csv"), results)
        write_page(out, results, notes)
    rows = [row for *_, some in results for row in some]
    print(f"\nReport: {os.path.join(os.path.relpath(args.out), 'index.html')}")
    if args.update:
        update_reference(rows)
    if not args.check:
        return 0
    reference = load_reference()
    complaints = [text for row in rows for text in row.complaints(reference)]
    complaints += [f"{row.key}: not in {os.path.relpath(REFERENCE)}; write it with --update"
                   for row in rows if row.key not in reference]
    for text in complaints:
        print(f"cost: {text}", file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    htmlreport.run_main("cost", main)
