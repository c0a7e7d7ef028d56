# SPDX-License-Identifier: GPL-2.0
"""scripts/check: what each kind of output counts as, and that nothing bad ends with 0."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

import toy
import tap


class Runner:
    """A copy of the runner, with steps of its own."""

    def __init__(self):
        self.top = tempfile.mkdtemp(prefix="check-")
        os.makedirs(self.top + "/scripts/lib")
        for name in ("check", "lib/run-python", "lib/check.py", "lib/tap.py", "lib/series_cli.py", "lib/kernels.py"):
            shutil.copy2(os.path.join(toy.ROOT, "scripts", name), os.path.join(self.top, "scripts", name))
        self.env = {key: value for key, value in os.environ.items() if key != "PAGING_BUILD_DIR"}

    def remove(self):
        shutil.rmtree(self.top)

    def steps(self, *steps):
        """Each is the arguments of a Step, as they are written in check_steps.py."""
        with open(os.path.join(toy.ROOT, "scripts/lib/check_steps.py")) as text:
            head = text.read().split("STEPS = [")[0]
        with open(self.top + "/scripts/lib/check_steps.py", "w") as out:
            out.write(head + "STEPS = [%s]\n" % "".join("Step(%s),\n" % step for step in steps))

    def tap(self, name, *lines, status=0, more=""):
        """Source of a step that prints these lines."""
        path = "%s/%s.out" % (self.top, name)
        with open(path, "w") as out:
            out.write("".join(line + "\n" for line in lines))
        return "%r, %r%s" % (name, "cat %s; exit %d" % (path, status), more)

    def run(self, *args):
        done = subprocess.run([self.top + "/scripts/check", *args], env=self.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output = done.stdout.decode()
        assert "Traceback" not in output, output
        return done.returncode, output

    def gives(self, status, closing, *args, saying=()):
        got, output = self.run(*args)
        assert output.rstrip().split("\n")[-1] == closing, output
        assert got == status, "ended with %d: %s" % (got, output)
        for word in [saying] if isinstance(saying, str) else saying:
            assert word in output, "no %r in: %s" % (word, output)
        return output


make_toy = Runner


# ------------------------------------------------------------ counting results

def counts(text, passed=0, failed=0, skipped=0):
    results = tap.parse(text)
    assert results is not None, "no TAP was seen"
    got = (len(results.passed), len(results.failed), len(results.skipped))
    assert got == (passed, failed, skipped), "%s: %s" % (got, vars(results))
    return results


def test_plain(_):
    found = counts("TAP version 13\n1..3\nok 1 - a\nnot ok 2 - b\nok 3 - c # SKIP no c here\n", 1, 1, 1)
    assert (found.passed, found.failed, found.skipped) == (["a"], ["b"], [("c", "no c here")]), vars(found)


def test_plan_at_the_end(_):
    counts("ok 1 - a\nok 2 - b\n1..2\n", 2)
    counts("ok 1 - a\n1..2\n", 1, 1)


def test_lists_one_after_the_other(_):
    counts("TAP version 13\n1..2\nok 1\nok 2\nTAP version 13\n1..1\nok 1\n", 3)
    counts("TAP version 13\n1..2\nok 1\nTAP version 13\n1..1\nok 1\n", 2, 1)


def test_missing_and_surplus_results(_):
    assert "1 results, 3 were planned" in counts("1..3\nok 1 - a\n", 1, 1).failed[0]
    counts("1..1\nok 1 - a\nok 2 - b\n", 2, 1)
    counts("1..2\n", 0, 1)


def test_a_result_that_came_twice_for_another(_):
    counts("1..2\nok 1 - a\nok 1 - a\n", 2, 1)
    counts("1..2\nok 2 - b\nok 1 - a\n", 2)


def test_nested_as_kselftest_prints_it(_):
    text = ("TAP version 13\n1..2\n# timeout set to 45\n# selftests: x: a\n# TAP version 13\n# 1..2\n# ok 1 first\n"
            "# %sok 2 second\n# # Totals: pass:1\n%sok 1 selftests: x: a%s\n# selftests: x: b\n# 1..1\n# ok 1 only\n"
            "ok 2 selftests: x: b\n")
    counts(text % ("", "", ""), 3)
    assert counts(text % ("not ", "not ", " # exit=1"), 2, 1).failed == ["second"]
    counts(text % ("", "not ", " # TIMEOUT 45 seconds"), 3, 1)


def test_nested_list_that_broke_off(_):
    found = counts("1..1\n# 1..3\n# ok 1 first\nnot ok 1 selftests: x: a # exit=139\n", 1, 1)
    assert "x: a" in found.failed[0] and "3 were planned" in found.failed[0], found.failed
    counts("1..1\n# 1..3\n# ok 1 first\nok 1 selftests: x: a\n", 1, 1)


def test_nested_twice(_):
    counts("1..1\n# 1..1\n# # 1..2\n# # ok 1\n# # not ok 2 deep\n# not ok 1 middle\nnot ok 1 outer\n", 1, 1)


def test_program_that_was_skipped_counts_once(_):
    found = counts("1..2\n# TAP version 13\n# 1..0 # SKIP needs root\nok 1 selftests: x: a # SKIP\nok 2 b\n", 1, 0, 1)
    assert found.skipped == [("selftests: x: a", "needs root")], found.skipped
    counts("TAP version 13\n1..0 # SKIP no such machine\n", 0, 0, 1)
    counts("1..0 # SKIP no such machine\nTAP version 13\n1..1\nok 1\n", 1, 0, 1)


def test_empty_list_is_no_success(_):
    counts("TAP version 13\n1..0\n", 0, 1)


def test_bail_out(_):
    found = counts("1..2\nok 1 - a\nBail out! the disk is gone\n", 1, 2)
    assert any("the disk is gone" in failure for failure in found.failed), found.failed
    counts("# Bail out! nested\n1..1\nnot ok 1 - a\n", 0, 2)


def test_indented_as_kunit_prints_it(_):
    text = ("KTAP version 1\n1..2\n    KTAP version 1\n    # Subtest: suite\n    # module: x\n    1..2\n"
            "    # add: EXPECTATION FAILED at x.c:1\n    %sok 1 add\n        KTAP version 1\n        # Subtest: cases\n"
            "        ok 1 one\n        ok 2 two # SKIP not here\n    # cases: pass:1 fail:0 skip:1 total:2\n    ok 2 cases\n"
            "# suite: pass:2\n%sok 1 suite\n    1..1\n    ok 1 b\nok 2 other\n")
    counts(text % ("", ""), 3, 0, 1)
    assert counts(text % ("not ", "not "), 2, 1, 1).failed == ["add"]


def test_line_ends_of_a_console(_):
    counts("1..2\r\nok 1 - a\r\nok 2 - b # SKIP why\r\n", 1, 0, 1)


def test_text_that_is_no_tap(_):
    for text in ("", "everything is ok 1\n", "not okay\nok, 1\n", "building 1..3\n"):
        assert tap.parse(text) is None, text


# ------------------------------------------------------------------ the runner

def test_adds_up(t):
    t.steps(t.tap("one", "1..3", "ok 1 - a", "ok 2 - b", "ok 3 - c # SKIP no c"),
            "'two', 'true', False", "'three', 'echo no such board; exit 4', False")
    t.gives(0, "3 passed, 0 failed, 2 skipped", saying=["skipped: c: no c\n", "skipped: three: no such board\n"])


def test_a_line_tells_the_cpu_time(t):
    burn = "import time; all(iter(lambda: time.process_time() < 1.2, False))"
    t.steps(f"'one', 'python3 -c \"{burn}\"', False", "'two', 'sleep 1.2', False")
    output = t.gives(0, "2 passed, 0 failed, 0 skipped")
    assert re.search(r"(?m)^one +[0-9]+ s +[1-9][0-9]* s  1 passed$", output), output
    assert re.search(r"(?m)^two +[1-9][0-9]* s +0 s  1 passed$", output), output


def test_failed_test_fails_the_run(t):
    t.steps(t.tap("one", "1..2", "# expected 1, got 2", "not ok 1 - a", "ok 2 - b", status=1), t.tap("two", "1..1", "ok 1"))
    t.gives(1, "2 passed, 1 failed, 0 skipped", saying=["# expected 1, got 2", "FAILED: a\n", "log/check/one.log"])


def test_failed_test_fails_the_run_though_its_step_ends_with_0(t):
    t.steps(t.tap("one", "1..1", "not ok 1 - a"))
    t.gives(1, "0 passed, 1 failed, 0 skipped")


def test_status_counts_though_no_test_failed(t):
    t.steps(t.tap("one", "1..1", "ok 1 - a", status=3))
    t.gives(1, "1 passed, 1 failed, 0 skipped", saying="FAILED: one ended with 3 though no test failed")


def test_step_without_tap(t):
    t.steps("'one', 'echo all is well'", "'two', 'echo no compiler >&2; exit 1'", "'three', '/nonexistent/program'")
    t.gives(1, "0 passed, 3 failed, 0 skipped", saying=["one printed no test results and ended with 0", "no compiler",
                                                         "two printed no test results and ended with 1", "ended with 127"])


def test_plain_step_that_fails(t):
    t.steps("'one', 'echo compiler says no; exit 2', False", "'two', 'kill -9 $$', False")
    t.gives(1, "0 passed, 2 failed, 0 skipped", saying=["compiler says no", "FAILED: one", "FAILED: two"])


def test_plain_step_that_is_skipped_without_a_word(t):
    t.steps("'one', 'exit 4', False", "'two', 'true', False")
    t.gives(0, "1 passed, 0 failed, 1 skipped", saying="skipped: one: no reason given")


def gone(path):
    """Whether the process whose number is in a file has ended, reaped or not."""
    with open(path) as number:
        stat = "/proc/%s/stat" % number.read().strip()
    return not os.path.exists(stat) or open(stat).read().split(") ")[1][0] == "Z"


def test_step_over_its_limit_is_ended(t):
    t.steps("'slow', 'echo 1..2; echo ok 1 - a; sleep 3210 & echo $! >%s/pid; wait', limit=1" % t.top,
            t.tap("next", "1..1", "ok 1"))
    start = time.monotonic()
    t.gives(1, "2 passed, 2 failed, 0 skipped", saying="slow still ran after 1 s")
    assert time.monotonic() - start < 9
    assert gone(t.top + "/pid"), "what the step had started still runs"


def test_step_that_ignores_sigterm_is_ended(t):
    t.steps("'deaf', 'trap \"\" TERM; sleep 3210', False, limit=1")
    t.gives(1, "0 passed, 1 failed, 0 skipped", saying="deaf still ran after 1 s")


def test_interrupted_run_ends_its_step(t):
    t.steps("'slow', 'echo $$ >%s/pid; sleep 3210', False" % t.top)
    for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        runner = subprocess.Popen([t.top + "/scripts/check"], env=t.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))
        while not os.path.exists(t.top + "/pid") or not open(t.top + "/pid").read():
            time.sleep(0.01)
        runner.send_signal(number)
        output = runner.communicate(timeout=120)[0].decode()
        assert runner.returncode == status and "Traceback" not in output, "%d: %s" % (runner.returncode, output)
        assert gone(t.top + "/pid")
        os.unlink(t.top + "/pid")


SLOW_START = """
import subprocess, time

class SlowStart(subprocess.Popen):
    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        time.sleep(0.3)

subprocess.Popen = SlowStart
"""


def test_run_that_is_interrupted_as_it_starts_a_step_ends_it(t):
    t.steps("'one', 'echo $$ >%s/pid && kill $PPID && exec sleep 3210', False" % t.top)
    with open(t.top + "/scripts/lib/check_steps.py", "a") as steps:
        steps.write(SLOW_START)
    t.run()
    assert gone(t.top + "/pid")


def test_lanes_run_side_by_side(t):
    t.steps("'one', 'while [ ! -e two ]; do sleep 0.01; done', False, limit=20", "'two', 'touch two', False, lane='b'")
    t.gives(0, "2 passed, 0 failed, 0 skipped")
    t.steps("'one', 'test ! -e both; sleep 0.2; touch both', False", "'two', 'test -e both', False")
    t.gives(0, "2 passed, 0 failed, 0 skipped")


def test_an_idle_lane_helps_with_the_tests(t):
    wait = "touch %s; while [ ! -e %s ]; do sleep 0.01; done"
    t.steps("'build', 'true', False, lane='builds'", f"'one', '{wait % ('one', 'two')}', False, limit=20",
            f"'two', '{wait % ('two', 'one')}', False, limit=20")
    t.gives(0, "3 passed, 0 failed, 0 skipped")
    alone = "mkdir busy && sleep 0.3 && rmdir busy"
    t.steps(f"'first', '{alone}', False, lane='builds'", f"'second', '{alone}', False, lane='builds'", "'test', 'true', False")
    t.gives(0, "3 passed, 0 failed, 0 skipped")


def test_a_step_that_waits_lets_others_of_its_lane_by(t):
    t.steps("'build', 'while [ ! -e three ]; do sleep 0.01; done', False, lane='builds', limit=20",
            "'two', 'test -e three', False, after='build'", "'three', 'touch three', False")
    t.gives(0, "3 passed, 0 failed, 0 skipped")


def test_step_waits_for_another(t):
    t.steps("'one', 'sleep 0.3; touch one', False, lane='b'", "'two', 'test -e one; touch two', False, after='one'",
            "'three', 'test -e two', False, lane='b', after='two'", "'four', 'test -e two', False, after='one'")
    t.gives(0, "4 passed, 0 failed, 0 skipped")
    t.gives(0, "1 passed, 0 failed, 0 skipped", "--only", "four")
    t.steps("'one', 'false', False, lane='b'", "'two', 'true', False, after='one'")
    t.gives(1, "1 passed, 1 failed, 0 skipped")


def test_what_a_step_waits_for_comes_before_it(_):
    scope = {}
    with open(os.path.join(toy.ROOT, "scripts/lib/check_steps.py")) as text:
        exec(text.read(), scope)
    names = [step.name for step in scope["STEPS"]]
    assert len(set(names)) == len(names), names
    for place, step in enumerate(scope["STEPS"]):
        assert step.after is None or step.after in names[:place], step


def test_everything_skipped_is_no_failure(t):
    t.steps("'one', 'echo not here; exit 4', False")
    t.gives(0, "0 passed, 0 failed, 1 skipped")


def test_steps_run_at_the_top_without_input(t):
    t.steps("'where', 'test \"$PWD\" = %s && ! read x', False" % os.path.realpath(t.top))
    t.gives(0, "1 passed, 0 failed, 0 skipped")


def test_full_only_and_list(t):
    t.steps("'kernel arm64', 'true', False", "'kernel x86_64', 'true', False",
            "'each patch arm64', 'true', False, full=True")
    t.gives(0, "2 passed, 0 failed, 0 skipped")
    t.gives(0, "3 passed, 0 failed, 0 skipped", "--full")
    t.gives(0, "1 passed, 0 failed, 0 skipped", "--only", "kernel arm64")
    t.gives(0, "2 passed, 0 failed, 0 skipped", "--full", "--only", "arm64")
    t.gives(0, "2 passed, 0 failed, 0 skipped", "--only", "arm64", "--only", "x86_64")
    status, output = t.run("--full", "--list")
    assert status == 0 and [line.split("  ")[0] for line in output.splitlines()] == [
        "kernel arm64", "kernel x86_64", "each patch arm64"] and output.count("(full)") == 1, output


def test_bad_arguments(t):
    t.steps("'one', 'true', False")
    for args, word in ((["--ony", "one"], "--ony"), (["one"], "`one`"), (["--only"], "--only"), (["--only", "two"], "two")):
        status, output = t.run(*args)
        assert status == 2 and word in output and output.count("\n") == 1, output
    status, output = t.run("--help")
    assert status == 0 and "--only PATTERN" in output


if __name__ == "__main__":
    toy.main(globals())
