# SPDX-License-Identifier: GPL-2.0
"""Tests of the experiments walker, monitor and kernel_memory that need no guest:
python3 scripts/tests/exp_walker.py, or with the name of a class for that one alone."""

import contextlib
import importlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

HERE = os.path.dirname(os.path.abspath(__file__))
EXP = os.path.join(HERE, "..", "exp")
sys.path[:0] = [os.path.join(HERE, "..", "lib")]
sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import kernels


def load(experiment, *names):
    """Modules of an experiment; those of two of them have the same names."""
    for name in ("run", "page", "figures", "data", "records", "report", "cost", "accuracy", "truth"):
        sys.modules.pop(name, None)
    path = os.path.join(EXP, experiment)
    sys.path.insert(0, path)
    try:
        return [importlib.import_module(name) for name in names]
    finally:
        sys.path.remove(path)


def quiet(function, argv):
    with mock.patch.object(sys, "argv", argv), contextlib.redirect_stdout(io.StringIO()) as out, \
            contextlib.redirect_stderr(io.StringIO()):
        return function(), out.getvalue()


class FakeGuest:
    """Answers a plan with what the programs would print."""

    kernel_dir, emulated = "nowhere", True

    def __init__(self, answer):
        self.answer = answer

    def name(self):
        return "QEMU, machine fake"

    def run(self, where, _script):
        with open(os.path.join(where, "plan")) as plan:
            lines = plan.read().splitlines()
        yield "cond kernel 6.12.0 #1"
        yield "cond page_size 4096"
        for line in lines:
            yield from self.answer(line.split())
        yield "end"


class Base(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.out = os.path.join(self.dir.name, "out")
        for name in ("memalloc", "latency", "walk"):
            with open(os.path.join(self.dir.name, name), "w"):
                pass

    def tearDown(self):
        self.dir.cleanup()

    def run_it(self, run, answer, *arguments):
        with mock.patch.object(run.target, "Guest", lambda *a, **k: FakeGuest(answer)), \
                mock.patch.object(run.target, "programs_of", lambda *_: self.dir.name):
            return quiet(run.main, ["run", "--quick", "--out", self.out, *arguments])

    def facts(self):
        with open(os.path.join(self.out, "facts.json")) as text:
            return json.load(text)


class Walker(Base):
    def setUp(self):
        super().setUp()
        self.run_module, self.data, self.figures = load("walker", "run", "data", "figures")
        self.zero = 0

    def answer(self, words):
        yield "begin " + " ".join(words[:2])
        if words[0] == "layout":
            pages = int(words[2][:-1]) * 256
            half = pages // 2
            yield f"allocated scheme={words[1]} bytes={pages * 4096} block=4096 blocks={pages} ns=1 faults={pages}"
            yield "order first=0x1000000 second=0x1001010 last=0x2000000"
            yield f"run 0x1000000 0x40000000 {half}"
            yield f"run {0x1000000 + half * 4096:#x} {0x40000000 - half * 4096:#x} {pages - half}"
            yield (f"layout scheme={words[1]} page_bytes=4096 pages={pages} present={pages} zero={self.zero} va_ranges=1 "
                   f"runs=2 longest={half}")
        elif words[0] == "latency":
            yield "clock 32.00"
            for i, way in enumerate(self.data.WAYS):
                yield f"way {way} pages={words[1]} mean={100 * i}.50"
                yield f"value {way} {100 * i} {int(words[1]) - 10}"
                yield f"value {way} {100 * i + 50} 10"
            yield f"same {words[1]}"
        else:
            yield "dump VMA1: [0x00400000 - 0x00452000] (size: 328 KB)"
            yield "maps 00400000-00452000 r-xp"

    def test_everything_is_written(self):
        self.run_it(self.run_module, self.answer, "--kernels", "arm64")
        made = {os.path.join(os.path.relpath(where, self.out), name)
                for where, _, names in os.walk(self.out) for name in names}
        wanted = {f"part1/layout-{s}.{kind}" for s in ("4k", "2m", "calloc") for kind in ("png", "pdf")}
        wanted |= {"part1/Paging-Lab-Pagemap-Lat-CDF.pdf", "part2/Paging-Lab-Kernel-Lat-CDF.pdf",
                   "part1/va-pa-4k.csv", "part1/va-pa-4k.log.gz", "./index.html", "./facts.json"}
        self.assertLessEqual(wanted, made)
        self.assertEqual(self.facts()["layouts"]["4k"]["steps"], [0, 1, 1])

    def test_the_page_of_zeroes_stops_it(self):
        self.zero = 1
        with self.assertRaises(kernels.Error):
            self.run_it(self.run_module, self.answer, "--kernels", "arm64")
        self.assertFalse(os.path.exists(self.out))

    def test_titles_are_those_demanded(self):
        latency = self.data.Latency("x")
        for way in self.data.WAYS:
            latency.take("value", f"{way} 100 10")
        for title in ("Paging-Lab-Pagemap-Lat-CDF", "Paging-Lab-Kernel-Lat-CDF"):
            self.assertIn(title, (self.figures.PART1_TITLE, self.figures.PART2_TITLE))
            text = self.figures.cdf_script(title, latency, ["pread"], "pdf", "x.pdf")
            self.assertIn(f"set title '{title}'", text)
            self.assertIn("set ylabel 'percentile'", text)
            self.assertIn("microseconds", text)

    def test_cdf_ends_at_a_hundred(self):
        points = self.figures.cdf_points([(10, 3), (20, 1)])
        self.assertEqual(points, [(0.01, 0), (0.01, 75), (0.02, 75), (0.02, 100)])

    def test_bad_options(self):
        for words in (["--mib", "0"], ["--pages", "x"], ["--kernels", "vax"], ["--fast"]):
            with self.assertRaises(kernels.Error):
                self.run_module.parse(words)


class Cost(unittest.TestCase):
    def setUp(self):
        self.cost, = load("walker", "cost")
        self.dir = tempfile.TemporaryDirectory()
        self.out = os.path.join(self.dir.name, "out")
        self.figures = {name: 10 for work in self.cost.WORK for name in [work[1], *work[2]]}

    def tearDown(self):
        self.dir.cleanup()

    def run_it(self, *arguments):
        fake = mock.Mock(**{"run.side_effect": lambda *_: ["way,each", "noise"] + [
            f"{name},{cost}.5" for name, cost in self.figures.items()]})
        with mock.patch.object(self.cost.target, "Guest", lambda *a, **k: fake), \
                mock.patch.object(self.cost, "programs_of", lambda _: []):
            return quiet(self.cost.main, ["cost", "--out", self.out, *arguments])

    def test_all_limits_of_the_issue_are_there_and_met(self):
        status, said = self.run_it("--check")
        self.assertEqual(status, 0)
        self.assertEqual(said.count(" met"), 8)
        with open(os.path.join(self.out, "data.csv")) as text:
            self.assertIn("x86_64,range,10.5", text.read())
        with open(os.path.join(self.out, "facts.json")) as text:
            self.assertEqual(len(json.load(text)["tables"]), 3)

    def test_more_than_a_limit_fails_a_check_and_is_told_without_one(self):
        self.figures["range"] = 60
        self.assertEqual(self.run_it("--check", "--variant", "arm64")[0], 1)
        status, said = self.run_it("--variant", "arm64")
        self.assertEqual(status, 0)
        self.assertIn("NOT MET", said)
        self.assertEqual(self.run_it("--check", "--variant", "arm64-cost")[0], 0)

    def test_one_address_has_a_limit_of_its_own_on_x86_64(self):
        self.figures["in_module_locked"] = 280
        self.assertEqual(self.run_it("--check", "--variant", "x86_64")[0], 1)
        self.assertEqual(self.run_it("--check", "--variant", "arm64")[0], 0)

    def test_what_is_not_measured_is_an_error(self):
        del self.figures["contiguous_all_young_handed_on"]
        self.assertEqual(self.run_it("--variant", "x86_64")[0], 0)
        with self.assertRaises(kernels.Error):
            self.run_it("--variant", "arm64")

    def test_bad_options(self):
        for words in (["--variant", "vax"], ["--kernel", "x"], ["more"]):
            with self.assertRaises(kernels.Error):
                self.cost.parse(words)


class Report(unittest.TestCase):
    def setUp(self):
        self.report, = load("walker", "report")

    def test_every_place_in_the_template_is_filled(self):
        with open(os.path.join(EXP, "walker", "lab-report.md.in"), encoding="utf-8") as text:
            places = set(re.findall(r"@([A-Z_]+)@", text.read()))
        with open(self.report.__file__, encoding="utf-8") as text:
            code = text.read()
        self.assertEqual([place for place in places if f'"{place}"' not in code], [])

    def test_costs_and_accuracy_come_from_their_results(self):
        with tempfile.TemporaryDirectory() as results:
            for missing, read in (("exp/walker/cost", lambda: self.report.read_facts(results, "walker-cost", "cost")),
                                  ("exp/monitor/accuracy", lambda: self.report.read_accuracy(results))):
                with self.assertRaisesRegex(kernels.Error, missing):
                    read()
            os.makedirs(os.path.join(results, "accuracy"))
            with open(os.path.join(results, "accuracy", "accuracy.md"), "w") as text:
                text.write("# Title\n\nhow\n\n## a72: x\n\n| a |\n")
            self.assertEqual(self.report.read_accuracy(results), "how\n\n### a72: x\n\n| a |")
        made = self.report.cost_tables({"header": ["work", "ours"], "tables": {"arm64": [["one VA", "271.0"]]}})
        self.assertEqual(made, "arm64:\n\n| work | ours |\n| --- | --- |\n| one VA | 271.0 |")


class Monitor(Base):
    def setUp(self):
        super().setUp()
        self.run_module, self.records, self.figures = load("monitor", "run", "records", "figures")
        self.wrong = 0

    def answer(self, words):
        """Counts as they have to be, of 1000 and 1000 / pace sweeps a second."""
        name, _, seconds, pace, interval, _ = words
        yield f"begin {name}"
        yield "buffer va=0x7f0000000000 pages=1024 page_bytes=4096 present=1024 zero=0"
        scans = 1000 // int(interval) if int(interval) else 0
        sweeps = 1000 // int(pace)
        slow = max(min(sweeps, scans) - self.wrong, 0)
        for i in range(int(seconds) if scans else 0):
            yield (f"second seq={i + 1} start={i}000000000 end={i + 1}000000000 scans={scans} missed=0 "
                   f"interval={interval} sample=1 young=1 present=1024 granule=4096 hardware=1 scan_ns=1000 "
                   f"cpu_ns=2000 sweeps=1000/{sweeps} quarters {scans}.0/{scans}/{scans} {slow}.0/{slow}/{slow} "
                   f"0.0/0/0 0.0/0/0")
            yield "bins " + " ".join([str(100 * scans)] * 4 + [str(100 * slow)] * 4 + ["0"] * 8)
        yield "sweeps quarter=0 nr=1 per_second=1000.00"
        yield f"sweeps quarter=1 nr=1 per_second={sweeps}.00 pace_ms={pace}"
        yield "log [lkp25p3] monitor 1: ended"

    def test_everything_is_written(self):
        _, said = self.run_it(self.run_module, self.answer)
        names = set(os.listdir(os.path.join(self.out, "part2")))
        self.assertLessEqual({f"{run}.{kind}" for run in ("heat-100ms", "pace-100ms", "pace-10ms", "slow-100ms")
                              for kind in ("png", "pdf", "csv")}, names)
        self.assertIn("expected   10.00, counted   10.00", said)

    def test_saturation_is_seen_and_said(self):
        self.run_it(self.run_module, self.answer)
        runs = self.facts()["runs"]
        self.assertEqual(runs["heat-100ms"]["saturated"], [0, 1])
        self.assertEqual(runs["pace-10ms"]["saturated"], [0])
        with open(os.path.join(self.out, "index.html"), encoding="utf-8") as text:
            self.assertIn("saturated", text.read())

    def test_wrong_counts_are_an_error(self):
        self.wrong = 1
        with self.assertRaises(kernels.Error):
            self.run_it(self.run_module, self.answer)
        self.assertFalse(os.path.exists(self.out))

    def test_a_missing_record_is_an_error(self):
        run = self.records.Run("x", "x", 1, 100)
        run.rates = [1, 1]
        with self.assertRaises(kernels.Error):
            run.check_complete(1)

    def test_a_cold_page_that_is_counted_is_an_error(self):
        run = self.records.Run("x", "x", 1, 100)
        run.take("second", "seq=1 scans=10 sweeps=10/10 quarters 10/10/10 10/10/10 0.1/0/1 0/0/0")
        self.assertGreater(run.worst(), self.records.TOLERANCE)


class Accuracy(unittest.TestCase):
    """Of 64 pages; a watcher says what the test lets it say."""

    def setUp(self):
        self.accuracy, self.truth = load("monitor", "accuracy", "truth")
        self.dir = tempfile.TemporaryDirectory()
        self.out = os.path.join(self.dir.name, "out")
        for name in ("x86_64", "arm64"):
            os.makedirs(os.path.join(self.dir.name, name, "selftests", "lkp25p3"))
            with open(os.path.join(self.dir.name, name, "selftests", "lkp25p3", "accuracy"), "w"):
                pass
        self.counts = "0*8 10*24 0*32"
        self.ended = True

    def tearDown(self):
        self.dir.cleanup()

    def lines(self, where, _script):
        with open(os.path.join(where, "plan")) as plan:
            for line in plan.read().splitlines():
                watcher, _, periods, _, _ = line.split()
                yield f"watcher {watcher}"
                yield "pattern dense"
                for _ in range(int(periods)):
                    yield f"truth {((1 << 24) - 1) << 8:016x}"
                    if watcher == "monitor":
                        yield f"counts {self.counts}"
                    else:
                        yield from ("region 32 32 0", "region 0 16 5", "region 16 16 20")
                yield "cpu 1000 1000000"
                if watcher == "monitor":
                    yield "monitor granule=4096 hardware=1 interval_ms=100"
        if self.ended:
            yield "end"

    def run_it(self, *arguments):
        fake = mock.Mock(**{"run.side_effect": self.lines})
        with mock.patch.object(self.accuracy.target, "Guest", lambda *a, **k: fake), \
                mock.patch.object(kernels, "variant_dir", lambda name: os.path.join(self.dir.name, name)):
            return quiet(self.accuracy.main, ["accuracy", "--out", self.out, *arguments])

    def test_all_that_is_right_passes(self):
        status, said = self.run_it("--check")
        self.assertEqual(status, 0)
        self.assertEqual(set(os.listdir(self.out)), {"accuracy.md", "data.csv", "index.html"})
        self.assertEqual(said.count("accessed bits set by the CPU"), 3)
        # DAMON: 24 of the 32 pages that it says, and all there are.
        self.assertIn("75.00 %", said)

    def test_one_page_too_many_fails_a_check(self):
        self.counts = "0*7 10*25 0*32"
        self.assertEqual(self.run_it("--check")[0], 1)
        status, said = self.run_it()
        self.assertEqual(status, 0)
        self.assertIn("96.00 %", said)

    def test_one_page_lost_fails_a_check(self):
        self.counts = "0*9 10*23 0*32"
        self.assertEqual(self.run_it("--check", "--machine", "cortex-a72", "--quick")[0], 1)

    def test_an_early_end_is_an_error(self):
        self.ended = False
        with self.assertRaises(kernels.Error):
            self.run_it()
        self.assertFalse(os.path.exists(self.out))

    def test_scores(self):
        score = self.truth.Score().add(0b1111, 0b111100)
        self.assertEqual((score.both, score.wrong, score.lost), (2, 2, 2))
        self.assertEqual((score.precision(), score.recall(), score.quality()), (0.5, 0.5, 0.5))
        nothing = self.truth.Score().add(0, 0)
        self.assertTrue(nothing.exact())
        self.assertEqual((nothing.precision(), nothing.recall()), (1, 1))
        self.assertEqual(self.truth.Score().add(0, 1).precision(), 0)

    def test_what_is_nearly_all_is_not_called_all(self):
        self.assertEqual(self.accuracy.percent(1), "100 %")
        self.assertEqual(self.accuracy.percent(0.999999), "99.99 %")

    def test_the_best_threshold(self):
        watched = self.truth.Watched("x")
        for kind, rest in (("truth", "f0"), ("region", "0 4 3"), ("region", "4 4 9")):
            watched.take(kind, rest)
        least, score = watched.best()
        self.assertEqual((least, score.exact()), (4, True))
        self.assertEqual(watched.score().precision(), 0.5)

    def test_bad_options(self):
        for words in (["--machine", "vax"], ["--pages", "1"], ["--seed", "-1"], ["more"]):
            with self.assertRaises(kernels.Error):
                self.accuracy.parse(words)


class KernelMemory(unittest.TestCase):
    def setUp(self):
        self.report, = load("kernel_memory", "report")
        self.wrong_order = 0

    def answer(self, words):
        number = words[0]
        if number in self.report.REFUSED:
            yield f"run {number} 1 modprobe: Invalid argument"
            yield f"log [ 1.0] nr_structs={number} refused"
            return
        structs = 2000 if number == "default" else int(number)
        pages = (structs + 127) // 128
        yield f"run {number} 0 "
        yield "ps 50 k_memory SW"
        for text in ("Loaded kernel_memory module", f"Hello from thread k_memory. nr_structs={structs}",
                     f"nr_pages {pages}, order {self.report.order_of(pages) + self.wrong_order}, structs per page 128",
                     "page 0: frame 0x43218, first value 0", f"Success: all {structs} structs hold the right values",
                     "Unloaded kernel_memory module"):
            yield f"log [    1.234567] {text}"

    def run_it(self, out):
        guest = FakeGuest(self.answer)

        def lines(where, script):
            yield "cond model fake"
            yield from guest.run(where, script)
        fake = mock.Mock(emulated=True, **{"run.side_effect": lines, "name.return_value": "QEMU, machine fake"})
        with mock.patch.object(self.report.target, "Guest", lambda *a, **k: fake):
            quiet(self.report.main, ["report", "--out", out])

    def test_the_report_has_all_exercises(self):
        with tempfile.TemporaryDirectory() as out:
            self.run_it(out)
            with open(os.path.join(out, "kernel_memory.md"), encoding="utf-8") as text:
                made = text.read()
        for number in range(2, 6):
            self.assertIn(f"## Exercise {number}", made)
        self.assertIn("| 50000 | 391 | 9 |", made)
        self.assertNotRegex(made, r"@[A-Z_0-9]+@")

    def test_a_wrong_order_is_an_error(self):
        self.wrong_order = 1
        with tempfile.TemporaryDirectory() as out:
            with self.assertRaises(kernels.Error):
                self.run_it(out)
            self.assertEqual(os.listdir(out), [])


class Commands(unittest.TestCase):
    def test_errors_are_one_line_and_a_status(self):
        for words in (["walker/run", "--mib", "x"], ["walker/report", "--results", "/nowhere"],
                      ["walker/cost", "--variant", "arm64", "--kernel", "/nowhere"],
                      ["monitor/run", "--kernel", "/nowhere"], ["monitor/run", "--seconds", "0"],
                      ["monitor/accuracy", "--pages", "1"],
                      ["kernel_memory/report", "--kernel", "/nowhere"]):
            with tempfile.TemporaryDirectory() as where:
                done = subprocess.run([os.path.join(EXP, words[0]), *words[1:], "--out", os.path.join(where, "out")],
                                      capture_output=True, text=True, check=False)
                self.assertEqual(os.listdir(where), [], words)
            self.assertNotEqual(done.returncode, 0)
            self.assertNotIn("Traceback", done.stderr)
            self.assertTrue(done.stderr.startswith(words[0].split("/")[1] + ": "), done.stderr)

    def test_scripts_for_the_guest_are_plain_sh(self):
        for name in ("walker", "monitor", "kernel_memory"):
            subprocess.run(["sh", "-n", os.path.join(EXP, name, "measure.sh")], check=True)
        subprocess.run(["sh", "-n", os.path.join(EXP, "walker", "cost.sh")], check=True)
        subprocess.run(["sh", "-n", os.path.join(EXP, "monitor", "accuracy.sh")], check=True)


if __name__ == "__main__":
    unittest.main()
