# SPDX-License-Identifier: GPL-2.0
"""Run the project's tests.

usage: scripts/check [--full] [--only PATTERN]... [--list]

  --full          also what takes long (make check-full)
  --only PATTERN  only steps whose name has PATTERN in it
  --list          print the steps and do nothing

The output of each step is in build/log/check/. The last line counts the tests.
"""

import os
import re
import signal
import subprocess
import sys
import time

import series_cli
import tap
from check_steps import STEPS
from kernels import BUILD, Error, ROOT

LOGS = os.path.join(BUILD, "log", "check")


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


def run(step, log):
    """Its exit status, None if it took too long."""
    env = dict(os.environ, PYTHONDONTWRITEBYTECODE="1")
    with open(log, "wb") as out:
        try:
            process = subprocess.Popen(step.command, shell=True, cwd=ROOT, env=env, stdin=subprocess.DEVNULL,
                                       stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
        except OSError as error:
            out.write(str(error).encode())
            return 127
        try:
            return process.wait(step.limit)
        except subprocess.TimeoutExpired:
            end(process)
            return None
        except BaseException:
            end(process)
            raise


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
    for step in steps:
        log = os.path.join(LOGS, re.sub(r"\W+", "-", step.name) + ".log")
        print("%-28s " % step.name, end="", flush=True)
        start = time.monotonic()
        status = run(step, log)
        with open(log, errors="replace") as lines:
            text = lines.read()
        results = judge(step, status, text)
        print("%5d s  %s" % (time.monotonic() - start, summary(results)), flush=True)
        if results.failed:
            print("".join("    %s\n" % row for row in [*shown(text), *("FAILED: " + f for f in results.failed),
                                                       "see " + log]), end="", flush=True)
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
