# SPDX-License-Identifier: GPL-2.0
"""Composing: same bytes everywhere, and recipes that cannot be right are refused."""

import os

import toy
from toy import PROJECT, SERIES


def test_patches_are_numbered_and_described(t):
    names = sorted(os.listdir(t.project + "/patches"))
    assert names == ["0001-mm-hook.patch", "0002-start.patch", "0003-finish.patch", "0004-selftests.patch",
                     "0005-list.patch", "cover-letter.txt"], names
    second = t.read("patches/0002-start.patch")
    for text in ("Subject: [PATCH] misc: toy: begin\n", "Date: Sat, 21 Nov 2026 08:02:00 +0000\n",
                 " 4 files changed, 9 insertions(+)\n", " create mode 100644 drivers/misc/paging/toy.c\n"):
        assert text in second, second
    assert " create mode 100755 tools/testing/selftests/toy/run.sh" in t.read("patches/0004-selftests.patch")
    cover = t.read("patches/cover-letter.txt")
    assert "  misc: toy: finish\n" in cover and "9 files changed" in cover, cover


def test_same_bytes_whatever_the_user_configured(t):
    before = t.content("patches")
    t.write(".gitconfig", "[diff]\n noprefix = true\n algorithm = patience\n context = 9\n mnemonicPrefix = true\n"
            " renames = copies\n orderFile = /nonexistent\n[core]\n abbrev = 5\n quotePath = false\n autocrlf = true\n"
            "[format]\n signature = x\n[color]\n ui = always\n", t.top)
    t.series("compose", LC_ALL="C.UTF-8", TZ="Asia/Tokyo", GIT_DIFF_OPTS="-u9", GIT_AUTHOR_NAME="X",
             GIT_EXTERNAL_DIFF="/bin/false", GIT_DIR="/nonexistent")
    assert t.content("patches") == before
    t.series("sync", GIT_DIR="/nonexistent")
    t.series("check", "am", GIT_DIR="/nonexistent")


def test_unchanged_patches_keep_their_times_and_stale_ones_go(t):
    path = t.project + "/patches/0001-mm-hook.patch"
    os.utime(path, (1, 1))
    t.write("patches/0009-old.patch", "x")
    t.series("compose")
    assert os.stat(path).st_mtime == 1 and not os.path.exists(t.project + "/patches/0009-old.patch")


def test_text_that_is_not_ascii_goes_through_git_am(t):
    t.edit(SERIES + "0003-finish.txt", "Finish it.", "Größe: 4 KiB – fertig.")
    t.edit("drivers-misc-paging/toy.c", "int more;", "int more; /* größer */")
    t.series("compose")
    assert "Content-Transfer-Encoding: 8bit" in t.read("patches/0003-finish.patch")
    t.series("check", "am")
    t.series("tree")
    assert "Größe" in t.git("log")
    before = t.content()
    t.series("capture")
    assert t.content() == before


def test_empty_file_and_file_without_end_of_line(t):
    t.write("selftests/toy/empty", "")
    t.write("selftests/toy/open", "no end")
    t.edit("selftests/series/0004-selftests.txt", "file:", "file: selftests/toy/empty\nfile: selftests/toy/open\nfile:")
    t.series("compose")
    t.series("check", "drift", "partition", "am")


REFUSED = {
    "no_subject": (SERIES + "0003-finish.txt", "Subject: misc: toy: finish\n", "", "`Subject:`"),
    "bad_date": (SERIES + "0003-finish.txt", "Sat, 21 Nov 2026", "2026-11-21", "date"),
    "unknown_field": (SERIES + "0003-finish.txt", "file: ", "fiel: ", "fiel"),
    "nobody_signed": (SERIES + "0003-finish.txt", "Signed-off-by", "Signed-by", "Signed-off-by"),
    "message_that_git_am_cuts": (SERIES + "0003-finish.txt", "Finish it.", "Finish it.\n--- a", "--- a"),
    "subject_with_bracket": (SERIES + "0003-finish.txt", "Subject: misc", "Subject: [misc", "`[`"),
    "missing_file": (SERIES + "0003-finish.txt", "toy.c", "toys.c", "toys.c"),
    "dos_line_ends": ("drivers-misc-paging/toy.c", "int more;\n", "int more;\r\n", "toy.c"),
    "binary_file": ("drivers-misc-paging/toy.c", "int more;\n", "\0\n", "toy.c"),
    "short_hunk": (SERIES + "0001-mm-hook.diff", "+int toy_hook;\n", "", "a hunk for"),
    "text_before_the_hooks": (SERIES + "0001-mm-hook.diff", "diff --git a/mm", "Text\ndiff --git a/mm", "0001-mm-hook.diff"),
}


def refused(path, old, new, word):
    def test(t):
        t.edit(path, old, new)
        before = t.content("patches")
        t.fails("compose", saying=word)
        assert t.content("patches") == before
    return test


for name, case in REFUSED.items():
    globals()["test_refuses_" + name] = refused(*case)


def test_refuses_same_number_twice(t):
    t.write("mm-lru/series/0003-other.txt", PROJECT["mm-lru/series/0005-list.txt"])
    t.fails("compose", saying=["0003-finish.txt", "0003-other.txt", "number"])


def test_refuses_hooks_without_a_recipe(t):
    t.delete(SERIES + "0001-mm-hook.txt")
    t.fails("compose", saying="0001-mm-hook.diff")


def test_refuses_links_and_odd_names(t):
    os.symlink("toy.c", t.project + "/drivers-misc-paging/link.c")
    t.fails("compose", saying="link.c")
    t.delete("drivers-misc-paging/link.c")
    t.write("drivers-misc-paging/a b.c", "")
    t.fails("compose", saying="a b.c")


def test_refuses_a_recipe_that_changes_nothing(t):
    t.delete(SERIES + "0001-mm-hook.diff")
    t.fails("compose", saying="0001-mm-hook.txt changes nothing")


if __name__ == "__main__":
    toy.main(globals())
