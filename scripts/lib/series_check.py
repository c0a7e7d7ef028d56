# SPDX-License-Identifier: GPL-2.0
"""The proofs about the series, one function each; a proof yields what is wrong."""

import difflib
import fnmatch
import os
import re
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

from kernels import BUILD, Error, ROOT
import series_base
import series_git
import series_tree
from series_compose import compose
from series_repo import final_files, kernel_path, load, own_files, recipes, shipped

BUDGET = {"mm-lru": 150, "the rest": 80}
REMOVED = 10
NOT_COUNTED = re.compile(r"(^|/)(Kconfig[^/]*|Makefile|MAINTAINERS)$|\.(rst|txt|ya?ml)$")
BASES = os.path.join(ROOT, "Documentation", "lab-reports", "bases.md")
EXCEPTIONS = os.path.join(ROOT, "scripts", "checkpatch-exceptions")


def drift():
    """patches/ is what the folders say"""
    wanted, folder = compose(load(ROOT)), os.path.join(ROOT, "patches")
    there = {n: open(os.path.join(folder, n), "rb").read() for n in os.listdir(folder)} if os.path.isdir(folder) else {}
    for name in sorted(set(wanted) | set(there)):
        if name not in wanted:
            yield "patches/%s belongs to no recipe: run `make patches`" % name
        elif name not in there:
            yield "patches/%s is missing: run `make patches`" % name
        elif wanted[name] != there[name]:
            yield "patches/%s is not what the folders say: run `make patches`" % name
            yield from list(difflib.unified_diff(*(c[name].decode(errors="replace").splitlines()
                                                   for c in (there, wanted)), n=0, lineterm=""))[2:8]


def partition():
    """every shipped file is named by exactly one recipe, the last one that touches it"""
    state = load(ROOT)
    series = recipes(state)
    final_files(state)
    named = {}
    for recipe in series:
        own_files(recipe, state)
        for path in recipe.files:
            if path in named:
                yield "%s is named by %s.txt and by %s.txt" % (path, named[path].path, recipe.path)
            named[path] = recipe
    for path in sorted(path for path in state if shipped(path) and path not in named):
        yield "%s ships, but no recipe names it (`file: %s`)" % (path, path)
    yield from stages(series, {kernel_path(path): recipe for path, recipe in named.items()}, state)


def stages(series, owner, state):
    content = {}
    for recipe in series:
        for path in recipe.stages:
            if path not in owner or owner[path].name <= recipe.name:
                yield "%s.d/%s: no later recipe names this file, so this is no stage of it" % (recipe.path, path)
        for path, entry in own_files(recipe, state).items():
            if content.get(path) == entry:
                yield "%s leaves %s as it was before" % (recipe.path, path)
            content[path] = entry
        for hook in recipe.hooks:
            if hook.path in owner:
                yield "%s: %s is a file of the series; change it by a stage" % (hook.where, hook.path)
            if re.search(r"(?m)^(index [0-9a-f]|new file|deleted file|rename |copy )", hook.text.split("\n@@")[0]):
                yield "%s: the section of %s has more than ---, +++ and hunks" % (hook.where, hook.path)


def budget():
    """the edits of existing kernel code stay within the budget"""
    added = dict.fromkeys(BUDGET, 0)
    removed = 0
    for recipe in recipes(load(ROOT)):
        group = recipe.component if recipe.component in BUDGET else "the rest"
        for hook in recipe.hooks:
            if NOT_COUNTED.search(hook.path):
                continue
            signs = [sign for sign, _ in hook.lines()]
            added[group] += signs.count("+")
            removed += signs.count("-")
            for sign, line in hook.lines():
                if sign == "+" and hook.path.endswith(".c") and re.match(r"\s*#\s*(el)?if", line):
                    yield "%s: `%s` in %s: put the #if into a header" % (hook.where, line.strip(), hook.path)
    for group, number in added.items():
        print("# %s: %d of %d lines added in existing code" % (group, number, BUDGET[group]))
        if number > BUDGET[group]:
            yield "%s adds %d lines to existing code, %d are allowed" % (group, number, BUDGET[group])
    print("# together: %d of %d lines removed from existing code" % (removed, REMOVED))
    if removed > REMOVED:
        yield "%d lines of existing code are removed, %d are allowed" % (removed, REMOVED)


def am(base=None):
    """git am patches/*.patch gives base + hooks + folders"""
    base = base or series_base.find()
    print("# on %s" % base.name)
    os.makedirs(BUILD, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD, prefix=".am-") as scratch:
        git, commit = series_tree.am_bare(base, os.path.join(ROOT, "patches"), os.path.join(scratch, "tree"))
        tree = git.text("rev-parse", commit + "^{tree}")
        expected = series_tree.expected_tree(git, base, load(ROOT))
        if tree != expected:
            yield "the trees differ in: " + ", ".join(git.text("diff", "--name-only", tree, expected).split())
        else:
            print("# tree %s" % tree)


def checkpatch():
    """checkpatch.pl --strict"""
    folder = os.path.join(ROOT, "patches")
    excepted = exceptions()
    if len(excepted) > 1:
        yield "scripts/checkpatch-exceptions may have one entry, and has %d" % len(excepted)

    # The base has no history to look commits up in; and spdxcheck.py, used with git, needs more than Python.
    env = series_git.environment(GIT_DIR="/nonexistent")

    def run(name):
        done = subprocess.run(["perl", "scripts/checkpatch.pl", "--strict", "--show-types", "--terse", "--no-summary",
                               "--showfile", os.path.join(folder, name)], cwd=series_tree.SRC, env=env,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return name, done.returncode, done.stdout.decode(errors="replace")
    names = sorted(name for name in os.listdir(folder) if name.endswith(".patch"))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, status, output in pool.map(run, names):
            lines = [line for line in output.splitlines() if line.strip()]
            yield from ("%s: %s" % (name, line) for line in lines if not any(
                fnmatch.fnmatch(line.split(":")[0], file) and re.search(":(%s):" % kinds, line) for file, kinds in excepted))
            if status and not lines:
                yield "checkpatch.pl ended with %d on %s" % (status, name)


def exceptions():
    """[(pattern of files, pattern of types)] of the lines `path/in/kernel TYPE[,TYPE]: why`."""
    if not os.path.exists(EXCEPTIONS):
        return []
    with open(EXCEPTIONS) as lines:
        entries = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    for entry in entries:
        if not re.match(r"\S+ [A-Z_,]+: \S", entry):
            raise Error("scripts/checkpatch-exceptions: `%s` is not `path/in/kernel TYPE[,TYPE]: why`." % entry)
    return [tuple(entry.split(":")[0].replace(",", "|").split()) for entry in entries]


def kernel_doc():
    """kernel-doc -none -Wall on our files"""
    files = [path for path in final_files(load(ROOT)) if path.endswith((".c", ".h"))]
    done = subprocess.run(["perl", "scripts/kernel-doc", "-none", "-Wall", *sorted(files)], cwd=series_tree.SRC,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=series_git.environment())
    print("# %d files" % len(files))
    yield from done.stdout.decode(errors="replace").splitlines()
    if done.returncode:
        yield "kernel-doc ended with %d" % done.returncode


def bases():
    """bases.md tells of each existing file that a hook edits whether it was tried on a Raspberry Pi's"""
    with open(BASES, encoding="utf-8") as text:
        told = set(re.findall(r"(?m)^\| `([^`]+)`", text.read()))
    edited = {hook.path for recipe in recipes(load(ROOT)) for hook in recipe.hooks}
    print("# %d files" % len(edited))
    for path in sorted(edited):
        if not any(fnmatch.fnmatch(path, pattern) for pattern in told):
            yield "%s is edited, and Documentation/lab-reports/bases.md does not tell of it" % path


STATIC = [drift, partition, budget, bases]
PROOFS = STATIC + [am, checkpatch, kernel_doc]


def check(names):
    """Run the proofs and print TAP; the number of those that failed."""
    proofs = {proof.__name__.replace("_", "-"): proof for proof in PROOFS}
    if set(names) - set(proofs):
        raise Error("there is no proof %s; there are %s." % (
            ", ".join(sorted(set(names) - set(proofs))), ", ".join(proofs)), 2)
    chosen = [name for name in proofs if not names or name in names]
    print("TAP version 13\n1..%d" % len(chosen))
    failed = 0
    for number, name in enumerate(chosen, 1):
        try:
            if proofs[name] in (checkpatch, kernel_doc):
                series_tree.sync()
            wrong = list(proofs[name]())
        except Error as error:
            wrong = [str(error)]
        failed += bool(wrong)
        for line in wrong:
            print("# " + line)
        print("%s %d - %s: %s" % ("not ok" if wrong else "ok", number, name, proofs[name].__doc__), flush=True)
    return failed
