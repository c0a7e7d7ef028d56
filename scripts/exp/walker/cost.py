# SPDX-License-Identifier: GPL-2.0
"""What a translation and a scan of accessed bits cost, in instructions, beside what others pay.

Three kernels, each booted once, all peers in the same boot: arm64 (-O2, PREEMPT) on a Cortex-A72, which
all limits are for; arm64-cost (-Os, PREEMPT_NONE) on the same, to compare; x86_64 (-O2, PREEMPT), which has a
limit for one address. QEMU with --icount counts instructions exactly; caches, TLBs and the entry of an
exception cost nothing there.
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

# name: (core, what it is)
VARIANTS = {
    "arm64": ("cortex-a72", "-O2, PREEMPT, HZ=250"),
    "x86_64": ("max", "-O2, PREEMPT, HZ=250"),
    "arm64-cost": ("cortex-a72", "-Os, PREEMPT_NONE, HZ=100"),
}
PEERS = {
    "pagemap_fopen": "pagemap by fopen", "pagemap_pread": "pagemap pread",
    "pagemap_pread_512": "pread of 512 entries", "pagemap_scan_512": "PAGEMAP_SCAN of 512",
    "in_module_lockless": "ours without locks", "random_lock_each": "ours, lock for each",
    "random_lockless": "ours without locks", "page_idle": "page_idle", "damon": "DAMON, per page it looks at",
    "clear_refs": "clear_refs", "contiguous_clear_refs": "naive loop (clear_refs)",
    "contiguous_all_young": "not handed on",
}
# what, ours, its peers, limit on a variant
WORK = [
    ("one VA, in the module, locked walk", "in_module_locked", ["pagemap_pread", "pagemap_fopen", "in_module_lockless"],
     {"arm64": 300, "x86_64": 270}),
    ("per page, a range in one call", "range", ["pagemap_pread_512", "pagemap_scan_512"], {"arm64": 60}),
    ("per VA, a batch of random VAs", "random", ["pagemap_pread", "random_lock_each", "random_lockless"],
     {"arm64": 200}),
    ("scan per PTE, nothing young", "none_young", ["page_idle", "damon"], {"arm64": 20}),
    ("scan per PTE, all young", "all_young", ["page_idle", "damon", "clear_refs"], {"arm64": 45}),
    ("scan per PTE, all young, handed on", "all_young_handed_on", ["page_idle", "damon", "clear_refs"], {"arm64": 70}),
    ("scan per PTE, contpte, handed on", "contiguous_all_young_handed_on",
     ["contiguous_clear_refs", "contiguous_all_young"], {"arm64": 30}),
]
HEADER = ["work", "ours", "limit", "", "peers of the same boot"]


class Row:
    """A line of the table; a kernel may lack a peer."""

    def __init__(self, variant, work, found):
        self.name, ours, peers, limits = work
        self.ours = found[ours]
        self.peers = [(PEERS[peer], found[peer]) for peer in peers if peer in found]
        self.limit = limits.get(variant)
        self.met = self.limit is None or self.ours <= self.limit

    def cells(self):
        verdict = "" if self.limit is None else "met" if self.met else "NOT MET"
        return [self.name, f"{self.ours:.1f}", str(self.limit) if self.limit else "-", verdict,
                "; ".join(f"{name} {cost:.1f}" for name, cost in self.peers)]


def rows_of(variant, found):
    """x86_64 has blocks of 64 KiB too, but their PTEs are like any other."""
    wanted = [work for work in WORK if not (variant == "x86_64" and work[1].startswith("contiguous_"))]
    missing = [work[1] for work in wanted if work[1] not in found]
    if missing:
        raise kernels.Error(f"{variant}: not measured: {', '.join(missing)}")
    return [Row(variant, work, found) for work in wanted]


def costs_of(lines):
    """{name: instructions} of what the programs print: a name and a number, with a comma between."""
    found = {}
    for line in lines:
        name, _, cost = line.partition(",")
        try:
            found[name] = float(cost)
        except ValueError:
            continue
    return found


def programs_of(kernel_dir):
    where = os.path.join(kernel_dir, "selftests", "lkp25p3")
    made = [os.path.join(where, name) for name in ("walk_cost", "scan_cost")]
    for path in made:
        if not os.path.exists(path):
            raise kernels.Error(f"{path} is not built: run scripts/build {os.path.basename(kernel_dir)}")
    return made


def measure(variant, kernel_dir):
    """{name: instructions} of one boot."""
    where = target.Guest("virt", kernel_dir, icount=True, cpu=VARIANTS[variant][0], timeout=900, mem="1G")
    with target.load(programs_of(kernel_dir), [os.path.join(HERE, "cost.sh")], []) as load:
        return costs_of(where.run(load, "cost.sh"))


def title_of(variant):
    cpu, what = VARIANTS[variant]
    return f"{variant}: {what}; CPU {cpu}"


def parse(argv):
    made = Parser("walker/cost", __doc__)
    made.add_argument("--check", action="store_true", help="fail if something is over its limit")
    made.add_argument("--variant", action="append", choices=list(VARIANTS),
                      help="only this kernel (may be repeated)")
    made.add_argument("--kernel", metavar="DIR", help="directory of the kernel (with one --variant)")
    made.add_argument("--out", metavar="DIR", default=os.path.join(kernels.ROOT, "results", "walker-cost"))
    args = made.parse_args(argv)
    args.variant = args.variant or list(VARIANTS)
    if args.kernel and len(args.variant) != 1:
        raise kernels.Error("--kernel needs exactly one --variant", 2)
    return args


def write_page(out, tables):
    page = htmlreport.Page("lkp25p3: what a translation and a scan cost", f"instructions \u00b7 QEMU, -icount "
                           f"shift=0,sleep=off, one CPU \u00b7 {datetime.date.today()}")
    page.text("Counted under an emulator: instructions of kernel and program together, per page or address. Ratios of "
              "work, not times of a Pi.", "note")
    for variant, rows in tables.items():
        page.heading(title_of(variant))
        page.table(HEADER, [row.cells() for row in rows])
    page.write(os.path.join(out, "index.html"))


def write(out, found, tables):
    with open(os.path.join(out, "data.csv"), "w", newline="") as data:
        writer = csv.writer(data)
        writer.writerow(["variant", "what", "instructions"])
        for variant, costs in found.items():
            writer.writerows([variant, *item] for item in costs.items())
    facts = {"date": datetime.datetime.now().strftime("%Y-%m-%d %H:%M"), "header": HEADER,
             "tables": {title_of(variant): [row.cells() for row in rows] for variant, rows in tables.items()}}
    with open(os.path.join(out, "facts.json"), "w") as text:
        json.dump(facts, text, indent=1)
        text.write("\n")
    write_page(out, tables)


def main():
    args = parse(sys.argv[1:])
    found, tables = {}, {}
    with htmlreport.directory(args.out) as out:
        for variant in args.variant:
            found[variant] = measure(variant, args.kernel or kernels.variant_dir(variant))
            tables[variant] = rows_of(variant, found[variant])
            show(f"{title_of(variant)}; instructions (QEMU, -icount)", HEADER,
                 [row.cells() for row in tables[variant]])
        write(out, found, tables)
    over = [(variant, row) for variant, rows in tables.items() for row in rows if not row.met]
    for variant, row in over:
        print(f"cost: {variant}: {row.name}: {row.ours:.1f} instructions, more than the limit of {row.limit}",
              file=sys.stderr)
    return 1 if args.check and over else 0


if __name__ == "__main__":
    htmlreport.run_main("cost", main)
