# SPDX-License-Identifier: GPL-2.0
"""scripts/series check: every proof fails on the defect that it is there for."""

import os
import subprocess

import toy
from toy import MEMORY, MISC, SERIES, Skip, Toy, hook


def good(t):
    assert "not ok" not in t.series("check", "drift", "partition", "budget", "am")


def test_a_good_series_passes(t):
    good(t)


DRIFT = {
    "edited_patch": lambda t: t.edit("patches/0003-finish.patch", "Finish it", "Finished"),
    "missing_patch": lambda t: t.delete("patches/0003-finish.patch"),
    "stale_patch": lambda t: t.write("patches/0003-old.patch", "x"),
    "edited_file": lambda t: t.edit("drivers-misc-paging/toy.c", "toy = 1", "toy = 2"),
    "edited_mode": lambda t: os.chmod(t.project + "/drivers-misc-paging/toy.c", 0o755),
    "edited_hook": lambda t: t.edit(SERIES + "0001-mm-hook.diff", "+int toy_hook", "+int toy_hooks"),
    "edited_message": lambda t: t.edit(SERIES + "0003-finish.txt", "Finish it", "Finished"),
    "edited_cover_letter": lambda t: t.write("Documentation/series/cover-letter.txt", "Subject: other\n"),
}

PARTITION = {
    "unlisted_file": (lambda t: t.write("drivers-misc-paging/more.c", ""), "drivers-misc-paging/more.c"),
    "unlisted_documentation": (lambda t: t.write("Documentation/mm/toy.rst", ""), "Documentation/mm/toy.rst"),
    "doubly_listed": (lambda t: t.edit(SERIES + "0003-finish.txt", "file:", "file: drivers-misc-paging/uapi/toy.h\nfile:"),
                      ["uapi/toy.h", "0002-start", "0003-finish"]),
    "listed_but_missing": (lambda t: t.delete("mm-lru/list.c"), "mm-lru/list.c"),
    "stage_of_nothing": (lambda t: t.write(SERIES + "0002-start.d/drivers/misc/paging/other.c", ""), "other.c"),
    "stage_after_the_file": (lambda t: os.rename(t.project + "/" + SERIES + "0002-start.d",
                                                 t.project + "/" + SERIES + "0003-finish.d"), "0003-finish"),
    "stage_like_the_file": (lambda t: t.write("drivers-misc-paging/toy.c", toy.START), "as it was before"),
    "hook_on_own_file": (lambda t: t.write(SERIES + "0003-finish.diff", hook(
        "drivers/misc/paging/toy.c", "a\nb\n", "a\nc\nb\n")), "is a file of the series"),
    "index_line": (lambda t: t.edit(SERIES + "0001-mm-hook.diff", "--- a/mm/memory.c",
                                    "index 1234567..89abcde 100644\n--- a/mm/memory.c"), "mm/memory.c"),
    "new_file_in_hooks": (lambda t: t.edit(SERIES + "0001-mm-hook.diff", "--- a/mm/memory.c",
                                           "new file mode 100644\n--- a/mm/memory.c"), "mm/memory.c"),
    "one_place_twice": (lambda t: t.write("mm-lru/include/uapi/linux/toy.h", ""), "include/uapi/linux/toy.h"),
}


def many(count, text="int more_%d;\n"):
    return MEMORY + "".join(text % n if "%" in text else text for n in range(count))


def own_hook(new, path="mm/memory.c", old=MEMORY, recipe=SERIES + "0003-finish.diff"):
    return lambda t: t.write(recipe, hook(path, old, new))


BUDGET = {
    "too_many_lines": (own_hook(many(79)), "81 lines"),
    "too_many_lines_of_mm_lru": (own_hook(many(151), recipe="mm-lru/series/0005-list.diff"), "151 lines"),
    "too_many_lines_removed": (own_hook(MEMORY.replace("".join("int line_%d;\n" % n for n in range(5, 16)), "")), "11 lines"),
    "if_in_foreign_code": (own_hook(MEMORY.replace("int line_9", "#ifdef CONFIG_TOY\nint line_9")), "#ifdef CONFIG_TOY"),
    "elif_in_foreign_code": (own_hook(MEMORY.replace("int line_9", "# elif X\nint line_9")), "elif X"),
}


def fails_at(proof, change, words):
    def test(t):
        change(t)
        t.fails("check", proof, saying=["not ok 1 - " + proof] + ([words] if isinstance(words, str) else list(words)))
    return test


for name, change in DRIFT.items():
    globals()["test_drift_" + name] = fails_at("drift", change, "make patches")
for name, (change, words) in PARTITION.items():
    globals()["test_partition_" + name] = fails_at("partition", change, words)
for name, (change, words) in BUDGET.items():
    globals()["test_budget_" + name] = fails_at("budget", change, words)


def test_budget_just_reached(t):
    own_hook(many(78))(t)
    assert "80 of 80" in t.series("check", "budget")


def test_budget_does_not_count_kconfig(t):
    own_hook(MISC + "\n" * 200, "drivers/misc/Kconfig", MISC)(t)
    assert "2 of 80" in t.series("check", "budget")


def test_budget_allows_if_in_a_header(t):
    own_hook("int a;\n#ifdef X\nint b;\nint c;\n", "include/linux/mm.h", "int a;\nint b;\nint c;\n")(t)
    t.series("check", "budget")


def test_hooks_that_git_am_refuses(t):
    t.edit(SERIES + "0001-mm-hook.diff", " int line_21;", " int line_1021;")
    t.series("compose")
    t.fails("check", "am", saying=["not ok 1 - am", "`mm: add a line`", "mm/memory.c"])
    t.fails("sync", saying=[SERIES + "0001-mm-hook.diff", "mm/memory.c"])
    t.fails("am", saying=["`mm: add a line`", "mm/memory.c"])
    t.fails("tree", saying="mm/memory.c")
    assert not os.path.exists(t.src) and not os.path.exists(t.tree)
    assert not [n for n in os.listdir(t.build) if n.endswith(".tmp")]


def test_patches_that_give_another_tree(t):
    t.edit("patches/0003-finish.patch", "+int more;", "+int much;")
    t.fails("check", "am", saying="drivers/misc/paging/toy.c")


def test_file_that_the_base_has_already(t):
    t.write("drivers/misc/paging/toy.c", "int theirs;\n", t.kernel)
    t.commit_kernel()
    t.fails("sync", saying=["drivers-misc-paging/toy.c", "drivers/misc/paging/toy.c"])


def kernel_scripts():
    """checkpatch.pl and kernel-doc of the kernel that the project itself uses."""
    done = subprocess.run([toy.ROOT + "/scripts/base"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    base = done.stdout.decode().strip()
    if not base:
        raise Skip("there is no kernel's source here")
    for name in ("checkpatch.pl", "kernel-doc", "spelling.txt", "const_structs.checkpatch"):
        yield "scripts/" + name, subprocess.run(["git", "-C", base, "cat-file", "blob", "base:scripts/" + name],
                                                stdout=subprocess.PIPE, check=True).stdout


def linted(t):
    return Toy(list(kernel_scripts()))


def with_scripts(test):
    def wrapped(_):
        t = linted(_)
        try:
            test(t)
        finally:
            t.remove()
    return wrapped


@with_scripts
def test_checkpatch(t):
    assert "not ok" not in t.series("check", "checkpatch", "kernel-doc")
    t.edit("drivers-misc-paging/toy.c", "int more;\n", "int more; \n")
    t.series("compose")
    t.fails("check", "checkpatch", saying=["0003-finish.patch", "toy.c:3: ERROR:TRAILING_WHITESPACE"])
    exception = "drivers/misc/paging/toy.c TRAILING_WHITESPACE: a reason\n"
    t.write("scripts/checkpatch-exceptions", "# comment\n" + exception)
    t.series("check", "checkpatch")
    t.write("scripts/checkpatch-exceptions", exception + "mm/x.c OTHER: a reason\n")
    t.fails("check", "checkpatch", saying="one entry")
    t.write("scripts/checkpatch-exceptions", exception.replace(" a reason", ""))
    t.fails("check", "checkpatch", saying="is not")


@with_scripts
def test_checkpatch_finds_it_in_a_message(t):
    t.edit(SERIES + "0003-finish.txt", "Finish it.", "Finish it, " + "and so on " * 10)
    t.series("compose")
    t.fails("check", "checkpatch", saying="COMMIT_LOG_LONG_LINE")


@with_scripts
def test_kernel_doc(t):
    t.edit("drivers-misc-paging/toy.c", "int more;\n", "/**\n * more - is more\n * @a: one\n */\nint more(int b)\n{\n"
           "\treturn b;\n}\n")
    t.fails("check", "kernel-doc", saying=["toy.c", "'b'"])


def test_unknown_proof(t):
    status, output = t.run("series", "check", "nonsense")
    assert status == 2 and "nonsense" in output


if __name__ == "__main__":
    toy.main(globals())
