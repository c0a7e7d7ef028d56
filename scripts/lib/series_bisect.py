# SPDX-License-Identifier: GPL-2.0
"""Builds of the series that nobody boots: each patch by itself, and all of it on plain 6.12.N.

Each has a source tree and object trees of its own below build/bisect, which
stay: going from patch to patch, and a second time through all of them, then
compiles only what differs.
"""

import contextlib
import fcntl
import os
import re
import shutil
import tempfile

import kbuild
import kernels
from kernels import ARCHES, BUILD, Error, ROOT
import series_base
import series_check
import series_git
import series_tree
from series_cli import say

PLACE = os.path.join(BUILD, "bisect")
ROOM = 3 << 30
FORMS = ["y", "m", "n"]
# No patch may bring a warning; our KUnit tests are compiled with what they test.
ALWAYS = {"CONFIG_WERROR": "y", "CONFIG_KUNIT": "y"}
NOT_COMPILED = re.compile(r"Documentation/|tools/testing/selftests/|MAINTAINERS$|.*\.(rst|kunitconfig)$")
SELFTEST = re.compile(r"tools/testing/selftests/([^/]+)/")


class Tap:
    """Results, told as they come."""

    def __init__(self, planned):
        self.number = self.failed = 0
        print("TAP version 13\n1..%d" % planned, flush=True)

    def result(self, name, build):
        """One test: build() yields what is to be told about it, or ends with an Error."""
        wrong = None
        try:
            for line in build():
                print("# " + line, flush=True)
        except Error as error:
            wrong = str(error)
        self.number += 1
        self.failed += wrong is not None
        for line in (wrong or "").split("\n"):
            if line:
                print("# " + line)
        print("%s %d - %s" % ("not ok" if wrong is not None else "ok", self.number, name), flush=True)


@contextlib.contextmanager
def place(name):
    """A directory of ours that stays, used by one run at a time."""
    path = os.path.join(PLACE, name)
    os.makedirs(path, exist_ok=True)
    with open(os.path.join(path, ".lock"), "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another run that works in %s" % path)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield path


def need_room(path):
    free = shutil.disk_usage(path).free
    if free < ROOM and not os.path.exists(os.path.join(path, "src")):
        raise Error("a kernel's source and objects need %.0f GB in %s and there are %.1f: free some, or name another "
                    "place by PAGING_BUILD_DIR=/path." % (ROOM / 1e9, path, free / 1e9))


def source(path, base):
    """A git work tree of the base."""
    src = os.path.join(path, "src")
    if not series_tree.belongs(src, base):
        need_room(path)
        series_git.remove(src + ".tmp")
        series_tree.check_out(base, src + ".tmp")
        series_git.remove(src)
        os.rename(src + ".tmp", src)
    git = series_git.Git(src)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(src, ".git", "index.lock"))      # of a run that was ended
    return git


def bring_series(git, base, path):
    """patches/ as commits, made aside: the files of the tree keep their times. The commits."""
    with tempfile.TemporaryDirectory(dir=path, prefix="am-") as scratch:
        aside = os.path.join(scratch, "tree")
        series_tree.am_bare(base, os.path.join(ROOT, "patches"), aside)
        git.run("fetch", "-q", aside, "+main:refs/series/made")
    return git.text("rev-list", "--reverse", "base..refs/series/made").split()


def check_out(git, commit):
    git.run("update-index", "-q", "--refresh", check=False)
    git.run("checkout", "-q", "-f", "--detach", commit)


def at(number):
    """A source tree that ends with the patch of this number, the base for 0000; its path."""
    names = patch_names()
    wanted = [n for n, name in enumerate(names) if name.startswith(number + "-")]
    if not wanted and number != "0000":
        raise Error("patches/ has no patch %s; the first is %s, the last %s." % (number, names[0], names[-1]), 2)
    base = series_base.find()
    with place("at-" + number) as path:
        git = source(path, base)
        check_out(git, bring_series(git, base, path)[wanted[0]] if wanted else "base")
    return git.directory


def patch_names():
    return sorted(name[:-len(".patch")] for name in os.listdir(os.path.join(ROOT, "patches")) if name.endswith(".patch"))


# ------------------------------------------------------------------ configuration

def options(git, commit):
    """{symbol: "tristate" or "bool"} of what the series has added to Kconfig files by then."""
    added = git.bytes("diff", "-U0", "--no-renames", "base", commit, "--", ":(glob)**/Kconfig*").decode()
    found = {}
    for name, kind in re.findall(r"(?m)^\+(?:menu)?config (\w+)\n(?:\+.*\n)*?\+\s+(tristate|bool)\b", added):
        found["CONFIG_" + name] = kind
    return found


def fragment(arch, ours, form):
    """{symbol: value} for a kernel with our options as they are in this form."""
    wanted = {}
    for name in kernels.VARIANTS[arch][1]:
        if name not in kernels.DRIVERS:
            wanted.update(kernels.read_config(os.path.join(kernels.CONFIG, name + ".config")))
    wanted.update(ALWAYS)
    for symbol, kind in ours.items():
        wanted[symbol] = "y" if kind == "bool" and form == "m" else form
    return wanted


def configure(wanted, ours, make, obj, progress):
    """The .config; an option that does not come out as it has to would make the build prove nothing."""
    merged = os.path.join(obj, "lab.config")
    text = "".join("%s=%s\n" % entry for entry in wanted.items())
    with open(merged, "w") as out:
        out.write(text)
    kbuild.run(make + ["KCONFIG_ALLCONFIG=" + merged, "allnoconfig"], progress)
    got = kernels.read_config(os.path.join(obj, ".config"))
    for symbol, kind in ours.items():
        if kind == "tristate" and got.get(symbol, "n") != wanted[symbol]:
            raise Error("%s=%s was asked for and came out as %s: add what it depends on to scripts/config/base.config." % (
                symbol, wanted[symbol], got.get(symbol, "n")))


# ------------------------------------------------------------------------- builds

def compile_kernel(title, git, arch, wanted, ours):
    obj = os.path.join(os.path.dirname(git.directory), "obj-" + arch)
    os.makedirs(obj, exist_ok=True)
    with open_log(title) as log:
        progress = kbuild.Progress(title, log)
        make = kbuild.make_command(arch, git.directory, obj)
        configure(wanted, ours, make, obj, progress)
        kbuild.run(make + ["vmlinux", "modules"], progress)
        yield progress.text()


def compile_selftests(title, git, arch, names):
    """The programs of our selftests, with the headers of the kernel that they come with."""
    path = os.path.dirname(git.directory)
    obj, out = os.path.join(path, "obj-" + arch), os.path.join(path, "selftests-" + arch)
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    with open_log(title) as log:
        progress = kbuild.Progress(title, log)
        kbuild.run(kbuild.make_command(arch, git.directory, obj) + ["headers"], progress)
        kbuild.run(["make", "-C", os.path.join(git.directory, "tools/testing/selftests"), "-j%d" % os.cpu_count(),
                    "ARCH=" + ARCHES[arch]["karch"], "CROSS_COMPILE=" + kernels.cross_prefix(arch), "O=" + out,
                    "KHDR_INCLUDES=-isystem %s/usr/include" % obj, "FORCE_TARGETS=1", "TARGETS=" + " ".join(names)],
                   progress)
        yield progress.text()


def open_log(title):
    folder = os.path.join(BUILD, "log", "bisect")
    os.makedirs(folder, exist_ok=True)
    return open(os.path.join(folder, re.sub(r"[^\w.-]+", "-", title) + ".log"), "w")


class Patch:
    """One patch of the series and what has to be built for it."""

    def __init__(self, git, name, commit):
        self.name, self.commit = name, commit
        files = git.text("diff-tree", "-r", "--name-only", "--no-commit-id", "--no-renames", commit).split()
        self.ours = options(git, commit)
        self.forms = [] if all(NOT_COMPILED.match(file) for file in files) else FORMS if self.ours else ["n"]
        self.selftests = sorted({found[1] for found in map(SELFTEST.match, files) if found})

    def tests(self, git, arch):
        """(name, function) of each result."""
        for form in self.forms:
            title = "%s %s" % (self.name, arch) + (" =" + form if self.ours else "")
            yield title, lambda title=title, form=form: compile_kernel(
                title, git, arch, fragment(arch, self.ours, form), self.ours)
        if self.selftests:
            title = "%s %s selftests %s" % (self.name, arch, " ".join(self.selftests))
            yield title, lambda: compile_selftests(title, git, arch, self.selftests)
        elif not self.forms:
            yield "%s: nothing in it is compiled" % self.name, lambda: ()


def bisect(arch):
    """Build each patch of the series by itself, with our options =y, =m and =n; the number of failures."""
    if arch not in ARCHES:
        raise Error("there is no architecture %s; take %s." % (arch, " or ".join(ARCHES)), 2)
    kbuild.check_tools({arch})
    base = series_base.find()
    with place("series") as path:
        git = source(path, base)
        commits = bring_series(git, base, path)
        patches = [Patch(git, *pair) for pair in zip(patch_names(), commits)]
        tests = [(patch, list(patch.tests(git, arch))) for patch in patches]
        tap = Tap(sum(len(listed) for _, listed in tests))
        for patch, listed in tests:
            check_out(git, patch.commit)
            for title, build in listed:
                tap.result(title, build)
    return tap.failed


def plain():
    """The series on Linux 6.12.N without anybody's patches: git am, and a build for each architecture."""
    kbuild.check_tools(set(ARCHES))
    base = series_base.plain()
    with place("plain") as path:
        tap = Tap(1 + len(ARCHES))
        tap.result("git am on %s" % base.name, lambda: proof(series_check.am(base)))
        if tap.failed:
            for arch in ARCHES:
                tap.result("%s on %s" % (arch, base.name), not_applied)
            return tap.failed
        git = source(path, base)
        commits = bring_series(git, base, path)
        check_out(git, commits[-1])
        ours = options(git, commits[-1])
        for arch in ARCHES:
            title = "%s %s" % (base.name, arch)
            tap.result(title, lambda: compile_kernel(title, git, arch, fragment(arch, ours, "m"), ours))
    return tap.failed


def proof(findings):
    """A proof of series_check as a build: what it finds is an Error."""
    wrong = list(findings)
    if wrong:
        raise Error("\n".join(wrong))
    return ()


def not_applied():
    raise Error("the series does not apply, so there is nothing to build.")
