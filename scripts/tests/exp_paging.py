# SPDX-License-Identifier: GPL-2.0
"""Tests of the experiment scripts that need no guest: python3 scripts/tests/exp_paging.py"""

import contextlib
import io
import os
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

HERE = os.path.dirname(os.path.abspath(__file__))
EXP = os.path.join(HERE, "..", "exp", "paging")
sys.path[:0] = [EXP, os.path.join(HERE, "..", "lib")]
sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import cost
import htmlreport
import kernels
import page
import plot
import results
import run
import start
import stats
from modes import MODES


def row(program, mode, size, number, map_ns, work_ns):
    return (f"row {program} {mode} {number} size={size} map_ns={map_ns} work_ns={work_ns} "
            f"sum_ns={map_ns + work_ns} map_faults=1 work_faults=24 checked=1")


class FakeGuest:
    """What measure.sh and perf.sh would print for the plan."""

    kernel_dir = "nowhere"

    def __init__(self, broken=None, emulated=True):
        self.broken, self.emulated = broken, emulated

    def name(self):
        return "QEMU, machine fake" if self.emulated else "a board"

    def run(self, where, script):
        with open(os.path.join(where, "plan")) as plan:
            lines = plan.read().splitlines()
        if self.broken:
            lines = lines[:5]
        if script == "perf.sh":
            yield from self.perf(lines)
            return
        yield "cond kernel 6.12.0 #1"
        yield "cond option PREEMPT"
        for i, line in enumerate(lines):
            program, mode, _, demand, _, _, _, size, number = line.split()
            slow = 1000 if demand == "0" else 10
            yield row(program, mode, int(size), number, slow * int(size) + i, 1000 * int(size) + 7 * i)
        if self.broken == "fail":
            yield "fail dense_mm 64, demand: Bus error"
        yield "counter allocated 384"
        yield "counter freed 384"
        yield "log Unloaded kmod_paging module"
        if self.broken != "short":
            yield "end"

    @staticmethod
    def perf(lines):
        for line in lines:
            program, mode, *_, size, _ = line.split()
            yield f"perf {program} {mode} {size} page-faults 46 0.00%"
            yield f"perf {program} {mode} {size} instructions none 0.00%"
            yield f"perf {program} {mode} {size} cycles 1000 0.10%"


def run_with(guest, arguments, programs):
    """main() of run with a fake guest; returns its exit status."""
    with mock.patch.object(run.target, "Guest", lambda *a, **k: guest), \
            mock.patch.object(run.target, "programs_of", lambda _: programs), \
            mock.patch.object(run, "qemu_version", lambda: "QEMU 0"), \
            mock.patch.object(sys, "argv", ["run", *arguments]), \
            contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return run.main()


class Stats(unittest.TestCase):
    def test_summary(self):
        s = stats.Summary([1, 2, 3, 10])
        self.assertEqual((s.n, s.min, s.max, s.mean, s.median), (4, 1, 10, 4, 2.5))
        self.assertAlmostEqual(s.stddev, 4.0824829)

    def test_one_value_has_no_deviation(self):
        self.assertEqual(stats.Summary([5]).stddev, 0)

    def test_compare_tells_apart(self):
        self.assertEqual(stats.compare([1, 2, 3, 4, 5], [11, 12, 13, 14, 15]), -1)
        self.assertEqual(stats.compare([11, 12, 13, 14, 15], [1, 2, 3, 4, 5]), 1)

    def test_compare_sees_noise(self):
        self.assertEqual(stats.compare([1, 9, 2, 8, 5], [2, 8, 3, 7, 4]), 0)
        self.assertEqual(stats.compare([5] * 5, [5] * 5), 0)

    def test_one_outlier_does_not_hide_a_difference(self):
        self.assertEqual(stats.compare([1, 1, 2, 2, 1, 1, 2, 2, 1, 90], [5, 6, 5, 6, 5, 6, 5, 6, 5, 6]), -1)

    def test_digits(self):
        self.assertEqual([stats.digits(x) for x in (0, 0.012345, 1.5, 12.34, 1234)],
                         ["0", "0.0123", "1.50", "12.3", "1234"])
        self.assertEqual(stats.duration(1234567), "1.23 ms")


class Run(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.out = os.path.join(self.dir.name, "paging")
        self.programs = os.path.join(self.dir.name, "programs")
        os.mkdir(self.programs)
        for name in run.PROGRAMS:
            open(os.path.join(self.programs, name), "w").close()

    def tearDown(self):
        self.dir.cleanup()

    def run_it(self, guest=None, *arguments):
        return run_with(guest or FakeGuest(), ["--quick", "--out", self.out, *arguments], self.programs)

    def read(self, name):
        with open(os.path.join(self.out, name), encoding="utf-8") as text:
            return text.read()

    def test_everything_is_written(self):
        self.assertEqual(self.run_it(), 0)
        made = set(os.listdir(self.out))
        graphs = {f"dense_mm-{m}.{kind}" for m in ("mmap", "work", "sum") for kind in ("png", "pdf")}
        self.assertLessEqual(graphs | {"data.csv", "summary.csv", "perf.csv", "index.html",
                                       "dense_mm-mmap.svg"}, made)

    def test_all_runs_are_in_the_data(self):
        self.run_it()
        plan = len(run.make_plan(run.parse(["--quick"])))
        self.assertEqual(len(self.read("data.csv").splitlines()), plan + 1)

    def test_page_is_one_file_and_honest(self):
        self.run_it()
        text = self.read("index.html")
        self.assertIn("under an emulator", text)
        self.assertIn("A quick run", text)
        self.assertIn("not counted", text)
        self.assertNotIn("http", text)
        self.assertNotIn('src="d', text.replace('src="data:', ""))

    def test_a_board_is_not_called_an_emulator(self):
        self.run_it(FakeGuest(emulated=False))
        self.assertNotIn("under an emulator", self.read("index.html"))
        self.assertNotIn("under QEMU", self.read("index.html"))

    def test_verdict_is_from_the_data(self):
        self.run_it()
        text = self.read("facts.json")
        self.assertIn("mmap(): demand paging was faster than pre-paged, single pages at every size", text)

    def test_a_run_that_stopped_leaves_nothing(self):
        for kind in ("fail", "short", "few"):
            with self.assertRaises(kernels.Error):
                self.run_it(FakeGuest(kind))
            self.assertEqual(os.listdir(self.dir.name), ["programs"])

    def test_a_run_that_stopped_keeps_the_last_report(self):
        self.run_it()
        before = self.read("data.csv")
        with self.assertRaises(kernels.Error):
            self.run_it(FakeGuest("fail"))
        self.assertEqual(self.read("data.csv"), before)

    def test_somebody_elses_directory_is_left_alone(self):
        os.mkdir(self.out)
        open(os.path.join(self.out, "thesis.tex"), "w").close()
        with self.assertRaises(OSError):
            self.run_it()
        self.assertEqual(os.listdir(self.out), ["thesis.tex"])

    def test_bad_options_are_one_sentence(self):
        for words in (["--sizes", "0"], ["--sizes", "x"], ["--runs", "0"], ["--sizes", "70000"], ["--fast"]):
            with self.assertRaises(kernels.Error):
                run.parse(words)


class Plot(unittest.TestCase):
    def test_underscores_and_quotes_stay(self):
        text = plot.script("dense_mm's", "x", "y", [("a", [(1, 2, 1, 3)])], "png", "/tmp/x.png")
        self.assertIn("'dense_mm''s'", text)
        self.assertIn("noenhanced", text)

    def test_error_bars_never_reach_zero(self):
        data = mock.Mock()
        data.sizes.return_value = [64]
        data.summary.return_value = stats.Summary([0, 5, 5])
        self.assertGreater(page.points(data, "dense_mm", "demand", "map_ns")[0][2], 0)


class Cost(unittest.TestCase):
    WAYS = {way: dict(mmap_touch="1000", all="2000") for work in cost.WORK for way in work[1:3]}

    def rows(self, **changed):
        ways = {way: dict(value, **changed.get(way, {})) for way, value in self.WAYS.items()}
        return [cost.Row("arm64-cost", work, ways) for work in cost.WORK]

    def complaints(self, reference=None, **changed):
        return [text for r in self.rows(**changed) for text in r.complaints(reference or {})]

    def test_over_the_limit(self):
        self.assertTrue(any("more than the limit of 550" in text for text in self.complaints()))

    def test_within_the_limits(self):
        fine = {way: {"mmap_touch": "250"} for _, way, _, _, _ in cost.WORK}
        self.assertEqual(self.complaints(**fine), [])

    def test_worse_than_the_peer(self):
        texts = self.complaints(demand={"all": "2001"})
        self.assertTrue(any("worse than anonymous with 2000" in text for text in texts))

    def test_regression_of_the_ratio(self):
        fine = {way: {"mmap_touch": "250"} for _, way, _, _, _ in cost.WORK}
        key = "arm64-cost: demand fault + touch"
        self.assertEqual(self.complaints({key: 0.24}, **fine), [])
        self.assertTrue(any("more than 10 % worse" in text for text in self.complaints({key: 0.22}, **fine)))


class Start(unittest.TestCase):
    LOG = ["Loaded kmod_paging module", "paging_vma_fault() invoked: took a page fault at VA 0x1"]

    def test_a_bus_error_is_right(self):
        self.assertEqual(start.check({"status": ["135"], "log": self.LOG}), 135)

    def test_anything_else_is_not_the_starting_point(self):
        for status, log in (("0", self.LOG), ("139", self.LOG), ("135", []), ("135", self.LOG[:1])):
            with self.assertRaises(kernels.Error):
                start.check({"status": [status], "log": log})


class Commands(unittest.TestCase):
    def test_errors_are_one_line_and_a_status(self):
        for words in (["run", "--runs", "x"], ["run", "--kernel", "/nowhere"], ["cost", "--variant", "x"],
                      ["start", "--kernel", "/nowhere"], ["report", "--results", "/nowhere"]):
            with tempfile.TemporaryDirectory() as where:
                extra = ["--out", os.path.join(where, "out")]
                done = subprocess.run([os.path.join(EXP, words[0]), *words[1:], *extra],
                                      capture_output=True, text=True, check=False)
                self.assertEqual(os.listdir(where), [])
            self.assertNotEqual(done.returncode, 0)
            self.assertNotIn("Traceback", done.stderr)
            self.assertTrue(done.stderr.startswith(words[0] + ": "), done.stderr)

    def test_scripts_for_the_guest_are_plain_sh(self):
        for name in ("measure.sh", "perf.sh", "cost.sh", "start.sh"):
            subprocess.run(["sh", "-n", os.path.join(EXP, name)], check=True)


class Html(unittest.TestCase):
    def test_text_is_escaped(self):
        made = htmlreport.Page("<a>", "&")
        made.table(["<"], [[">"]])
        self.assertNotIn("<a>", made.parts[0])
        self.assertIn("&gt;", made.parts[-1])

    def test_modes_are_named_apart(self):
        self.assertEqual(len({mode.name for mode in MODES}), len(MODES))
        self.assertEqual(len({mode.fields for mode in MODES}), len(MODES))
        self.assertEqual(set(results.MEASURES), {"map_ns", "work_ns", "sum_ns"})


if __name__ == "__main__":
    unittest.main()
