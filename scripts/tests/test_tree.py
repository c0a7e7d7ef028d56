# SPDX-License-Identifier: GPL-2.0
"""build/src stays equal to the folders; build/tree and back again loses nothing."""

import os
import shutil
import time

import toy
from toy import SERIES, SIGN


def times(top):
    found = {}
    for place, _, files in os.walk(top):
        if ".git" not in place:
            found.update((os.path.join(place, f), os.stat(os.path.join(place, f)).st_mtime_ns) for f in files)
    return found


def test_sync_touches_only_what_differs(t):
    assert t.series("am").strip().endswith(t.src)
    assert t.git("log", "--format=%s", where=t.src).split("\n")[:2] == ["mm: lru: add the list", "selftests: toy: test it"]
    assert os.access(t.src + "/tools/testing/selftests/toy/run.sh", os.X_OK)
    before = times(t.src)
    t.series("sync")
    assert times(t.src) == before
    time.sleep(0.02)
    t.edit("drivers-misc-paging/toy.c", "more", "much")
    t.series("sync")
    after = times(t.src)
    assert [p for p in after if after[p] != before.get(p)] == [t.src + "/drivers/misc/paging/toy.c"]
    assert "much" in t.read("drivers/misc/paging/toy.c", t.src)


def test_sync_follows_hooks_modes_and_removals(t):
    t.series("sync")
    t.edit(SERIES + "0001-mm-hook.diff", "toy_hook", "toy_hooked")
    os.chmod(t.project + "/drivers-misc-paging/toy.c", 0o755)
    t.delete("mm-lru/list.c")
    t.edit("mm-lru/series/0005-list.txt", "file: mm-lru/list.c\n", "")
    t.series("sync")
    assert "toy_hooked" in t.read("mm/memory.c", t.src)
    assert os.access(t.src + "/drivers/misc/paging/toy.c", os.X_OK)
    assert not os.path.exists(t.src + "/mm/lru_page_list")


def test_sync_mends_strange_edits_and_left_locks(t):
    t.series("sync")
    t.write("mm/memory.c", "nonsense", t.src)
    os.unlink(t.src + "/fs/a.c")
    t.write(".git/index.lock", "", t.src)
    t.series("sync")
    assert "toy_hook" in t.read("mm/memory.c", t.src) and os.path.exists(t.src + "/fs/a.c")


def test_sync_goes_to_another_base_and_back(t):
    t.series("sync")
    t.edit("Makefile", "99", "100", t.kernel)
    t.edit("mm/memory.c", "int line_1;", "int line_0;\nint line_1;", t.kernel)
    t.commit_kernel()
    t.series("sync")
    assert "line_0" in t.read("mm/memory.c", t.src) and "toy_hook" in t.read("mm/memory.c", t.src)
    t.series("check", "am")
    t.git("checkout", "-q", "HEAD^", where=t.kernel)
    t.series("sync")
    assert "line_0" not in t.read("mm/memory.c", t.src)


def test_build_directory_can_be_moved(t):
    t.series("sync")
    t.series("tree")
    os.rename(t.project, t.top + "/moved")
    os.environ.update()
    t.project = t.top + "/moved"
    t.build, t.src, t.tree = (t.project + d for d in ("/build", "/build/src", "/build/tree"))
    t.series("sync")
    t.series("capture")


def round_trip(t):
    before = t.content()
    output = t.series("capture")
    assert t.content() == before and "captured 0 files" in output, output


def test_round_trip(t):
    t.series("tree")
    round_trip(t)
    t.series("tree")


def test_round_trip_on_a_base_with_other_line_numbers(t):
    t.edit("mm/memory.c", "int line_1;", "int line_0;\nint line_1;", t.kernel)
    t.edit("MAINTAINERS", "\tMaintainers\n", "\tMaintainers\n\tof this\n", t.kernel)
    t.commit_kernel()
    t.series("tree")
    round_trip(t)


def test_round_trip_keeps_how_a_recipe_is_written(t):
    t.edit(SERIES + "0002-start.txt", "Begin with little.", "Begin with little.   \n\n\n\nAnd then?")
    t.edit(SERIES + "0002-start.txt", "Date: Sat, 21", "Date: Sat, 21")
    t.series("compose")
    t.series("tree")
    round_trip(t)


def amend(t, subject, change, *extra):
    """Change the commit with that subject as `git rebase -i` with an `edit` does."""
    ids = t.git("log", "--reverse", "--format=%H %s", "base..main").splitlines()
    at = next(n for n, line in enumerate(ids) if line.split(" ", 1)[1] == subject)
    t.git("checkout", "-q", ids[at].split()[0])
    change()
    t.git("add", "-A")
    t.git("commit", "-q", "--amend", *(extra or ["--no-edit"]))
    for line in ids[at + 1:]:
        t.git("cherry-pick", line.split()[0])
    t.git("checkout", "-q", "-B", "main")


def test_uncommitted_edit_of_own_file(t):
    t.series("tree")
    t.edit("drivers/misc/paging/toy.c", "more", "much", t.tree)
    t.series("capture")
    assert "much" in t.read("drivers-misc-paging/toy.c") and "+int much;" in t.read("patches/0003-finish.patch")
    round_trip(t)
    t.series("check", "drift", "partition", "am")


def test_uncommitted_edit_of_a_foreign_file(t):
    t.series("tree")
    t.edit("mm/memory.c", "line_30", "line_x", t.tree)
    t.fails("capture", saying=["mm/memory.c", "commit it, or amend"])
    t.fails("tree", saying="not captured")


def test_uncommitted_new_file(t):
    t.series("tree")
    t.write("drivers/misc/paging/new.c", "int n;\n", t.tree)
    t.fails("capture", saying=["drivers/misc/paging/new.c", "commit it, or amend"])
    t.write("drivers/misc/paging/new.built", "", t.tree)
    os.unlink(t.tree + "/drivers/misc/paging/new.c")
    round_trip(t)


def test_uncommitted_removal(t):
    t.series("tree")
    os.unlink(t.tree + "/drivers/misc/paging/toy.c")
    t.fails("capture", saying="drivers/misc/paging/toy.c")


def test_amended_stage_message_and_hook(t):
    t.series("tree")
    amend(t, "misc: toy: begin", lambda: t.write("include/uapi/linux/toy.h", "extern int other;\n", t.tree),
          "-m", "misc: toy: begin well\n\nSo.\n\n" + SIGN)
    amend(t, "mm: add a line", lambda: t.edit("mm/memory.c", "int toy_hook;", "int toy_hook;\nint second;", t.tree))
    t.series("capture")
    text = t.read(SERIES + "0002-start.txt")
    assert "Subject: misc: toy: begin well\n" in text and "\nSo.\n" in text and "08:02:00" in text, text
    assert t.read("drivers-misc-paging/uapi/toy.h") == "extern int other;\n"
    assert t.read(SERIES + "0002-start.d/drivers/misc/paging/toy.c") == toy.START
    hook = t.read(SERIES + "0001-mm-hook.diff")
    assert "+int second;" in hook and "index" not in hook and "include/linux/mm.h" in hook, hook
    assert ".txt" not in "".join(p for p in t.content() if "begin-well" in p)
    t.series("check", "drift", "partition", "am")
    round_trip(t)


def commit(t, subject, *changes):
    for change in changes:
        change()
    t.git("add", "-A")
    t.git("commit", "-q", "-m", subject + "\n\nWhy.\n\n" + SIGN)


def test_new_commits(t):
    t.series("tree")
    commit(t, "misc: toy: add another file!", lambda: t.write("drivers/misc/paging/other.c", "int o;\n", t.tree),
           lambda: t.edit("drivers/misc/paging/toy.c", "more", "much", t.tree))
    commit(t, "mm: only a hook", lambda: t.edit("mm/memory.c", "int line_30;", "int line_30;\nint h;", t.tree))
    commit(t, "docs: toy", lambda: t.write("Documentation/mm/toy.rst", "toy\n", t.tree))
    t.series("capture")
    t.series("check", "drift", "partition", "budget", "am")
    new = t.read(SERIES + "0006-add-another-file.txt")
    assert "file: drivers-misc-paging/other.c\nfile: drivers-misc-paging/toy.c\n\nWhy.\n" in new, new
    assert "toy.c" not in t.read(SERIES + "0003-finish.txt")
    assert t.read(SERIES + "0003-finish.d/drivers/misc/paging/toy.c") == toy.FINAL
    assert "much" in t.read("drivers-misc-paging/toy.c")
    assert "+int h;" in t.read("mm-lru/series/0007-only-a-hook.diff")
    assert "file: Documentation/mm/toy.rst" in t.read("Documentation/series/0008-toy.txt")
    round_trip(t)
    t.series("tree")
    round_trip(t)


def test_dropped_commit(t):
    t.series("tree")
    last = t.git("rev-parse", "HEAD").strip()
    t.git("reset", "-q", "--hard", "HEAD~2")
    t.git("cherry-pick", last, "-Xtheirs")
    t.series("capture")
    left = [p for p in t.content() if "selftests" in p]
    assert not left, left
    assert os.path.exists(t.project + "/mm-lru/series/0005-list.txt")
    t.series("check", "drift", "partition", "am")
    round_trip(t)


def test_reordered_commits(t):
    t.series("tree")
    ids = t.git("log", "--reverse", "--format=%H", "base..main").split()
    t.git("reset", "-q", "--hard", "base")
    for commit_id in [ids[n] for n in (1, 0, 2, 3, 4)]:
        t.git("cherry-pick", commit_id)
    t.series("capture")
    assert os.path.exists(t.project + "/" + SERIES + "0001-start.txt")
    assert os.path.exists(t.project + "/" + SERIES + "0002-mm-hook.diff")
    t.series("check", "drift", "partition", "am")
    round_trip(t)


def test_commit_split_in_two(t):
    t.series("tree")
    ids = t.git("log", "--reverse", "--format=%H", "base..main").split()
    t.git("reset", "-q", "--hard", ids[0])
    t.git("cherry-pick", "-n", ids[1])
    t.git("reset", "-q", "MAINTAINERS")
    t.git("commit", "-q", "-C", ids[1])
    t.git("commit", "-q", "-a", "-C", ids[1])
    t.git("commit", "-q", "--amend", "-m", "MAINTAINERS: toy\n\n" + SIGN)
    for commit_id in ids[2:]:
        t.git("cherry-pick", commit_id)
    t.series("capture")
    assert os.path.exists(t.project + "/" + SERIES + "0003-toy.diff")
    t.series("check", "drift", "partition", "am")
    round_trip(t)


def test_moved_file_and_changed_mode(t):
    t.series("tree")
    amend(t, "selftests: toy: test it", lambda: (
        t.git("mv", "tools/testing/selftests/toy/run.sh", "tools/testing/selftests/toy/go.sh"),
        os.chmod(t.tree + "/tools/testing/selftests/toy/go.sh", 0o644)))
    t.series("capture")
    content = t.content()
    assert "selftests/toy/run.sh" not in content and content["selftests/toy/go.sh"][0] == 0o644
    t.series("check", "drift", "partition", "am")
    round_trip(t)


def refused_commit(change, words):
    def test(t):
        t.series("tree")
        commit(t, "misc: x", lambda: change(t))
        before = t.content()
        t.fails("capture", saying=words)
        assert t.content() == before
    return test


test_file_in_no_folder = refused_commit(lambda t: t.write("kernel/new.c", "", t.tree), ["kernel/new.c", "misc: x"])
test_removal_of_own_file = refused_commit(lambda t: os.unlink(t.tree + "/drivers/misc/paging/toy.c"), "git rebase -i")
test_removal_of_kernel_file = refused_commit(lambda t: os.unlink(t.tree + "/kernel/a.c"), "kernel/a.c")
test_link = refused_commit(lambda t: os.symlink("x", t.tree + "/drivers/misc/paging/l"), "plain file")


def test_message_without_sign_off(t):
    t.series("tree")
    t.edit("drivers/misc/paging/toy.c", "more", "much", t.tree)
    t.git("commit", "-q", "-a", "-m", "misc: x")
    t.fails("capture", saying="Signed-off-by")


def test_edits_on_both_sides(t):
    t.series("tree")
    t.edit("drivers-misc-paging/toy.c", "toy = 1", "toy = 2")
    t.edit("drivers/misc/paging/toy.c", "more", "much", t.tree)
    t.fails("capture", saying="edited both")
    t.edit("drivers-misc-paging/toy.c", "toy = 2", "toy = 1")
    t.edit("drivers-misc-paging/uapi/toy.h", "int", "long")
    output = t.series("capture")
    assert "kept drivers-misc-paging/uapi/toy.h" in output, output
    assert "much" in t.read("drivers-misc-paging/toy.c") and "long" in t.read("drivers-misc-paging/uapi/toy.h")
    t.series("tree")
    assert "long" in t.read("include/uapi/linux/toy.h", t.tree)
    round_trip(t)


def test_tree_keeps_work(t):
    t.series("tree")
    t.edit("drivers/misc/paging/toy.c", "more", "much", t.tree)
    t.fails("tree", saying=["not captured", "make capture"])
    t.fails("untree", saying="not captured")
    t.git("commit", "-q", "-a", "--amend", "--no-edit")
    t.fails("tree", saying="not captured")
    t.series("capture")
    t.series("tree")
    t.series("untree")
    assert not os.path.exists(t.tree)


def test_capture_without_a_tree_or_in_the_middle_of_a_rebase(t):
    t.fails("capture", saying="make tree")
    t.series("tree")
    os.mkdir(t.tree + "/.git/rebase-merge")
    t.fails("capture", saying="under way")
    t.fails("tree", saying="not captured")


def test_capture_of_commits_on_something_else(t):
    t.series("tree")
    t.git("checkout", "-q", "--orphan", "other")
    t.git("commit", "-q", "-m", "other")
    t.fails("capture", saying="`base`")


def test_interrupted_tree_starts_again(t):
    for left in ("tree.tmp", "tree.commits", "src.tmp"):
        shutil.copytree(t.kernel, t.build + "/" + left)
    t.series("tree")
    t.series("sync")
    round_trip(t)
    assert not [n for n in os.listdir(t.build) if n.startswith(("tree.", "src."))]


if __name__ == "__main__":
    toy.main(globals())
