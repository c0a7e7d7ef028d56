# SPDX-License-Identifier: GPL-2.0
"""Run the project's tests.

usage: scripts/check [--full] [--only PATTERN]... [--list]

  --full          also what takes long (make check-full)
  --only PATTERN  only steps whose name has PATTERN in it
  --list          print the steps and do nothing

Kernels are built while the tests of those that are there run. The output of
each step is in build/log/check/. The line of a step has how long it took, its CPU
time (less than that by much: the machine was busy), and its results. The last line
counts the tests.
"""

import os
import re
import signal
import subprocess
import sys
import time

import series_cli
import tap
from check_steps import STEPS, TESTS
from kernels import BUILD, Error, ROOT

LOGS = os.path.join(BUILD, "log", "check")
# What may end us; held back while a step is started, or it would be nobody's.
ENDINGS = {signal.SIGINT, signal.SIGTERM}


def arguments(argv):
    full, listed, only = False, False, []
    words = list(argv)
    while words:
        word = words.pop(0)
        if word == "--full":
            full = True
        elif word == "--list":
            listed = True
        elif word == "--only" and words:
            only.append(words.pop(0))
        elif word == "--help":
            print(__doc__.strip())
            sys.exit(0)
        else:
            raise Error("`%s` is none of --full, --only PATTERN, --list." % word, 2)
    steps = [step for step in STEPS if (full or not step.full) and (
        not only or any(pattern in step.name for pattern in only))]
    if not steps:
        raise Error("no step has %s in its name; see scripts/check --list." % " or ".join(only), 2)
    return steps, listed


def end(process):
    """The whole process group of a step, which we started."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, how)
            process.wait(10)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
    process.wait()


def let_end():
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)


class Running:
    """A step that has been started."""

    def __init__(self, step):
        self.step = step
        self.log = os.path.join(LOGS, re.sub(r"\W+", "-", step.name) + ".log")
        self.start = time.monotonic()
        self.cpu = 0.0
        env = dict(os.environ, PYTHONDONTWRITEBYTECODE="1")
        with open(self.log, "wb") as out:
            self.process = subprocess.Popen(step.command, shell=True, cwd=ROOT, env=env,
                                            stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=subprocess.STDOUT, start_new_session=True,
                                            preexec_fn=let_end)

    def seconds(self):
        return time.monotonic() - self.start

    def ended(self):
        """Whether it has, be it as its time was up."""
        if self.reaped():
            return True
        if self.seconds() < self.step.limit:
            return False
        end(self.process)
        self.process.returncode = None
        return True

    def reaped(self):
        """As Popen.poll(), which does not tell what it used."""
        pid, status, used = os.wait4(self.process.pid, os.WNOHANG)
        if not pid:
            return False
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.cpu = used.ru_utime + used.ru_stime
        return True

    def results(self):
        """Says how it went."""
        with open(self.log, errors="replace") as lines:
            text = lines.read()
        results = judge(self.step, self.process.returncode, text)
        used = "%5d s" % self.cpu if self.cpu else "      -"
        say("%-28s %5d s %s  %s" % (self.step.name, self.seconds(), used, summary(results)))
        if results.failed:
            for row in [*shown(text), *("FAILED: " + f for f in results.failed), "see " + self.log]:
                say("    " + row)
        return results


def say(text):
    """In the place of the line that tells what is running."""
    print(("\r\033[K" if sys.stdout.isatty() else "") + text, flush=True)


def next_step(lane, waiting, lanes):
    """What a free lane may start first: a step of its own; once it has none, one of the tests."""
    unfinished = {step.name for step in waiting} | {run.step.name for run in lanes.values()}
    mine = [step for step in waiting if step.lane == lane] or [step for step in waiting if step.lane == TESTS]
    return next((step for step in mine if step.after not in unfinished), None)


def start(step, lanes, lane):
    """What ends us comes before the step or once it is among those that run: in between it would leave a step to nobody."""
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
    try:
        lanes[lane] = Running(step)
    finally:
        let_end()


def run_all(steps):
    """The results of each step, as they come."""
    waiting, lanes = list(steps), {}
    names = list(dict.fromkeys(step.lane for step in steps))
    try:
        while waiting or lanes:
            for lane in names:
                step = next_step(lane, waiting, lanes) if lane not in lanes else None
                if step:
                    waiting.remove(step)
                    start(step, lanes, lane)
            if sys.stdout.isatty():
                print("\r\033[K" + ", ".join("%s %d s" % (run.step.name, run.seconds())
                                             for run in lanes.values())[:79], end="", flush=True)
            time.sleep(0.05)
            for lane in [lane for lane, run in lanes.items() if run.ended()]:
                yield lanes.pop(lane).results()
    finally:
        for run in lanes.values():
            end(run.process)


def judge(step, status, text):
    """Results of one step, and why it failed where that is not in them."""
    results = tap.parse(text) if step.tap else None
    why = None
    if status is None:
        why = "still ran after %d s" % step.limit
    elif results is None and step.tap:
        results, why = tap.Results(), "printed no test results and ended with %d" % status
    elif results is None:
        results = tap.Results()
        if status == 4:         # what kselftests use
            results.skipped.append((step.name, last_line(text)))
        elif status == 0:
            results.passed.append(step.name)
        else:
            results.failed.append(step.name)
    elif status and not results.failed:
        why = "ended with %d though no test failed" % status
    if results is None:
        results = tap.Results()
    if why:
        results.failed.append("%s %s" % (step.name, why))
    return results


def last_line(text):
    return text.strip().split("\n")[-1] or "no reason given"


def shown(text, lines=12):
    """Of a failed step's output what tells most: what stands before each failure, or the end."""
    rows, before, failures = text.rstrip().split("\n"), [], []
    for row in rows:
        before.append(row)
        if re.match(r"[# ]*not ok \d", row):
            failures += before[-lines:]
        if re.match(r"[# ]*(not )?ok \d", row):
            before = []
    return failures[:40] or rows[-lines:]


def main():
    steps, listed = arguments(sys.argv[1:])
    if listed:
        for step in steps:
            print("%-24s %s%s" % (step.name, step.command, "   (full)" if step.full else ""))
        return 0
    os.makedirs(LOGS, exist_ok=True)
    total = tap.Results()
    for results in run_all(steps):
        for kind in ("passed", "failed", "skipped"):
            getattr(total, kind).extend(getattr(results, kind))
    for name, reason in total.skipped:
        print("skipped: %s: %s" % (name, reason))
    print("%d passed, %d failed, %d skipped" % (len(total.passed), len(total.failed), len(total.skipped)))
    return 1 if total.failed or not (total.passed or total.skipped) else 0


def summary(results):
    parts = ["%d %s" % (len(part), word) for part, word in
             ((results.passed, "passed"), (results.failed, "FAILED"), (results.skipped, "skipped")) if part]
    return ", ".join(parts) or "no tests"


if __name__ == "__main__":
    series_cli.main(main)
