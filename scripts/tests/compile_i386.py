# SPDX-License-Identifier: GPL-2.0
"""Does lru_page_list compile, without a warning, where a long has 32 bits?

usage: python3 -B scripts/tests/compile_i386.py

Nothing of it depends on 64 bits, and a 32-bit kernel for a Pi may have it. i386 stands
for these, as its compiler is the one of x86_64: with tables in high memory, memory in one
piece (no SPARSEMEM) and no PAGE_IDLE_FLAG, for several CPUs and for one. Prints TAP.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib")]

# pylint: disable=wrong-import-position
import kbuild
import kernels
import series_bisect
import series_cli

NAMES = ["mm/lru_page_list/", "mm/vmscan.o", "mm/swap.o", "mm/rmap.o", "mm/workingset.o", "kernel/sched/core.o"]
COMMON = {"LRU_GEN": "y", "LRU_PAGE_LIST": "y", "HIGHMEM64G": "y", "HIGHPTE": "y"}
CASES = [("several CPUs", {"SMP": "y"}), ("one CPU", {"SMP": "n"})]


def configure(make, obj, options, progress):
    path = os.path.join(obj, ".config")
    kbuild.run(make + ["i386_defconfig"], progress)
    with open(path, "a") as config:
        config.writelines(f"CONFIG_{name}={value}\n" if value == "y" else f"# CONFIG_{name} is not set\n"
                          for name, value in options.items())
    kbuild.run(make + ["olddefconfig"], progress)
    made = kernels.read_config(path)
    wrong = [name for name, value in options.items() if made.get("CONFIG_" + name, "n") != value]
    if wrong:
        raise kernels.Error("not as asked for: " + ", ".join(wrong))


def compile_all(source, options):
    with kbuild.started("x86_64", "i386") as (obj, progress):
        make = kbuild.make_command("x86_64", source, obj) + ["ARCH=i386"]
        configure(make, obj, {**COMMON, **options}, progress)
        kbuild.run(make + ["W=1", *NAMES], progress)
        progress.log.flush()
        with open(progress.log.name) as log:
            bad = [line.strip() for line in log if "warning:" in line and "lru_page_list" in line]
    if bad:
        raise kernels.Error("\n".join(bad))
    yield f"{progress.objects} objects"


def main():
    kbuild.check_tools({"x86_64"})
    with kbuild.build_lock():
        source = kbuild.find_source("x86_64")
        tap = series_bisect.Tap(len(CASES))
        for title, options in CASES:
            tap.result(f"i386, {title}", lambda options=options: compile_all(source, options))
    return 1 if tap.failed else 0


if __name__ == "__main__":
    series_cli.main(main)
