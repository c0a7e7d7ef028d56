# SPDX-License-Identifier: GPL-2.0
"""scripts/series bisect and plain: a patch that does not build by itself is found and named."""

import os
import shutil
import subprocess
import time

import toy
from toy import ROOT, SERIES, Toy

# Knows one option of ours, and compiles all that there is.
MAKEFILE = """VERSION = 6
PATCHLEVEL = 12
SUBLEVEL = 99
CC := $(CROSS_COMPILE)gcc
flags = $(if $(filter CONFIG_TOY=m,$(file <$(O)/.config)),-DMODULE) $(if $(filter CONFIG_TOY=y,$(file <$(O)/.config)),-DBUILTIN)
allnoconfig:
\tgrep -E '^CONFIG_(KUNIT|WERROR)=y' $(KCONFIG_ALLCONFIG) >$(O)/.config
\tif [ -e drivers/misc/paging/Kconfig ]; then grep CONFIG_TOY= $(KCONFIG_ALLCONFIG) >>$(O)/.config; fi
vmlinux modules:
\tif [ -n "$(SLOW)" ]; then echo $$$$ >$(O)/pid; sleep 3210; fi
\t$(CC) -Werror -Wall -fsyntax-only -Iinclude $(flags) mm/memory.c $(wildcard drivers/misc/paging/*.c)
headers:
"""
KCONFIG = 'config TOY\n\ttristate "a toy"\n\thelp\n\t  It is one.\n\nconfig TOY_TEST\n\tbool "its test"\n\tdepends on TOY\n'
SELFTESTS = "$(O)/run: $(TARGETS)/run.c\n\t$(CROSS_COMPILE)gcc -fsyntax-only $<\n"


def make_toy():
    t = Toy()
    shutil.copytree(ROOT + "/scripts/config", t.project + "/scripts/config")
    t.write("Makefile", MAKEFILE, t.kernel)
    t.write("tools/testing/selftests/Makefile", SELFTESTS, t.kernel)
    t.commit_kernel()
    t.write("drivers-misc-paging/Kconfig", KCONFIG)
    t.edit(SERIES + "0003-finish.txt", "file:", "file: drivers-misc-paging/Kconfig\nfile:")
    t.write("selftests/toy/run.c", "int main(void) { return 0; }\n")
    t.edit("selftests/series/0004-selftests.txt", "file:", "file: selftests/toy/run.c\nfile:")
    t.series("compose")
    return t


ALL = ["0001-mm-hook arm64", "0002-start arm64", "0003-finish arm64 =y", "0003-finish arm64 =m", "0003-finish arm64 =n",
       "0004-selftests arm64 selftests toy", "0005-list arm64 =y", "0005-list arm64 =m", "0005-list arm64 =n"]


def results(output):
    return [line for line in output.splitlines() if line.startswith(("ok ", "not ok ", "1.."))]


def expected(*bad):
    return ["1..%d" % len(ALL)] + ["%s %d - %s" % ("not ok" if name in bad else "ok", number, name)
                                   for number, name in enumerate(ALL, 1)]


def finds(t, *bad, saying):
    t.series("compose")
    status, output = t.run("series", "bisect", "arm64")
    assert status == 1 and results(output) == expected(*bad), output
    for word in [saying] if isinstance(saying, str) else saying:
        assert any(word in line and line.startswith("# ") for line in output.splitlines()), output


def test_every_patch_in_every_form(t):
    assert results(t.series("bisect", "arm64")) == expected()
    assert results(t.series("bisect", "arm64")) == expected()
    assert results(t.series("bisect", "x86_64")) == [line.replace("arm64", "x86_64") for line in expected()]


def test_patch_that_only_works_with_a_later_one(t):
    t.edit(SERIES + "0002-start.d/drivers/misc/paging/toy.c", "int toy;", "int toy = LATER;")
    finds(t, "0002-start arm64", saying=["error", "LATER", "build/log/bisect/0002-start-arm64.log"])


def test_patch_that_brings_a_warning(t):
    t.edit(SERIES + "0002-start.d/drivers/misc/paging/toy.c", "int toy;", "int toy(int a) { return a == 1 & 2; }")
    finds(t, "0002-start arm64", saying="toy")


def test_form_that_does_not_build(t):
    t.edit("drivers-misc-paging/toy.c", "int more;", "#ifdef MODULE\nmore stuff\n#endif")
    finds(t, "0003-finish arm64 =m", "0005-list arm64 =m", saying="more stuff")


def test_option_that_cannot_be_chosen(t):
    t.edit("Makefile", "grep CONFIG_TOY= $(KCONFIG_ALLCONFIG)", "echo CONFIG_TOY=m", t.kernel)
    t.commit_kernel()
    finds(t, *[name for name in ALL if name.endswith(("=y", "=n"))], saying="CONFIG_TOY=y was asked for and came out as m")


def test_selftest_that_does_not_build(t):
    t.edit("selftests/toy/run.c", "return 0", "return nothing")
    finds(t, "0004-selftests arm64 selftests toy", saying="nothing")


def test_only_what_differs_is_touched(t):
    t.series("bisect", "arm64")
    path = t.build + "/bisect/series/src/mm/memory.c"
    before = os.stat(path).st_mtime_ns
    t.edit("drivers-misc-paging/toy.c", "more", "much")
    t.series("compose")
    t.series("bisect", "arm64")
    assert os.stat(path).st_mtime_ns == before and "much" in t.read("bisect/series/src/drivers/misc/paging/toy.c", t.build)


def test_interrupted_and_started_again(t):
    pid = t.build + "/bisect/series/obj-arm64/pid"
    tool = subprocess.Popen([t.project + "/scripts/series", "bisect", "arm64"], env=dict(t.env, SLOW="1"),
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    deadline = time.monotonic() + 60
    while not (os.path.exists(pid) and open(pid).read()) and time.monotonic() < deadline:
        time.sleep(0.02)
    tool.terminate()
    output = tool.communicate(timeout=180)[0].decode()
    assert tool.returncode == 143 and "Traceback" not in output, output
    state = "/proc/%s/stat" % open(pid).read().strip()
    assert not os.path.exists(state) or open(state).read().split(") ")[1][0] == "Z", "the compiler still runs"
    open(t.build + "/bisect/series/src/.git/index.lock", "w").close()
    assert results(t.series("bisect", "arm64")) == expected()


def test_patches_that_do_not_apply(t):
    t.edit(SERIES + "0001-mm-hook.diff", " int line_21;", " int line_1021;")
    t.series("compose")
    t.fails("bisect", "arm64", saying=["`mm: add a line`", "mm/memory.c"])


def test_bad_arguments(t):
    for args, word in ((["bisect"], "usage"), (["bisect", "mips"], "arm64 or x86_64"), (["plain", "x"], "usage")):
        status, output = t.run("series", *args)
        assert status == 2 and word in output, output


def pack(t):
    """The kernel as the source package that plain() would fetch."""
    os.makedirs(t.build + "/apt")
    subprocess.run(["tar", "-C", t.kernel, "--exclude=.git", "--transform=s,^[.],linux-6.12.99,", "-cJf",
                    t.build + "/apt/linux-6.12_6.12.99.orig.tar.xz", "."], check=True)


def test_plain(t):
    pack(t)
    output = t.series("plain")
    assert [line.split(" - ")[0] for line in results(output)] == ["1..3", "ok 1", "ok 2", "ok 3"], output
    assert "git am on plain-6.12.99" in output and "arm64" in output and "x86_64" in output, output
    t.edit("drivers-misc-paging/toy.c", "int more;", "more stuff")
    t.series("compose")
    status, output = t.run("series", "plain")
    assert status == 1 and output.count("\nnot ok ") == 2 and "more stuff" in output, output


def test_plain_that_the_series_does_not_apply_to(t):
    t.edit("mm/memory.c", "int line_21;", "int line_1021;", t.kernel)
    pack(t)
    status, output = t.run("series", "plain")
    assert status == 1 and output.count("\nnot ok ") == 3 and "mm/memory.c" in output, output


if __name__ == "__main__":
    toy.main(globals())
