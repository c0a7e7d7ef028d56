# SPDX-License-Identifier: GPL-2.0
"""What memory of /dev/petmem costs, in instructions, beside anonymous memory and malloc().

Two kernels: arm64-cost (-Os, PREEMPT_NONE, HZ=100), which the limits are for, and arm64 (-O2,
PREEMPT). QEMU with --icount counts instructions exactly; caches, TLBs and the entry of an
exception cost nothing there.
"""

import csv
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

VARIANTS = [("arm64-cost", "-Os, PREEMPT_NONE, HZ=100"), ("arm64", "-O2, PREEMPT, HZ=250")]
LIMITED = "arm64-cost"
HEADER = ["work", "peer", "its cost", "ours", "ratio", "limit"]
# work, ours, peer and its name, limit of our cost, limit of the ratio: the on LIMITED
WORK = [
    ("first touch, direct mode, per page", "petmem.touch_per_page", "anon.touch_per_page", "anonymous", 2200, 1),
    ("free, per page", "petmem.free_per_page", "anon.free_per_page", "anonymous", None, 1),
    ("alloc + touch + free, 1000 blocks of 32 KiB", "petmem.1000_blocks", "anon.1000_blocks",
     "mmap + touch + munmap", None, 0.7),
    ("the same, one after the other", "petmem.1000_blocks_one_by_one", "anon.1000_blocks_one_by_one",
     "mmap + touch + munmap", None, 0.7),
    ("1000 blocks, beside malloc", "petmem.1000_blocks", "malloc.1000_blocks", "malloc + touch + free", None, None),
    ("find a fit, 10000 live", "petmem.fit_10000", "petmem.fit_10", "10 live", None, 3),
    ("find a fit, 10000 with holes", "petmem.fit_10000_holes", "petmem.fit_10_holes", "10 with holes", None, 3),
]


def program(kernel_dir, name):
    path = os.path.join(kernel_dir, "selftests", "petmem", name)
    if not os.path.exists(path):
        raise kernels.Error(f"{path} is not built: run scripts/build {os.path.basename(kernel_dir)}")
    return path


def measure(kernel_dir):
    """{name: instructions} of one boot."""
    where = target.Guest("virt", kernel_dir, icount=True, cpu="cortex-a72", timeout=600, mem="1G")
    found = {}
    with target.load([program(kernel_dir, "cost")], [os.path.join(HERE, "cost.sh")], []) as load:
        for line in where.run(load, "cost.sh"):
            words = line.split()
            if len(words) == 2 and words[1].isdigit():
                found[words[0]] = int(words[1])
    missing = [key for work in WORK for key in work[1:3] if key not in found]
    if missing:
        raise kernels.Error(f"not measured: {', '.join(sorted(set(missing)))}")
    return found


def rows_of(found):
    """The lines of the table, and what is over a limit, in sentences."""
    rows, complaints = [], []
    for work, ours, peer, name, most, most_ratio in WORK:
        ratio = found[ours] / found[peer]
        limit = ([f"{most}"] if most else []) + ([f"{most_ratio} \u00d7"] if most_ratio else [])
        rows.append([work, name, found[peer], found[ours], f"{ratio:.3f}", ", ".join(limit) or "-"])
        if (most and found[ours] > most) or (most_ratio and ratio > most_ratio):
            complaints.append(f"{work}: {found[ours]}, {ratio:.3f} of {name}; the limit is {', '.join(limit)}")
    return rows, complaints


def parse(argv):
    made = Parser("petmem/cost", __doc__)
    made.add_argument("--check", action="store_true", help=f"fail if something is over its limit, which is for {LIMITED} and holds on all")
    made.add_argument("--variant", action="append", choices=[v[0] for v in VARIANTS],
                      help="only this kernel (may be repeated)")
    made.add_argument("--out", metavar="DIR", default=os.path.join(kernels.ROOT, "results", "petmem-cost"))
    return made.parse_args(argv)


def write_page(out, tables):
    page = htmlreport.Page("/dev/petmem: what memory costs", "instructions \u00b7 QEMU virt, cortex-a72, "
                           "-icount shift=0,sleep=off, one CPU")
    page.text("Counted under an emulator: ratios of work, not times of a Pi.", "note")
    for title, rows in tables:
        page.heading(title)
        page.table(HEADER, rows, text_columns=2)
    page.write(os.path.join(out, "index.html"))


def main():
    args = parse(sys.argv[1:])
    tables, complaints = [], []
    with htmlreport.directory(args.out) as out, open(os.path.join(out, "data.csv"), "w", newline="") as data:
        writer = csv.writer(data)
        writer.writerow(["variant", "what", "instructions"])
        for variant, title in VARIANTS:
            if args.variant and variant not in args.variant:
                continue
            found = measure(kernels.variant_dir(variant))
            writer.writerows([variant, *item] for item in found.items())
            rows, over = rows_of(found)
            tables.append((f"{variant}: {title}", rows))
            show(f"{variant}: {title}; instructions (QEMU, -icount, cortex-a72)", HEADER, rows)
            complaints += [f"{variant}: {text}" for text in over]
        write_page(out, tables)
    for text in complaints:
        print(f"cost: {text}", file=sys.stderr)
    return 1 if args.check and complaints else 0


if __name__ == "__main__":
    htmlreport.run_main("cost", main)
