# SPDX-License-Identifier: GPL-2.0
"""Do the kernel's own selftests of mm give the same results with lru on as on the base?

Runs tools/testing/selftests/mm in guests: on x86_64-mm-base, the base without any patch and with the policy that it
is configured for (multi-gen LRU), and on x86_64-mm with lru_page_list=lru. The programs are those of the base's tree,
by the list and with the arguments of its run_vmtests.sh, and some more. Two results are the same if the exit status is,
the kernel complains or not, and each part that the program tells of went the same way. What differs is run again on
both kernels, with more time: it is unsteady if then both give the same result at least once, and ours gives one that
the base never gave no more than once more often than the other way round.

Prints TAP, one result for each test: `ok` where both are the same, also where both fail; a test that runs out of
time on both, that skips itself or that is unsteady is a skip, with the reason.

  scripts/build x86_64-mm-base x86_64-mm
  scripts/tests/mm_parity --quick
  scripts/tests/mm_parity --only cow,khugepaged,"ksm_tests -U"

It is a test, not an experiment, so it lies here: nothing is measured in it.
"""

import argparse
import concurrent.futures
import csv
import datetime
import os
import re
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]

# pylint: disable=wrong-import-position
import debian
import kernels
import series_cli
import target
from mm_results import Comparison, Result, differences
from mm_side import Side
from series_cli import say

BASE, OURS = "x86_64-mm-base", "x86_64-mm"
QUICK = ["madv_populate", "mlock2-tests", "mremap_dontunmap", "ksm_tests -U", "ksm_tests -M -p 10", "droppable",
         "mkdirty", "khugepaged"]
# What needs more or less time than --limit, as a multiple of it. The last two would take hours in an emulator: what is
# left of them is that they begin. test_vmalloc.sh is run with fewer loops as well.
TIMES = {
    "uffd-unit-tests": (3, "one after the other, each over 32 MB of each type of memory"),
    "split_huge_page_test": (3, "one for each order, each over the files of a gigabyte"),
    "hugetlb_fault_after_madv": (.2, "10,000 times 10,000 touches of a huge page beside as many madvise()"),
    "test_vmalloc.sh smoke": (.2, "10 times 10,000 loops of each of its parts"),
}
HEADER = ["test", "base", "ours", "verdict"]
POLICY = "lru"


def seconds(text):
    value = int(text)
    if not 5 <= value <= 36000:
        raise ValueError
    return value


def parse(argv):
    made = argparse.ArgumentParser(prog="scripts/tests/mm_parity", allow_abbrev=False, description=__doc__,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--quick", action="store_true", help="a few tests that take seconds")
    made.add_argument("--only", metavar="NAMES",
                      help="these, with commas between them: programs, or programs with their arguments")
    made.add_argument("--limit", type=seconds, default=300, metavar="S", help="seconds for one test (default 300)")
    made.add_argument("--again", type=int, choices=range(6), default=2, metavar="N",
                      help="how often to run again what differs, with twice the time (default 2)")
    made.add_argument("--jobs", type=int, choices=(1, 2), default=2, help="guests side by side (default 2)")
    made.add_argument("--out", metavar="DIR", default=os.path.join(kernels.ROOT, "results", "mm-parity"))
    args = made.parse_args(argv)
    args.names = args.only.split(",") if args.only else QUICK if args.quick else []
    return args


# ------------------------------------------------------------------- running

def check_kernels(base, ours):
    """They are to differ by lru_page_list and what it selects."""
    before, after = (kernels.read_config(os.path.join(kernels.variant_dir(name), "config")) for name in (base, ours))
    other = sorted(name for name in {*before, *after} if before.get(name, "n") != after.get(name, "n"))
    if "CONFIG_LRU_PAGE_LIST" in before or not set(other) <= {"CONFIG_LRU_PAGE_LIST", "CONFIG_PAGE_EXTENSION"}:
        raise kernels.Error(f"{base} and {ours} are not to differ by {', '.join(other)}")
    return other


def need_built():
    for name in (BASE, OURS):
        if not os.path.exists(os.path.join(kernels.variant_dir(name), kernels.ARCHES["x86_64"]["names"][-1])):
            raise kernels.Error(f"the kernel {name} is not built: run scripts/build {BASE} {OURS}")


def limits(usual):
    """Seconds for each test: {name: seconds}, "" for all others."""
    return {"": usual, **{name: max(1, round(usual * times)) for name, (times, _) in TIMES.items()}}


class Parity:
    def __init__(self, args):
        self.args = args
        self.base = Side("base", kernels.variant_dir(BASE))
        self.ours = Side("ours", kernels.variant_dir(OURS), [f"lru_page_list={POLICY}"])
        self.programs = os.path.join(self.base.kernel, "selftests", "mm")
        self.bash = os.path.join(debian.unpacked("x86_64", "bash", ["bash-static"]), "bin", "bash-static")
        self.found = {}

    def told(self, side, number, test):
        """As soon as it has ended, since the whole takes long."""
        result = Result(test)
        say(f"{side.name}: {number} {test.name}: {result.cell()}, {test.seconds} s")
        keep(os.path.join(self.args.out, side.name), f"{number:02}-{re.sub('[^a-z0-9_]+', '-', test.name)}", result)

    def both(self, names, limit):
        """{number: Test} of the base and of ours."""
        with concurrent.futures.ThreadPoolExecutor(self.args.jobs) as pool:
            runs = [pool.submit(side.run, self.programs, self.bash, limits(limit), names, self.told)
                    for side in (self.base, self.ours)]
            try:
                for run in concurrent.futures.as_completed(runs):
                    run.result()
                return [run.result() for run in runs]
            except BaseException:
                self.base.stopped = self.ours.stopped = True
                target.end_all()
                raise

    def measure(self):
        base, ours = self.both(self.args.names, self.args.limit)
        for number in sorted({*base, *ours}):
            if number not in base or number not in ours or base[number].name != ours[number].name:
                raise kernels.Error(f"test {number} is not the same one, or ran on one kernel alone")
            self.found[number] = Comparison(base[number].name, Result(base[number]), Result(ours[number]))
        for number, test in ours.items():
            if isinstance(test.status, int) and test.policy != POLICY:
                raise kernels.Error(f"{test.name} ended with the policy {test.policy}")
        for _ in range(self.args.again):
            self.again()

    def again(self):
        """Once more what differed."""
        names = [one.name for one in self.found.values() if not one.same_at_first()]
        if names:
            say(f"again: {', '.join(names)}")
            base, ours = self.both(names, 2 * self.args.limit)
            for number in base.keys() & ours.keys():
                self.found[number].base.append(Result(base[number]))
                self.found[number].ours.append(Result(ours[number]))


# ------------------------------------------------------------------- telling

def write(parity, out):
    """table.txt and table.csv."""
    rows = [comparison.row() for comparison in parity.found.values()]
    widths = [max(len(line[i]) for line in [HEADER, *rows]) for i in range(3)]
    with open(os.path.join(out, "table.txt"), "w") as text:
        text.write(f"{datetime.datetime.now():%Y-%m-%d %H:%M}, {parity.args.limit} s for a test\n")
        for side in (parity.base, parity.ours):
            told_of = ", ".join(f"{name} {value}" for name, value in side.conditions.items())
            text.write(f"{side.name}: {told_of}, {side.boots} boots\n")
        for line in [HEADER, *rows]:
            text.write("  ".join(cell.ljust(width) for cell, width in zip(line, [*widths, 0])).rstrip() + "\n")
    with open(os.path.join(out, "table.csv"), "w", newline="") as text:
        csv.writer(text).writerows([HEADER, *rows])


def keep(where, name, run):
    """What a test printed, behind what it did the last time."""
    os.makedirs(where, exist_ok=True)
    with open(os.path.join(where, name), "a") as text:
        text.write(f"--- {run.test.name}: {run.cell()}, {run.test.seconds} s, {run.test.policy}\n")
        text.writelines(line + "\n" for line in run.test.lines)
        text.writelines("kernel: " + line + "\n" for line in run.test.kernel)


def clear(out):
    """Of an earlier run's files, those alone that are made anew."""
    for name in ("base", "ours"):
        shutil.rmtree(os.path.join(out, name), ignore_errors=True)


def tap(found, other):
    """How many failed."""
    print(f"TAP version 13\n1..{len(found) + 1}")
    print(f"ok 1 - the configurations of both kernels differ by {', '.join(other)} alone")
    failed = 0
    for number, one in enumerate(found.values(), 2):
        verdict, cell = one.verdict(), one.base[0].cell()
        if verdict == "differs":
            failed += 1
            for run in one.ours:
                for text in differences(one.base[0], run):
                    print(f"# {text}")
            print(f"not ok {number} - {one.name}")
        elif verdict == "same":
            print(f"ok {number} - {one.name}: {cell.replace('#', '')}")
        else:
            if verdict == "unsteady":
                verdict += f": base {told_runs(one.base)}; ours {told_runs(one.ours)}"
            elif one.name in TIMES:
                verdict += f": {TIMES[one.name][1]}"
            print(f"ok {number} - {one.name} # SKIP {verdict}")
    return failed


def told_runs(runs):
    return ", ".join(run.cell() for run in runs)


def main():
    args = parse(sys.argv[1:])
    need_built()
    other = check_kernels(BASE, OURS)
    clear(args.out)
    parity = Parity(args)
    parity.measure()
    if not parity.found:
        raise kernels.Error(f"there is no test {args.only}")
    write(parity, args.out)
    print("\n".join("# " + line.rstrip() for line in open(os.path.join(args.out, "table.txt"))))
    return 1 if tap(parity.found, other) else 0


if __name__ == "__main__":
    series_cli.main(main)
