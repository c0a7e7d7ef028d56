# SPDX-License-Identifier: GPL-2.0
"""Tests of mm_parity that need no guest: python3 scripts/tests/test_mm_parity.py."""

import contextlib
import io
import os
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]
sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import mm_parity
import mm_side
import tap
from mm_results import Comparison, Result, differences, parts


def boot_of(*lines):
    boot = mm_side.Boot()
    for line in lines:
        boot.take(line)
    return boot


def result(status, *lines, kernel=()):
    test = mm_side.Test("some_test")
    test.status, test.lines, test.kernel = status, list(lines), list(kernel)
    return Result(test)


COMPLAINT = ["[    1.000000] BUG: Bad page state in process x"]


class Lines(unittest.TestCase):
    def test_a_test_has_what_stands_between_its_begin_and_its_done(self):
        boot = boot_of("begin 3 ksm_tests -U", "| ok 1 a", "| begin 9 no", "kernel [ 1.0] hello", "done 3 4 17 lru",
                       "end 3")
        test = boot.tests[3]
        self.assertEqual((test.name, test.status, test.seconds, test.policy), ("ksm_tests -U", 4, 17, "lru"))
        self.assertEqual((test.lines, test.kernel), (["ok 1 a", "begin 9 no"], ["[ 1.0] hello"]))
        self.assertTrue(boot.ended)

    def test_the_end_of_the_guest_is_seen(self):
        boot = boot_of("begin 1 a", "done 1 timeout 60 lru", "begin 2 b")
        self.assertEqual((boot.tests[1].status, boot.running(), boot.ended), ("timeout", True, False))

    def test_a_failure_of_the_guest_ends_it(self):
        with self.assertRaisesRegex(Exception, "no swap"):
            boot_of("fail no swap")


class Parts(unittest.TestCase):
    def test_tap(self):
        lines = ["TAP version 13", "1..3", "ok 1 - one", "not ok 2 two", "ok 3 three # SKIP no", "#ok 4 x"]
        self.assertEqual(parts(lines), {"one": "ok", "two": "not ok", "three": "skip"})

    def test_userfaultfd(self):
        self.assertEqual(parts(["Testing move on anon... done", "Testing poison on shmem... skipped [reason: no]",
                                "Testing wp... failed [reason: x]"]),
                         {"Testing move on anon": "ok", "Testing poison on shmem": "skip", "Testing wp": "not ok"})

    def test_khugepaged(self):
        lines = ["Run test: collapse_full (madvise:anon)", "Collapse multiple PTE table.... \x1b[32mOK\x1b[0m",
                 "Run test: collapse_full (madvise:shmem)", "Collapse multiple PTE table.... Fail"]
        self.assertEqual(parts(lines), {"collapse_full (madvise:anon): Collapse multiple PTE table": "ok",
                                        "collapse_full (madvise:shmem): Collapse multiple PTE table": "not ok"})

    def test_cow(self):
        lines = ["# [RUN] Basic COW after fork() ... with base page", "ok 1 No leak from parent into child"]
        self.assertEqual(parts(lines), {"Basic COW after fork() ... with base page: No leak from parent into child": "ok"})

    def test_names_are_those_of_another_run(self):
        self.assertEqual(parts(["ok 1 reaping a child with 12MB", "ok 2 at 0x7f00", "ok 3 18 pages (0.2%)", "ok 4 THP (64 kB)"]),
                         {"reaping a child with NMB": "ok", "at N": "ok", "N pages (N.N%)": "ok", "THP (64 kB)": "ok"})

    def test_a_name_that_comes_again_is_another_part(self):
        self.assertEqual(parts(["ok 1 a", "not ok 2 a", "ok 3 a"]),
                         {"a": "ok", "a (again 1)": "not ok", "a (again 2)": "ok"})


class Verdicts(unittest.TestCase):
    def compared(self, base, ours, *more):
        made = Comparison("some_test", base, ours)
        for was, is_now in more:
            made.base.append(was)
            made.ours.append(is_now)
        return made.verdict()

    def test_same(self):
        self.assertEqual(self.compared(result(0), result(0)), "same")
        self.assertEqual(self.compared(result(1, "not ok 1 a"), result(1, "not ok 1 a")), "same")

    def test_another_status_differs(self):
        for status in (1, 4, 137, "timeout", "stuck", "down"):
            self.assertEqual(self.compared(result(0), result(status)), "differs")

    def test_another_part_differs(self):
        base, ours = result(1, "ok 1 a", "not ok 2 b"), result(1, "not ok 1 a", "not ok 2 b")
        self.assertEqual(self.compared(base, ours), "differs")
        self.assertEqual(list(differences(base, ours)), ["a: ok on the base, not ok on ours"])

    def test_a_timeout_is_no_pass(self):
        self.assertEqual(self.compared(result("timeout", "ok 1 a"), result("timeout")), "timeout on both")

    def test_a_skip_is_no_pass(self):
        self.assertEqual(self.compared(result(4, "must be root"), result(4)), "skipped on both: must be root")

    def test_a_complaint_of_ours_alone_always_differs(self):
        self.assertEqual(self.compared(result(0), result(0, kernel=COMPLAINT), (result(0), result(0))), "differs")
        self.assertEqual(self.compared(result(0, kernel=COMPLAINT), result(0, kernel=COMPLAINT)), "same")

    def test_unsteady_if_both_once_gave_the_same(self):
        self.assertEqual(self.compared(result(0), result(1), (result(0), result(0))), "unsteady")
        self.assertEqual(self.compared(result(0), result(1), (result(0), result(1))), "differs")

    def test_what_fails_on_ours_alone_more_than_once_differs(self):
        good, bad = result(0), result(1)
        self.assertEqual(self.compared(good, bad, (good, good), (good, bad)), "differs")
        self.assertEqual(self.compared(good, bad, (bad, good), (good, bad)), "unsteady")
        self.assertEqual(self.compared(good, bad, (good, good), (good, good)), "unsteady")
        self.assertEqual(self.compared(good, bad, (result(2), good), (good, result(3))), "unsteady")


class Guests(unittest.TestCase):
    """Sides whose guests are a shell that prints something."""

    def side(self, *answers):
        side, given = mm_side.Side("ours", "/none"), iter(answers)
        side.command = lambda where: ["sh", "-c", next(given) + "; cat " + where + "/plan >&2"]
        return side

    def run_on(self, side, told=lambda *_: None):
        with tempfile.TemporaryDirectory() as where:
            programs = os.path.join(where, "mm")
            os.mkdir(programs)
            return side.run(programs, os.path.join(HERE, "mm_guest.sh"), {"": 0}, [], told)

    def test_goes_on_behind_what_ended_a_boot(self):
        side = self.side("echo begin 1 a; echo done 1 0 1 lru; echo begin 2 b",
                         "echo begin 3 c; echo done 3 timeout 9 lru", "echo begin 4 d; echo done 4 0 1 lru; echo end 4")
        tests = self.run_on(side)
        self.assertEqual({number: test.status for number, test in tests.items()}, {1: 0, 2: "down", 3: "timeout", 4: 0})
        self.assertIn("FROM='1'", tests[2].kernel)
        self.assertEqual(side.boots, 3)

    def test_each_end_of_a_test_is_told_once(self):
        told = []
        side = self.side("echo begin 1 a; echo done 1 0 1 lru; echo begin 2 b",
                         "echo begin 3 c; echo done 3 timeout 9 lru; echo end 3")
        self.run_on(side, lambda _, number, test: told.append((number, test.name, test.status)))
        self.assertEqual(told, [(1, "a", 0), (2, "b", "down"), (3, "c", "timeout")])

    def test_ends_a_guest_that_says_nothing(self):
        with mock.patch.object(mm_side, "GRACE", 0.2):
            tests = self.run_on(self.side("echo begin 1 a; exec sleep 60", "echo end 1"))
        self.assertEqual(tests[1].status, "stuck")

    def test_two_boots_without_a_test_are_an_error(self):
        with self.assertRaisesRegex(Exception, "no kernel"):
            self.run_on(self.side("echo no kernel >&2", "echo no kernel >&2"))


class Told(unittest.TestCase):
    def tap(self, *comparisons):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            failed = mm_parity.tap(dict(enumerate(comparisons)), ["CONFIG_LRU_PAGE_LIST"])
        return failed, tap.parse(out.getvalue())

    def test_each_verdict_is_counted_as_what_it_is(self):
        failed, results = self.tap(
            Comparison("a", result(0), result(0)), Comparison("b", result("timeout"), result("timeout")),
            Comparison("c", result(0), result(1)), Comparison("d", result(4, "must be root"), result(4)))
        self.assertEqual(failed, 1)
        self.assertEqual(results.failed, ["c"])
        self.assertEqual([name for name, _ in results.skipped], ["b", "d"])
        self.assertEqual(len(results.passed), 2)


class Hooks(unittest.TestCase):
    """mm_hooks.bash under the machine's own bash, with a list of tests of its own."""

    LIST = """#!/bin/bash
pretty_name() { echo "$*" | sed -e 's/^\\(bash \\)\\?\\.\\///'; }
run_test() { echo theirs; }
CATEGORY=x run_test ./good 1
CATEGORY=x run_test ./bad
CATEGORY=x run_test ./slow
CATEGORY=x run_test ./good 2
"""
    PROGRAMS = {"good": "printf 'ok 1 a\\nno newline'", "bad": "exit 3", "slow": "echo begun; sleep 60",
                "mseal_test": "exit 4", "seal_elf": ":", "droppable": ":", "khugepaged": ":",
                "test_vmalloc.sh": ":"}

    def run_list(self, first, only=""):
        with tempfile.TemporaryDirectory() as where:
            for name, text in {"list": self.LIST, **{n: "#!/bin/sh\n" + t for n, t in self.PROGRAMS.items()}}.items():
                with open(os.path.join(where, name), "w") as out:
                    out.write(text + "\n")
                os.chmod(out.name, 0o755)
            with open(os.path.join(HERE, "mm_hooks.bash")) as text:
                hooks = text.read().replace("/run/output", where + "/output").replace("dmesg -c", "printf ''")
            # Nothing of this machine's is to be changed.
            hooks = hooks.replace("fresh\n", ":\n").replace("/proc/self/oom_score_adj", "/dev/null")
            with open(os.path.join(where, "hooks"), "w") as out:
                out.write(hooks)
            env = dict(os.environ, BASH_ENV=os.path.join(where, "hooks"), LIMIT="60", LIMITS="good 1=60,slow=2",
                       FROM=str(first), ONLY=only)
            done = subprocess.run(["bash", "./list"], cwd=where, env=env, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True)
        return boot_of(*done.stdout.splitlines()), done

    def test_runs_the_list_up_to_what_takes_too_long(self):
        boot, done = self.run_list(1)
        self.assertEqual([(test.name, test.status) for test in boot.tests.values()],
                         [("good 1", 0), ("bad", 3), ("slow", "timeout")])
        self.assertEqual(boot.tests[1].lines, ["ok 1 a", "no newline"])
        self.assertEqual(boot.tests[3].lines, ["begun"])
        self.assertNotIn("theirs", done.stdout)
        self.assertFalse(boot.ended)

    def test_goes_on_from_a_number(self):
        boot, _ = self.run_list(4)
        self.assertEqual({number: test.name for number, test in boot.tests.items()},
                         {4: "good 2", 5: "mseal_test", 6: "seal_elf", 7: "droppable", 8: "khugepaged all:shmem",
                          9: "khugepaged all:file /tmp", 10: "test_vmalloc.sh test_loop_count=100"})
        self.assertTrue(boot.ended)

    def test_only_what_is_named(self):
        boot, _ = self.run_list(1, "bad,good 2")
        self.assertEqual({number: test.name for number, test in boot.tests.items()}, {2: "bad", 4: "good 2"})
        self.assertTrue(boot.ended)


if __name__ == "__main__":
    unittest.main()
