# SPDX-License-Identifier: GPL-2.0
"""With lru_page_list built out, is the code in the kernel's own files what it was?

usage: python3 -B scripts/tests/built_out.py [ARCH]...

Compiles each existing .c file that a hook of it is in, and some that use inline
functions with hooks, as they are before its first patch and then with the whole
series, all of our options n, and compares their code instruction by instruction.
(What the patches before it change in such files is there whatever is chosen:
symbols that modules may use, vm_insert_folio(), and in huge_memory.c the place of
one line, so that a folio without a queue can be split.)
Prints TAP; ARCH is arm64 and x86_64 by default.
"""

import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib")]

# pylint: disable=wrong-import-position
import kbuild
import kernels
import series_base
import series_bisect
import series_cli

# What uses lruvec_add_folio() and has no hook.
USERS = ["mm/mlock.c", "mm/memcontrol.c", "mm/compaction.c"]
# What is not compiled, and cannot be, without an option that some of our configurations have not.
NEEDS = {"mm/huge_memory.c": "CONFIG_TRANSPARENT_HUGEPAGE", "mm/page_ext.c": "CONFIG_PAGE_EXTENSION"}


def first_patch(git, commits):
    """That of lru_page_list."""
    return next(commit for commit in commits
                if git.text("diff", "--name-only", commit + "^", commit, "--", "mm/lru_page_list").strip())


def hooked(git, before, after):
    """Existing .c files of kernel/ and mm/ that it changes, and USERS."""
    changed = git.text("diff", "--name-only", "--diff-filter=M", before, after).split()
    return sorted({name for name in changed if re.fullmatch(r"(kernel|mm)/.*\.c", name)} | set(USERS))


def code(arch, obj, name):
    """The instructions of a file, or None where it is not compiled in this configuration."""
    path = os.path.join(obj, name[:-2] + ".o")
    if not os.path.exists(path):
        return None
    text = subprocess.run([kernels.cross_prefix(arch) + "objdump", "-dr", "--no-show-raw-insn", path],
                          capture_output=True, text=True, check=True).stdout
    return [line for line in text.splitlines() if "file format" not in line]


def compile_files(title, git, arch, names):
    obj = os.path.join(os.path.dirname(git.directory), "obj-" + arch)
    os.makedirs(obj, exist_ok=True)
    with series_bisect.open_log(title) as log:
        progress = kbuild.Progress(title, log)
        make = kbuild.make_command(arch, git.directory, obj)
        ours = series_bisect.options(git, "HEAD")
        series_bisect.configure(series_bisect.fragment(arch, ours, "n"), ours, make, obj, progress)
        config = kernels.read_config(os.path.join(obj, ".config"))
        names = [n for n in names if n not in NEEDS or config.get(NEEDS[n]) == "y"]
        kbuild.run(make + [name[:-2] + ".o" for name in names], progress)
    return {name: code(arch, obj, name) for name in names}


def first_difference(before, after):
    for old, new in zip(before, after):
        if old != new:
            return f"`{old.strip()}` is now `{new.strip()}`"
    return f"{len(before)} lines, now {len(after)}"


def compare(before, after):
    different = [f"{name}: {first_difference(text, after[name])}" for name, text in before.items() if text != after[name]]
    if different:
        raise kernels.Error("\n".join(different))
    yield f"{len(before)} files, {sum(map(len, before.values()))} lines of code"


def check(git, arch, commits, tap):
    before, after = first_patch(git, commits) + "^", commits[-1]
    names = hooked(git, before, after)
    made = []
    for where, commit in (("before", before), ("after", after)):
        series_bisect.check_out(git, commit)
        made.append(compile_files(f"built out {arch} {where}", git, arch, names))
    tap.result(f"{arch}: built out, the code of hooked files is what it was", lambda: compare(*made))


def main():
    arches = sys.argv[1:] or list(kernels.ARCHES)
    if any(arch not in kernels.ARCHES for arch in arches):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    kbuild.check_tools(set(arches))
    base = series_base.find()
    with series_bisect.place("built-out") as path:
        git = series_bisect.source(path, base)
        commits = series_bisect.bring_series(git, base, path)
        tap = series_bisect.Tap(len(arches))
        for arch in arches:
            check(git, arch, commits, tap)
    return 1 if tap.failed else 0


if __name__ == "__main__":
    series_cli.main(main)
