# SPDX-License-Identifier: GPL-2.0
"""The assignment's starting point: boots a kernel that was built at the commit "misc:
paging: add the starting point" and records what dense_mm and the kernel say there."""

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

SIGBUS_STATUS = 135
SIZE = 64


def parse(argv):
    made = Parser("paging/start", __doc__)
    made.add_argument("--kernel", metavar="DIR", default=kernels.variant_dir("arm64-start"),
                      help="directory of the kernel built at the starting point (default build/arm64-start)")
    made.add_argument("--machine", default="raspi3b", help="raspi3b (default), raspi4b or virt")
    made.add_argument("--out", metavar="DIR", default=os.path.join(kernels.ROOT, "results", "start"))
    return made.parse_args(argv)


def record(args):
    where = target.Guest(args.machine, args.kernel, timeout=120)
    programs = target.programs_of(args.kernel)
    got = {"cond": [], "out": [], "log": [], "status": [], "fail": [], "end": []}
    with target.load([os.path.join(programs, "dense_mm")], [os.path.join(HERE, "start.sh")],
                     [str(SIZE)]) as load:
        for line in where.run(load, "start.sh"):
            kind, _, rest = line.partition(" ")
            got.setdefault(kind, []).append(rest)
    if got["fail"] or not got["end"]:
        raise kernels.Error(" ".join(got["fail"]) or "the guest ended early")
    return where, got


def check(got):
    status = int(got["status"][0])
    if status != SIGBUS_STATUS:
        raise kernels.Error(f"dense_mm ended with status {status}, not {SIGBUS_STATUS} (SIGBUS): this "
                            f"kernel is not the starting point of the series")
    for needed in ("Loaded kmod_paging module", "took a page fault"):
        if not any(needed in line for line in got["log"]):
            raise kernels.Error(f"the kernel's log has no line '{needed}'")
    return status


def main():
    args = parse(sys.argv[1:])
    where, got = record(args)
    status = check(got)
    with htmlreport.directory(args.out) as out:
        with open(os.path.join(out, "dmesg.txt"), "w") as text:
            text.write("\n".join(got["log"]) + "\n")
        with open(os.path.join(out, "facts.json"), "w") as text:
            json.dump(dict(status=status, log=got["log"], out=got["out"], conditions=got["cond"],
                           where=where.name(), date=str(datetime.date.today())), text, indent=1)
            text.write("\n")
        page = htmlreport.Page("/dev/paging: the starting point", f"{where.name()} \u00b7 {datetime.date.today()}")
        page.text(f"dense_mm {SIZE} ended with status {status}: a bus error.")
        page.code("\n".join(got["out"]) or "(it printed nothing)")
        page.text("The kernel's log:")
        page.code("\n".join(got["log"]))
        page.write(os.path.join(out, "index.html"))
    print("\n".join(got["out"] + got["log"]))
    print(f"\ndense_mm {SIZE} ended with status {status} (bus error)"
          f"\nReport: {os.path.relpath(args.out)}/index.html")
    return 0


if __name__ == "__main__":
    htmlreport.run_main("start", main)
