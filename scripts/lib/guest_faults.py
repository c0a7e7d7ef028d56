# SPDX-License-Identifier: GPL-2.0
"""Finds in a kernel's log what must not be there."""

import re

FAULT = re.compile(r"""
    \bBUG:\ | \bkernel\ BUG\ at\  | \bWARNING:\  | \bcut\ here\ \]
  | \bInternal\ error:\  | \bOops\b | \[\#\d+\] | Unable\ to\ handle\ kernel
  | \bKernel\ panic\b | \bUBSAN:\  | \bKASAN:\  | \bKFENCE:\  | \bKCSAN:\  | \bODEBUG:\
  | \bINFO:\ task\ .*\ blocked\ for\ more\ than | \bINFO:\ trying\ to\ register\ non-static\ key
  | \bINFO:\ lockdep\  | \brcu:\ INFO:\ .*stall | \bdetected\ stalls\b | \bself-detected\ stall
  | \bsoft\ lockup\b | \bhard\ LOCKUP\b | \bworkqueue\ lockup\b
  | \bkmemleak:\ \d+\ new\ suspected | \brefcount_t: | \blist_(add|del)\ corruption
  | \bBad\ page\b | \bBad\ rss-counter | \bnon-zero\ pgtables_bytes | \bscheduling\ while\ atomic\b
  | \bUnreliable\ page\ table | \bpage_table_check: | \bunreferenced\ object\b
""", re.VERBOSE)

END = re.compile(r"---\[ end (trace|Kernel panic)|^\[ *[\d.]+\] =+$")

# /proc/sys/kernel/tainted: machine check, bad page, died, warned, soft lockup
TAINTS = {4: "a machine check", 5: "a bad page", 7: "an oops", 9: "a warning", 14: "a soft lockup"}

SHOWN = 60      # lines after the last match
SHOWN_ALL = 150


def find(lines):
    """The lines of every report in the log, in order; empty if all is well."""
    shown = []
    left = 0
    for line in lines:
        if FAULT.search(line):
            left = SHOWN
        elif not left:
            continue
        shown.append(line)
        left = 0 if END.search(line) and len(shown) > 3 else left - 1
        if len(shown) == SHOWN_ALL:
            return shown + ["..."]
    return shown


def taints(value):
    """What the kernel's own account says, in words."""
    return [text for bit, text in TAINTS.items() if value >> bit & 1]
