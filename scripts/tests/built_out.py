# SPDX-License-Identifier: GPL-2.0
"""With our options built out, is the code in the kernel's own files what it was?

usage: python3 -B scripts/tests/built_out.py [ARCH]...

Compiles each existing .c file that a hook of ours is in, and some that use
inline functions with hooks, on the base and then with the series applied and
all of its options n, and compares their code instruction by instruction.
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
USERS = ["mm/mlock.c", "mm/memcontrol.c"]


def hooked(git, commit):
    """Existing .c files of kernel/ and mm/ that the series changes, and USERS."""
    changed = git.text("diff", "--name-only", "--diff-filter=M", "base", commit).split()
    return sorted({name for name in changed if re.fullmatch(r"(kernel|mm)/.*\.c", name)} | set(USERS))


def code(arch, obj, name):
    """The instructions of a file, or None where it is not compiled in this configuration."""
    path = os.path.join(obj, name[:-2] + ".o")
    if not os.path.exists(path):
        return None
    text = subprocess.run([kernels.cross_prefix(arch) + "objdump", "-dr", "--no-show-raw-insn", path],
                          capture_output=True, text=True, check=True).stdout
    return [line for line in text.splitlines() if "file format" not in line]


def compile_files(title, git, arch, wanted, ours, names):
    obj = os.path.join(os.path.dirname(git.directory), "obj-" + arch)
    os.makedirs(obj, exist_ok=True)
    with series_bisect.open_log(title) as log:
        progress = kbuild.Progress(title, log)
        make = kbuild.make_command(arch, git.directory, obj)
        series_bisect.configure(wanted, ours, make, obj, progress)
        config = kernels.read_config(os.path.join(obj, ".config"))
        names = [n for n in names if n != "mm/huge_memory.c" or config.get("CONFIG_TRANSPARENT_HUGEPAGE") == "y"]
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
    ours = series_bisect.options(git, commits[-1])
    names = hooked(git, commits[-1])
    wanted = series_bisect.fragment(arch, ours, "n")
    made = []
    for where, commit in (("base", "base"), ("series", commits[-1])):
        series_bisect.check_out(git, commit)
        made.append(compile_files(f"built out {arch} {where}", git, arch, wanted, ours if commit != "base" else {}, names))
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
