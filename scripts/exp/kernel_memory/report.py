# SPDX-License-Identifier: GPL-2.0
"""Loads kernel_memory with the numbers of the exercises and fills the lab report,
Documentation/lab-reports/kernel_memory.md, with what the kernel logged."""

import datetime
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "lib")]

# pylint: disable=wrong-import-position
import htmlreport
import kernels
import target
from options import Parser
from texttable import fill, markdown

NUMBERS = [200, 1000, 2000, 4000, 10000, 50000]
# Structs of 1, 2, 4, 8 and 16 pages of 4 KiB exactly, and one more each: for my_get_order().
ORDERS = [1, 128, 129, 256, 257, 512, 513, 1024, 1025, 2048, 2049]
REFUSED = ["0", "4294967295", "-1", "many"]
STRUCT_BYTES = 32


def parse(argv):
    made = Parser("kernel_memory/report", __doc__)
    made.add_argument("--machine", default="raspi3b", help="raspi3b (default), raspi4b or virt")
    made.add_argument("--kernel", metavar="DIR", default=kernels.variant_dir("arm64"),
                      help="directory of the kernel (default build/arm64)")
    made.add_argument("--host", metavar="USER@PI", help="run on this machine, over ssh, instead of QEMU")
    made.add_argument("--out", metavar="DIR", default=os.path.join(kernels.ROOT, "Documentation", "lab-reports"),
                      help="where kernel_memory.md is written")
    return made.parse_args(argv)


class Run:
    """One load of the module."""

    def __init__(self, number, status, errors):
        self.number, self.status, self.errors = number, status, errors
        self.log, self.thread = [], ""

    def find(self, pattern):
        for line in self.log:
            found = re.search(pattern, line)
            if found:
                return found
        raise kernels.Error(f"nr_structs={self.number}: the log has no line like '{pattern}'")

    def pages_and_order(self):
        found = self.find(r"nr_pages (\d+), order (\d+), structs per page (\d+)$")
        return int(found[1]), int(found[2]), int(found[3])

    def text(self):
        return "\n".join(re.sub(r"^\[ *[\d.]+\] ?", "", line) for line in self.log)


def measure(where):
    plan = ["default", *map(str, NUMBERS + ORDERS), *REFUSED]
    runs, conditions, ended = [], {}, False
    with target.load([], [os.path.join(HERE, "measure.sh")], plan) as load:
        for line in where.run(load, "measure.sh"):
            kind, _, rest = line.partition(" ")
            if kind == "cond":
                key, _, value = rest.partition(" ")
                conditions[key] = value
            elif kind == "run":
                number, status, *errors = rest.split(" ", 2)
                runs.append(Run(number, int(status), " ".join(errors)))
            elif kind == "log":
                runs[-1].log.append(rest)
            elif kind == "ps":
                runs[-1].thread = rest
            elif kind == "fail":
                raise kernels.Error(f"kernel_memory: {rest}")
            ended = ended or kind == "end"
    if not ended or len(runs) != len(plan):
        raise kernels.Error(f"it stopped after {len(runs)} of {len(plan)} loads")
    return {run.number: run for run in runs}, conditions


def order_of(pages):
    order = 0
    while 1 << order < pages:
        order += 1
    return order


def check(runs, page):
    """What has to be in the logs, from arithmetic of our own."""
    per_page = page // STRUCT_BYTES
    for number, run in runs.items():
        if number in REFUSED:
            if not run.status:
                raise kernels.Error(f"nr_structs={number} was not refused")
            continue
        if run.status:
            raise kernels.Error(f"nr_structs={number} was refused: {run.errors}")
        wanted = 2000 if number == "default" else int(number)
        pages = (wanted + per_page - 1) // per_page
        if run.pages_and_order() != (pages, order_of(pages), per_page):
            raise kernels.Error(f"nr_structs={number}: the log says {run.pages_and_order()}")
        for pattern in ("Loaded kernel_memory module", f"Hello from thread k_memory. nr_structs={wanted}$",
                        f"Success: all {wanted} structs", "Unloaded kernel_memory module"):
            run.find(pattern)


def size_row(run, page):
    pages, order, per_page = run.pages_and_order()
    return [run.number, pages, order, 1 << order, (1 << order) - pages,
            f"{int(run.number) * STRUCT_BYTES} of {page << order}", per_page]


def order_row(run):
    pages, order, _ = run.pages_and_order()
    kind = "one page" if pages == 1 else "a power of two" if pages == 1 << order else "neither"
    return [run.number, pages, kind, order, 1 << order]


def values(runs, conditions, where):
    page = int(conditions["page_size"])
    frames = re.findall(r"page (\d+): frame (0x[0-9a-f]+), first value (\d+)", runs["200"].text())
    rows = {tuple(order_row(runs[str(n)])[1:]): order_row(runs[str(n)]) for n in ORDERS + NUMBERS}
    return {
        "DATE": str(datetime.date.today()), "WHERE": where.name(), "KERNEL": conditions["kernel"],
        "MODEL": conditions["model"], "PAGE": str(page), "PER_PAGE": str(page // STRUCT_BYTES),
        "EMULATED": "an emulator; nothing below depends on time" if where.emulated else "a real machine",
        "LOG_DEFAULT": runs["default"].text(), "LOG_200": runs["200"].text(),
        "LOGS": "\n\n".join(f"`modprobe kernel_memory nr_structs={n} && modprobe -r kernel_memory`:\n\n```\n"
                            f"{runs[str(n)].text()}\n```" for n in NUMBERS[1:]),
        "THREAD": runs["default"].thread,
        "SIZES": markdown(["nr_structs", "pages", "order", "pages of that order", "unused pages",
                           "bytes used", "structs per page"], [size_row(runs[str(n)], page) for n in NUMBERS]),
        "ORDERS": markdown(["nr_structs", "n = pages", "n is", "my_get_order(n)", "pages got"],
                           sorted(rows.values(), key=lambda row: row[1])),
        "FRAMES": markdown(["page", "page frame number", "physical address", "value of j = k = 0"],
                           [[i, pfn, hex(int(pfn, 16) * page), value] for i, pfn, value in frames]),
        "REFUSED": markdown(["nr_structs", "modprobe", "the kernel's log"],
                            [[n, runs[n].errors.replace("\n", " "),
                              "; ".join(dict.fromkeys(runs[n].text().split("\n")))] for n in REFUSED]),
    }


def main():
    args = parse(sys.argv[1:])
    where = target.Ssh(args.host) if args.host else target.Guest(args.machine, args.kernel, timeout=600)
    runs, conditions = measure(where)
    check(runs, int(conditions["page_size"]))
    path = os.path.join(args.out, "kernel_memory.md")
    fill(os.path.join(HERE, "lab-report.md.in"), values(runs, conditions, where), path)
    print(f"{len(runs)} loads of kernel_memory, all as they have to be\nWritten: {os.path.relpath(path)}")
    return 0


if __name__ == "__main__":
    htmlreport.run_main("report", main)
