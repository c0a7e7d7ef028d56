# SPDX-License-Identifier: GPL-2.0
"""A project and a kernel of a few files each, to break in tests."""

import atexit
import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "scripts", "lib"))

SIGN = "Signed-off-by: Paging Lab <paging-lab@localhost>\n"

MEMORY = "".join("int line_%d;\n" % n for n in range(1, 40))
MISC = "menu misc\n\n" + "".join('source "drivers/misc/%s/Kconfig"\n' % n for n in ("a", "b", "c", "d")) + "endmenu\n"
MAINTAINERS = "\tMaintainers\n\nPAGE\nM:\tA <a@localhost>\nF:\tmm/page.c\n\nPANEL\nM:\tB <b@localhost>\nF:\tdrivers/panel/\n"

KERNEL = {
    "Makefile": "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 99\n",
    "mm/memory.c": MEMORY, "mm/Makefile": "obj-y += memory.o\n", "include/linux/mm.h": "int a;\nint b;\nint c;\n",
    "drivers/misc/Kconfig": MISC, "MAINTAINERS": MAINTAINERS, ".gitignore": "*.built\n",
    **{name: "text\n" for name in ("COPYING", "CREDITS", "Kbuild", "README", "Documentation/index.txt", "arch/a.txt",
                                   "fs/a.c", "init/a.c", "ipc/a.c", "kernel/a.c", "lib/a.c")},
}


def recipe(subject, minute, body, *files):
    lines = ["Subject: " + subject, "Date: Sat, 21 Nov 2026 08:%02d:00 +0000" % minute]
    return "\n".join(lines + ["file: " + f for f in files] + ["", body, "", SIGN])


def hook(path, old, new, line=1):
    """A hook of one hunk."""
    old, new = old.splitlines(), new.splitlines()
    head = start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    head = max(0, start - 3)
    tail = min(3, end)
    gone, came = old[start:len(old) - end], new[start:len(new) - end]
    before, after = old[head:start], old[len(old) - end:len(old) - end + tail]
    body = [" " + l for l in before] + ["-" + l for l in gone] + ["+" + l for l in came] + [" " + l for l in after]
    return "diff --git a/%s b/%s\n--- a/%s\n+++ b/%s\n@@ -%d,%d +%d,%d @@\n%s\n" % (
        path, path, path, path, head + line, len(before + gone + after), head + line, len(before + came + after),
        "\n".join(body))


SERIES = "drivers-misc-paging/series/"
START = "// SPDX-License-Identifier: GPL-2.0\nint toy;\n"
FINAL = "// SPDX-License-Identifier: GPL-2.0\nint toy = 1;\nint more;\n"
OURS = "\nPAGING LAB\nM:\tPaging Lab <paging-lab@localhost>\nF:\tdrivers/misc/paging/\n"
WITH_DRIVER = MAINTAINERS.replace("F:\tmm/page.c\n", "F:\tmm/page.c\n" + OURS)
WITH_TESTS = WITH_DRIVER.replace("misc/paging/\n", "misc/paging/\nF:\ttools/testing/selftests/toy/\n")
WITH_LIST = WITH_TESTS.replace("misc/paging/\n", "misc/paging/\nF:\tmm/lru_page_list/\n")

PROJECT = {
    ".gitignore": "/build/\n__pycache__/\n*.o\n",
    SERIES + "0001-mm-hook.txt": recipe("mm: add a line", 1, "The toy needs a line here."),
    SERIES + "0001-mm-hook.diff": hook("mm/memory.c", MEMORY, MEMORY.replace("line_20;\n", "line_20;\nint toy_hook;\n"))
    + hook("include/linux/mm.h", "int a;\nint b;\nint c;\n", "int a;\nint b;\nint toy_hook;\nint c;\n"),
    SERIES + "0002-start.txt": recipe("misc: toy: begin", 2, "Begin with little.", "drivers-misc-paging/uapi/toy.h"),
    SERIES + "0002-start.diff": hook("MAINTAINERS", MAINTAINERS, WITH_DRIVER)
    + hook("drivers/misc/Kconfig", MISC, MISC.replace('"drivers/misc/d', '"drivers/misc/paging/Kconfig"\nsource "drivers/misc/d')),
    SERIES + "0002-start.d/drivers/misc/paging/toy.c": START,
    SERIES + "0003-finish.txt": recipe("misc: toy: finish", 3, "Finish it.", "drivers-misc-paging/toy.c"),
    "drivers-misc-paging/toy.c": FINAL,
    "drivers-misc-paging/uapi/toy.h": "/* SPDX-License-Identifier: GPL-2.0 */\nextern int toy;\n",
    "selftests/series/0004-selftests.txt": recipe("selftests: toy: test it", 4, "Test the toy.",
                                                  "selftests/toy/run.sh"),
    "selftests/series/0004-selftests.diff": hook("MAINTAINERS", WITH_DRIVER, WITH_TESTS),
    "selftests/toy/run.sh": "#!/bin/sh\n# SPDX-License-Identifier: GPL-2.0\nexit 0\n",
    "mm-lru/series/0005-list.txt": recipe("mm: lru: add the list", 5, "Add a list.", "mm-lru/list.c"),
    "mm-lru/series/0005-list.diff": hook("mm/Makefile", "obj-y += memory.o\n", "obj-y += memory.o\nobj-y += lru_page_list/\n")
    + hook("MAINTAINERS", WITH_TESTS, WITH_LIST),
    "mm-lru/list.c": "// SPDX-License-Identifier: GPL-2.0\nint list;\n",
    "Documentation/series/cover-letter.txt": "Subject: toy\n\n@SHORTLOG@\n@DIFFSTAT@\n",
}


class Toy:
    """A scratch directory with `project` and `kernel`; tools run in it as a user would.

    kernel_scripts: more files of the kernel. Without, it is a copy of one made before.
    """

    def __init__(self, kernel_scripts=None):
        self.top = tempfile.mkdtemp(prefix="toy-")
        self.project, self.kernel = self.top + "/project", self.top + "/kernel"
        self.build, self.src, self.tree = (self.project + d for d in ("/build", "/build/src", "/build/tree"))
        self.env = dict(os.environ, KERNEL_TREE=self.kernel, HOME=self.top)
        self.env.pop("PAGING_BUILD_DIR", None)
        if kernel_scripts is None:
            shutil.copytree(untouched().top, self.top, symlinks=True, dirs_exist_ok=True)
        else:
            self.make(kernel_scripts)

    def make(self, kernel_scripts):
        for path, text in KERNEL.items():
            self.write(path, text, self.kernel)
        for path, content in kernel_scripts:
            self.write(path, content, self.kernel)
        self.git("init", "-q", where=self.kernel)
        self.commit_kernel()
        for path, text in PROJECT.items():
            self.write(path, text)
        os.chmod(self.project + "/selftests/toy/run.sh", 0o755)
        shutil.copytree(ROOT + "/scripts/lib", self.project + "/scripts/lib", ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("series", "base"):
            shutil.copy2(ROOT + "/scripts/" + name, self.project + "/scripts/")
        self.series("compose")

    def remove(self):
        shutil.rmtree(self.top)

    def commit_kernel(self):
        self.git("add", "-A", where=self.kernel)
        self.git("commit", "-q", "-m", "kernel", where=self.kernel)

    def write(self, path, content, where=None):
        full = os.path.join(where or self.project, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as out:
            out.write(content if isinstance(content, bytes) else content.encode())

    def read(self, path, where=None):
        with open(os.path.join(where or self.project, path), "rb") as source:
            return source.read().decode()

    def edit(self, path, old, new, where=None):
        text = self.read(path, where)
        assert old in text, "%s has no %r" % (path, old)
        self.write(path, text.replace(old, new), where)

    def delete(self, path):
        os.unlink(os.path.join(self.project, path))

    def git(self, *args, where=None):
        name = ["-c", "user.name=U", "-c", "user.email=u@localhost"] if where == self.kernel else []
        done = subprocess.run(["git", *name, *args], cwd=where or self.tree, env=self.env, check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.stdout.decode()

    def run(self, tool, *args, **env):
        done = subprocess.run([self.project + "/scripts/" + tool, *args], cwd=self.project, env=dict(self.env, **env),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout.decode()

    def series(self, *args, **env):
        status, output = self.run("series", *args, **env)
        assert status == 0, output
        return output

    def fails(self, *args, saying=(), **env):
        status, output = self.run("series", *args, **env)
        assert status not in (0, 2), "%s ended with %d: %s" % (args, status, output)
        assert "Traceback" not in output, output
        for word in [saying] if isinstance(saying, str) else saying:
            assert word in output, "no %r in: %s" % (word, output)

    def content(self, *names):
        """{path: (mode, bytes)} of what is committed in a project."""
        found = {}
        for name in names or ("drivers-misc-paging", "mm-lru", "selftests", "Documentation", "patches"):
            for top, _, files in os.walk(os.path.join(self.project, name)):
                for file in files:
                    path = os.path.join(top, file)
                    with open(path, "rb") as source:
                        found[os.path.relpath(path, self.project)] = (os.stat(path).st_mode & 0o777, source.read())
        return found


@functools.lru_cache(maxsize=None)
def untouched():
    """What all tests of a process get copies of, which takes no program."""
    toy = Toy(kernel_scripts=[])
    atexit.register(toy.remove)
    return toy


def main(namespace):
    """Run the functions test_*(toy) of a module, each on a Toy of its own, and print TAP."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    make = namespace.get("make_toy", Toy)
    only = sys.argv[1:]
    tests = [(name, test) for name, test in namespace.items()
             if name.startswith("test_") and (not only or any(o in name for o in only))]
    print("TAP version 13\n1..%d" % len(tests), flush=True)
    failed = 0
    for number, (name, test) in enumerate(tests, 1):
        toy = make()
        try:
            test(toy)
            print("ok %d - %s" % (number, name[5:]), flush=True)
        except Skip as reason:
            print("ok %d - %s # SKIP %s" % (number, name[5:], reason), flush=True)
        except Exception as error:
            failed += 1
            line = error.__traceback__.tb_next.tb_lineno if error.__traceback__.tb_next else 0
            for text in ("line %d: %s: %s" % (line, type(error).__name__, error)).split("\n"):
                print("# " + text)
            print("not ok %d - %s" % (number, name[5:]), flush=True)
        finally:
            toy.remove()
    sys.exit(1 if failed else 0)


class Skip(Exception):
    pass
