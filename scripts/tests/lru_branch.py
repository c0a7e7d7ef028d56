# SPDX-License-Identifier: GPL-2.0
"""While another policy is active, is each hook of lru_page_list one static branch?

usage: python3 -B scripts/tests/lru_branch.py

Follows the code of each existing file that has a hook, built for arm64-patching, from the
beginning of each function, with the static branch of lru_page_list as the no-op that it is
then; nothing of lru_page_list may be called on the way. Prints TAP.
"""

import os
import re
import subprocess
import sys
from collections import namedtuple

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib")]

# pylint: disable=wrong-import-position
import kernels

FILES = ["kernel/sched/core.o", "kernel/fork.o", "mm/vmscan.o", "mm/swap.o", "mm/workingset.o", "mm/page_alloc.o",
         "mm/migrate.o", "mm/rmap.o", "mm/huge_memory.o", "mm/mlock.o", "mm/memcontrol.o", "mm/filemap.o",
         "mm/swap_state.o", "mm/truncate.o", "mm/mmzone.o", "mm/compaction.o"]
VARIANT = "arm64-patching"
OURS = re.compile(r"_*(lru_page_list|lpl)_\w+")
# Called where the policy is changed.
SLOW = {"lru_page_list_leave"}
# The second is on from the first use of guard, for what it has made for memory cgroups.
KEYS = {"lru_page_list_key", "lru_page_list_kept_key"}
BRANCH = re.compile(r"(b|b\.\w+|cbn?z|tbn?z)\t(?:.*, )?([0-9a-f]+) <")

# next: where it goes on in the section; calls: symbols that it refers to.
Instruction = namedtuple("Instruction", "next calls")


def objdump(path, *options):
    return subprocess.run([kernels.cross_prefix("arm64") + "objdump", *options, path],
                          capture_output=True, text=True, check=True).stdout


def static_branches(path):
    """(section, address) of each static branch of ours."""
    found = set()
    code = None
    for line in objdump(path, "-r", "-j", "__jump_table").splitlines():
        match = re.match(r"([0-9a-f]+) R_AARCH64_PREL\d+\s+([\w.$]+)(?:\+0x([0-9a-f]+))?$", line)
        if not match:
            continue
        if int(match[1], 16) % 16 == 0:
            code = (match[2], int(match[3] or "0", 16))
        elif int(match[1], 16) % 16 == 8 and match[2] in KEYS:
            found.add(code)
    return found


def following(address, text):
    match = BRANCH.match(text)
    if match:
        target = int(match[2], 16)
        return [target] if match[1] == "b" else [target, address + 4]
    if re.match(r"(ret|br|b|udf)\b", text):
        return []
    return [address + 4]


def read(path):
    """Instructions by (section, address), and functions: name to the same."""
    code, functions = {}, {}
    section = where = None
    for line in objdump(path, "-dr", "--no-show-raw-insn").splitlines():
        if line.startswith("Disassembly of section "):
            section = line.split()[-1].rstrip(":")
        elif match := re.match(r"([0-9a-f]+) <([\w.$]+)>:$", line):
            functions[match[2]] = (section, int(match[1], 16))
        elif match := re.match(r"\s+([0-9a-f]+): R_AARCH64_\w+\s+([\w.$]+)", line):
            code[where].calls.append(match[2])
        elif match := re.match(r"\s+([0-9a-f]+):\s+(.*)$", line):
            where = (section, int(match[1], 16))
            local = re.match(r"bl?\t[0-9a-f]+ <([\w.$]+)>", match[2])
            code[where] = Instruction(following(where[1], match[2]), [local[1]] if local else [])
    return code, functions


def reached(code, branches, start):
    """Symbols that code from here on refers to, the static branch being off."""
    seen, todo, calls = set(), [start], set()
    while todo:
        where = todo.pop()
        if where in seen or where not in code:
            continue
        seen.add(where)
        calls.update(code[where].calls)
        section, address = where
        todo += [(section, address + 4)] if where in branches else [(section, at) for at in code[where].next]
    return calls


def check(path):
    """What is called that should not be, and the number of static branches."""
    branches = static_branches(path)
    code, functions = read(path)
    wrong = []
    for name, start in functions.items():
        if OURS.fullmatch(name.split(".")[0]):
            continue
        for call in reached(code, branches, start):
            if OURS.fullmatch(call) and call not in SLOW | KEYS and not call.startswith("lpl_stat"):
                wrong.append(f"{name}: {call}")
    return wrong, len(branches)


def main():
    subprocess.run([os.path.join(kernels.ROOT, "scripts", "build"), *[f"--object={name}" for name in FILES], VARIANT],
                   check=True)
    obj = os.path.join(kernels.BUILD, "obj", VARIANT)
    print(f"TAP version 13\n1..{len(FILES) + 1}")
    total = failed = 0
    for number, name in enumerate(FILES, 1):
        wrong, branches = check(os.path.join(obj, name))
        total += branches
        failed += bool(wrong)
        print("".join(f"# {line}\n" for line in wrong[:5]) +
              f"{'not ' if wrong else ''}ok {number} - {name}: nothing is called, {branches} static branches")
    few = total < 10
    print(f"{'not ' if few else ''}ok {len(FILES) + 1} - there are hooks at all: {total} static branches")
    return 1 if failed or few else 0


if __name__ == "__main__":
    sys.exit(main())
