# SPDX-License-Identifier: GPL-2.0
"""Tests of the experiments of lru_page_list that need no guest:
python3 scripts/tests/exp_lru.py, or with the name of a class for that one alone."""

import contextlib
import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import types
import unittest
from unittest import mock

HERE = os.path.dirname(os.path.abspath(__file__))
LRU = os.path.join(HERE, "..", "exp", "lru")
sys.path[:0] = [os.path.join(HERE, "..", "lib"), LRU]
sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import bench
import five
import kernels
import limits
import oom
import records
import report
import results
import run
import simulate


def quiet(function, argv):
    with mock.patch.object(sys, "argv", argv), contextlib.redirect_stdout(io.StringIO()) as out, \
            contextlib.redirect_stderr(io.StringIO()) as errors:
        return function(), out.getvalue(), errors.getvalue()


class FakeGuest:
    """Answers a plan with what the programs would print."""

    plans = []
    sizes = []

    def __init__(self, answer, ends=True, mem=None):
        self.answer, self.ends = answer, ends
        FakeGuest.sizes.append(mem)

    def run(self, where, _script):
        with open(os.path.join(where, "plan")) as plan:
            lines = plan.read().splitlines()
        FakeGuest.plans.append(lines)
        yield "cond kernel 6.12.0 #1"
        for line in lines:
            words = line.split()
            if words[0] == "run":
                yield from self.answer(words[1:])
        if self.ends:
            yield "end"


class Base(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.out = os.path.join(self.dir.name, "lru")
        for name in ("fiveproc", "bench", "oom_load"):
            with open(os.path.join(self.dir.name, name), "w"):
                pass
        FakeGuest.plans, FakeGuest.sizes = [], []

    def tearDown(self):
        self.dir.cleanup()

    def with_guest(self, answer, main, argv, ends=True):
        with mock.patch.object(records.target, "Guest", lambda *a, **k: FakeGuest(answer, ends, k["mem"])):
            return quiet(main, argv)


class Five(Base):
    """A kernel whose every policy is exact LRU, unless a test has changed that."""

    def setUp(self):
        super().setUp()
        self.result = {}            # (policy, key): value
        self.bad, self.status, self.without_guard, self.failing = 0, 0, False, None

    def answer(self, words):
        name, policy, place, program, *options = words
        if policy == "guard" and self.without_guard:
            yield "refused guard"
            return
        yield f"begin {name}"
        if program == "fiveproc":
            yield from self.fiveproc(policy, records.fields(" ".join(options)))
        elif program == "perf":
            yield from ("1000,,page-faults:u,1,100.00,,", "<not supported>,,cycles,1,100.00,,", "5000,,instructions,1,,")
        else:
            for work in ("allocate", "touch", "free", "compute"):
                yield f"bench work={work} ns_page=100.5 minor=10 major=1"
            yield f"total policy={policy} load=0 idle=0 ms=100 kswapd_pct=1.00 klrud_pct=0.50"
        status = int(f"pattern={self.failing}" in options) or self.status
        if status:
            yield from [f"log {second}: killed" for second in range(10)]
        yield f"done {name} {status}"
        yield from ("stat passes 100", "stat reached_ms 300")

    def fiveproc(self, policy, words):
        made = {"touches_s": "100000", "faults": "20000", "miss": "35.00", "scan_steal": "1.000", "frames": "3500",
                "klrud_pct": "0.50", "bad": self.bad, "cpu_us": "800000", "touch_ns": "4000", "pages": "2300", "counted_ms": "800",
                "fidelity": "99.90"}
        made.update({key: value for (which, key), value in self.result.items() if which == policy})
        yield "pages=2300 procs=5 page_size=4096"
        for when in ("start", "100", "200", "end"):
            for process in range(1, 6):
                yield f"resident when={when} proc={process} hot=10 of {20 * process} cold=5 of {100 - 20 * process}"
        for process in range(1, 6):
            yield f"proc={process} touches=16000 faults=4000 miss=25.00 bad=0 cpu_us=160000"
        yield (f"result policy=x pattern={words['pattern']} load={words['load']} seed={words['seed']} "
               + " ".join(f"{key}={value}" for key, value in made.items()))
        if words.get("order") == "1":
            yield "order resident=3500 in_queue=3500 apart_12ms=99 apart_60ms=99.950 apart_200ms=100"

    def run_it(self, *arguments, ends=True):
        return self.with_guest(self.answer, run.main, ["run", "--quick", "--programs", self.dir.name, "--out", self.out,
                                                       *arguments], ends)

    def facts(self):
        with open(os.path.join(self.out, "facts.json")) as text:
            return json.load(text)

    def test_everything_is_written(self):
        self.assertEqual(self.run_it()[0], 0)
        names = set(os.listdir(self.out))
        self.assertLessEqual({"data.csv", "facts.json", "index.html", "miss.png", "miss.svg", "touches_s.pdf",
                              "resident-rand-200.png", "resident-shift-200.png", "fidelity.png", "scan_steal.png"}, names)
        with open(os.path.join(self.out, "index.html"), encoding="utf-8") as text:
            page = text.read()
        for said in ("emulator", "A quick run", "What it must show", "Belady", "not counted", "frames"):
            self.assertIn(said, page)
        with open(os.path.join(self.out, "data.csv"), newline="") as text:
            rows = list(csv.DictReader(text))
        self.assertEqual({row["policy"] for row in rows if row["measure"] == "sim_lru"}, set(records.USUAL))
        self.assertIn("resident_hot_pct", {row["measure"] for row in rows})

    def test_all_policies_of_a_seed_are_in_one_boot_and_take_turns_to_be_first(self):
        self.run_it("--seeds", "3", "--no-bench", "--cases", "rand:200")
        firsts = []
        self.assertEqual(len(FakeGuest.plans), 3)
        for plan in FakeGuest.plans:
            names = [line.split()[1] for line in plan if line.startswith("run ")]
            self.assertEqual(set(names), set(records.USUAL))
            firsts.append(names[0])
        self.assertEqual(len(set(firsts)), 3)

    def test_without_guard_the_page_says_so(self):
        self.without_guard = True
        self.run_it()
        self.assertEqual(self.facts()["refused"], ["guard"])
        with open(os.path.join(self.out, "index.html"), encoding="utf-8") as text:
            self.assertIn("left out: this kernel refused it", text.read())

    def test_wrong_contents_fail_a_check(self):
        self.bad = 1
        status, _, errors = self.run_it("--check", "--limit", "miss=100")
        self.assertEqual(status, 1)
        self.assertIn("pages with wrong contents", errors)

    def test_more_scanned_than_reclaimed_fails_a_check_and_is_told_without_one(self):
        self.assertEqual(self.run_it("--check", "--limit", "miss=100")[0], 0)
        self.result["always", "scan_steal"] = "1.300"
        status, _, errors = self.run_it("--check", "--limit", "miss=100")
        self.assertEqual(status, 1)
        self.assertIn("scan-always: pgscan / pgsteal", errors)
        status, said, _ = self.run_it("--limit", "miss=100")
        self.assertEqual(status, 0)
        self.assertIn("NOT MET", said)

    def test_misses_that_are_not_those_of_lru_fail_a_check(self):
        self.result["lru", "miss"] = "90.00"
        self.assertEqual(self.run_it("--check")[0], 1)

    def test_what_was_missed_before_may_be_missed_again_but_not_worse(self):
        self.result["always", "scan_steal"] = "1.300"
        self.run_it("--limit", "miss=100")
        kept = os.path.join(self.dir.name, "kept.json")
        results.keep(kept, {"facts": self.facts()})
        status, _, errors = self.run_it("--check", "--limit", "miss=100", "--known", kept)
        self.assertEqual(status, 0)
        self.assertIn("which is known", errors)
        self.result["always", "scan_steal"] = "1.500"
        self.assertEqual(self.run_it("--check", "--limit", "miss=100", "--known", kept)[0], 1)
        with self.assertRaisesRegex(kernels.Error, "--known"):
            self.run_it("--known", "/nowhere")

    def test_a_program_that_fails_is_an_error(self):
        self.status = 1
        with self.assertRaisesRegex(kernels.Error, "ended with 1"):
            self.run_it()
        self.assertFalse(os.path.exists(self.out))

    def test_a_boot_that_fails_fails_the_run_but_not_the_others(self):
        self.failing = "shift"
        status, _, errors = self.run_it()
        self.assertEqual(status, 1)
        self.assertIn("1 boots failed", errors)
        self.assertIn("shift:200, seed 1", self.facts()["failed"][0])
        # All of the kernel's log that came, not the last lines of what was printed.
        self.assertIn("log 0: killed", self.facts()["failed"][0])
        self.assertIn("result policy", self.facts()["failed"][0])
        with open(os.path.join(self.out, "index.html"), encoding="utf-8") as text:
            self.assertIn("These boots failed", text.read())

    def test_a_guest_that_ends_early_is_an_error(self):
        with self.assertRaisesRegex(kernels.Error, "ended early"):
            self.run_it(ends=False)

    def made_report(self, where=None):
        """The text of a report of what is in a directory, made beside the one of before."""
        quiet(report.main, ["report", "--results", where or self.dir.name, "--out", os.path.join(self.dir.name, "made")])
        with open(os.path.join(self.dir.name, "made", "lru_page_list.md"), encoding="utf-8") as text:
            return text.read()

    def copied(self, name, **conditions):
        """Another run with the results of the first."""
        where = os.path.join(self.dir.name, name)
        shutil.copytree(self.out, where)
        path = os.path.join(where, "facts.json")
        with open(path, encoding="utf-8") as text:
            facts = json.load(text)
        facts["conditions"].update(conditions)
        with open(path, "w", encoding="utf-8") as text:
            json.dump(facts, text)
        return where

    def test_the_report_is_filled(self):
        self.run_it()
        made = self.made_report()
        self.assertNotRegex(made, r"@[A-Z_0-9]+@")
        self.assertIn("| rand:200 | lru |", made)
        self.assertIn("quick run", made)
        for image in re.findall(r"\]\(([^)]*\.(?:svg|png))\)", made):
            self.assertTrue(os.path.exists(os.path.join(self.dir.name, "made", image)), image)

    def test_a_run_with_other_parameters_is_in_the_report(self):
        self.run_it()
        self.copied("lru-with-step=250", **{"more for fiveproc": "step=250"})
        made = self.made_report()
        self.assertRegex(made, r"(?m)^### .*, step=250$")
        self.assertRegex(made, r"(?m)^\| shift, 200 % \| step=250 \| 1 \| [0-9]")
        self.assertRegex(made, r"(?m)^\| shift, 200 % \| zipf=100 hot=20 step=500 by=50 \| 1 \| [0-9]")

    def test_what_is_not_run_again_stays_in_the_report(self):
        self.run_it()
        self.copied("lru-with-step=250", **{"more for fiveproc": "step=250", "kernel image": "sha256 one"})
        first = self.made_report()
        # All of it from what was kept.
        self.assertEqual(self.made_report(os.path.join(self.dir.name, "nothing")), first)
        # A new run of one of them: the other is as it was, and the report says of which kernels they are.
        again = os.path.join(self.dir.name, "again")
        os.mkdir(again)
        shutil.move(self.copied("new", **{"kernel image": "sha256 two"}), os.path.join(again, "lru"))
        made = self.made_report(again)
        self.assertRegex(made, r"(?m)^\| `lru` \| .* \| sha256 two \| 1 \|$")
        self.assertRegex(made, r"(?m)^\| `lru-with-step=250` \| .* \| sha256 one \| 1 \|$")
        told = "Of another kernel than section 2: sha256 one, not sha256 two.\n\n"
        self.assertIn(told, made)
        section = [re.sub(r"Of another kernel .*\n\n", "", text.partition("### QEMU")[2].partition("## Conditions")[0])
                   for text in (first, made)]
        self.assertEqual(*section)

    def test_what_the_budget_costs_is_in_the_report(self):
        self.run_it("--policies", "lru,budget-2,budget-8,guard,guard-always")
        self.copied("lru-budget")
        made = self.made_report()
        for policy in ("lru", "budget-2", "budget-8"):
            self.assertRegex(made, rf"(?m)^\| rand, 200 % \| {policy} \|")
        self.assertIn("all the time that it wants", made)
        self.assertNotIn("was not measured", made)

    def test_other_patterns_are_in_the_report(self):
        self.run_it()
        self.assertIn("Other patterns were not run.", self.made_report())
        self.run_it("--cases", "gauss:200,threeloop:110", "--no-bench")
        shutil.copytree(self.out, os.path.join(self.dir.name, "lru-patterns"))
        self.run_it()
        made = self.made_report().partition("### What it must show")[0]
        self.assertRegex(made, r"(?m)^\| gauss, 200 % \|")
        self.assertRegex(made, r"(?m)^\| threeloop, 110 % \|")
        self.assertIn("In none of these", made)

    def test_the_conditions_tell_kernels_apart(self):
        for contents, known in ((b"one", "sha256 7692c3ad3540"), (b"two", "sha256 3fc4ccfe7458"), (None, "unknown")):
            if contents:
                with open(os.path.join(self.dir.name, "Image"), "wb") as file:
                    file.write(contents)
            else:
                os.remove(os.path.join(self.dir.name, "Image"))
            self.assertEqual(records.image(types.SimpleNamespace(arch="arm64", kernel=self.dir.name)), known)

    def test_on_a_real_machine(self):
        with mock.patch.object(records.target, "Ssh", lambda host: FakeGuest(self.answer)), \
                mock.patch.object(records, "host_mib", lambda host: 3792):
            self.run_it("--host", "root@pi")
        self.assertEqual(FakeGuest.plans[0][0], "swap zram 15168")
        conditions = self.facts()["conditions"]
        self.assertEqual((conditions["where"], conditions["memory"]), ("root@pi, a real machine", "3792 MiB"))
        with open(os.path.join(self.out, "index.html"), encoding="utf-8") as text:
            made = text.read()
        self.assertIn("This ran on a real machine", made)
        self.assertNotIn("under an emulator", made)
        with self.assertRaisesRegex(kernels.Error, "of a real machine: the report is of guests"):
            self.made_report()
        for words in (["--mem", "1G"], ["--cpu", "max"], ["--swap", "disk"], ["--jobs", "2"]):
            with self.assertRaisesRegex(kernels.Error, "are for guests"):
                run.parse(["--host", "root@pi", *words])

    def test_bad_options(self):
        for words in (["--seeds", "0"], ["--cases", "vax:200"], ["--cases", "rand"], ["--cases", "rand/disk:100"],
                      ["--policies", "fifo"], ["--policies", "lru,lru"], ["--limit", "x=1"], ["--limit", "scan-lru=x"],
                      ["--mem", "x"], ["--arch", "vax"], ["more"]):
            with self.assertRaises(kernels.Error, msg=words):
                run.parse(words)

    def test_cases(self):
        case = five.Case("zipf/file:200")
        self.assertEqual((case.pattern, case.file, case.load, case.fits()), ("zipf", True, 200, False))
        self.assertTrue(five.Case("rand:78").fits())


class Simulator(unittest.TestCase):
    """Its exact LRU, OPT and random victim, where what has to come is known."""

    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.TemporaryDirectory()
        cls.sim = simulate.compile_sim(os.path.join(cls.dir.name, "sim"))

    @classmethod
    def tearDownClass(cls):
        cls.dir.cleanup()

    def misses(self, *words):
        text = subprocess.run([self.sim, *words], capture_output=True, text=True, check=True).stdout
        return {found["policy"]: float(found["miss"]) for found in map(records.fields, text.splitlines())}

    def test_a_loop_over_a_tenth_more_than_fits(self):
        found = self.misses("cyclic", "2000", "5400", "1", "ms=8000", "touch_ns=5000", "fault_ns=5000")
        # Processes that do not fault turn round faster than memory does: not all of them must miss.
        self.assertGreater(found["lru"], 3 * found["opt"])
        self.assertGreater(found["lru"], found["random"])

    def test_opt_is_the_best_and_all_fits_misses_nothing(self):
        found = self.misses("zipf", "2000", "3000", "1", "ms=4000")
        self.assertLess(found["opt"], min(found["lru"], found["random"]))
        found = self.misses("rand", "2000", "7000", "1", "ms=4000")
        self.assertEqual(found["lru"], 0)

    def test_one_cost_of_a_touch_or_one_for_each(self):
        usual = ("rand", "2000", "5000", "1", "ms=2000", "fault_ns=5000")
        self.assertEqual(self.misses(*usual, "touch_ns=7000"), self.misses(*usual, "touch_ns=7000,7000,7000,7000,7000"))
        # Those that touch less lose their pages, and miss more.
        self.assertNotEqual(self.misses(*usual, "touch_ns=7000,7000,7000,7000,70000"), self.misses(*usual, "touch_ns=7000"))
        for bad in ("0", "7000,7000", "7000,7000,7000,7000,0", "x"):
            done = subprocess.run([self.sim, *usual, f"touch_ns={bad}"], capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (2, f"sim: what is touch_ns={bad}?\n"))

    def costs(self, *processes):
        """processes: (touches, faults, us)"""
        made = [dict(zip(("touches", "faults", "cpu_us"), one)) for one in processes]
        row = {"touch_ns": 4000, "counted_ms": 8000}
        row.update({name: sum(one[name] for one in made) for name in ("touches", "faults")})
        touch, fault = five.costs(row, made)
        passed = sum(ns * one["touches"] for ns, one in zip(touch, made)) + fault * row["faults"]
        self.assertAlmostEqual(passed / 8e9, 1, 3)
        return touch, fault

    def test_costs_are_found_from_what_each_process_took(self):
        # 9 us a touch, 30 us a fault; 5 s of CPU time took 8 s.
        touch, fault = self.costs(*((n, f, (9 * n + 30 * f)) for n, f in
                                    ((150000, 0), (110000, 5000), (60000, 15000), (48300, 18910), (35000, 23000))))
        share = 8 / sum((9 * n + 30 * f) / 1e6 for n, f in
                        ((150000, 0), (110000, 5000), (60000, 15000), (48300, 18910), (35000, 23000)))
        self.assertTrue(all(abs(ns / share - 9000) < 2 for ns in touch))
        self.assertLess(abs(fault / share - 30000), 2)

    def test_costs_where_processes_are_all_alike(self):
        touch, fault = self.costs(*5 * [(200000, 10000, 1200000)])
        self.assertEqual(touch, 5 * [round(4000 * 8 / 6)])
        self.assertEqual(fault, round(40000 * 8 / 6))

    def test_costs_where_nothing_faults(self):
        touch, fault = self.costs((300000, 0, 1000000), (200000, 0, 1000000), (100000, 3, 1000000), (100000, 0, 1000000),
                                  (100000, 0, 1000000))
        self.assertEqual(fault, 1)
        self.assertLess(touch[0], touch[1])


class Held(unittest.TestCase):
    LINES = [f"resident when={when} proc={k} hot={hot} of 100 cold={cold} of 50"
             for when, hot, cold in (("start", 100, 50), (1000, 90, 40), (8000, 60, 30), (9000, 50, 30), ("end", 1, 1))
             for k in range(1, 6)]

    def record(self, *lines):
        made = records.Record("lru")
        made.lines = ["pages=150", *lines]
        return made

    def test_frames_are_those_of_the_time_that_counts(self):
        self.assertEqual(five.held(self.record(*self.LINES), 8000), (5 * 90 + 5 * 80) / 2)
        self.assertIsNone(five.held(self.record(*self.LINES), 10000))
        self.assertIsNone(five.held(self.record(), 0))

    def test_series_is_what_was_resident_of_each(self):
        self.assertEqual(five.series(self.record(*self.LINES))[0], (1000, 5 * [(90, 80)]))


class FakeRun:
    def __init__(self, case, policy, **row):
        self.case, self.policy, self.seed, self.row = case, policy, 1, dict(bad=0, **row)


class Limits(unittest.TestCase):
    def judge(self, *runs):
        return {(line.name, line.case): line.met for line in limits.Judge(runs, limits.given([])).all()}

    def test_each_line_can_be_met_and_missed(self):
        def case(name, good, **rows):
            runs = [FakeRun(name, policy, **row) for policy, row in rows.items()]
            return {line for (line, _), met in self.judge(*runs).items() if met == good}
        peers = dict(touches_s=100, miss=30, faults_1000=50)
        self.assertLessEqual({"scan-lru", "random-lru", "random-guard", "fidelity-lru", "harvester", "miss", "faults-guard"}, case(
            "rand:200", True, classic=peers, mglru=peers,
            lru=dict(touches_s=96, miss=30, scan_steal=1.02, fidelity=97, klrud_pct=1, off_lru=-0.5, faults_1000=50),
            guard=dict(touches_s=98, miss=29, faults_1000=51.5)))
        self.assertLessEqual({"scan-lru", "random-lru", "random-guard", "fidelity-lru", "harvester", "miss", "faults-guard"}, case(
            "rand:200", False, classic=peers, mglru=peers,
            lru=dict(touches_s=94, miss=30, scan_steal=1.03, fidelity=96, klrud_pct=1.1, off_lru=-0.6, faults_1000=50),
            guard=dict(touches_s=97, miss=29, faults_1000=52)))
        self.assertLessEqual({"shift-classic", "shift-mglru", "shift-guard", "order-always", "fidelity-always"}, case(
            "shift:200", False, classic=peers, mglru=dict(peers, miss=29), lru=dict(miss=31),
            always=dict(apart_60ms=99.8, fidelity=99.4), guard=dict(miss=29.5, faults_1000=1)))
        self.assertIn("fits", case("rand:78", False, classic=dict(touches_s=100), lru=dict(touches_s=98)))
        self.assertIn("cyclic-guard", case("cyclic:110", False, guard=dict(miss=21, faults_1000=1)))
        self.assertIn("seq-guard", case("seq:200", False, guard=dict(miss=46, faults_1000=1)))

    def test_fewer_faults_are_judged_where_two_patterns_can_have_them(self):
        def runs(case, guard):
            return [FakeRun(case, policy, faults_1000=faults) for policy, faults in (("classic", 50), ("mglru", 60), ("guard", guard))]
        self.assertNotIn(("fewer-guard", "all"), self.judge(*runs("rand:200", 60)))
        self.assertTrue(self.judge(*runs("rand:200", 40), *runs("seq:200", 40))["fewer-guard", "all"])
        self.assertFalse(self.judge(*runs("rand:200", 40), *runs("seq:200", 50))["fewer-guard", "all"])

    def test_files_are_judged_as_memory_is(self):
        self.assertFalse(self.judge(FakeRun("rand/file:200", "lru", scan_steal=1.2, klrud_pct=0))["scan-lru", "rand/file:200"])

    def test_misses_off_both_ways_are_off(self):
        runs = [FakeRun("cyclic:110", "lru", off_lru=off) for off in (-20, 0.1, 20)]
        self.assertFalse(self.judge(*runs)["miss", "cyclic:110, lru"])

    def test_every_line_of_the_table_is_judged_somewhere(self):
        with open(limits.__file__) as text:
            code = text.read().partition("class Judge")[2]
        for name in limits.LIMITS:
            stem, _, last = name.partition("-")
            self.assertTrue(f'"{name}"' in code or f'"{stem}-{{' in code or f'-{last}"' in code, name)

    def test_limits_given(self):
        self.assertEqual(limits.given(["scan-lru=2"])["scan-lru"], 2)
        self.assertEqual(set(limits.given(["scan-lru=2"], ["bad"])), {"bad", "scan-lru"})


class Benches(unittest.TestCase):
    def test_perf_is_read(self):
        self.assertEqual(bench.perf_of(["bench work=x", "12,,page-faults:u,1,100.00,,", "<not counted>,,cycles,0,0.00,,",
                                        "7,,instructions,1,100.00,,"]), {"page-faults": 12, "instructions": 7})

    def test_more_than_classic(self):
        found = bench.Bench()
        for policy, ns in (("classic", 2.0), ("lru", 2.1)):
            found.found[f"tick:{policy}:0"] = {"compute": ns, "klrud_pct": 0.1}
        self.assertAlmostEqual(found.more_than_classic("lru", 0), 5)
        self.assertEqual(found.tick_rows()[1][3], "+5.000")


class Oom(Base):
    def setUp(self):
        super().setUp()
        self.reached = {}
        self.killed, self.status = 1, 0

    def answer(self, words):
        name, policy = words[:2]
        yield f"begin {name}"
        yield f"start policy={policy} available_mib=100"
        yield (f"oom policy={policy} reached_mib={self.reached.get(policy, 200)} ms=1000 signal=9 oom_kill={self.killed} "
               f"allocstall=10 swapped_mib=50")
        yield f"done {name} {self.status}"

    def run_it(self, *arguments):
        return self.with_guest(self.answer, oom.main, ["oom", "--programs", self.dir.name, "--out", self.out, *arguments])

    def test_all_sizes_and_swaps_are_there(self):
        status, said, _ = self.run_it("--check")
        self.assertEqual(status, 0)
        self.assertEqual(len(FakeGuest.plans), 9)
        self.assertIn("mglru-ttl", said)
        self.assertLessEqual({"data.csv", "facts.json", "index.html", "oom.svg", "oom.png"}, set(os.listdir(self.out)))

    def test_side_by_side_is_the_same(self):
        self.assertEqual(self.run_it("--check", "--jobs", "4")[0], 0)
        self.assertEqual(sorted(FakeGuest.sizes), sorted(["256M", "512M", "1G"] * 3))
        with open(os.path.join(self.out, "facts.json")) as text:
            self.assertEqual(len(json.load(text)["found"]), 9 * len(oom.LOADS) * len(oom.POLICIES))

    def test_a_boot_that_fails_is_told_beside_the_others(self):
        answer_of_all = self.answer

        def answer(words):
            if "file_mib=64" in words:
                raise kernels.Error("no such guest")
            yield from answer_of_all(words)

        self.answer = answer
        status, said, errors = self.run_it("--jobs", "2", "--swap", "no")
        self.assertEqual(status, 1)
        self.assertIn("512M, no: the boot failed: no such guest", errors)
        self.assertIn("256M", said)

    def test_an_early_kill_fails_a_check(self):
        self.reached["lru"] = 180
        status, _, errors = self.run_it("--check", "--mem", "256M", "--swap", "no")
        self.assertEqual(status, 1)
        self.assertIn("lru reached 0.900", errors)

    def test_a_program_that_fails_is_an_error(self):
        self.status = 1
        with self.assertRaisesRegex(kernels.Error, "ended with 1"):
            self.run_it("--quick")
        self.assertFalse(os.path.exists(self.out))

    def test_another_end_than_the_killer_fails_a_check(self):
        self.killed = 0
        self.assertEqual(self.run_it("--check", "--quick")[0], 1)

    def test_bad_options(self):
        for words in (["--swap", "tape"], ["--loads", "x"], ["--mem", "x"], ["--policies", "fifo"], ["more"]):
            with self.assertRaises(kernels.Error, msg=words):
                oom.parse(words)


class Commands(unittest.TestCase):
    def test_errors_are_one_line_and_a_status(self):
        for words in (["run", "--seeds", "x"], ["run", "--kernel", "/nowhere"], ["oom", "--kernel", "/nowhere"],
                      ["report", "--results", "/nowhere"]):
            with tempfile.TemporaryDirectory() as where:
                done = subprocess.run([os.path.join(LRU, words[0]), *words[1:], "--out", os.path.join(where, "out")],
                                      capture_output=True, text=True, check=False)
                self.assertEqual(os.listdir(where), [], words)
            self.assertNotEqual(done.returncode, 0)
            self.assertNotIn("Traceback", done.stderr)
            self.assertTrue(done.stderr.startswith(words[0] + ": "), done.stderr)

    def test_the_script_for_the_guest_is_plain_sh(self):
        subprocess.run(["sh", "-n", os.path.join(LRU, "measure.sh")], check=True)

    def test_every_place_in_the_template_is_filled(self):
        with open(os.path.join(LRU, "lab-report.md.in"), encoding="utf-8") as text:
            places = set(re.findall(r"@([A-Z_]+)@", text.read()))
        with open(report.__file__, encoding="utf-8") as text:
            code = text.read()
        self.assertEqual([place for place in places if f'"{place}"' not in code], [])


if __name__ == "__main__":
    unittest.main()
