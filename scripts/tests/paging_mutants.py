# SPDX-License-Identifier: GPL-2.0
"""Breaks the driver of /dev/paging in many ways, one at a time, and sees the selftests find each.

A test that has never failed proves nothing. Needs the kernel arm64; prints TAP. An argument
chooses the mutants with it in their names.
"""

import os
import re
import shutil
import subprocess
import sys
from collections import namedtuple

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))

# pylint: disable=wrong-import-position
import kbuild
import kernels
from kernels import BUILD, Error, ROOT

DRIVER = os.path.join(ROOT, "drivers-misc-paging")
PLACE = os.path.join(BUILD, "mutants")
VARIANT = "arm64"

# In `file`, `old` becomes `new`, and then `test` of the program `program` has to fail.
Mutant = namedtuple("Mutant", "name file old new program test")

MUTANTS = [
    Mutant("pages_not_zeroed", "paging_tracker.c", "__GFP_ZERO | __GFP_ACCOUNT", "__GFP_ACCOUNT",
           "map_test", "is_zeroed"),
    Mutant("copies_not_zeroed", "paging_fault.c", "clear_user_highpage(vmf->cow_page, vmf->address);", "",
           "map_test", "is_zeroed_around_a_first_write"),
    Mutant("pages_not_charged", "paging_tracker.c", "__GFP_ZERO | __GFP_ACCOUNT", "__GFP_ZERO",
           "memcg_test", "is_charged"),
    Mutant("may_grow", "paging_mmap.c", "VM_DONTEXPAND | VM_DONTDUMP", "VM_DONTDUMP", "vma_test", "cannot_grow"),
    Mutant("in_core_dumps", "paging_mmap.c", "VM_DONTEXPAND | VM_DONTDUMP", "VM_DONTEXPAND",
           "map_test", "is_left_out_of_core_dumps"),
    Mutant("no_limit_together", "paging_stats.c", "if (nr_pages > limit || total > limit - nr_pages)", "if (0)",
           "limit_test", "is_limited_in_all_mappings_together"),
    Mutant("no_limit_each", "paging_stats.c",
           "if (nr_pages > paging_limit(READ_ONCE(paging_max_map_pages)))", "if (0)",
           "limit_test", "is_limited_in_one_mapping"),
    Mutant("reservation_kept", "paging_tracker.c", "paging_unreserve(tracker->nr_pages);\n\tkvfree", "kvfree",
           "map_test", "is_zeroed"),
    Mutant("one_page_a_fault", "paging_fault.c",
           "if (is_cow_mapping(vmf->vma->vm_flags) || userfaultfd_armed(vmf->vma))", "if (1)",
           "fault_test", "faults_once_when_written"),
    Mutant("not_killed_in_mmap", "paging_prepage.c", "if (fatal_signal_pending(current))", "if (0)",
           "limit_test", "is_freed_when_killed_in_the_middle"),
    Mutant("never_prepaged", "paging_mmap.c", "demand = READ_ONCE(demand_paging) ||", "demand = true ||",
           "fault_test", "is_in_pagemap"),
    Mutant("always_prepaged", "paging_mmap.c", "demand = READ_ONCE(demand_paging) ||", "demand = false ||",
           "fault_test", "is_in_pagemap"),
    Mutant("no_chunks", "paging_prepage.c", "max_order = min_t(unsigned int, PMD_ORDER, MAX_PAGE_ORDER);",
           "max_order = 0;", "fault_test", "comes_in_blocks_or_chunks"),
    Mutant("no_blocks", "paging_mmap.c", "READ_ONCE(paging_fault_order));", "0);",
           "fault_test", "faults_once_when_written"),
    Mutant("no_pmd_entries", "paging_mmap.c", "if (!READ_ONCE(pmd_map))", "if (1)",
           "fault_test", "is_mapped_by_pmd_entries_if_asked"),
    Mutant("always_pmd_entries", "paging_mmap.c", "if (!READ_ONCE(pmd_map))", "if (0)",
           "fault_test", "is_mapped_by_pmd_entries_if_asked"),
    Mutant("not_aligned", "paging_mmap.c", "if (!addr && !(flags & MAP_FIXED) && padded > len) {", "if (0) {",
           "map_test", "is_aligned_for_large_entries"),
    Mutant("wrong_page", "paging_fault.c", "folio_page(folio, pgoff - first), nr);", "folio_page(folio, 0), nr);",
           "vma_test", "can_be_moved"),
    Mutant("copies_not_counted", "paging_fault.c", "paging_count(PAGING_COPIES, 1);", "",
           "fault_test", "counts_faults_and_pages"),
    Mutant("maps_not_counted", "paging_mmap.c", "paging_count(PAGING_MAPS, 1);", "", "map_test", "is_counted"),
    Mutant("faults_not_counted", "paging_fault.c", "paging_count(PAGING_FAULTS, 1);", "",
           "fault_test", "counts_faults_and_pages"),
    Mutant("faults_not_traced", "paging_fault.c", "trace_paging_fault(vmf, tracker, ret);", "",
           "fault_test", "is_traced"),
    Mutant("wrong_at_unload", "paging_main.c", "freed %lu pages", "kept %lu pages",
           "module_test", "module_goes_with_equal_counters_and_comes_back"),
]


def make_mutant(mutant):
    """The module, broken; its path."""
    where = os.path.join(PLACE, mutant.name)
    shutil.rmtree(where, ignore_errors=True)
    shutil.copytree(DRIVER, where, ignore=shutil.ignore_patterns("series", "petmem", "lkp25p3", "kernel_memory"))
    with open(os.path.join(where, "Makefile")) as text:
        rules = [line for line in text if not line.startswith("obj-y")]
    with open(os.path.join(where, "Makefile"), "w") as out:
        out.write("".join(rules).replace("obj-$(CONFIG_PAGING)", "obj-m"))
    path = os.path.join(where, mutant.file)
    with open(path) as text:
        source = text.read()
    if source.count(mutant.old) != 1:
        raise Error(f"{mutant.file} has `{mutant.old}` {source.count(mutant.old)} times, not once: "
                    f"bring scripts/tests/paging_mutants.py up to date")
    with open(path, "w") as out:
        out.write(source.replace(mutant.old, mutant.new))
    command = kbuild.make_command(VARIANT, os.path.join(BUILD, "src"), os.path.join(BUILD, "obj", VARIANT))
    made = subprocess.run([*command, "-s", f"M={where}"], capture_output=True, text=True, check=False)
    if made.returncode:
        raise Error(f"it does not compile:\n{made.stderr[-1500:]}")
    return os.path.join(where, "paging.ko")


def module_in_guest():
    top = os.path.join(kernels.variant_dir(VARIANT), "modules")
    for folder, _, files in os.walk(top):
        if "paging.ko" in files:
            return "/" + os.path.relpath(os.path.join(folder, "paging.ko"), top)
    raise Error("the kernel arm64 is not built: run scripts/build arm64")


def try_mutant(mutant):
    """Whether the test failed, and what the guest said."""
    module = make_mutant(mutant)
    done = subprocess.run([os.path.join(ROOT, "scripts/kselftest"), VARIANT, "paging:" + mutant.program, "--",
                           "--timeout", "120", "--add", f"{module}:{module_in_guest()}"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False)
    found = re.search(rf"(?m)^# not ok \d+ (paging\.\w+|global)\.{mutant.test}\b", done.stdout)
    shutil.rmtree(os.path.join(PLACE, mutant.name), ignore_errors=True)
    return found, done.stdout


def main():
    chosen = [m for m in MUTANTS if not sys.argv[1:] or any(word in m.name for word in sys.argv[1:])]
    print(f"TAP version 13\n1..{len(chosen)}", flush=True)
    failed = 0
    for number, mutant in enumerate(chosen, 1):
        try:
            found, text = try_mutant(mutant)
        except Error as error:
            found, text = None, str(error)
        failed += not found
        if not found:
            print("\n".join("# " + line for line in text.strip().split("\n")[-12:]))
        print(f"{'ok' if found else 'not ok'} {number} - {mutant.name}: {mutant.program} {mutant.test}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Error as error:
        print(f"Bail out! {error}")
        sys.exit(1)
